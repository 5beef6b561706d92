//! Artifacts: bytes addressed by their SHA-256, in a local folder or an object store.
//!
//! Nothing is kept under a digest that its bytes do not have: an upload that breaks off or does not match leaves no trace, and reading checks
//! the digest again.

mod read;
mod store;
mod upload;

pub use read::Bytestream;
pub use store::{ArtifactError, ArtifactStore};
pub use upload::Upload;
