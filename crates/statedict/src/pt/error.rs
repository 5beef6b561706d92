//! Why a file of PyTorch's is refused.

use std::io;

use thiserror::Error;
use zip::result::ZipError;

use crate::pickle::PickleError;
use crate::tensor::WrongSize;

/// Why a file of PyTorch's cannot be read.
#[derive(Debug, Error)]
pub enum PtError {
    /// The operating system refused, or the file ends early.
    #[error("{0}; if the file is truncated, copy it again")]
    Disk(#[from] io::Error),
    /// The zip archive is damaged.
    #[error("its zip archive: {0}; the file is truncated or damaged, copy it again")]
    Zip(#[from] ZipError),
    /// An entry's bytes are damaged, or the disk failed.
    #[error("entry {entry}: {cause}; the file is damaged, copy it again")]
    Entry {
        /// The entry's name.
        entry: String,
        /// What went wrong.
        cause: io::Error,
    },
    /// The zip archive lacks a part that every such file has.
    #[error("its zip archive has no {wanted}; it is no file of torch.save")]
    NoEntry {
        /// The missing entry.
        wanted: &'static str,
    },
    /// Two parts of the file have one name, so that readers may disagree on which counts.
    #[error("it has two parts of one name, which torch.save never writes; save the file again")]
    DoubleEntry,
    /// The file is a program.
    #[error("it is a TorchScript archive, a program; in PyTorch, load it and save torch.jit.load(file).state_dict()")]
    TorchScript,
    /// The storages are big-endian.
    #[error("its numbers are in byte order {found:?}; only little-endian files are read, save it on such a machine")]
    ByteOrder {
        /// The order it states.
        found: String,
    },
    /// It is a pickle, but not of `torch.save`.
    #[error("it is a plain pickle and not a file of torch.save; save with torch.save(model.state_dict(), file)")]
    PlainPickle,
    /// The pickle cannot be read as data.
    #[error("{0}")]
    Pickle(#[from] PickleError),
    /// No state dict was found.
    #[error("it holds no state dict: its top level is {found}; save model.state_dict(), alone or as {{'net': ...}}")]
    NoStateDict {
        /// What the top level is.
        found: String,
    },
    /// Several keys of the outer dict hold dicts that may be the state dict.
    #[error("both {first:?} and {second:?} may be the state dict; save only one of them")]
    Ambiguous {
        /// One key.
        first: &'static str,
        /// Another.
        second: &'static str,
    },
    /// An entry of the state dict is no tensor.
    #[error("entry {name:?} of the state dict is {found} and no tensor; remove it in PyTorch and save again")]
    NoTensor {
        /// The entry's name, or what stands for one.
        name: String,
        /// What it is.
        found: &'static str,
    },
    /// A tensor looks beyond its storage.
    #[error(
        "tensor {name:?}: shape {shape:?} with strides {strides:?} from element {offset} reaches beyond the {elements} elements of storage {key:?}; the file is damaged"
    )]
    BeyondStorage {
        /// The tensor.
        name: String,
        /// Its storage.
        key: String,
        /// Its first element's place in the storage.
        offset: u64,
        /// Its sizes.
        shape: Vec<u64>,
        /// Its strides in elements.
        strides: Vec<u64>,
        /// The storage's size in elements.
        elements: u64,
    },
    /// Two tensors state different sizes of one storage.
    #[error("tensor {name:?} states {stated} bytes for storage {key:?}, another tensor {other}; the file is damaged")]
    StorageSize {
        /// The tensor.
        name: String,
        /// The storage.
        key: String,
        /// The bytes that this tensor states.
        stated: u64,
        /// The bytes that another states.
        other: u64,
    },
    /// The bytes of a storage are not as many as the pickle states.
    #[error("storage {key:?} of tensor {name:?} has {found} bytes where {wanted} are stated; copy the file again")]
    ShortStorage {
        /// The first tensor in it.
        name: String,
        /// The storage.
        key: String,
        /// The bytes stated.
        wanted: u64,
        /// The bytes there.
        found: u64,
    },
    /// No bytes are stored for a tensor.
    #[error("storage {key:?} of tensor {name:?} is not in the file; it is truncated or damaged, copy it again")]
    NoStorage {
        /// The first tensor in it.
        name: String,
        /// The storage.
        key: String,
    },
    /// A storage is listed that no tensor was described with, so that its size is unknown.
    #[error("storage {key:?} is listed, but nothing describes it; the file is damaged, copy it again")]
    UnknownStorage {
        /// The storage.
        key: String,
    },
    /// The tensors ask for more memory than the caller allows.
    #[error(
        "tensor {name:?} brings the file to {bytes} bytes, beyond the limit of {limit}; raise it if the file is trusted"
    )]
    TooLarge {
        /// The tensor at which the limit is passed.
        name: String,
        /// The bytes up to and with it.
        bytes: u64,
        /// The caller's limit.
        limit: u64,
    },
    /// There are more tensors than the caller allows.
    #[error("it names {tensors} tensors, beyond the limit of {limit}; raise it if the file is trusted")]
    TooMany {
        /// Their number.
        tensors: usize,
        /// The caller's limit.
        limit: usize,
    },
    /// The pickle is larger than the caller allows.
    #[error("its pickle is larger than {limit} bytes; save only model.state_dict(), or raise the limit")]
    LongPickle {
        /// The caller's limit.
        limit: usize,
    },
    /// A tensor does not fit its bytes.
    #[error("{0}")]
    Tensor(#[from] WrongSize),
}
