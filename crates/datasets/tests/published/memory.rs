//! Readers stream: what they take beside the examples does not grow with the dataset.

use datasets::{CelebaPreset, CifarVersion, EmnistPart, Entry, Format, PictureLayout, Split};

use crate::files::{Folder, entry, fixture, gzip, idx, pixels, png, tar_gz_of, zip_of};
use crate::svhn::{compressed, mat_file, matrix};

/// Most that a reader takes beside the examples: buffers, decoders, lists of names.
const BESIDE: u64 = 3 << 20;

/// Loads a split and compares the most memory that it took at a time with the examples themselves.
fn assert_streams(folder: &Folder, entry: &Entry, examples: usize) {
    let mut loaded = None;
    let memory = allocation_counter::measure(|| loaded = Some(folder.whole(entry, Split::Train)));
    let loaded = loaded.unwrap();

    let size = pixels(&loaded).len() as u64;
    assert_eq!(loaded.len(), examples);
    assert!(size > 3 * BESIDE, "the examples are {size} bytes");
    assert!(memory.bytes_max < size + BESIDE, "{} bytes for {size} bytes of examples", memory.bytes_max);
}

fn numbered(count: usize, name: impl Fn(usize) -> String, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    (0..count).map(|number| (name(number), bytes.to_vec())).collect()
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, Vec<u8>)> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect()
}

#[test]
fn celeba_does_not_need_its_size_twice() {
    const FACES: usize = 800;
    let faces = numbered(FACES, |number| format!("img_align_celeba/{number:06}.jpg"), &fixture("face.jpg"));
    let list: String = (0..FACES).map(|number| format!("{number:06}.jpg 0\n")).collect();
    let folder = Folder::with("img_align_celeba.zip", &zip_of(&borrowed(&faces)))
        .and("list_eval_partition.txt", list.as_bytes());

    assert_streams(&folder, &entry([3, 64, 64], [FACES, 1], Format::Celeba(CelebaPreset::ShorterSide)), FACES);
}

#[test]
fn tar_archives_are_decoded_as_they_unpack() {
    const PICTURES: usize = 4000;
    let names: &[&str] = &["LSUN.tar.gz"];
    let files = numbered(PICTURES, |number| format!("LSUN/{number}.png"), &png(32, 32, &[7; 3072]));
    let folder = Folder::with("LSUN.tar.gz", &tar_gz_of(&borrowed(&files)));
    let format = Format::Pictures { layout: PictureLayout::Unlabelled, train: names, test: names };

    assert_streams(&folder, &entry([3, 32, 32], [PICTURES, 0], format), PICTURES);
}

#[test]
fn records_and_arrays_go_into_the_memory_that_keeps_them() {
    const RECORDS: usize = 4000;
    let cifar = tar_gz_of(&[("cifar-100-binary/train.bin", vec![7; RECORDS * 3074])]);
    let digits = zip_of(&[
        (
            "gzip/emnist-digits-train-images-idx3-ubyte.gz",
            gzip(&idx(&[RECORDS as u32 * 4, 28, 28], &vec![3; RECORDS * 4 * 784])),
        ),
        ("gzip/emnist-digits-train-labels-idx1-ubyte.gz", gzip(&idx(&[RECORDS as u32 * 4], &vec![1; RECORDS * 4]))),
    ]);
    let x = matrix("X", 9, &[32, 32, 3, RECORDS as i32], 2, &vec![9; RECORDS * 3072]);
    let y = matrix("y", 9, &[RECORDS as i32, 1], 2, &vec![10; RECORDS]);
    let numbers = mat_file(&[compressed(&x), compressed(&y)]);
    let colour = |format| entry([3, 32, 32], [RECORDS, 1], format);

    assert_streams(
        &Folder::with("cifar-100-binary.tar.gz", &cifar),
        &colour(Format::Cifar(CifarVersion::Hundred)),
        RECORDS,
    );
    let emnist = entry([1, 28, 28], [4 * RECORDS, 1], Format::Emnist(EmnistPart::Digits));
    assert_streams(&Folder::with("gzip.zip", &digits), &emnist, 4 * RECORDS);
    assert_streams(&Folder::with("train_32x32.mat", &numbers), &colour(Format::Svhn), RECORDS);
}
