//! EMNIST: transposed pictures, letters that begin at 1.

use datasets::{EmnistPart, Entry, Format, LoadError, Split};

use crate::files::{Folder, assert_says, entry, fixture, gzip, idx, pixels, zip_of};

fn emnist(part: EmnistPart) -> Entry {
    entry([1, 28, 28], [2, 1], Format::Emnist(part))
}

/// Two pictures: the first has its first row bright in the file, which is its first column upright.
fn images() -> Vec<u8> {
    let mut values = vec![0; 2 * 784];
    values[..28].fill(200);
    values[784 + 3 * 28 + 5] = 9;
    idx(&[2, 28, 28], &values)
}

fn archive(part: &str, labels: [u8; 2]) -> Vec<u8> {
    zip_of(&[
        (&format!("gzip/emnist-{part}-train-labels-idx1-ubyte.gz"), gzip(&idx(&[2], &labels))),
        (&format!("gzip/emnist-{part}-train-images-idx3-ubyte.gz"), gzip(&images())),
    ])
}

#[test]
fn pictures_are_turned_upright() {
    let folder = Folder::with("gzip.zip", &archive("digits", [7, 0]));

    let examples = folder.whole(&emnist(EmnistPart::Digits), Split::Train);

    let bright: Vec<usize> = (0..784).filter(|&place| pixels(&examples)[place] == 200).collect();
    assert_eq!(bright, (0..28).map(|row| row * 28).collect::<Vec<_>>());
    assert_eq!(pixels(&examples)[784 + 5 * 28 + 3], 9);
    assert_eq!(examples.labels(), Some(&[7, 0][..]));
}

#[test]
fn extracted_files_give_what_the_archive_gives() {
    let entry = emnist(EmnistPart::Digits);
    let packed = Folder::with("gzip.zip", &archive("digits", [7, 0])).whole(&entry, Split::Train);

    for (name, bytes) in [
        ("gzip/emnist-digits-train-images-idx3-ubyte.gz", gzip(&images())),
        ("emnist-digits-train-images-idx3-ubyte", images()),
    ] {
        let labels_name = name.replace("images-idx3", "labels-idx1");
        let alone = Folder::with(name, &bytes);
        let without_labels = alone.whole(&entry, Split::Train);
        let both = alone.and(&labels_name, &idx(&[2], &[7, 0])).whole(&entry, Split::Train);

        assert_eq!((pixels(&without_labels), without_labels.labels()), (pixels(&packed), None));
        assert_eq!(both, packed);
    }
}

#[test]
fn letters_count_from_zero() {
    let folder = Folder::with("gzip.zip", &archive("letters", [1, 26]));

    assert_eq!(folder.whole(&emnist(EmnistPart::Letters), Split::Train).labels(), Some(&[0, 25][..]));
    let refusal =
        Folder::with("gzip.zip", &archive("letters", [0, 26])).refusal(&emnist(EmnistPart::Letters), Split::Train);
    assert_says(&refusal, &["the label 0", "letters begin at 1"]);
}

#[test]
fn a_limit_takes_the_first_pictures() {
    let folder = Folder::with("gzip.zip", &archive("digits", [7, 0]));

    let first = folder.load(&emnist(EmnistPart::Digits), Split::Train, Some(1)).unwrap();

    assert_eq!((first.len(), first.labels()), (1, Some(&[7][..])));
}

#[test]
fn other_files_are_refused_by_name() {
    let entry = emnist(EmnistPart::Digits);

    let other_part = Folder::with("gzip.zip", &archive("letters", [1, 2])).refusal(&entry, Split::Train);
    let no_archive = Folder::with("gzip.zip", &fixture("face.jpg")).refusal(&entry, Split::Train);
    let swapped =
        Folder::with("emnist-digits-train-images-idx3-ubyte", &idx(&[2], &[1, 2])).refusal(&entry, Split::Train);

    assert_says(&other_part, &["gzip.zip", "emnist-digits-train-images-idx3-ubyte", "publisher's whole file"]);
    assert_says(&no_archive, &["gzip.zip", "damaged", "fetch it again"]);
    assert_says(&swapped, &["wrong magic number", "emnist-digits-train-images-idx3-ubyte"]);
    let missing = Folder::new().load(&entry, Split::Test, None).unwrap_err();
    assert!(matches!(missing, LoadError::Missing(_)), "{missing}");
    assert_says(&missing.to_string(), &["gzip.zip", "small/test.npy"]);
}
