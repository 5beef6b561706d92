//! Steps against Pillow's results on the same pixels, byte for byte; `pillow_cases.py` says how they were made.

use catalogue::{Dataset, Step};
use datasets::resize;
use sha2::{Digest, Sha256};

const CASES: &str = include_str!("pillow_cases.txt");

/// The pixels that the cases were computed from.
fn pixels(channels: usize, height: usize, width: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let level = |index: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let level = (state >> 24) as u8;
        if (index / width).is_multiple_of(2) { level } else { 255 * (level >> 7) }
    };
    (0..channels * height * width).map(level).collect()
}

#[test]
fn resampled_images_are_those_of_pillow() {
    let mut cases = 0;
    for line in CASES.lines().filter(|line| line.starts_with("resize")) {
        let [step, channels, height, width, digest] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let dataset: Dataset = format!("own:a@{channels}x{height}x{width}|{step}").parse().unwrap();
        let [Step::Resize(size, filter)] = dataset.steps() else { panic!("{line}") };
        let shape = [channels, height, width].map(|side| side.parse().unwrap());

        let resized = resize(&pixels(shape[0], shape[1], shape[2]), shape, *size, *filter);

        assert_eq!(hex::encode(Sha256::digest(&resized)), digest, "{line}");
        cases += 1;
    }
    assert_eq!(cases, 160);
}
