//! What can happen to a job.

use serde::{Deserialize, Serialize};

use super::StateName;
use crate::{Epoch, SessionId};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A session claims the job.
    Claim {
        /// The session.
        session: SessionId,
    },
    /// The worker reports the result.
    Complete {
        /// The epoch that the worker holds.
        epoch: Epoch,
    },
    /// The worker reports that the attempt failed.
    Fail {
        /// The epoch that the worker holds.
        epoch: Epoch,
        /// Whose fault it is.
        kind: FailureKind,
        /// What happened.
        message: String,
    },
    /// The worker gives the job back unfinished: a drain.
    Release {
        /// The epoch that the worker holds.
        epoch: Epoch,
    },
    /// The worker gives the job back unfinished because it was told to make room for another job.
    Preempted {
        /// The epoch that the worker holds.
        epoch: Epoch,
        /// For which job.
        reason: String,
    },
    /// The session that ran the job died.
    SessionLost {
        /// The session.
        session: SessionId,
    },
    /// The job waited for others, and the last of them succeeded.
    DependencySucceeded,
    /// The job waited for others, and one of them ended without success.
    DependencyEnded {
        /// How it ended.
        end: DependencyEnd,
        /// Why.
        reason: String,
    },
    /// A user cancels the job.
    Cancel {
        /// Who asked and why.
        reason: String,
    },
    /// The rule of the sweep's early stopping ends an attempt by what it reported.
    StopEarly {
        /// The epoch that the worker holds.
        epoch: Epoch,
        /// What the rule saw.
        reason: String,
    },
    /// A budget of the sweep ends the job, wherever it stands.
    Stop {
        /// Which budget, and how it stands.
        reason: String,
    },
    /// A user wants the job tried again, with fresh budgets.
    Retry {
        /// Where the jobs that it waits for stand.
        dependency: Dependency,
    },
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Trying again cannot help: a bad document, a missing dataset.
    Permanent,
    /// The job's own: training diverged, say.
    Own,
    /// The infrastructure's: the artifact store was unreachable, a disk was full.
    Infrastructure,
    /// The child process died: a fault in the tensor library, an out-of-memory kill.
    Crash,
}

/// How a job that another one waited for ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyEnd {
    /// Failed or quarantined.
    Failed,
    /// Cancelled.
    Cancelled,
    /// Stopped by the sweep's own rule.
    Stopped,
}

/// Where the jobs that this one waits for stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// There is none, or all succeeded.
    Met,
    /// All may still succeed, or have.
    Pending,
    /// One ended without success.
    Ended,
}

impl Dependency {
    /// What jobs in these states are, together, to the one that waits for them.
    #[must_use]
    pub fn of(parents: impl IntoIterator<Item = StateName>) -> Self {
        parents.into_iter().fold(Self::Met, |so_far, parent| match (so_far, parent) {
            (Self::Ended, _) => Self::Ended,
            (
                Self::Met | Self::Pending,
                StateName::Failed | StateName::Cancelled | StateName::Quarantined | StateName::Stopped,
            ) => Self::Ended,
            (Self::Met | Self::Pending, StateName::Blocked | StateName::Ready | StateName::Running) => Self::Pending,
            (so_far, StateName::Succeeded) => so_far,
        })
    }
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Permanent, Self::Own, Self::Infrastructure, Self::Crash];

    /// The name in SQL and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Own => "own",
            Self::Infrastructure => "infrastructure",
            Self::Crash => "crash",
        }
    }
}
