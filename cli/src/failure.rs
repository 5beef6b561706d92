//! How a command fails: what it says, and the code it exits with.

use std::{io, path::PathBuf, process::ExitCode};

use domain::spec::Violations;
use proto::convert::violations_of;
use tonic::{Code, Status};

/// The exit codes, for `--help`. Code 2 is clap's.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line is wrong
  3  there is no such sweep, job, worker or dataset
  4  the document is not valid
  5  the coordinator cannot be reached
  6  the sweep ended, but not every job succeeded";

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// A file that cannot be read as the format that its ending promises.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line of the error, from 1.
        line: usize,
        /// Column of the error, in characters from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A document that breaks rules.
    #[error("{violations}")]
    Invalid {
        /// What was sent or read; a file or a request.
        subject: String,
        /// One for each field.
        violations: Violations,
    },
    /// No coordinator answers.
    #[error(
        "no coordinator answers at {endpoint}: {cause}; start one with `spillway up`, or name another with --endpoint"
    )]
    Unreachable {
        /// Where it was looked for.
        endpoint: String,
        /// What the attempt ended in.
        cause: String,
    },
    /// A sweep came to its end without all of its results.
    #[error(
        "{failed} of the jobs of sweep `{sweep}` did not succeed: `spillway jobs {sweep}` says why, `spillway retry {sweep}` tries them again"
    )]
    Incomplete {
        /// The sweep's name.
        sweep: String,
        /// Jobs that failed, were cancelled or are quarantined.
        failed: u32,
    },
    /// Everything else.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl Failure {
    /// What a call to the coordinator at `endpoint` ended in.
    pub fn of_call(status: &Status, endpoint: &str) -> Self {
        if let (Code::InvalidArgument, Some(violations)) = (status.code(), violations_of(status)) {
            return Self::Invalid { subject: "the request".to_owned(), violations };
        }
        match status.code() {
            Code::NotFound => Self::NotFound(status.message().to_owned()),
            Code::Unavailable | Code::DeadlineExceeded => {
                Self::Unreachable { endpoint: endpoint.to_owned(), cause: cause_of(status) }
            }
            _ if is_of_transport(status) => {
                Self::Unreachable { endpoint: endpoint.to_owned(), cause: cause_of(status) }
            }
            Code::Unimplemented => Self::Other(anyhow::anyhow!(
                "what answers at {endpoint} is no coordinator of this version: {}",
                status.message()
            )),
            _ => Self::Other(anyhow::anyhow!("the coordinator refused: {}", status.message())),
        }
    }

    /// Prints what is wrong to standard error and gives the code to exit with.
    pub fn report(&self) -> ExitCode {
        if self.is_closed_pipe() {
            // Whoever read our output has seen enough.
            return ExitCode::SUCCESS;
        }
        match self {
            Self::Invalid { subject, violations } => {
                eprintln!("error: {subject} is not valid");
                eprintln!("{violations}");
            }
            _ => eprintln!("error: {self}"),
        }
        ExitCode::from(self.exit_code())
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::NotFound(_) => 3,
            Self::Syntax { .. } | Self::Invalid { .. } => 4,
            Self::Unreachable { .. } => 5,
            Self::Incomplete { .. } => 6,
        }
    }

    fn is_closed_pipe(&self) -> bool {
        let Self::Other(error) = self else { return false };
        error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Whether the connection failed rather than the coordinator behind it.
pub fn is_of_transport(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<tonic::transport::Error>() || error.is::<io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause: "connection refused" says more than "transport error".
pub fn cause_of(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "http://127.0.0.1:7450";

    #[test]
    fn answers_of_the_coordinator_have_their_exit_codes() {
        let violations = Violations::one("name", "missing");
        let cases = [
            (Status::not_found("there is no sweep `x`"), 3, "there is no sweep `x`"),
            (proto::convert::invalid_argument(&violations), 4, "name: missing"),
            (
                Status::unavailable("the database is down"),
                5,
                "no coordinator answers at http://127.0.0.1:7450: the data",
            ),
            (Status::already_exists("sweep `demo` exists"), 1, "the coordinator refused: sweep `demo` exists"),
            (Status::unimplemented("no such method"), 1, "what answers at http://127.0.0.1:7450 is no coordinator"),
        ];
        for (status, code, text) in cases {
            let failure = Failure::of_call(&status, ENDPOINT);

            assert_eq!(failure.exit_code(), code, "{failure}");
            assert!(failure.to_string().starts_with(text), "{failure}");
        }
    }

    #[test]
    fn output_that_nobody_reads_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));

        assert!(failure.is_closed_pipe());
        assert!(!Failure::from(io::Error::from(io::ErrorKind::StorageFull)).is_closed_pipe());
    }
}
