//! Folders of pictures.

use std::path::Path;

use datasets::{DataDirectory, Scaling, Split};

use crate::data::{Data, bytes};

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
