//! Why a call brought no result, by what to do about it.

use std::time::Duration;

use domain::spec::Violations;
use proto::convert::retry_after_of;
use thiserror::Error;
use tonic::{Code, Status};

/// Why a call brought no result.
#[derive(Debug, Error)]
pub enum UplinkError {
    /// The coordinator did not answer, or could not for now. Asking again is right.
    #[error(
        "no answer from {coordinator}: {reason}; check that it runs and that --coordinator (SPILLWAY_ENDPOINT) names it"
    )]
    Outage {
        /// The address asked.
        coordinator: String,
        /// What happened.
        reason: String,
    },
    /// The coordinator would take this later: its artifact store is full, say. Asking again is right.
    #[error("{coordinator} has no room now: {reason}")]
    NoRoom {
        /// The address asked.
        coordinator: String,
        /// What it says.
        reason: String,
        /// When to ask again.
        retry_after: Duration,
    },
    /// The coordinator stumbled over this call. Asking again may help, for ever it will not.
    #[error("the coordinator failed: {reason}; its log says more")]
    Fault {
        /// What it says.
        reason: String,
    },
    /// The attempt is no longer this worker's, or the call came in a wrong order.
    #[error("stale: {0}")]
    Stale(String),
    /// The coordinator knows no such session or artifact.
    #[error("unknown to the coordinator: {0}")]
    Unknown(String),
    /// The coordinator has the artifact, and its bytes are not what they were.
    #[error("damaged in the artifact store: {0}")]
    Damaged(String),
    /// The coordinator will never accept this.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer breaks the protocol.
    #[error("the coordinator's answer is not understood: {0}; use the same version on both sides")]
    Malformed(#[from] Violations),
}

impl UplinkError {
    /// Whether the coordinator will not take what it was told, whoever the attempt belongs to.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Fault { .. } | Self::Damaged(_) | Self::Refused(_) | Self::Malformed(_) => true,
            Self::Outage { .. } | Self::NoRoom { .. } | Self::Stale(_) | Self::Unknown(_) => false,
        }
    }
}

/// What a refusal means for the worker.
pub(super) fn judge(coordinator: &str, status: &Status) -> UplinkError {
    let message = status.message().to_owned();
    if let (Code::ResourceExhausted, Some(retry_after)) = (status.code(), retry_after_of(status)) {
        return UplinkError::NoRoom { coordinator: coordinator.to_owned(), reason: message, retry_after };
    }
    match status.code() {
        Code::FailedPrecondition => UplinkError::Stale(message),
        Code::NotFound => UplinkError::Unknown(message),
        Code::DataLoss => UplinkError::Damaged(message),
        Code::InvalidArgument
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Unimplemented
        | Code::OutOfRange => UplinkError::Refused(message),
        // Without a cause on this side of the wire, the coordinator itself has said this.
        Code::Internal | Code::Unknown if std::error::Error::source(status).is_none() => {
            UplinkError::Fault { reason: message }
        }
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable => UplinkError::Outage { coordinator: coordinator.to_owned(), reason: reason(status) },
    }
}

/// The innermost cause: the outer ones only say "transport error".
fn reason(status: &Status) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(status);
    let mut innermost = None;
    while let Some(error) = cause {
        innermost = Some(error.to_string());
        cause = error.source();
    }
    match innermost {
        Some(cause) => format!("{} ({cause})", status.message()),
        None => format!("{:?}: {}", status.code(), status.message()),
    }
}
