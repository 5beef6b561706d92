//! Steps against Pillow's results on the same pixels, byte for byte; `pillow_cases.py` says how they were made.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use catalogue::{Dataset, Step};
use datasets::{DataDirectory, Scaling, Split, Values, resize};
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use sha2::{Digest, Sha256};

const CASES: &str = include_str!("pillow_cases.txt");

/// The pixels that the cases were computed from.
fn pixels([channels, height, width]: [usize; 3]) -> Vec<u8> {
    let mut state = 1_u32;
    let level = |index: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let level = (state >> 24) as u8;
        if (index / width).is_multiple_of(2) { level } else { 255 * (level >> 7) }
    };
    (0..channels * height * width).map(level).collect()
}

/// The cases: the dataset that is the step alone, the shape before it, the digest of the pixels after it.
fn cases() -> Vec<(String, [usize; 3], &'static str)> {
    let case = |line: &'static str| {
        let [step, channels, height, width, digest] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let name = format!("own:a@{channels}x{height}x{width}|{step}");
        (name, [channels, height, width].map(|side| side.parse().unwrap()), digest)
    };
    CASES.lines().map(case).collect()
}

#[test]
fn resampled_images_are_those_of_pillow() {
    let mut resampled = 0;
    for (name, shape, digest) in cases() {
        let dataset: Dataset = name.parse().unwrap();
        let [Step::Resize(size, filter)] = dataset.steps() else { continue };

        let resized = resize(&pixels(shape), shape, *size, *filter);

        assert_eq!(hex::encode(Sha256::digest(&resized)), digest, "{name}");
        resampled += 1;
    }
    assert_eq!(resampled, 160);
}

#[test]
fn images_after_a_step_are_those_of_pillow() {
    let folder = tempfile::tempdir().unwrap();
    for (name, shape, digest) in cases() {
        std::fs::write(folder.path().join("a.safetensors"), safetensors_of(shape)).unwrap();
        let dataset: Dataset = name.replace("own:a@", "own:a.safetensors@").parse().unwrap();

        let examples =
            datasets::load(&DataDirectory::at(folder.path()), &dataset, Split::Test, None, &Scaling::none()).unwrap();

        let Values::Bytes(after) = examples.values() else { panic!("{name} has continuous values") };
        assert_eq!(hex::encode(Sha256::digest(after)), digest, "{name}");
    }
}

/// A file with one image.
fn safetensors_of(shape: [usize; 3]) -> Vec<u8> {
    let pixels = pixels(shape);
    let dimensions = [&[1], &shape[..]].concat();
    let image = TensorView::new(Dtype::U8, dimensions, &pixels).unwrap();
    serialize([("images", image)], None).unwrap()
}
