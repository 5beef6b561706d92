//! Archives of pictures: which ones are examples, in which order, and what is done to them.

use datasets::{Entry, Format, PictureLayout, Split};

use crate::files::{Folder, assert_says, entry, fixture, pixels, png, png_of, tar_gz_of, tar_of, zip_of};

fn set(shape: [usize; 3], sizes: [usize; 2], layout: PictureLayout, names: &'static [&'static str]) -> Entry {
    entry(shape, sizes, Format::Pictures { layout, train: names, test: names })
}

fn omniglot() -> Entry {
    set([1, 2, 9], [3, 0], PictureLayout::Omniglot, &["images_background.zip", "images_background/"])
}

/// Nine pixels a row of one bit each: ink is 0.
fn ink(rows: [u8; 4]) -> Vec<u8> {
    png_of(9, 2, png::ColorType::Grayscale, png::BitDepth::One, &rows)
}

#[test]
fn black_ink_on_white_becomes_bright_ink_on_black() {
    let white = ink([0xff, 0x80, 0xff, 0x80]);
    let files = [
        ("images_background/Greek/character02/0031_01.png", white.clone()),
        ("images_background/Greek/character01/0030_01.png", ink([0b0111_1111, 0x80, 0xff, 0])),
        ("images_background/Arcadian/character01/0001_01.png", white),
    ];

    let packed = Folder::with("images_background.zip", &zip_of(&files)).whole(&omniglot(), Split::Train);

    let mut expected = vec![0; 54];
    expected[18] = 255;
    expected[18 + 17] = 255;
    assert_eq!(pixels(&packed), expected);
    assert_eq!(packed.labels(), Some(&[0, 1, 2][..]));
    assert_eq!(Folder::extracted(&files).whole(&omniglot(), Split::Train), packed);
}

fn notmnist() -> Entry {
    set([1, 1, 2], [0, 3], PictureLayout::Notmnist, &["notMNIST_small.tar.gz", "notMNIST_small/"])
}

#[test]
fn damaged_pictures_of_the_publisher_are_left_out_by_name() {
    let (long, damaged) = ("x".repeat(150), "notMNIST_small/A/RGVtb2NyYXRpY2FCb2xkT2xkc3R5bGUgQm9sZC50dGY=.png");
    let long = format!("notMNIST_small/B/{long}.png");
    let files = [
        ("notMNIST_small/J/a.png", png(2, 1, &[7, 8])),
        (damaged, Vec::new()),
        (long.as_str(), png(2, 1, &[3, 4, 5, 3, 4, 5])),
        ("notMNIST_small/A/b.png", png(2, 1, &[1, 2])),
        ("notMNIST_small/K/c.png", png(2, 1, &[1, 2])),
        ("notMNIST_small/A/readme.txt", vec![1]),
    ];

    let packed = Folder::with("notMNIST_small.tar.gz", &tar_gz_of(&files)).whole(&notmnist(), Split::Test);

    // Colour becomes grey by Pillow's luma: 0.299 · 3 + 0.587 · 4 + 0.114 · 5 = 3.8.
    assert_eq!((pixels(&packed), packed.labels()), (&[1, 2, 4, 4, 7, 8][..], Some(&[0, 1, 9][..])));
    assert_eq!(packed.left_out(), [damaged]);
    assert_eq!(Folder::extracted(&files).whole(&notmnist(), Split::Test), packed);

    let mut worse = files;
    worse[0].1.truncate(20);
    let refusal = Folder::with("notMNIST_small.tar.gz", &tar_gz_of(&worse)).refusal(&notmnist(), Split::Test);
    assert_says(&refusal, &["notMNIST_small/J/a.png", "is a damaged PNG picture"]);
    let fewer = Folder::with("notMNIST_small.tar.gz", &tar_gz_of(&worse[1..])).refusal(&notmnist(), Split::Test);
    assert_says(&fewer, &["2 pictures", "3 are expected"]);
}

fn tiny_imagenet() -> Entry {
    set([3, 64, 64], [2, 2], PictureLayout::TinyImagenet, &["tiny-imagenet-200.zip", "tiny-imagenet-200/"])
}

fn tiny_imagenet_files() -> Vec<(&'static str, Vec<u8>)> {
    let colour = |level| png(64, 64, &[level; 64 * 64 * 3]);
    vec![
        ("tiny-imagenet-200/wnids.txt", b"n02\nn01\n".to_vec()),
        ("tiny-imagenet-200/words.txt", b"n01\tgoldfish\n".to_vec()),
        ("tiny-imagenet-200/train/n02/images/n02_0.JPEG", fixture("grey.jpg")),
        ("tiny-imagenet-200/train/n01/images/n01_0.JPEG", colour(1)),
        (
            "tiny-imagenet-200/val/val_annotations.txt",
            b"val_0.JPEG\tn02\t0\t0\t1\t1\nval_1.JPEG\tn01\t0\t0\t1\t1\n".to_vec(),
        ),
        ("tiny-imagenet-200/val/images/val_0.JPEG", colour(10)),
        ("tiny-imagenet-200/val/images/val_1.JPEG", colour(11)),
        ("tiny-imagenet-200/test/images/test_0.JPEG", colour(20)),
    ]
}

#[test]
fn tiny_imagenet_has_its_validation_part_for_test() {
    let packed = Folder::with("tiny-imagenet-200.zip", &zip_of(&tiny_imagenet_files()));

    let (train, test) = (packed.whole(&tiny_imagenet(), Split::Train), packed.whole(&tiny_imagenet(), Split::Test));

    assert_eq!((train.labels(), test.labels()), (Some(&[0, 1][..]), Some(&[1, 0][..])));
    assert_eq!((pixels(&test)[0], pixels(&test)[12_288]), (10, 11));
    // A grey picture has three equal channels.
    let grey = &pixels(&train)[12_288..];
    assert_eq!(grey[..4096], grey[8192..]);
    assert!(
        grey[64..68].iter().zip([1, 3, 5, 7]).all(|(&found, expected)| u8::abs_diff(found, expected) <= 2),
        "{:?}",
        &grey[64..68]
    );
    assert_eq!(Folder::extracted(&tiny_imagenet_files()).whole(&tiny_imagenet(), Split::Test), test);

    let mut files = tiny_imagenet_files();
    files[4].1 = b"val_0.JPEG\tn02\n".to_vec();
    let refusal = Folder::with("tiny-imagenet-200.zip", &zip_of(&files)).refusal(&tiny_imagenet(), Split::Test);
    assert_says(&refusal, &["val_1.JPEG", "no line in val_annotations.txt"]);
    files.remove(0);
    let refusal = Folder::with("tiny-imagenet-200.zip", &zip_of(&files)).refusal(&tiny_imagenet(), Split::Train);
    assert_says(&refusal, &["has no file wnids.txt"]);
}

#[test]
fn textures_are_all_pictures_of_all_splits_at_one_size() {
    let entry = set([3, 32, 32], [0, 3], PictureLayout::Textures, &["dtd-r1.0.1.tar.gz", "dtd/"]);
    let files = [
        ("dtd/images/zigzagged/zigzagged_0001.jpg", fixture("face.jpg")),
        ("dtd/images/banded/banded_0002.jpg", png(40, 90, &[5; 40 * 90 * 3])),
        ("dtd/images/banded/banded_0001.jpg", png(90, 40, &[6; 40 * 90 * 3])),
        ("dtd/images/waffled/.directory", vec![1]),
        ("dtd/labels/test1.txt", b"banded/banded_0001.jpg\n".to_vec()),
    ];

    let examples = Folder::with("dtd-r1.0.1.tar.gz", &tar_gz_of(&files)).whole(&entry, Split::Test);

    assert_eq!(examples.labels(), Some(&[0, 0, 1][..]));
    assert_eq!((pixels(&examples)[0], pixels(&examples)[3072]), (6, 5));
    // Shorter side 32 and the centre, as CelebA's preset: the same picture becomes the same example.
    let expected = &fixture("faces.bin")[..3072];
    assert!(pixels(&examples)[6144..].iter().zip(expected).all(|(&a, &b)| a.abs_diff(b) <= 3));
}

#[test]
fn larger_pictures_of_odin_are_cut_to_their_centre() {
    let entry = set([3, 2, 2], [0, 2], PictureLayout::Unlabelled, &["LSUN.tar.gz", "LSUN/"]);
    let ramp: Vec<u8> = (0..48).collect();
    let files = [
        ("LSUN/test/1.png", png(2, 2, &[9; 12])),
        ("LSUN/test/0.png", png(4, 4, &ramp)),
        ("LSUN/test/._0.png", vec![0]),
    ];

    for (name, bytes) in [("LSUN.tar.gz", tar_gz_of(&files)), ("LSUN.tar.gz", tar_of(&files))] {
        let examples = Folder::with(name, &bytes).whole(&entry, Split::Test);

        assert_eq!(pixels(&examples)[..12], [15, 18, 27, 30, 16, 19, 28, 31, 17, 20, 29, 32]);
        assert_eq!((pixels(&examples)[12..].to_vec(), examples.labels()), (vec![9; 12], None));
    }
    let small = [("LSUN/0.png", png(2, 1, &[1, 2])), ("LSUN/1.png", png(2, 2, &[9; 12]))];
    let refusal = Folder::extracted(&small).refusal(&entry, Split::Test);
    assert_says(&refusal, &["LSUN/0.png is 1×2 pixels", "2×2 are cut out of it"]);
}

/// Some archivers write names as records before a file.
#[test]
fn extended_names_of_a_tar_archive_are_read() {
    let entry = set([3, 2, 2], [0, 1], PictureLayout::Unlabelled, &["LSUN.tar.gz"]);
    let picture = png(2, 2, &[9; 12]);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_pax_extensions([("path", "LSUN/ümlaut.png".as_bytes())]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(picture.len() as u64);
    archive.append_data(&mut header, "LSUN/short", picture.as_slice()).unwrap();

    let folder = Folder::with("LSUN.tar.gz", &archive.into_inner().unwrap());

    assert_eq!(pixels(&folder.whole(&entry, Split::Test)), [9; 12]);
}

#[test]
fn arrays_of_a_persons_own_stand_in_for_the_archive() {
    let entry = set([1, 1, 2], [0, 3], PictureLayout::Notmnist, &["notMNIST_small.tar.gz", "notMNIST_small/"]);
    let npz = zip_of(&[
        ("images.npy", crate::files::npy("|u1", &[2, 1, 1, 2], &[1, 2, 3, 4])),
        ("labels.npy", crate::files::npy("<i4", &[2], &[4, 0, 0, 0, 9, 0, 0, 0])),
    ]);

    let examples = Folder::with("test.npz", &npz).whole(&entry, Split::Test);

    assert_eq!((pixels(&examples), examples.labels()), (&[1, 2, 3, 4][..], Some(&[4, 9][..])));
}
