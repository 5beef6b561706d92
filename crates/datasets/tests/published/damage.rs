//! Files damaged anywhere are refused or read; none makes a reader panic or take much memory.

use std::sync::LazyLock;

use datasets::{CelebaPreset, CifarVersion, EmnistPart, Entry, Format, PictureLayout, Split};
use proptest::prelude::*;

use crate::files::{Folder, entry, fixture, gzip, idx, npy, png, png_of, tar_gz_of, tar_of, zip_of};
use crate::svhn::{compressed, mat_file, matrix};

/// A sound file of each format: its name, its bytes, the dataset that it is.
static SOUND: LazyLock<Vec<(&'static str, Vec<u8>, Entry)>> = LazyLock::new(|| {
    let odin: &[&str] = &["LSUN.tar.gz", "LSUN/"];
    let omniglot: &[&str] = &["images_background.zip", "images_background/"];
    let set = |shape, layout, names| entry(shape, [2, 2], Format::Pictures { layout, train: names, test: names });
    let colour = png(32, 32, &(0..3072).map(|place| (place % 251) as u8).collect::<Vec<_>>());
    let bits = png_of(9, 2, png::ColorType::Grayscale, png::BitDepth::One, &[1, 0, 255, 0]);
    let palette_free = [("LSUN/0.png", colour), ("LSUN/1.jpg", fixture("face.jpg"))];
    let characters = [("images_background/a/b/1.png", bits.clone()), ("images_background/a/c/1.png", bits)];
    let digits = [
        ("gzip/emnist-digits-train-images-idx3-ubyte.gz", gzip(&idx(&[2, 28, 28], &[3; 1568]))),
        ("gzip/emnist-digits-train-labels-idx1-ubyte.gz", gzip(&idx(&[2], &[1, 2]))),
    ];
    let records = [("cifar-100-binary/train.bin", vec![7; 2 * 3074])];
    let x = matrix("X", 9, &[32, 32, 3, 2], 2, &[9; 6144]);
    let y = matrix("y", 9, &[2, 1], 2, &[10, 3]);
    let batch = zip_of(&[
        ("data.npy", npy("|u1", &[2, 12], &[5; 24])),
        ("labels.npy", npy("<i8", &[2], &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])),
    ]);
    vec![
        ("LSUN.tar.gz", tar_gz_of(&palette_free), set([3, 32, 32], PictureLayout::Unlabelled, odin)),
        ("LSUN.tar.gz", tar_of(&palette_free), set([3, 32, 32], PictureLayout::Unlabelled, odin)),
        ("images_background.zip", zip_of(&characters), set([1, 2, 9], PictureLayout::Omniglot, omniglot)),
        ("gzip.zip", zip_of(&digits), entry([1, 28, 28], [2, 2], Format::Emnist(EmnistPart::Digits))),
        (
            "cifar-100-binary.tar.gz",
            tar_gz_of(&records),
            entry([3, 32, 32], [2, 2], Format::Cifar(CifarVersion::Hundred)),
        ),
        ("train_32x32.mat", mat_file(&[x.clone(), y.clone()]), entry([3, 32, 32], [2, 2], Format::Svhn)),
        ("train_32x32.mat", mat_file(&[compressed(&x), compressed(&y)]), entry([3, 32, 32], [2, 2], Format::Svhn)),
        ("train_32x32.mat", fixture("digits.mat"), entry([3, 32, 32], [2, 2], Format::Svhn)),
        ("val_data.npz", batch, entry([3, 2, 2], [0, 2], Format::DownsampledImagenet)),
        ("val_data.npz", fixture("val_data.npz"), entry([3, 2, 2], [0, 2], Format::DownsampledImagenet)),
    ]
});

fn split_of(entry: &Entry) -> Split {
    if entry.has(Split::Train) { Split::Train } else { Split::Test }
}

/// Whatever is loaded is as large as the catalogue says.
fn load(name: &str, bytes: &[u8], entry: &Entry) -> bool {
    let folder = Folder::with(name, bytes);
    match folder.load(entry, split_of(entry), None) {
        Ok(examples) => {
            assert_eq!(examples.len(), 2);
            true
        }
        Err(refusal) => {
            assert!(refusal.to_string().len() < 2000, "{refusal}");
            false
        }
    }
}

#[test]
fn sound_files_are_read() {
    for (name, bytes, entry) in SOUND.iter() {
        assert!(load(name, bytes, entry), "{name}");
    }
}

#[test]
fn truncation_is_refused_everywhere() {
    for (name, bytes, entry) in SOUND.iter() {
        // Two blocks of zeros end a tar archive; whoever has all files before them misses nothing.
        let needed = if bytes.starts_with(b"LSUN") { bytes.len() - 1024 - 512 } else { bytes.len() };
        for length in (0..needed).step_by((needed / 60).max(1)) {
            assert!(!load(name, &bytes[..length], entry), "{name} cut to {length} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn a_cut_picture_is_refused_however_little_is_missing() {
    let odin: &[&str] = &["LSUN.tar.gz", "LSUN/"];
    let format = Format::Pictures { layout: PictureLayout::Unlabelled, train: odin, test: odin };
    let entry = entry([3, 32, 32], [0, 1], format);
    let face = fixture("face.jpg");

    for length in (0..face.len()).step_by(97).chain([face.len() - 1]) {
        let refusal = Folder::with("LSUN/0.jpg", &face[..length]).load(&entry, Split::Test, None);
        assert!(refusal.is_err(), "a JPEG picture cut to {length} of {} bytes", face.len());
    }
}

#[test]
fn pictures_that_state_huge_sizes_cost_no_memory() {
    let odin: &[&str] = &["LSUN.tar.gz", "LSUN/"];
    let format = Format::Pictures { layout: PictureLayout::Unlabelled, train: odin, test: odin };
    let entry = entry([3, 32, 32], [0, 1], format);
    // The size stands after the frame's marker (JPEG), or after the header's name (PNG, whose checksum must follow).
    let mut jpeg = fixture("face.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    let mut png = png(32, 32, &[0; 3072]);
    png[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());

    for bytes in [jpeg, png] {
        let folder = Folder::with("LSUN/0.jpg", &bytes);
        let mut refusal = None;
        let memory = allocation_counter::measure(|| refusal = folder.load(&entry, Split::Test, None).err());
        assert!(refusal.unwrap().to_string().contains("LSUN/0.jpg"));
        assert!(memory.bytes_max < 1 << 20, "{} bytes", memory.bytes_max);
    }
}

#[test]
fn names_of_a_tar_archive_without_end_are_stopped() {
    let odin: &[&str] = &["LSUN.tar.gz", "LSUN/"];
    let format = Format::Pictures { layout: PictureLayout::Unlabelled, train: odin, test: odin };
    let entry = entry([3, 32, 32], [0, 1], format);
    let long = format!("LSUN/{}.png", "x".repeat(30 << 20));
    let folder = Folder::with("LSUN.tar.gz", &tar_gz_of(&[(&long, vec![1])]));

    let mut refusal = String::new();
    let memory = allocation_counter::measure(|| refusal = folder.refusal(&entry, Split::Test));

    assert!(refusal.contains("a name in it is longer than 4096 bytes"), "{refusal}");
    assert!(memory.bytes_max < 1 << 20, "{} bytes", memory.bytes_max);
}

#[test]
fn archives_that_unpack_without_end_are_stopped() {
    let odin: &[&str] = &["LSUN.tar.gz", "LSUN/"];
    let format = Format::Pictures { layout: PictureLayout::Unlabelled, train: odin, test: odin };
    let entry = entry([3, 32, 32], [0, 1], format);
    let zeros = vec![0; 40 << 20];
    let celeba = crate::files::entry([3, 32, 32], [1, 1], Format::Celeba(CelebaPreset::ShorterSide));
    let zip = zip_of(&[("img_align_celeba/000001.jpg", zeros.clone())]);
    let list = b"000001.jpg 0\n000002.jpg 2\n";
    let tar = Folder::with("LSUN.tar.gz", &tar_gz_of(&[("LSUN/0.png", zeros)]));
    let zip = Folder::with("img_align_celeba.zip", &zip).and("list_eval_partition.txt", list);

    for (folder, entry, split) in [(tar, entry, Split::Test), (zip, celeba, Split::Train)] {
        let mut refusal = String::new();
        let memory = allocation_counter::measure(|| refusal = folder.refusal(&entry, split));
        assert!(refusal.contains("is longer than 8388608 bytes"), "{refusal}");
        assert!(memory.bytes_max < 40 << 20, "{} bytes", memory.bytes_max);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn changed_bytes_never_panic(
        format in 0..SOUND.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, bytes, entry) = &SOUND[format];
        let mut bytes = bytes.clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let memory = allocation_counter::measure(|| { load(name, &bytes, entry); });
        prop_assert!(memory.bytes_max < 64 << 20, "{} bytes", memory.bytes_max);
    }

    #[test]
    fn changed_pictures_never_panic(
        is_jpeg in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..10),
    ) {
        let mut bytes = if is_jpeg { fixture("face.jpg") } else { png(40, 40, &[9; 4800]) };
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let names: &[&str] = &["dtd-r1.0.1.tar.gz", "dtd/"];
        let format = Format::Pictures { layout: PictureLayout::Textures, train: names, test: names };
        let folder = Folder::with("dtd/images/a/0.jpg", &bytes);
        if let Ok(examples) = folder.load(&entry([3, 32, 32], [0, 1], format), Split::Test, None) {
            prop_assert_eq!(examples.len(), 1);
        }
    }

    #[test]
    fn any_list_of_partitions_is_read_or_refused(list in "[0-9a-zé. \\t\\r\\n]{0,200}") {
        let entry = entry([3, 32, 32], [2, 1], Format::Celeba(CelebaPreset::ShorterSide));
        let archive = zip_of(&[("img_align_celeba/a", Vec::new())]);
        let folder = Folder::with("img_align_celeba.zip", &archive).and("list_eval_partition.txt", list.as_bytes());
        prop_assert!(folder.load(&entry, Split::Train, None).is_err());
    }

    #[test]
    fn any_annotations_are_read_or_refused(annotations in "(val_0.png|n01|\\t|\\n|[a-z]{0,9}){0,30}", classes in "(n01|n02|\\n| ){0,9}") {
        let names: &[&str] = &["tiny-imagenet-200.zip"];
        let format = Format::Pictures { layout: PictureLayout::TinyImagenet, train: names, test: names };
        let files = [
            ("tiny-imagenet-200/wnids.txt", classes.into_bytes()),
            ("tiny-imagenet-200/val/val_annotations.txt", annotations.into_bytes()),
            ("tiny-imagenet-200/val/images/val_0.png", png(64, 64, &[1; 4096])),
        ];
        let folder = Folder::with("tiny-imagenet-200.zip", &zip_of(&files));
        if let Ok(examples) = folder.load(&entry([3, 64, 64], [1, 1], format), Split::Test, None) {
            prop_assert_eq!(examples.labels().map(<[u32]>::len), Some(1));
        }
    }

    #[test]
    fn anything_under_a_publishers_name_never_panics(
        format in 0..SOUND.len(),
        start in prop::sample::select(vec![&b"PK\x03\x04"[..], &[0x1f, 0x8b, 8, 0], &[]]),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let (name, _, entry) = &SOUND[format];
        prop_assert!(!load(name, &[start, &bytes].concat(), entry));
    }
}
