//! CIFAR's binary records: labels and planes.

use datasets::{CifarVersion, Entry, Format, Split};

use crate::files::{Folder, assert_says, entry, pixels, tar_gz_of};

const SHAPE: [usize; 3] = [3, 32, 32];

fn ten() -> Entry {
    entry(SHAPE, [5, 1], Format::Cifar(CifarVersion::Ten))
}

fn hundred() -> Entry {
    entry(SHAPE, [2, 1], Format::Cifar(CifarVersion::Hundred))
}

/// A record whose planes have the levels `level`, `level + 1` and `level + 2`.
fn record(labels: &[u8], level: u8) -> Vec<u8> {
    let planes = (0..3).flat_map(|plane| [level + plane; 1024]);
    labels.iter().copied().chain(planes).collect()
}

/// One picture in each batch; an archive's order is not that of the names.
fn batches() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("cifar-10-batches-bin/batches.meta.txt", b"airplane".to_vec()),
        ("cifar-10-batches-bin/test_batch.bin", record(&[9], 90)),
        ("cifar-10-batches-bin/data_batch_5.bin", record(&[5], 50)),
        ("cifar-10-batches-bin/data_batch_3.bin", record(&[3], 30)),
        ("cifar-10-batches-bin/data_batch_1.bin", record(&[1], 10)),
        ("cifar-10-batches-bin/data_batch_2.bin", record(&[2], 20)),
        ("cifar-10-batches-bin/data_batch_4.bin", record(&[4], 40)),
    ]
}

#[test]
fn records_are_planes_in_the_order_of_the_batches() {
    let packed = Folder::with("cifar-10-binary.tar.gz", &tar_gz_of(&batches()));
    let extracted = Folder::extracted(&batches());

    let examples = packed.whole(&ten(), Split::Train);

    assert_eq!(examples.labels(), Some(&[1, 2, 3, 4, 5][..]));
    let levels: Vec<u8> = pixels(&examples).iter().copied().step_by(1024).collect();
    assert_eq!(levels, [10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52]);
    assert_eq!(extracted.whole(&ten(), Split::Train), examples);
    assert_eq!(packed.whole(&ten(), Split::Test).labels(), Some(&[9][..]));
    assert_eq!(packed.load(&ten(), Split::Train, Some(2)).unwrap(), examples.split_at(2).0);
}

#[test]
fn a_hundred_classes_are_the_fine_ones() {
    let train = [record(&[19, 99], 1), record(&[0, 7], 2)].concat();
    let files = [("cifar-100-binary/train.bin", train), ("cifar-100-binary/test.bin", record(&[3, 98], 3))];

    let folder = Folder::with("cifar-100-binary.tar.gz", &tar_gz_of(&files));

    assert_eq!(folder.whole(&hundred(), Split::Train).labels(), Some(&[99, 7][..]));
    assert_eq!(pixels(&folder.whole(&hundred(), Split::Test))[..2], [3, 3]);
}

#[test]
fn the_python_version_and_damaged_batches_are_refused() {
    let python = [("cifar-10-batches-py/data_batch_1", vec![0x80; 3074])];
    let replaced = |name: &str, bytes: Vec<u8>| {
        let files: Vec<_> =
            batches().into_iter().map(|(n, b)| if n.ends_with(name) { (n, bytes.clone()) } else { (n, b) }).collect();
        Folder::with("cifar-10-binary.tar.gz", &tar_gz_of(&files)).refusal(&ten(), Split::Train)
    };

    let refusal = Folder::with("cifar-10-binary.tar.gz", &tar_gz_of(&python)).refusal(&ten(), Split::Train);
    assert_says(&refusal, &["has no file data_batch_1.bin"]);
    assert_says(&replaced("data_batch_2.bin", vec![1; 3000]), &["data_batch_2.bin", "3000 bytes", "3073 are expected"]);
    assert_says(&replaced("data_batch_2.bin", vec![1; 3074]), &["goes on after the last record"]);
    assert_says(&replaced("data_batch_2.bin", record(&[10], 1)), &["the label 10", "below 10"]);
}
