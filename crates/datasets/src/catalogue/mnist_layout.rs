//! The files of the datasets that come in MNIST's layout, and their checksums.

use super::source::{Checksum, DataFile};
use crate::examples::Split;

/// Fashion-MNIST.
pub static FASHION_MNIST_FILES: [DataFile; 4] = mnist_layout([
    Checksum::md5_decompressed("f4a8712d7a061bf5bd6d2ca38dc4d50a"),
    Checksum::md5_decompressed("9018921c3c673c538a1fc5bad174d6f9"),
    Checksum::md5_decompressed("8181f5470baa50b63fa0f6fddb340f0a"),
    Checksum::md5_decompressed("15d484375f8d13e6eb1aabb0c3f46965"),
]);

/// MNIST.
pub static MNIST_FILES: [DataFile; 4] = mnist_layout([
    Checksum::md5_decompressed("6bbc9ace898e44ae57da46a324031adb"),
    Checksum::md5_decompressed("a25bea736e30d166cdddb491f175f624"),
    Checksum::md5_decompressed("2646ac647ad5339dbf082846283269ea"),
    Checksum::md5_decompressed("27ae3e4e09519cfbb04c329615203637"),
]);

/// KMNIST: checksums of the decompressed bytes have not been published.
pub static KMNIST_FILES: [DataFile; 4] = mnist_layout([
    Checksum::sha256_served("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
    Checksum::sha256_served("e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
    Checksum::sha256_served("edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
    Checksum::sha256_served("20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
]);

/// The four files, from their checksums in the order train images, train labels, test images, test labels.
const fn mnist_layout(checksums: [Checksum; 4]) -> [DataFile; 4] {
    let [train_images, train_labels, test_images, test_labels] = checksums;
    [
        DataFile {
            name: "train-images-idx3-ubyte",
            split: Split::Train,
            dimensions: &[60_000, 28, 28],
            bytes: 47_040_016,
            checksum: Some(train_images),
        },
        DataFile {
            name: "train-labels-idx1-ubyte",
            split: Split::Train,
            dimensions: &[60_000],
            bytes: 60_008,
            checksum: Some(train_labels),
        },
        DataFile {
            name: "t10k-images-idx3-ubyte",
            split: Split::Test,
            dimensions: &[10_000, 28, 28],
            bytes: 7_840_016,
            checksum: Some(test_images),
        },
        DataFile {
            name: "t10k-labels-idx1-ubyte",
            split: Split::Test,
            dimensions: &[10_000],
            bytes: 10_008,
            checksum: Some(test_labels),
        },
    ]
}
