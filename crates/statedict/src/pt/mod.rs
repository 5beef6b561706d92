//! PyTorch's files: both formats of `torch.save` are read, the newer one is written.
//!
//! Nothing in a file is ever run; the pickle is read as data.

mod archive;
mod error;
mod legacy;
mod outer;
mod plan;
mod write;

pub use error::PtError;
pub use outer::STATE_DICT_KEYS;
pub use write::{Wrapping, WriteError, write, write_file};

pub(crate) use archive::read as read_archive;
pub(crate) use legacy::read as read_legacy;
