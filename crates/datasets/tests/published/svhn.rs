//! Street view house numbers: MAT-files as SciPy writes them, and by hand.

use datasets::{Entry, Format, Split};

use crate::files::{Folder, assert_says, entry, fixture, pixels, zlib};

pub fn svhn(side: usize) -> Entry {
    entry([3, side, side], [2, 2], Format::Svhn)
}

/// An element: tag, data, and what fills it up to eight bytes.
fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

pub fn matrix(name: &str, class: u32, dimensions: &[i32], kind: u32, data: &[u8]) -> Vec<u8> {
    let flags = [class.to_le_bytes(), [0; 4]].concat();
    let dimensions: Vec<u8> = dimensions.iter().flat_map(|size| size.to_le_bytes()).collect();
    let parts = [element(6, &flags), element(5, &dimensions), element(1, name.as_bytes()), element(kind, data)];
    element(14, &parts.concat())
}

pub fn mat_file(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![b' '; 124];
    bytes.extend([0, 1, b'I', b'M']);
    bytes.extend(elements.concat());
    bytes
}

pub fn compressed(matrix: &[u8]) -> Vec<u8> {
    let data = zlib(matrix);
    let mut bytes = [15_u32.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
    bytes.extend(data);
    bytes
}

fn level(picture: usize, channel: usize, row: usize, column: usize) -> u8 {
    ((row + 3 * column + 50 * channel + 100 * picture) % 256) as u8
}

fn values() -> Vec<u8> {
    let places =
        (0..2).flat_map(|n| (0..3).flat_map(move |c| (0..32).flat_map(move |x| (0..32).map(move |y| (n, c, y, x)))));
    places.map(|(n, c, y, x)| level(n, c, y, x)).collect()
}

#[test]
fn columns_first_become_rows_first_and_ten_becomes_zero() {
    let folder = Folder::with("train_32x32.mat", &fixture("digits.mat"));

    let examples = folder.whole(&svhn(32), Split::Train);

    for (place, &found) in pixels(&examples).iter().enumerate() {
        let (picture, rest) = (place / 3072, place % 3072);
        let (channel, row, column) = (rest / 1024, rest % 1024 / 32, rest % 32);
        assert_eq!(found, level(picture, channel, row, column), "{picture} {channel} {row} {column}");
    }
    assert_eq!(examples.labels(), Some(&[0, 3][..]));
}

#[test]
fn plain_and_compressed_arrays_in_any_order_are_read() {
    let x = matrix("X", 9, &[32, 32, 3, 2], 2, &values());
    let doubles: Vec<u8> = [10.0_f64, 3.0].iter().flat_map(|label| label.to_le_bytes()).collect();
    let labels = [matrix("y", 9, &[2, 1], 2, &[10, 3]), matrix("y", 6, &[2, 1], 9, &doubles)];
    let expected = Folder::with("train_32x32.mat", &fixture("digits.mat")).whole(&svhn(32), Split::Train);

    for y in labels {
        let other = matrix("other", 6, &[1, 1], 9, &[0; 8]);
        for file in [mat_file(&[x.clone(), y.clone()]), mat_file(&[compressed(&y), other, compressed(&x)])] {
            let folder = Folder::with("train_32x32.mat", &file);
            assert_eq!(folder.whole(&svhn(32), Split::Train), expected);
            assert_eq!(folder.load(&svhn(32), Split::Train, Some(1)).unwrap(), expected.clone().split_at(1).0);
        }
    }
}

#[test]
fn larger_pictures_are_resized() {
    let constant = matrix("X", 9, &[32, 32, 3, 2], 2, &[77; 6144]);
    let folder = Folder::with("test_32x32.mat", &mat_file(&[constant, matrix("y", 9, &[2, 1], 2, &[1, 2])]));

    let examples = folder.whole(&svhn(64), Split::Test);

    assert_eq!((examples.len(), examples.dimensions()), (2, 12_288));
    assert!(pixels(&examples).iter().all(|&level| level == 77));
}

#[test]
fn files_that_are_others_are_refused() {
    let refusal = |file: &[u8]| Folder::with("train_32x32.mat", file).refusal(&svhn(32), Split::Train);
    let y = || matrix("y", 9, &[2, 1], 2, &[10, 3]);
    let x = |dimensions: &[i32], data: &[u8]| matrix("X", 9, dimensions, 2, data);

    assert_says(&refusal(b"<html>"), &["train_32x32.mat", "shorter than the header"]);
    assert_says(&refusal(&[b' '; 200]), &["no MAT-file of level 5"]);
    assert_says(&refusal(&mat_file(&[y()])), &["has no file X"]);
    assert_says(&refusal(&mat_file(&[x(&[32, 32, 3, 2], &values())])), &["has no file y"]);
    assert_says(&refusal(&mat_file(&[x(&[32, 32, 3, 1], &[0; 3072])])), &["1 pictures", "2 are expected"]);
    assert_says(&refusal(&mat_file(&[x(&[3, 32, 32, 2], &values())])), &["[3, 32, 32, 2]", "[32, 32, 3, n]"]);
    assert_says(&refusal(&mat_file(&[x(&[32, 32, 3, 2], &[0; 10])])), &["[32, 32, 3, 2] has 10 bytes"]);
    assert_says(&refusal(&mat_file(&[x(&[32, 32, 3, 2], &values())])[..3000]), &["ends too early"]);
    let labels = |labels: [u8; 2]| mat_file(&[x(&[32, 32, 3, 2], &values()), matrix("y", 9, &[2, 1], 2, &labels)]);
    assert_says(&refusal(&labels([0, 3])), &["label 0 (from 0) is 0", "1 to 10"]);
    assert_says(&refusal(&labels([1, 11])), &["label 1 (from 0) is 11"]);
    assert_says(&refusal(&mat_file(&[matrix("X", 1, &[1, 1], 2, &[0])])), &["X is no array of real numbers"]);
}
