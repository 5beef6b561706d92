//! A whole cluster for tests: a real Postgres, real coordinator and worker processes, and the faults to put them through.
//!
//! Nothing here stands in for a part of ours: the processes are the programs that users run.

pub mod chaos;
mod cluster;
mod database;
mod process;
mod proxy;
mod sweeps;
mod wait;

pub use cluster::{Cluster, ClusterOptions, Links};
pub use database::{Database, Ending, Persistence};
pub use process::{Program, command};
pub use proxy::{Proxy, Upstream, Weather};
pub use sweeps::{tiny_model, tiny_sweep};
pub use wait::{DEADLINE, eventually};
