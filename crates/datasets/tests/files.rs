//! Dataset files on disk: read, compressed or plain, and refused when they are not what the catalogue describes.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use datasets::{
    Catalogue, Checksum, DataDirectory, DataFile, Entry, Examples, FileOutcome, IdxError, LoadError, Procedure,
    Scaling, Shape, Source, Split, SplitSize, Values, verify,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

const TRAIN: DataFile = DataFile {
    name: "train-images",
    split: Split::Train,
    dimensions: &[2, 1, 3],
    bytes: 22,
    checksum: Some(Checksum::md5_decompressed("70913b95e2d3698a7cf877dcc25138a2")),
};
const TEST: DataFile = DataFile {
    name: "test-images",
    split: Split::Test,
    dimensions: &[1, 1, 3],
    bytes: 19,
    checksum: Some(Checksum::md5_decompressed("00000000000000000000000000000000")),
};
const TINY: Entry = Entry {
    name: "tiny",
    title: "two images",
    licence: "none",
    shape: Shape::Image([1, 1, 3]),
    train_size: SplitSize::Known(2),
    test_size: SplitSize::Known(1),
    source: Source::Idx { files: &[TRAIN, TEST], known_places: &[], publisher: "this test" },
};

fn load(directory: &DataDirectory, entry: &Entry, split: Split, limit: Option<usize>) -> Result<Examples, LoadError> {
    datasets::load_entry(directory, entry, split, limit, &Scaling::none())
}

fn pixels(examples: &Examples) -> &[u8] {
    match examples.values() {
        Values::Bytes(bytes) => bytes,
        Values::Floats(_) => panic!("images are bytes"),
    }
}

fn idx(dimensions: [u32; 3], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn whole() -> Vec<u8> {
    idx([2, 1, 3], &[1, 2, 3, 4, 5, 6])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A data directory with the tiny dataset's training file.
struct Folder(TempDir);

impl Folder {
    fn with(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tiny")).unwrap();
        std::fs::write(folder.path().join("tiny").join(name), bytes).unwrap();
        Self(folder)
    }

    fn directory(&self) -> DataDirectory {
        DataDirectory::at(self.0.path())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join("tiny").join(name)
    }

    fn refusal(&self) -> LoadError {
        load(&self.directory(), &TINY, Split::Train, None).unwrap_err()
    }
}

/// Whoever reads a refusal must know which file to replace, and that replacing it helps.
fn assert_names_file_and_remedy(refusal: &LoadError, file: &Path) {
    let text = refusal.to_string();
    assert!(text.contains(&file.display().to_string()) && text.contains("fetch it again"), "{text}");
}

#[test]
fn plain_and_gzip_files_give_the_same_images() {
    for (name, bytes) in [("train-images", whole()), ("train-images.gz", gzip(&whole()))] {
        let folder = Folder::with(name, &bytes);

        let images = load(&folder.directory(), &TINY, Split::Train, None).unwrap();

        assert_eq!(images.shape(), Shape::Image([1, 1, 3]));
        assert_eq!(pixels(&images), [1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn limit_takes_the_first_images() {
    let folder = Folder::with("train-images", &whole());
    let load = |limit| load(&folder.directory(), &TINY, Split::Train, Some(limit)).unwrap();

    assert_eq!(pixels(&load(1)), [1, 2, 3]);
    assert_eq!(load(5).len(), 2);
    assert!(load(0).is_empty());
}

#[test]
fn missing_dataset_is_refused_with_the_place_to_put_it() {
    let folder = Folder::with("unrelated", &[]);

    let refusal = folder.refusal();

    assert!(matches!(refusal, LoadError::Missing(_)), "{refusal}");
    let place = folder.0.path().join("tiny").display().to_string();
    assert!(refusal.to_string().contains(&place), "{refusal}");
}

#[test]
fn damaged_files_are_refused_by_what_is_wrong() {
    let mut wrong_magic = whole();
    wrong_magic[3] = 1;
    let format = |bytes: &[u8]| {
        let folder = Folder::with("train-images.gz", &gzip(bytes));
        let refusal = folder.refusal();
        assert_names_file_and_remedy(&refusal, &folder.file("train-images.gz"));
        match refusal {
            LoadError::Format { source, .. } => source,
            other => panic!("expected a format error, got {other}"),
        }
    };

    assert_eq!(format(&wrong_magic), IdxError::WrongMagic { expected: 0x803, found: 0x801 });
    assert_eq!(format(&whole()[..20]), IdxError::Truncated { expected: 22, found: 20 });
    assert_eq!(format(&[whole(), vec![0; 50]].concat()), IdxError::TrailingBytes { expected: 22, found: 23 });
    assert_eq!(
        format(&idx([2, 3, 1], &[0; 6])),
        IdxError::WrongDimensions { expected: vec![2, 1, 3], found: vec![2, 3, 1] }
    );
}

#[test]
fn truncated_gzip_is_refused() {
    let compressed = gzip(&whole());
    let folder = Folder::with("train-images.gz", &compressed[..compressed.len() - 6]);

    let refusal = folder.refusal();

    assert!(matches!(refusal, LoadError::CorruptGzip { .. }), "{refusal}");
    assert_names_file_and_remedy(&refusal, &folder.file("train-images.gz"));
}

#[test]
fn changed_values_are_refused_by_their_checksum() {
    let folder = Folder::with("train-images", &idx([2, 1, 3], &[1, 2, 3, 4, 5, 7]));

    let refusal = folder.refusal();

    assert!(
        matches!(&refusal, LoadError::WrongDigest { expected, .. } if *expected == TRAIN.checksum.unwrap()),
        "{refusal}"
    );
    assert_names_file_and_remedy(&refusal, &folder.file("train-images"));
}

#[test]
fn verification_reports_each_file() {
    let folder = Folder::with("train-images", &whole());
    std::fs::write(folder.0.path().join("tiny/test-images"), idx([1, 1, 3], &[1, 2, 3])).unwrap();

    let reports = verify(&folder.directory(), &TINY);

    assert_eq!(reports.len(), 2);
    assert!(reports[0].is_verified());
    assert!(matches!(reports[1].outcome, FileOutcome::Damaged(LoadError::WrongDigest { .. })), "{reports:?}");

    std::fs::remove_file(folder.0.path().join("tiny/train-images")).unwrap();
    assert!(matches!(verify(&folder.directory(), &TINY)[0].outcome, FileOutcome::Missing(_)));
}

#[test]
fn procedural_datasets_need_no_files() {
    let entry = Catalogue::lookup("synthetic-shapes").unwrap();

    let images = load(&DataDirectory::at("nowhere"), entry, Split::Test, Some(3)).unwrap();

    assert_eq!(images.len(), 3);
    assert_eq!(pixels(&images), Procedure::Shapes.generate([1, 28, 28], Split::Test, 3));
    assert!(verify(&DataDirectory::at("nowhere"), entry).is_empty());
}

/// The real files, where `SPILLWAY_DATA_DIR` (or the shared folder beside the repository) has them.
#[test]
fn real_files_are_the_ones_the_catalogue_describes() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let directory = match std::env::var_os(datasets::DATA_DIRECTORY_VARIABLE) {
        Some(folder) => DataDirectory::at(PathBuf::from(folder)),
        None => DataDirectory::at(shared),
    };
    for name in ["mnist", "fashion-mnist"] {
        let entry = Catalogue::lookup(name).unwrap();
        if !directory.has(entry) {
            println!("skipped {name}: its files are not in {}", directory.root().display());
            continue;
        }

        for report in verify(&directory, entry) {
            assert!(report.is_verified(), "{report:?}");
        }
        let examples = load(&directory, entry, Split::Test, Some(10)).unwrap();
        assert_eq!((examples.len(), examples.labels().map(<[u32]>::len)), (10, Some(10)));
    }
}

#[test]
fn labels_are_read_where_they_are_there() {
    const LABELS: DataFile =
        DataFile { name: "train-labels", split: Split::Train, dimensions: &[2], bytes: 10, checksum: None };
    let entry =
        Entry { source: Source::Idx { files: &[TRAIN, LABELS], known_places: &[], publisher: "this test" }, ..TINY };
    let folder = Folder::with("train-images", &whole());
    let labels = |limit| load(&folder.directory(), &entry, Split::Train, limit).unwrap().labels().map(<[u32]>::to_vec);

    let before = labels(None);
    std::fs::write(folder.file("train-labels.gz"), gzip(&[0, 0, 8, 1, 0, 0, 0, 2, 9, 4])).unwrap();

    assert_eq!((before, labels(None), labels(Some(1))), (None, Some(vec![9, 4]), Some(vec![9])));
}

/// Two members of one gzip file, as some packagers write, and a checksum over the compressed bytes.
#[test]
fn a_checksum_of_the_compressed_file_is_compared_with_compressed_files_only() {
    const SERVED: DataFile = DataFile {
        checksum: Some(Checksum::sha256_served("0000000000000000000000000000000000000000000000000000000000000000")),
        ..TRAIN
    };
    let entry = Entry { source: Source::Idx { files: &[SERVED], known_places: &[], publisher: "this test" }, ..TINY };
    let split = whole();
    let compressed = [gzip(&split[..9]), gzip(&split[9..])].concat();

    let plain = load(&Folder::with("train-images", &whole()).directory(), &entry, Split::Train, None).unwrap();
    let refusal = load(&Folder::with("train-images.gz", &compressed).directory(), &entry, Split::Train, None);

    assert_eq!(plain.len(), 2);
    let refusal = refusal.unwrap_err().to_string();
    assert!(refusal.contains("SHA-256") && refusal.contains("over the file as it is served"), "{refusal}");
}
