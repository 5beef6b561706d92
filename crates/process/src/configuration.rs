//! Configuration from flags and environment variables, parsed once; what is wrong with it names the variable.

use std::{ffi::OsString, process::ExitCode};

use clap::{
    Command, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::exit;

/// The configuration was not parsed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The user asked for help or the version: the text to print.
    #[error("{0}")]
    Asked(clap::Error),
    /// A flag or variable is missing or wrong.
    #[error("{error}{variables}")]
    Wrong {
        /// What is wrong.
        error: clap::Error,
        /// The environment variables behind the flags that it names; empty when there are none.
        variables: String,
    },
}

impl ConfigurationError {
    /// Prints the text where it belongs and gives the code to exit with: 0 for help, 64 for bad configuration.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "the log needs a configuration to start")]
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Asked(text) => {
                // A closed standard output leaves nothing to do.
                let _ = text.print();
                ExitCode::from(exit::SUCCESS)
            }
            Self::Wrong { .. } => {
                eprintln!("{self}");
                ExitCode::from(exit::CONFIGURATION)
            }
        }
    }
}

/// Parses a program's configuration from `arguments` (the program's name first) and the environment.
///
/// # Errors
/// What is wrong, with the environment variables concerned.
pub fn configuration_from<C: Parser>(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<C, ConfigurationError> {
    C::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ConfigurationError::Asked(error),
        _ => ConfigurationError::Wrong { variables: variables_of(&error, C::command()), error },
    })
}

/// Names the variables behind the flags of an error: who set one in a service file never typed the flag.
fn variables_of(error: &clap::Error, mut command: Command) -> String {
    // Flags know how they are written only in a command that was built.
    command.build();
    let flags: Vec<&String> = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => vec![flag],
        Some(ContextValue::Strings(flags)) => flags.iter().collect(),
        Some(_) | None => Vec::new(),
    };
    let names: Vec<String> = command
        .get_arguments()
        .filter(|argument| flags.iter().any(|flag| **flag == argument.to_string()))
        .filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned))
        .collect();
    if names.is_empty() { String::new() } else { format!("\nenvironment: {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Sample {
        #[arg(long, env = "SPILLWAY_SAMPLE_WORKERS")]
        workers: u16,
    }

    fn refusal(arguments: &[&str]) -> String {
        configuration_from::<Sample>(arguments).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_value_names_the_variable_and_the_flag() {
        let text = refusal(&["sample", "--workers", "many"]);

        assert!(text.contains("SPILLWAY_SAMPLE_WORKERS"), "{text}");
        assert!(text.contains("--workers"), "{text}");
    }

    #[test]
    fn a_missing_value_names_the_variable() {
        let text = refusal(&["sample"]);

        assert!(text.contains("SPILLWAY_SAMPLE_WORKERS"), "{text}");
    }

    #[test]
    fn a_right_value_is_parsed() {
        assert_eq!(configuration_from::<Sample>(["sample", "--workers", "3"]).unwrap().workers, 3);
    }
}
