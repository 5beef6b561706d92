//! The data plane: a supervisor that claims jobs and reports results, and the child processes that run tensors.
//!
//! The supervisor never touches a tensor: a crash in the tensor library or an out-of-memory kill costs one attempt, not
//! the worker, and heartbeats go on whatever training does.

mod attempt;
mod cache;
mod child;
pub mod config;
mod cuda;
mod download;
mod lease;
mod log;
mod memory;
mod outbox;
mod reporter;
mod retry;
mod runner;
mod scorer;
mod scratch;
mod session;
mod stop;
mod trainer;
mod uplink;
mod upload;
mod verdict;

pub use child::{
    ArtifactFile, Command, DrawnFigure, ExitReason, Line, LineError, Message, Order, Outcome, ProcessError, Resources,
    StatisticsFile, TrainedFlow, decode, encode, run_child,
};
pub use cuda::{CudaError, probe};
pub use runner::{WorkerError, run};
pub use stop::Stop;
