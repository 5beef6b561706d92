//! What can be fetched of the datasets in MNIST's layout.

use super::downloads::{Download, file};
use super::source::Digest;

/// MNIST.
pub static MNIST: [Download; 4] = [
    file(
        "train-images-idx3-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
        ],
        None,
        Some(Digest::Sha256("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609")),
    ),
    file(
        "train-labels-idx1-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz",
        ],
        None,
        Some(Digest::Sha256("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c")),
    ),
    file(
        "t10k-images-idx3-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz",
        ],
        None,
        Some(Digest::Sha256("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6")),
    ),
    file(
        "t10k-labels-idx1-ubyte.gz",
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
        ],
        None,
        Some(Digest::Sha256("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6")),
    ),
];

/// Fashion-MNIST.
pub static FASHION_MNIST: [Download; 4] = [
    file(
        "train-images-idx3-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"],
        None,
        Some(Digest::Sha256("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84")),
    ),
    file(
        "train-labels-idx1-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz"],
        Some(29_515),
        Some(Digest::Sha256("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845")),
    ),
    file(
        "t10k-images-idx3-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz"],
        None,
        Some(Digest::Sha256("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073")),
    ),
    file(
        "t10k-labels-idx1-ubyte.gz",
        &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"],
        Some(5_148),
        Some(Digest::Sha256("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")),
    ),
];

/// KMNIST.
pub static KMNIST: [Download; 4] = [
    file(
        "train-images-idx3-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-images-idx3-ubyte.gz"],
        Some(18_165_135),
        Some(Digest::Sha256("51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4")),
    ),
    file(
        "train-labels-idx1-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-labels-idx1-ubyte.gz"],
        Some(29_497),
        Some(Digest::Sha256("e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17")),
    ),
    file(
        "t10k-images-idx3-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-images-idx3-ubyte.gz"],
        Some(3_041_136),
        Some(Digest::Sha256("edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5")),
    ),
    file(
        "t10k-labels-idx1-ubyte.gz",
        &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/t10k-labels-idx1-ubyte.gz"],
        Some(5_120),
        Some(Digest::Sha256("20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c")),
    ),
];
