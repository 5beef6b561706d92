//! One process per job: its line protocol, the supervisor's side of it and the child's.

mod entry;
mod lines;
mod process;
mod protocol;

pub use entry::{Voice, run_child};
pub use process::{Child, ExitReason, Line, ProcessError};
pub use protocol::{
    ArtifactFile, Command, DrawnFigure, EvaluatedFiles, LineError, Message, Order, Outcome, Resources, StatisticsFile,
    TrainedFlow, decode, encode,
};
