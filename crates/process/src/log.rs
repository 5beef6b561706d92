//! The log: one line per event on standard error, filtered by `SPILLWAY_LOG`.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt, util::TryInitError};

/// The environment variable that filters the log, such as `info` or `warn,store=debug`.
pub const FILTER_VARIABLE: &str = "SPILLWAY_LOG";
/// The filter when that variable is not set.
const DEFAULT_FILTER: &str = "info";

/// How events are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object per line, for machines.
    Json,
}

/// The log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not understood.
    #[error("{FILTER_VARIABLE} is no log filter ({0}): try `info`, or `warn,coordinator=debug`")]
    Filter(String),
    /// A log was started before.
    #[error("a log was started before: {0}")]
    Started(String),
}

/// Starts the log of this program.
///
/// # Errors
/// [`LogError::Filter`] when `SPILLWAY_LOG` is not understood; [`LogError::Started`] on a second start.
pub fn start_log(format: LogFormat) -> Result<(), LogError> {
    let given = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty());
    let filter = filter_from(given.as_deref().unwrap_or(DEFAULT_FILTER))?;
    let log = fmt().with_env_filter(filter).with_writer(stderr);
    let started = match format {
        LogFormat::Text => {
            tracing_subscriber::util::SubscriberInitExt::try_init(log.with_ansi(stderr().is_terminal()).finish())
        }
        LogFormat::Json => tracing_subscriber::util::SubscriberInitExt::try_init(log.json().finish()),
    };
    started.map_err(|error: TryInitError| LogError::Started(error.to_string()))
}

fn filter_from(text: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder().parse(text).map_err(|error| LogError::Filter(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_by_crate_are_understood() {
        assert!(filter_from("warn,coordinator=debug").is_ok());
    }

    #[test]
    fn a_filter_that_is_none_is_refused_with_the_variable() {
        let refusal = filter_from("coordinator=loud").unwrap_err();

        assert!(refusal.to_string().starts_with("SPILLWAY_LOG is no log filter"), "{refusal}");
    }
}
