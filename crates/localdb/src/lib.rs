//! A private PostgreSQL cluster from the server binaries on this machine: for `spillway up`, the demo and the tests.
//!
//! The cluster listens on a Unix socket only and stops when its owner does, even when the owner is killed. This crate
//! speaks to the server through `psql`; it knows no table of Spillway's and holds no connection.

mod account;
mod address;
mod binaries;
mod cluster;
mod error;
mod home;
mod server;
mod statement;
mod test_server;

pub use address::{Address, DEFAULT_DATABASE};
pub use binaries::{MINIMUM_VERSION, ServerBinaries};
pub use cluster::{Durability, Options, PrivateCluster, attach, remove};
pub use error::Error;
pub use test_server::{TEST_DATABASE_URL, TestServer, shared_for_tests};
