//! Trained models as files: our own format with its document inside, and exchange with the reference implementation's.
//! Reads and writes bytes alone and needs no libtorch, so that the command line can do it.

mod exchange;
mod format;
mod model_file;

pub use exchange::{ExchangeError, Mismatch, export, import};
pub use format::{FORMAT, HEADER_KEY, MODEL_PREFIX, OPTIMISER_PREFIX};
pub use model_file::{ModelFile, ModelFileError, Origin};
