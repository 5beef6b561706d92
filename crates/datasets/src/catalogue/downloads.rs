//! What can be fetched from each publisher, and what a person must do first.

use super::entry::Entry;
use super::mnist_downloads::{FASHION_MNIST, KMNIST, MNIST};
use super::source::Digest;

/// One file as its publisher serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// The name that the file is kept under, in the dataset's folder.
    pub file_name: &'static str,
    /// Where it is served, the publisher first and mirrors after it; none if no program can fetch it.
    pub urls: &'static [&'static str],
    /// Its size as it is served, where that has been published.
    pub bytes: Option<u64>,
    /// Its checksum as it is served, where that has been published.
    pub digest: Option<Digest>,
    /// Why no program can fetch it, and what a person does instead.
    pub needs: Option<&'static str>,
}

/// The downloads of an entry; none for what is built in or made by the user.
pub fn of(entry: &Entry) -> &'static [Download] {
    match entry.folder() {
        "mnist" => &MNIST,
        "fashion-mnist" => &FASHION_MNIST,
        "kmnist" => &KMNIST,
        "emnist" => &EMNIST,
        "omniglot" => &OMNIGLOT,
        "notmnist" => &NOTMNIST,
        "cifar10" => &CIFAR10,
        "cifar100" => &CIFAR100,
        "svhn" => &SVHN,
        "celeba" => &CELEBA,
        "imagenet32" => &IMAGENET32,
        "imagenet64" => &IMAGENET64,
        "tiny-imagenet" => &TINY_IMAGENET,
        "tiny-imagenet-crop" => &TINY_IMAGENET_CROP,
        "tiny-imagenet-resize" => &TINY_IMAGENET_RESIZE,
        "lsun-crop" => &LSUN_CROP,
        "lsun-resize" => &LSUN_RESIZE,
        "textures" => &TEXTURES,
        "hepmass" => &HEPMASS,
        "miniboone" => &MINIBOONE,
        _ => &[],
    }
}

/// A file that a program can fetch.
pub(super) const fn file(
    file_name: &'static str,
    urls: &'static [&'static str],
    bytes: Option<u64>,
    digest: Option<Digest>,
) -> Download {
    Download { file_name, urls, bytes, digest, needs: None }
}

/// A file that a person must fetch.
const fn by_hand(file_name: &'static str, bytes: Option<u64>, digest: Option<Digest>, needs: &'static str) -> Download {
    Download { file_name, urls: &[], bytes, digest, needs: Some(needs) }
}

const CELEBA_NEEDS: &str = "CelebA is handed out through a page of Google Drive: open \
    https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, accept its terms and save the file";
const IMAGENET_NEEDS: &str = "ImageNet asks for a login and its terms: open https://image-net.org/download-images.php, \
    section \"Download downsampled image data\", and save the file";

static EMNIST: [Download; 1] = [file(
    "gzip.zip",
    &["https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"],
    Some(561_753_746),
    Some(Digest::Sha256("fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e")),
)];

static OMNIGLOT: [Download; 2] = [
    file(
        "images_background.zip",
        &["https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_background.zip"],
        Some(9_464_212),
        Some(Digest::Sha256("ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640")),
    ),
    file(
        "images_evaluation.zip",
        &["https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_evaluation.zip"],
        Some(6_462_886),
        Some(Digest::Sha256("1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee")),
    ),
];

static NOTMNIST: [Download; 1] = [file(
    "notMNIST_small.tar.gz",
    &["http://yaroslavvb.com/upload/notMNIST/notMNIST_small.tar.gz"],
    Some(8_458_043),
    None,
)];

static CIFAR10: [Download; 1] = [file(
    "cifar-10-binary.tar.gz",
    &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    Some(170_052_171),
    Some(Digest::Sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")),
)];

static CIFAR100: [Download; 1] = [file(
    "cifar-100-binary.tar.gz",
    &["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
    Some(168_513_733),
    Some(Digest::Sha256("58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec")),
)];

static SVHN: [Download; 2] = [
    file(
        "train_32x32.mat",
        &["http://ufldl.stanford.edu/housenumbers/train_32x32.mat"],
        Some(182_040_794),
        Some(Digest::Sha256("435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8")),
    ),
    file(
        "test_32x32.mat",
        &["http://ufldl.stanford.edu/housenumbers/test_32x32.mat"],
        Some(64_275_384),
        Some(Digest::Sha256("cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b")),
    ),
];

static CELEBA: [Download; 2] = [
    by_hand(
        "img_align_celeba.zip",
        Some(1_443_490_838),
        Some(Digest::Sha256("46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74")),
        CELEBA_NEEDS,
    ),
    by_hand(
        "list_eval_partition.txt",
        Some(2_836_386),
        Some(Digest::Sha256("fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7")),
        CELEBA_NEEDS,
    ),
];

static IMAGENET32: [Download; 2] = [
    by_hand("Imagenet32_train_npz.zip", None, None, IMAGENET_NEEDS),
    by_hand("Imagenet32_val_npz.zip", None, None, IMAGENET_NEEDS),
];

static IMAGENET64: [Download; 3] = [
    by_hand("Imagenet64_train_part1_npz.zip", None, None, IMAGENET_NEEDS),
    by_hand("Imagenet64_train_part2_npz.zip", None, None, IMAGENET_NEEDS),
    by_hand("Imagenet64_val_npz.zip", None, None, IMAGENET_NEEDS),
];

static TINY_IMAGENET: [Download; 1] = [file(
    "tiny-imagenet-200.zip",
    &["http://cs231n.stanford.edu/tiny-imagenet-200.zip"],
    None,
    Some(Digest::Sha256("6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821")),
)];

static TINY_IMAGENET_CROP: [Download; 1] = [file(
    "Imagenet.tar.gz",
    &["https://www.dropbox.com/s/avgm2u562itwpkl/Imagenet.tar.gz?dl=1"],
    None,
    Some(Digest::Md5("7c0827e4246c3718a5ee076e999e52e5")),
)];

static TINY_IMAGENET_RESIZE: [Download; 1] = [file(
    "Imagenet_resize.tar.gz",
    &["https://www.dropbox.com/s/kp3my3412u5k9rl/Imagenet_resize.tar.gz?dl=1"],
    None,
    Some(Digest::Md5("0f9ff11d45babf2eff5fe12281d1ac31")),
)];

static LSUN_CROP: [Download; 1] = [file(
    "LSUN.tar.gz",
    &["https://www.dropbox.com/s/fhtsw1m3qxlwj6h/LSUN.tar.gz?dl=1"],
    None,
    Some(Digest::Md5("458a0a0ab8e5f1cb4516d7400568e460")),
)];

static LSUN_RESIZE: [Download; 1] = [file(
    "LSUN_resize.tar.gz",
    &["https://www.dropbox.com/s/moqh2wh8696c3yl/LSUN_resize.tar.gz?dl=1"],
    None,
    Some(Digest::Md5("278b7b31c8cb7e804a1465a8ce03a2dc")),
)];

static TEXTURES: [Download; 1] = [file(
    "dtd-r1.0.1.tar.gz",
    &["https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"],
    None,
    Some(Digest::Md5("fff73e5086ae6bdbea199a49dfb8a4c1")),
)];

static HEPMASS: [Download; 2] = [
    file(
        "1000_train.csv.gz",
        &["https://archive.ics.uci.edu/ml/machine-learning-databases/00347/1000_train.csv.gz"],
        None,
        None,
    ),
    file(
        "1000_test.csv.gz",
        &["https://archive.ics.uci.edu/ml/machine-learning-databases/00347/1000_test.csv.gz"],
        None,
        None,
    ),
];

static MINIBOONE: [Download; 1] = [file(
    "MiniBooNE_PID.txt",
    &["https://archive.ics.uci.edu/ml/machine-learning-databases/00199/MiniBooNE_PID.txt"],
    None,
    None,
)];

#[cfg(test)]
mod tests {
    use super::super::entry::Catalogue;
    use super::*;

    #[test]
    fn every_file_that_is_read_can_be_fetched_or_says_why_not() {
        for entry in Catalogue::entries().iter().filter(|entry| entry.wanted() != entry.arrays()) {
            for wanted in entry.wanted() {
                let served = |download: &Download| wanted.names.iter().any(|name| name == download.file_name);
                assert!(of(entry).iter().any(served), "{}: {:?}", entry.name, wanted.names);
            }
            for download in of(entry) {
                assert_eq!(download.urls.is_empty(), download.needs.is_some(), "{}", download.file_name);
                assert!(download.urls.iter().all(|url| url.starts_with("http")), "{}", download.file_name);
            }
        }
    }

    #[test]
    fn checksums_have_their_lengths() {
        for digest in Catalogue::entries().iter().flat_map(|entry| of(entry)).filter_map(|download| download.digest) {
            let length = match digest {
                Digest::Md5(_) => 32,
                Digest::Sha256(_) => 64,
            };
            let value = digest.hexadecimal();
            assert!(value.len() == length && value.bytes().all(|byte| byte.is_ascii_hexdigit()), "{value}");
        }
    }
}
