//! Array files on disk: every kind read, and refused when they are not what the dataset needs.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::io::{Cursor, Write as _};

use datasets::{
    ArrayError, Catalogue, DataDirectory, Entry, FileOutcome, LoadError, Scaling, Shape, Source, Split, SplitSize,
    Values, verify,
};
use half::f16;
use proptest::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const IMAGES: Entry = Entry {
    name: "tiny",
    title: "small colour images",
    licence: "none",
    shape: Shape::Image([3, 1, 2]),
    train_size: SplitSize::Known(2),
    test_size: SplitSize::OfFiles,
    source: Source::Arrays { array: "images", prefix: None, origin: "this test" },
};

const VECTORS: Entry = Entry {
    shape: Shape::Vector(3),
    source: Source::Arrays { array: "embeddings", prefix: Some("tiny_features"), origin: "this test" },
    ..IMAGES
};

/// Two images in the order `[n, c, h, w]`, and the same in the order `[n, h, w, c]`.
const PIXELS: [u8; 12] = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
const CHANNELS_LAST: [u8; 12] = [1, 3, 5, 2, 4, 6, 11, 13, 15, 12, 14, 16];

/// The bytes of an `.npy` file.
fn npy(description: &str, dimensions: &[usize], elements: &[u8]) -> Vec<u8> {
    let shape: String = dimensions.iter().map(|size| format!("{size}, ")).collect();
    let mut header = format!("{{'descr': '{description}', 'fortran_order': False, 'shape': ({shape}), }}");
    header.push_str(&" ".repeat(63 - (header.len() + 10) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

/// The bytes of an `.npz` file.
fn npz(compression: CompressionMethod, arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let options = SimpleFileOptions::default().compression_method(compression);
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(array).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn tensors(arrays: &[(&str, Dtype, Vec<usize>, &[u8])]) -> Vec<u8> {
    let views =
        arrays.iter().map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    serialize(views, None).unwrap()
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A data directory with one file of the tiny dataset.
struct Folder(TempDir);

impl Folder {
    fn with(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tiny")).unwrap();
        std::fs::write(folder.path().join("tiny").join(name), bytes).unwrap();
        Self(folder)
    }

    fn load(&self, entry: &Entry, split: Split, limit: Option<usize>) -> Result<Values, LoadError> {
        let directory = DataDirectory::at(self.0.path());
        let examples = datasets::load_entry(&directory, entry, split, limit, &Scaling::none())?;
        assert_eq!(examples.shape(), entry.shape);
        Ok(examples.values().clone())
    }
}

fn loaded(name: &str, bytes: &[u8], entry: &Entry) -> Values {
    Folder::with(name, bytes).load(entry, Split::Train, None).unwrap()
}

fn refusal(name: &str, bytes: &[u8], entry: &Entry) -> ArrayError {
    match Folder::with(name, bytes).load(entry, Split::Train, None).unwrap_err() {
        LoadError::Array { path, source } => {
            assert!(path.ends_with(format!("tiny/{name}")), "{}", path.display());
            source
        }
        other => panic!("expected a refusal of the array, got {other}"),
    }
}

fn assert_says(refusal: &ArrayError, parts: &[&str]) {
    let text = refusal.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in `{text}`");
    }
}

#[test]
fn every_kind_of_file_gives_the_same_images() {
    let first = npy("|u1", &[2, 3, 1, 2], &PIXELS);
    let last = npy("|u1", &[2, 1, 2, 3], &CHANNELS_LAST);
    let tensor = tensors(&[("images", Dtype::U8, vec![2, 1, 2, 3], &CHANNELS_LAST)]);
    let files = [
        ("train.npy", first.clone()),
        ("train.npy", last.clone()),
        ("train.npz", npz(CompressionMethod::Stored, &[("images", first.clone())])),
        ("train.npz", npz(CompressionMethod::Deflated, &[("labels", npy("<i8", &[2], &[0; 16])), ("images", last)])),
        (
            "tiny.npz",
            npz(CompressionMethod::Deflated, &[("test", npy("|u1", &[1, 3, 1, 2], &[0; 6])), ("train", first)]),
        ),
        ("train.safetensors", tensor),
    ];

    for (name, bytes) in files {
        assert_eq!(loaded(name, &bytes, &IMAGES), Values::Bytes(PIXELS.to_vec()), "{name}");
    }
}

#[test]
fn one_file_may_hold_both_splits() {
    let train = npy("|u1", &[2, 3, 1, 2], &PIXELS);
    let test = npy("|u1", &[1, 3, 1, 2], &[9; 6]);
    let folder = Folder::with("tiny.npz", &npz(CompressionMethod::Deflated, &[("train", train), ("test", test)]));

    assert_eq!(folder.load(&IMAGES, Split::Test, None).unwrap(), Values::Bytes(vec![9; 6]));
    assert_eq!(folder.load(&IMAGES, Split::Train, None).unwrap(), Values::Bytes(PIXELS.to_vec()));
}

#[test]
fn limit_takes_the_first_examples() {
    let folder = Folder::with("train.npy", &npy("|u1", &[2, 3, 1, 2], &PIXELS));

    assert_eq!(folder.load(&IMAGES, Split::Train, Some(1)).unwrap(), Values::Bytes(PIXELS[..6].to_vec()));
    assert_eq!(folder.load(&IMAGES, Split::Train, Some(9)).unwrap(), Values::Bytes(PIXELS.to_vec()));
}

#[test]
fn embeddings_of_every_precision_are_read_as_they_are() {
    let values = [0.5_f32, -2.0, 1024.0];
    let halves: Vec<u8> = values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
    let doubles: Vec<u8> = values.iter().flat_map(|&value| f64::from(value).to_be_bytes()).collect();
    let single = npy("<f4", &[1, 3], &floats(&values));
    let files = [
        ("train.npy", single.clone()),
        ("train.npy", npy("<f2", &[1, 3], &halves)),
        ("train.npy", npy(">f8", &[1, 3], &doubles)),
        ("train.npz", npz(CompressionMethod::Deflated, &[("embeddings", single.clone())])),
        ("tiny_features_train.npz", npz(CompressionMethod::Stored, &[("embeddings", single)])),
        ("train.safetensors", tensors(&[("embeddings", Dtype::F16, vec![1, 3], &halves)])),
    ];

    for (name, bytes) in files {
        assert_eq!(loaded(name, &bytes, &VECTORS), Values::Floats(values.to_vec()), "{name}");
    }
}

#[test]
fn float_images_are_refused_with_their_conversion() {
    let unit = npy("<f4", &[1, 3, 1, 2], &floats(&[0.0, 0.1, 0.2, 0.3, 0.4, 1.0]));

    let refusal = refusal("train.npy", &unit, &IMAGES);

    assert_says(&refusal, &["float32", "uint8", "(255 * array).round().astype(np.uint8)"]);
}

#[test]
fn integers_are_refused_for_images_and_for_vectors() {
    let of_images = refusal("train.npy", &npy("<i4", &[1, 3, 1, 2], &[0; 24]), &IMAGES);
    let of_vectors = refusal("train.npy", &npy("<i4", &[1, 3], &[0; 12]), &VECTORS);
    let bytes = refusal("train.npy", &npy("|u1", &[1, 3], &[0; 3]), &VECTORS);

    assert_says(&of_images, &["int32", "astype(np.uint8)"]);
    assert_says(&of_vectors, &["int32", "astype(np.float32)"]);
    assert_says(&bytes, &["uint8", "astype(np.float32)"]);
}

#[test]
fn transposed_arrays_are_refused_with_both_shapes() {
    let images = refusal("train.npy", &npy("|u1", &[2, 2, 1, 3], &PIXELS), &IMAGES);
    let vectors = refusal("train.npy", &npy("<f4", &[3, 2], &floats(&[0.0; 6])), &VECTORS);

    assert_says(&images, &["[2, 2, 1, 3]", "[n, 3, 1, 2] or [n, 1, 2, 3]"]);
    assert_says(&vectors, &["[3, 2]", "[n, 3]"]);
}

#[test]
fn labels_of_another_length_are_refused() {
    let images = npy("|u1", &[2, 3, 1, 2], &PIXELS);
    let labels = npy("<i8", &[3], &[0; 24]);
    let embeddings = floats(&[0.0; 6]);
    let in_npz = npz(CompressionMethod::Deflated, &[("images", images), ("labels", labels)]);
    let in_tensors =
        tensors(&[("embeddings", Dtype::F32, vec![2, 3], &embeddings), ("labels", Dtype::U8, vec![1], &[0])]);

    assert_says(&refusal("train.npz", &in_npz, &IMAGES), &["3 labels for 2 examples"]);
    assert_says(&refusal("train.safetensors", &in_tensors, &VECTORS), &["1 labels for 2 examples"]);
}

#[test]
fn values_that_are_not_finite_are_refused_by_row_and_column() {
    for value in [f32::NAN, f32::INFINITY] {
        let refusal = refusal("train.npy", &npy("<f4", &[2, 3], &floats(&[0.0, 0.0, 0.0, 0.0, value, 0.0])), &VECTORS);
        assert!(matches!(refusal, ArrayError::NotFinite { row: 1, column: 1, .. }), "{refusal}");
    }

    let too_large: Vec<u8> = [0.0, 0.0, 1e39_f64].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_says(&refusal("train.npy", &npy("<f8", &[1, 3], &too_large), &VECTORS), &["row 0, column 2", "single"]);
}

#[test]
fn more_examples_than_the_dataset_has_are_refused() {
    let refusal = refusal("train.npy", &npy("|u1", &[3, 3, 1, 2], &[0; 18]), &IMAGES);

    assert!(matches!(refusal, ArrayError::TooMany { known: 2, found: 3 }), "{refusal}");
}

#[test]
fn a_file_without_the_array_lists_those_it_has() {
    let array = npy("|u1", &[2, 3, 1, 2], &PIXELS);
    let in_npz = npz(CompressionMethod::Stored, &[("arr_0", array.clone()), ("other", array)]);
    let in_tensors = tensors(&[("pictures", Dtype::U8, vec![2, 3, 1, 2], &PIXELS)]);

    assert_says(&refusal("train.npz", &in_npz, &IMAGES), &["named images or train", "arr_0, other"]);
    assert_says(&refusal("train.safetensors", &in_tensors, &IMAGES), &["named images or train", "pictures"]);
}

#[test]
fn cut_off_and_overlong_files_are_refused() {
    let whole = npy("|u1", &[2, 3, 1, 2], &PIXELS);
    let tensor = tensors(&[("images", Dtype::U8, vec![2, 3, 1, 2], &PIXELS)]);
    let longer = |bytes: &[u8]| [bytes, &[0]].concat();
    let shorter = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();

    for (name, bytes) in [("train.npy", &whole), ("train.safetensors", &tensor)] {
        for bytes in [longer(bytes), shorter(bytes), bytes[..9].to_vec(), Vec::new()] {
            assert!(matches!(refusal(name, &bytes, &IMAGES), ArrayError::Damaged { .. }), "{name}, {}", bytes.len());
        }
    }
    let archive = npz(CompressionMethod::Stored, &[("images", shorter(&whole))]);
    assert!(matches!(refusal("train.npz", &archive, &IMAGES), ArrayError::Damaged { .. }));
}

#[test]
fn changed_bytes_in_an_archive_are_refused_by_their_checksum() {
    let mut archive = npz(CompressionMethod::Stored, &[("images", npy("|u1", &[2, 3, 1, 2], &PIXELS))]);
    let place = archive.windows(12).position(|bytes| bytes == PIXELS).unwrap();
    archive[place] = 99;

    assert!(matches!(refusal("train.npz", &archive, &IMAGES), ArrayError::Damaged { .. }));
}

#[test]
fn header_that_states_huge_dimensions_costs_no_memory() {
    for dimensions in [[1 << 40, 3, 1, 2], [usize::MAX, 3, 1, 2]] {
        let test = |name: &str, bytes: &[u8]| Folder::with(name, bytes).load(&IMAGES, Split::Test, None).unwrap_err();
        let array = npy("|u1", &dimensions, &PIXELS);

        let archive = npz(CompressionMethod::Deflated, &[("images", array.clone())]);

        assert!(test("test.npy", &array).to_string().contains("12 are there"));
        assert!(test("test.npz", &archive).to_string().contains("12 are there"));
    }
}

#[test]
fn dataset_without_a_train_split_says_what_it_is_for() {
    let entry = Catalogue::lookup("notmnist").unwrap();

    let refusal =
        datasets::load_entry(&DataDirectory::at("nowhere"), entry, Split::Train, None, &Scaling::none()).unwrap_err();

    assert!(matches!(refusal, LoadError::NoSplit { dataset: "notmnist", split: Split::Train }), "{refusal}");
    assert!(refusal.to_string().contains("out-of-distribution"), "{refusal}");
    assert_eq!(entry.wanted().len(), 1);
}

#[test]
fn grey_images_may_lack_their_channel() {
    let entry = Entry { shape: Shape::Image([1, 2, 3]), ..IMAGES };

    for dimensions in [&[2, 2, 3][..], &[2, 1, 2, 3], &[2, 2, 3, 1]] {
        let loaded = loaded("train.npy", &npy("|u1", dimensions, &PIXELS), &entry);
        assert_eq!(loaded, Values::Bytes(PIXELS.to_vec()), "{dimensions:?}");
    }
}

#[test]
fn verification_counts_the_examples_and_names_what_is_missing() {
    let folder = Folder::with("train.npy", &npy("|u1", &[1, 3, 1, 2], &PIXELS[..6]));

    let reports = verify(&DataDirectory::at(folder.0.path()), &IMAGES);

    assert!(matches!(reports[0].outcome, FileOutcome::Verified { examples: Some(1), .. }), "{reports:?}");
    let FileOutcome::Missing(missing) = &reports[1].outcome else { panic!("the test split is missing: {reports:?}") };
    for part in ["test.npy or test.npz or test.safetensors", "uint8 [n, 3, 1, 2]", "`images`"] {
        assert!(missing.to_string().contains(part), "{part} is not in {missing}");
    }
}

/// Sound files of each kind, to be spoilt.
fn sound_files() -> Vec<(&'static str, Vec<u8>)> {
    let images = npy("|u1", &[2, 3, 1, 2], &PIXELS);
    let labels = npy("<i8", &[2], &[0; 16]);
    let arrays = [("images", images.clone()), ("labels", labels)];
    vec![
        ("train.npy", images),
        ("train.npz", npz(CompressionMethod::Stored, &arrays)),
        ("train.npz", npz(CompressionMethod::Deflated, &arrays)),
        ("train.safetensors", tensors(&[("images", Dtype::U8, vec![2, 3, 1, 2], &PIXELS)])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn spoilt_files_give_images_or_an_error_and_never_panic(
        which in 0_usize..4,
        spoils in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, mut bytes) = sound_files().swap_remove(which);
        for (place, value) in spoils {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }

        if let Ok(Values::Bytes(values)) = Folder::with(name, &bytes).load(&IMAGES, Split::Train, None) {
            prop_assert!(values.len().is_multiple_of(6) && values.len() <= 12);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        name in prop::sample::select(vec!["train.npy", "train.npz", "train.safetensors"]),
        start in prop::sample::select(vec![&b""[..], b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"\x10\x00\x00\x00\x00\x00\x00\x00"]),
        rest in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [start, &rest].concat();
        prop_assert!(Folder::with(name, &bytes).load(&VECTORS, Split::Train, None).is_err());
    }
}
