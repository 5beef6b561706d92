//! What every program does: its configuration, its log, its signals and its exit codes.

pub mod configuration;
pub mod exit;
pub mod log;
pub mod shutdown;

pub use configuration::{ConfigurationError, configuration_from};
pub use log::{LogFormat, start_log};
pub use shutdown::Shutdown;
