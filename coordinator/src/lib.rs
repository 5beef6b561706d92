//! The control plane: gRPC in front, the rules in the middle, Postgres behind.
//!
//! A coordinator holds no state that a restart may lose, so any number of them may serve one database.

pub mod app;
pub mod config;
mod grpc;
pub mod lifecycle;
pub mod services;
mod wakeups;

pub use app::{App, ServeError, StartError};
pub use config::Config;
pub use wakeups::{Unseen, Wakeups};
