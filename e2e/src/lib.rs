//! A whole cluster for tests: a real Postgres, real coordinator and worker processes, and the faults to put them through.
//!
//! Nothing here stands in for a part of ours: the processes are the programs that users run.

mod cluster;
mod process;
mod sweeps;
mod wait;

pub use cluster::{Cluster, ClusterOptions};
pub use process::{Program, command};
pub use sweeps::{tiny_model, tiny_sweep};
pub use wait::{DEADLINE, eventually};
