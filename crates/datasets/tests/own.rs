//! A user's own files: folders of pictures, arrays and tables, read as they are and refused with the place and the remedy.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::fs;
use std::path::Path;

use catalogue::{Dataset, DatasetSource};
use datasets::{DataDirectory, Examples, OwnContents, Scaling, Split, Values, own_contents};
use proptest::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use tempfile::TempDir;

/// A data directory of this test.
struct Data {
    folder: TempDir,
}

impl Data {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn put(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// A grey picture of one level.
    fn put_grey(&self, path: &str, [height, width]: [u32; 2], level: u8) -> &Self {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let pixels = vec![level; (height * width) as usize];
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        self.put(path, bytes)
    }

    fn load_some(&self, name: &str, split: Split, limit: Option<usize>) -> Result<Examples, String> {
        let dataset: Dataset = name.parse().unwrap();
        let directory = DataDirectory::at(self.folder.path());
        datasets::load(&directory, &dataset, split, limit, &Scaling::none()).map_err(|refusal| refusal.to_string())
    }

    fn load(&self, name: &str, split: Split) -> Result<Examples, String> {
        self.load_some(name, split, None)
    }

    fn refusal(&self, name: &str, split: Split) -> String {
        self.load(name, split).unwrap_err().replace(&self.folder.path().display().to_string(), "DATA")
    }

    fn contents(&self, name: &str) -> OwnContents {
        let dataset: Dataset = name.parse().unwrap();
        let DatasetSource::Own(files) = dataset.source() else { panic!("{name} is no own dataset") };
        own_contents(&DataDirectory::at(self.folder.path()), files).unwrap()
    }
}

fn bytes(examples: &Examples) -> &[u8] {
    match examples.values() {
        Values::Bytes(bytes) => bytes,
        Values::Floats(_) => panic!("these are vectors"),
    }
}

fn floats(examples: &Examples) -> &[f32] {
    match examples.values() {
        Values::Floats(floats) => floats,
        Values::Bytes(_) => panic!("these are images"),
    }
}

/// A safetensors file of bytes.
fn safetensors(arrays: &[(&str, &[usize], &[u8])]) -> Vec<u8> {
    let views =
        arrays.iter().map(|(name, shape, data)| (*name, TensorView::new(Dtype::U8, shape.to_vec(), data).unwrap()));
    serialize(views, None).unwrap()
}

#[test]
fn folder_without_splits_is_a_test_split_in_bytewise_order() {
    let data = Data::new();
    data.put_grey("cats/b.png", [1, 1], 2).put_grey("cats/a10.png", [1, 1], 10).put_grey("cats/a2.png", [1, 1], 20);
    data.put_grey("cats/.hidden.png", [9, 9], 0).put("cats/readme.txt", "about cats").put_grey("cats/B.PNG", [1, 1], 1);

    let all = data.load("own:cats@1x1x1", Split::Test).unwrap();

    assert_eq!((bytes(&all), all.labels()), (&[1, 10, 20, 2][..], None));
    assert_eq!(bytes(&data.load_some("own:cats@1x1x1", Split::Test, Some(2)).unwrap()), [1, 10]);
    assert_eq!(
        data.refusal("own:cats@1x1x1", Split::Train),
        "own:cats@1x1x1 has no train split; put its examples to learn from into DATA/cats/train"
    );
    let contents = data.contents("own:cats@1x1x1");
    assert_eq!((contents.parts.len(), contents.parts[0].files, contents.parts[0].others), (1, 4, 1));
    assert_eq!(contents.parts[0].first_others, ["readme.txt"]);
}

#[test]
fn class_folders_give_labels_that_both_splits_share() {
    let data = Data::new();
    data.put_grey("cats/train/tabby/1.png", [1, 1], 1).put_grey("cats/train/black/1.png", [1, 1], 2);
    data.put_grey("cats/train/tabby/2.png", [1, 1], 3).put_grey("cats/test/tabby/1.png", [1, 1], 4);

    let train = data.load("own:cats@1x1x1", Split::Train).unwrap();
    let test = data.load("own:cats@1x1x1", Split::Test).unwrap();
    let tabby = data.load_some("own:cats@1x1x1|classes=1|invert", Split::Train, Some(1)).unwrap();

    assert_eq!((bytes(&train), train.labels()), (&[1, 2, 3][..], Some(&[1, 0, 1][..])));
    assert_eq!((bytes(&test), test.labels()), (&[4][..], Some(&[1][..])));
    assert_eq!((bytes(&tabby), tabby.labels()), (&[254][..], Some(&[1][..])));
    let refusal = data.refusal("own:cats@1x1x1|classes=0,7", Split::Test);
    assert!(refusal.contains("no example with one of these labels; its labels are 1"), "{refusal}");
    assert_eq!(data.contents("own:cats@1x1x1").parts[0].classes, ["black", "tabby"]);
}

#[test]
fn pictures_that_do_not_fit_are_refused_by_name() {
    let data = Data::new();
    data.put_grey("cats/a.png", [1, 1], 1).put_grey("cats/b.png", [2, 3], 1);

    let refusal = data.refusal("own:cats@1x1x1", Split::Test);

    assert!(refusal.starts_with("DATA/cats/b.png is 1×2×3 (channels×height×width)"), "{refusal}");
    assert!(refusal.contains("says 1×1×1") && refusal.contains("`|resize=32x32:bilinear`"), "{refusal}");
    data.put("cats/b.png", b"\x89PNG\r\n\x1a\n");
    assert!(data.refusal("own:cats@1x1x1", Split::Test).starts_with("DATA/cats/b.png cannot be used: it is damaged"));
    data.put("cats/b.png", b"GIF89a");
    assert!(data.refusal("own:cats@1x1x1", Split::Test).contains("neither a PNG nor a JPEG"));
    data.put("cats/b.webp", b"RIFF");
    assert!(data.refusal("own:cats@1x1x1", Split::Test).contains("b.webp cannot be used: it is a picture of another"));
}

#[test]
fn folders_that_mix_splits_and_classes_are_refused() {
    let data = Data::new();
    data.put_grey("a/train/1.png", [1, 1], 1).put_grey("a/1.png", [1, 1], 1);
    data.put_grey("b/x/1.png", [1, 1], 1).put_grey("b/1.png", [1, 1], 1);
    data.put_grey("c/x/y/1.png", [1, 1], 1);
    data.put("d/notes.txt", "none");
    data.put_grey("e/train/1.png", [1, 1], 1);

    assert!(data.refusal("own:a@1x1x1", Split::Train).contains("1.png lies beside the folders of the splits"));
    assert!(data.refusal("own:b@1x1x1", Split::Test).contains("1.png lies beside folders, which are classes"));
    assert!(data.refusal("own:c@1x1x1", Split::Test).contains("DATA/c/x cannot be used: it is the folder of a class"));
    assert!(data.refusal("own:d@1x1x1", Split::Test).contains("holds no PNG or JPEG"));
    assert!(data.refusal("own:d@3", Split::Test).contains("a folder of vectors needs a file test.npy"));
    assert!(data.refusal("own:e@1x1x1", Split::Test).contains("put its examples to evaluate on into DATA/e/test"));
    assert!(
        data.refusal("own:nothing@1x1x1", Split::Test).starts_with("there is nothing at DATA/nothing; put a folder")
    );
    data.put("f.tar", "");
    assert!(data.refusal("own:f.tar@3", Split::Test).contains("its name ends in none of .npy"));
}

#[test]
fn arrays_of_one_file_are_both_splits_and_have_labels() {
    let data = Data::new();
    let arrays = safetensors(&[
        ("train", &[3, 1, 1, 2], &[1, 2, 3, 4, 5, 6]),
        ("train_labels", &[3], &[0, 1, 0]),
        ("test", &[1, 1, 1, 2], &[7, 8]),
    ]);
    data.put("both.safetensors", arrays);

    let train = data.load("own:both.safetensors@1x1x2|hflip", Split::Train).unwrap();
    let test = data.load("own:both.safetensors@1x1x2", Split::Test).unwrap();
    let zeros = data.load("own:both.safetensors@1x1x2|classes=0", Split::Train).unwrap();

    assert_eq!((bytes(&train), train.labels()), (&[2, 1, 4, 3, 6, 5][..], Some(&[0, 1, 0][..])));
    assert_eq!((bytes(&test), test.labels()), (&[7, 8][..], None));
    assert_eq!(bytes(&zeros), [1, 2, 5, 6]);
    let refusal = data.refusal("own:both.safetensors@1x1x2|classes=0", Split::Test);
    assert!(refusal.contains("has no labels; leave the step `classes` out"), "{refusal}");
}

#[test]
fn files_named_by_their_splits_are_splits() {
    let data = Data::new();
    data.put("t/mine.train.csv", "1,2\n3,4\n").put("t/mine.test.csv", "5,6\n");
    data.put("t/alone.csv", "5,6\n");
    data.put("folder/test.csv", "7,8\n");

    assert_eq!(floats(&data.load("own:t/mine.csv@2", Split::Train).unwrap()), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(floats(&data.load("own:t/mine.csv@2", Split::Test).unwrap()), [5.0, 6.0]);
    assert_eq!(floats(&data.load("own:t/alone.csv@2", Split::Test).unwrap()), [5.0, 6.0]);
    assert_eq!(floats(&data.load("own:folder@2", Split::Test).unwrap()), [7.0, 8.0]);
    assert!(data.refusal("own:t/alone.csv@2", Split::Train).contains("into DATA/t/alone.train.csv"));
    assert!(data.refusal("own:folder@2", Split::Train).contains("into DATA/folder/train.csv"));
    data.put("t/mine.csv", "1,2\n");
    assert!(data.refusal("own:t/mine.csv@2", Split::Test).contains("could both be the test split; remove one"));
}

#[test]
fn tables_have_names_and_labels_or_none() {
    let data = Data::new();
    data.put("a.csv", "\u{feff}\"x\", y ,label\r\n1,2,0\r\n\r\n3,4e1,1\r\n");
    data.put("pixels.csv", "label,p0,p1\n7,0,255\n");

    let table = data.load("own:a.csv@2", Split::Test).unwrap();
    let image = data.load("own:pixels.csv@1x1x2", Split::Test).unwrap();
    let ones = data.load("own:a.csv@2|classes=1", Split::Test).unwrap();

    assert_eq!((floats(&table), table.labels()), (&[1.0, 2.0, 3.0, 40.0][..], Some(&[0, 1][..])));
    assert_eq!((bytes(&image), image.labels()), (&[0, 255][..], Some(&[7][..])));
    assert_eq!(floats(&ones), [3.0, 40.0]);
}

#[test]
fn wrong_values_of_tables_are_named_with_line_and_column() {
    let data = Data::new();
    let refusal = |text: &str, shape: &str| {
        data.put("a.csv", text);
        data.refusal(&format!("own:a.csv@{shape}"), Split::Test)
    };

    assert_eq!(
        refusal("x,y\n1,2\n3,four\n", "2"),
        "DATA/a.csv: line 3, column 2 (`y`) is `four`, and a finite number is expected"
    );
    assert!(refusal("1,2\n3,inf\n", "2").contains("line 2, column 2 is `inf`"));
    assert!(refusal("1,2\n3,1e39\n", "2").contains("line 2, column 2 is `1e39`, and a number within single precision"));
    assert!(
        refusal("1,2,3\n", "2").contains("line 1 has 3 columns of features, and 2 are expected; a column of labels")
    );
    assert!(refusal("1,2\n1\n", "2").contains("line 2 has 1 columns of features"));
    assert!(refusal("label,y\n0.5,2\n", "1").contains("column 1 (`label`) is `0.5`, and a label"));
    assert!(refusal("label,y\n1,256\n", "1x1x1").contains("column 2 (`y`) is `256`, and a whole level from 0 to 255"));
    assert!(refusal("x,y\n", "2").contains("DATA/a.csv holds no example"));
    assert!(refusal(&"1,".repeat(60_000), "2").contains("line 1 is longer than"));
}

#[test]
fn compressed_tables_are_read_and_cut_off_ones_refused() {
    use std::io::Write as _;
    let data = Data::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"1,2\n3,4\n").unwrap();
    let compressed = encoder.finish().unwrap();

    data.put("a.csv.gz", &compressed).put("b.csv.gz", &compressed[..compressed.len() - 9]);

    assert_eq!(floats(&data.load("own:a.csv.gz@2", Split::Test).unwrap()), [1.0, 2.0, 3.0, 4.0]);
    assert!(data.refusal("own:b.csv.gz@2", Split::Test).contains("damaged gzip"));
}

#[test]
fn digests_tell_contents_and_names_of_pictures_apart() {
    let digest = |level: u8, name: &str| {
        let data = Data::new();
        data.put_grey(&format!("cats/{name}"), [1, 1], level).put("cats/readme.txt", name);
        data.contents("own:cats@1x1x1").sha256
    };

    assert_eq!(digest(1, "a.png"), digest(1, "a.png"));
    assert_ne!(digest(1, "a.png"), digest(2, "a.png"));
    assert_ne!(digest(1, "a.png"), digest(1, "b.png"));
    let data = Data::new();
    data.put("a.csv", "1\n").put("b.csv", "1\n").put("c.csv", "2\n");
    assert_eq!(data.contents("own:a.csv@1").sha256, data.contents("own:b.csv@1").sha256);
    assert_ne!(data.contents("own:a.csv@1").sha256, data.contents("own:c.csv@1").sha256);
    assert_eq!(data.contents("own:a.csv@1").sha256.len(), 64);
}

#[test]
fn a_folder_of_pictures_is_read_without_a_second_copy() {
    let data = Data::new();
    for index in 0..200 {
        data.put_grey(&format!("cats/{index}.png"), [64, 64], index);
    }

    let used = allocation_counter::measure(|| {
        let examples = data.load("own:cats@1x64x64|resize=32x32:box", Split::Test).unwrap();
        assert_eq!(examples.len(), 200);
    });

    // 200 resized pictures are 205 kB, and before that 819 kB; decoding one takes some tens.
    assert!(used.bytes_max < 450_000, "{used:?}");
}

/// Puts a table that another program wrote.
fn put_parquet(data: &Data, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet").join(name);
    data.put(name, fs::read(path).unwrap());
}

#[test]
fn parquet_tables_of_other_programs_are_read() {
    let data = Data::new();
    let expected: Vec<f32> = (0..300_u16).flat_map(|row| [f32::from(row) * 0.5, f32::from(row % 7) - 3.0]).collect();
    for name in ["snappy.parquet", "zstd.parquet", "pandas.parquet"] {
        put_parquet(&data, name);

        let table = data.load(&format!("own:{name}@2"), Split::Test).unwrap();
        let few = data.load_some(&format!("own:{name}@2"), Split::Test, Some(130)).unwrap();
        let twos = data.load_some(&format!("own:{name}@2|classes=2"), Split::Test, Some(50)).unwrap();

        assert_eq!(floats(&table), expected, "{name}");
        assert_eq!(table.labels().unwrap(), (0..300).map(|row| row % 3).collect::<Vec<u32>>());
        assert_eq!(floats(&few), &expected[..260]);
        assert_eq!((twos.len(), &floats(&twos)[..2]), (50, &[1.0, -1.0][..]));
    }
}

#[test]
fn parquet_lists_and_pixels_are_read() {
    let data = Data::new();
    put_parquet(&data, "lists.parquet");
    put_parquet(&data, "pixels.parquet");

    let vectors = data.load("own:lists.parquet@4", Split::Test).unwrap();
    let images = data.load("own:pixels.parquet@1x2x2|rotate=90", Split::Test).unwrap();

    assert_eq!(floats(&vectors), (0..1200_u16).map(f32::from).collect::<Vec<_>>());
    assert_eq!(bytes(&images), [1, 3, 0, 2, 254, 252, 255, 253]);
}

#[test]
fn parquet_tables_that_do_not_fit_are_refused_with_the_place() {
    let data = Data::new();
    let refusal = |name: &str, shape: &str| {
        put_parquet(&data, name);
        data.refusal(&format!("own:{name}@{shape}"), Split::Test)
    };

    let missing = refusal("missing.parquet", "2");
    assert_eq!(missing, "DATA/missing.parquet: row 1 (from 0), column `x` is `empty`, and a number is expected");
    let text = refusal("text.parquet", "2");
    assert!(text.contains("column `x` is of UTF8") && text.contains("leave other columns out"), "{text}");
    assert!(
        refusal("uneven.parquet", "2")
            .contains("row 1 (from 0), column `embedding` is a list of another length than 2")
    );
    assert!(refusal("lists.parquet", "3").contains("is a list of another length than 3"));
    assert!(refusal("snappy.parquet", "3").contains("the table has 2 columns of features, and 3 are expected"));
    let gzip = refusal("gzip.parquet", "2");
    assert!(gzip.contains("write it with snappy or zstd"), "{gzip}");
    data.put("no.parquet", "PAR1 and nothing else");
    assert!(data.refusal("own:no.parquet@2", Split::Test).contains("it does not end in PAR1"));
    data.put("short.parquet", "PAR1");
    assert!(data.refusal("own:short.parquet@2", Split::Test).contains("too short"));
}

#[test]
fn cut_off_parquet_tables_are_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet/snappy.parquet");
    let whole = fs::read(path).unwrap();
    let data = Data::new();
    for length in (0..whole.len()).step_by(7) {
        data.put("a.parquet", &whole[..length]);
        assert!(data.load("own:a.parquet@2", Split::Test).is_err(), "{length} of {}", whole.len());
    }
}

/// Reads a file under an ending, whatever it holds.
fn read_damaged(data: &Data, path: &str, shape: &str, limit_bytes: u64) -> Result<(), TestCaseError> {
    let name = format!("own:{path}@{shape}");
    let used = allocation_counter::measure(|| {
        for split in [Split::Test, Split::Train] {
            let _read = data.load(&name, split);
        }
    });
    prop_assert!(used.bytes_max < limit_bytes, "{used:?}");
    Ok(())
}

fn damage(bytes: &mut Vec<u8>, changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) {
    for (place, byte) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
}

type Changes = Vec<(prop::sample::Index, u8)>;

fn changes() -> impl Strategy<Value = Changes> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn damaged_arrays_are_read_within_bounds_or_refused(changes in changes(), cut: Option<prop::sample::Index>) {
        let data = Data::new();
        let mut file = safetensors(&[("train", &[2, 1, 2, 2], &[1; 8]), ("test", &[1, 1, 2, 2], &[2; 4]), ("test_labels", &[1], &[3])]);
        damage(&mut file, &changes, cut);
        data.put("a.safetensors", &file);
        read_damaged(&data, "a.safetensors", "1x2x2", 4 << 20)?;
    }

    #[test]
    fn damaged_parquet_tables_are_read_within_bounds_or_refused(
        which in 0_usize..4, changes in changes(), cut: Option<prop::sample::Index>, from_the_end: bool,
    ) {
        let data = Data::new();
        let (name, shape) =
            [("snappy.parquet", "2"), ("zstd.parquet", "2"), ("lists.parquet", "4"), ("pixels.parquet", "1x2x2")][which];
        let mut file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet").join(name)).unwrap();
        // The footer, where most lengths stand, is a small part of the file.
        if from_the_end {
            let footer = file.len() - 300;
            let mut end = file.split_off(footer);
            damage(&mut end, &changes, None);
            file.append(&mut end);
        } else {
            damage(&mut file, &changes, cut);
        }
        data.put("a.parquet", &file);
        read_damaged(&data, "a.parquet", shape, 256 << 20)?;
    }

    #[test]
    fn damaged_tables_are_read_within_bounds_or_refused(changes in changes(), cut: Option<prop::sample::Index>) {
        let data = Data::new();
        let mut file = b"a,b,label\n1,2,3\n4.5,-6e3,7\n".to_vec();
        damage(&mut file, &changes, cut);
        data.put("a.csv", &file);
        read_damaged(&data, "a.csv", "2", 2 << 20)?;
    }

    #[test]
    fn a_limit_gives_the_first_ones_of_all(limit in 0_usize..9) {
        let data = Data::new();
        data.put("a.csv", (0..6).map(|row| format!("{row},1\n")).collect::<String>());
        let few = data.load_some("own:a.csv@2", Split::Test, Some(limit)).unwrap();
        let all = data.load("own:a.csv@2", Split::Test).unwrap();
        prop_assert_eq!(floats(&few), &floats(&all)[..2 * limit.min(6)]);
    }
}

#[test]
fn a_data_directory_that_is_no_folder_has_nothing() {
    let data = Data::new();
    data.put("file", "");

    let refusal = datasets::load(
        &DataDirectory::at(Path::new(&data.path("file"))),
        &"own:cats@1x1x1".parse().unwrap(),
        Split::Test,
        None,
        &Scaling::none(),
    );

    assert!(refusal.unwrap_err().to_string().starts_with("there is nothing at"));
}
