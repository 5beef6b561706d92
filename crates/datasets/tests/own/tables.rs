//! Arrays and CSV tables.

use datasets::Split;

use crate::data::{Data, bytes, floats, safetensors};

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
