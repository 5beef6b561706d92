//! One training run, its evaluation and its pictures: from an experiment's document to trained weights, and from those to
//! numbers and to what a person can look at.
//!
//! Requests and outcomes are plain data and files: a tensor never leaves this crate. It knows nothing of jobs, sessions
//! or coordinators; what it has to say while it runs goes through an [`Observer`].

mod assemble;
mod checkpoint;
mod device;
mod embedding;
mod encoding;
mod error;
mod evaluate;
mod examples;
mod fit;
mod inspect;
mod meter;
mod observer;
pub mod optimiser;
mod pace;
mod probe;
mod recording;
mod tensor_file;
mod threads;

pub use checkpoint::{CHECKPOINT_FORMAT, CheckpointError, CheckpointFile, Unversioned};
pub use device::{Device, DeviceError, UnknownDevice};
pub use embedding::EmbeddingError;
pub use error::TrainingError;
pub use evaluate::{EvaluateOutcome, EvaluateRequest, Evaluation, StatisticsFile, evaluate};
pub use fit::{FitEnd, FitOutcome, FitRequest, Restart, fit};
pub use inspect::{InspectOutcome, InspectRequest, SavedPicture, inspect};
pub use meter::Divergence;
pub use observer::{Directive, Event, Observer, Progress, Recorder, SavedCheckpoint};
pub use probe::{ProbeOutcome, ProbeRequest, ProbedScore, probe};
pub use recording::SavedStatistics;
pub use tensor_file::{FileError, SavedFile, WrongDigest};
pub use threads::set_threads;

/// Arithmetic of training and evaluation: single precision, sums over images and dimensions of the latent in double.
pub const PRECISION: &str = "float32";
