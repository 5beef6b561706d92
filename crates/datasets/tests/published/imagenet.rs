//! ImageNet downsampled: flat rows of planes, labels from 1.

use datasets::{Entry, Format, LoadError, Split};

use crate::files::{Folder, assert_says, entry, fixture, npy, pixels, zip_of};

fn imagenet(sizes: [usize; 2]) -> Entry {
    entry([3, 2, 2], sizes, Format::DownsampledImagenet)
}

fn npz(first: u8, labels: &[i64]) -> Vec<u8> {
    let values: Vec<u8> = (0..12 * labels.len()).map(|value| first + value as u8).collect();
    let labels_bytes: Vec<u8> = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
    zip_of(&[
        ("labels.npy", npy("<i8", &[labels.len()], &labels_bytes)),
        ("mean.npy", npy("<f8", &[1], &[0; 8])),
        ("data.npy", npy("|u1", &[labels.len(), 12], &values)),
    ])
}

fn batch_name(batch: usize) -> String {
    format!("train_data_batch_{batch}.npz")
}

#[test]
fn labels_count_from_zero_and_pixels_are_planes() {
    let examples = Folder::with("val_data.npz", &fixture("val_data.npz")).whole(&imagenet([0, 2]), Split::Test);

    assert_eq!(examples.labels(), Some(&[0, 999][..]));
    assert_eq!(pixels(&examples), (0..24).collect::<Vec<u8>>());
}

#[test]
fn archives_with_archives_are_read_in_place() {
    let archive = zip_of(&[("val_data.npz", fixture("val_data.npz"))]);
    let entry = imagenet([0, 2]);

    let packed = Folder::with("Imagenet32_val_npz.zip", &archive).whole(&entry, Split::Test);
    let extracted =
        Folder::with("Imagenet32_val_npz/val_data.npz", &fixture("val_data.npz")).whole(&entry, Split::Test);

    assert_eq!(pixels(&packed), (0..24).collect::<Vec<u8>>());
    assert_eq!((extracted, packed.labels()), (packed.clone(), Some(&[0, 999][..])));
}

#[test]
fn batches_follow_each_other_by_number() {
    let entry = imagenet([20, 0]);
    let mut folder = Folder::new();
    for batch in 1..=10 {
        folder = folder.and(&batch_name(batch), &npz(10 * batch as u8, &[batch as i64, 500]));
    }

    let examples = folder.whole(&entry, Split::Train);

    let firsts: Vec<u8> = pixels(&examples).iter().copied().step_by(24).collect();
    assert_eq!(firsts, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    assert_eq!(examples.labels().unwrap()[..4], [0, 499, 1, 499]);
    assert_eq!(folder.load(&entry, Split::Train, Some(3)).unwrap(), examples.split_at(3).0);

    std::fs::remove_file(folder.path(&batch_name(7))).unwrap();
    let missing = folder.load(&entry, Split::Train, None).unwrap_err();
    assert!(
        matches!(&missing, LoadError::Missing(_)) && missing.to_string().contains("train_data_batch_7.npz"),
        "{missing}"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let refusal = |file: &[u8]| Folder::with("val_data.npz", file).refusal(&imagenet([0, 2]), Split::Test);
    let data = |description: &str, dimensions: &[usize], bytes: &[u8]| {
        zip_of(&[("data.npy", npy(description, dimensions, bytes)), ("labels.npy", npy("<i8", &[2], &[1; 16]))])
    };

    assert_says(&refusal(&npz(0, &[1])), &["1 pictures", "2 are expected"]);
    assert_says(&refusal(&npz(0, &[1, 2, 3])), &["has 3 examples", "2"]);
    assert_says(&refusal(&npz(0, &[0, 2])), &["the label 0", "1 to 1000"]);
    assert_says(&refusal(&npz(0, &[1, 1001])), &["the label 1001"]);
    assert_says(&refusal(&data("|u1", &[2, 3, 2, 2], &[0; 24])), &["[2, 3, 2, 2]", "uint8 [n, 12]"]);
    assert_says(&refusal(&data("<f4", &[2, 12], &[0; 96])), &["float32", "uint8"]);
    assert_says(&refusal(&data("|u1", &[2, 12], &[0; 20])), &["val_data.npz ends too early"]);
    assert_says(&refusal(&data("|u1", &[2, 12], &[0; 30])), &["after its last picture"]);
    assert_says(
        &refusal(&zip_of(&[("data.npy", npy("|u1", &[2, 12], &[0; 24]))])),
        &["has no file val_data.npz/labels.npy"],
    );
}
