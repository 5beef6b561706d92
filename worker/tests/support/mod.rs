//! The other side of a worker, scripted: a coordinator in this process, and the real program beside it.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test code outside of test functions")]

pub mod coordinator;
pub mod documents;
pub mod program;
pub mod service;
