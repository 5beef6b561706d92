//! Verification: what is known by a checksum is not decoded, what is not is read whole.

use datasets::{Catalogue, FileOutcome, Format, LoadError, PictureLayout, verify};

use crate::files::{Folder, entry, png, tar_gz_of, zip_of};

#[test]
fn pictures_without_a_checksum_are_counted_and_the_damaged_ones_named() {
    let names: &[&str] = &["notMNIST_small.tar.gz", "notMNIST_small/"];
    let entry = entry([1, 1, 2], [0, 1], Format::Pictures { layout: PictureLayout::Notmnist, train: &[], test: names });
    let damaged = "notMNIST_small/F/Q3Jvc3NvdmVyIEJvbGRPYmxpcXVlLnR0Zg==.png";
    let files = [("notMNIST_small/A/b.png", png(2, 1, &[1, 2])), (damaged, Vec::new())];

    let folder = Folder::with("notMNIST_small.tar.gz", &tar_gz_of(&files));

    match &verify(&folder.directory(), &entry)[..] {
        [report] => match &report.outcome {
            FileOutcome::Verified { examples, left_out, .. } => {
                assert_eq!((*examples, &left_out[..]), (Some(1), &[damaged.to_owned()][..]));
            }
            other => panic!("{other:?}"),
        },
        reports => panic!("{reports:?}"),
    }
}

#[test]
fn archives_are_compared_with_their_published_size_and_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let directory = datasets::DataDirectory::at(folder.path());
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("emnist/gzip.zip", &zip_of(&[("gzip/x", vec![1])]));
    put("textures/dtd-r1.0.1.tar.gz", &tar_gz_of(&[("dtd/x", vec![1])]));

    let outcome = |name: &str| verify(&directory, Catalogue::lookup(name).unwrap()).remove(0).outcome;

    let size = outcome("emnist-digits");
    assert!(matches!(size, FileOutcome::Damaged(LoadError::WrongSize { expected: 561_753_746, .. })), "{size:?}");
    let digest = outcome("textures");
    assert!(matches!(digest, FileOutcome::Damaged(LoadError::WrongDigest { .. })), "{digest:?}");
    assert!(matches!(outcome("svhn"), FileOutcome::Missing(_)));
}
