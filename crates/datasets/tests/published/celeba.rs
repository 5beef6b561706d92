//! CelebA: the list that splits it, and the presets of its crops, which are Pillow's.

use datasets::{CelebaPreset, Entry, Format, LoadError, Split};

use crate::files::{Folder, assert_says, entry, fixture, pixels, png, zip_of};

const LIST: &str = "list_eval_partition.txt";
const PARTITIONS: &[u8] = b"000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n000004.jpg 0\n";

fn celeba(side: usize, preset: CelebaPreset) -> Entry {
    entry([3, side, side], [2, 1], Format::Celeba(preset))
}

fn plain(level: u8) -> Vec<u8> {
    png(178, 218, &[level; 178 * 218 * 3])
}

/// The face is the first picture, those after it have one level each. (A decoder goes by the bytes, not by the name.)
fn faces() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("img_align_celeba/000004.jpg", plain(4)),
        ("img_align_celeba/000003.jpg", plain(3)),
        ("img_align_celeba/000001.jpg", fixture("face.jpg")),
        ("img_align_celeba/000002.jpg", plain(2)),
        ("__MACOSX/img_align_celeba/._000001.jpg", vec![1, 2, 3]),
    ]
}

fn packed() -> Folder {
    Folder::with("img_align_celeba.zip", &zip_of(&faces())).and(LIST, PARTITIONS)
}

#[test]
fn partitions_are_the_splits() {
    let entry = celeba(32, CelebaPreset::ShorterSide);
    let extracted = Folder::extracted(&faces()).and(LIST, PARTITIONS);

    let (train, test) = (packed().whole(&entry, Split::Train), packed().whole(&entry, Split::Test));

    assert_eq!((train.len(), pixels(&train)[3072], train.labels()), (2, 4, None));
    assert_eq!((test.len(), pixels(&test)[0]), (1, 3));
    assert_eq!(extracted.whole(&entry, Split::Train), train);
    assert_eq!(packed().load(&entry, Split::Train, Some(1)).unwrap(), train.split_at(1).0);
}

#[test]
fn presets_are_those_of_pillow_and_torchvision() {
    let expected = fixture("faces.bin");
    let presets = [
        (32, CelebaPreset::ShorterSide, &expected[..3072]),
        (64, CelebaPreset::ShorterSide, &expected[3072..15_360]),
        (32, CelebaPreset::Centre(140), &expected[15_360..18_432]),
        (32, CelebaPreset::Centre(148), &expected[18_432..]),
    ];

    for (side, preset, expected) in presets {
        let examples = packed().load(&celeba(side, preset), Split::Train, Some(1)).unwrap();

        // JPEG decoders round differently where they enlarge the planes of colours, by a third of a level on average for
        // this picture; a crop that is off by one row differs by several levels.
        let differences = || pixels(&examples).iter().zip(expected).map(|(&a, &b)| a.abs_diff(b));
        let mean = differences().map(f64::from).sum::<f64>() / expected.len() as f64;
        let largest = differences().max().unwrap();
        assert_eq!(pixels(&examples).len(), expected.len());
        assert!(mean < 0.5 && largest <= 3, "{preset:?} at {side}: mean {mean}, largest {largest}");
    }
    let shifted = expected[..3040].iter().zip(&expected[32..3072]).map(|(&a, &b)| f64::from(a.abs_diff(b)));
    assert!(shifted.sum::<f64>() / 3040.0 > 2.0);
}

#[test]
fn aligned_faces_stay_as_they_are() {
    let entry = entry([3, 218, 178], [2, 1], Format::Celeba(CelebaPreset::Aligned));

    let examples = packed().whole(&entry, Split::Train);

    assert_eq!(examples.dimensions(), 3 * 218 * 178);
    assert!(pixels(&examples)[3 * 218 * 178..].iter().all(|&level| level == 4));
}

#[test]
fn a_missing_list_or_face_is_named() {
    let entry = celeba(32, CelebaPreset::ShorterSide);
    let archive = zip_of(&faces()[1..]);

    let no_list = Folder::with("img_align_celeba.zip", &archive).load(&entry, Split::Train, None).unwrap_err();
    let no_face = Folder::with("img_align_celeba.zip", &archive).and(LIST, PARTITIONS).refusal(&entry, Split::Train);

    assert!(matches!(no_list, LoadError::Missing(_)) && no_list.to_string().contains(LIST), "{no_list}");
    assert_says(&no_face, &["img_align_celeba.zip", "has no file 000004.jpg"]);
}

#[test]
fn other_lists_and_other_sizes_are_refused() {
    let entry = celeba(32, CelebaPreset::ShorterSide);
    let with_list = |list: &[u8]| {
        Folder::with("img_align_celeba.zip", &zip_of(&faces())).and(LIST, list).refusal(&entry, Split::Train)
    };
    let in_the_wild = [
        ("img_align_celeba/000001.jpg", png(178, 200, &[0; 178 * 200 * 3])),
        ("img_align_celeba/000004.jpg", plain(4)),
    ];

    assert_says(&with_list(b"000001.jpg 0\n"), &[LIST, "1 pictures of this split", "2 are expected"]);
    assert_says(&with_list(b"000001.jpg 0\n000002.jpg 3\n"), &["line 2 is `000002.jpg 3`", "0, 1 or 2"]);
    let refusal =
        Folder::with("img_align_celeba.zip", &zip_of(&in_the_wild)).and(LIST, PARTITIONS).refusal(&entry, Split::Train);
    assert_says(&refusal, &["000001.jpg is 200×178 pixels", "218×178 are expected"]);
}
