//! A job and its states.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Epoch, JobId, SessionId, Timestamp};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// Trains one experiment.
    Train,
    /// Evaluates one trained experiment against one OOD dataset.
    Evaluate,
    /// Draws pictures of what one trained experiment learned.
    Inspect,
    /// Computes scores from the statistics that evaluations stored, without a flow.
    Score,
    /// Computes scores for which a trained flow must run again.
    Probe,
}

/// A job as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its identity.
    pub id: JobId,
    /// Where it stands.
    pub state: State,
    /// Its fencing token.
    pub epoch: Epoch,
    /// What it has spent.
    pub spent: Budgets,
    /// What it may spend: at the limit it ends.
    pub limits: Budgets,
}

/// The three budgets of a job, as counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Failures of the job's own.
    pub failures: u16,
    /// Failures of the infrastructure.
    pub infrastructure: u16,
    /// Crashes: the job ran in a process or session that died.
    pub crashes: u16,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waits for other jobs to succeed, all of them.
    Blocked,
    /// May be claimed.
    Ready {
        /// Not before this time, when it backs off.
        not_before: Option<Timestamp>,
    },
    /// Claimed by a session.
    Running {
        /// The session that holds it.
        session: SessionId,
    },
    /// Has its result. Final.
    Succeeded,
    /// Ended without a result. Final until a user retries it.
    Failed {
        /// Why.
        reason: String,
    },
    /// Ended by a user, or with the job that it waited for. Final until a user retries it.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Taken out because it keeps crashing what runs it. Final until a user retries it.
    Quarantined {
        /// The last crash.
        reason: String,
    },
    /// Ended by the sweep's own rule, early stopping or a budget, or with the job that it waited for. Final.
    Stopped {
        /// What the rule saw.
        reason: String,
    },
}

/// The name of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// See [`State::Blocked`].
    Blocked,
    /// See [`State::Ready`].
    Ready,
    /// See [`State::Running`].
    Running,
    /// See [`State::Succeeded`].
    Succeeded,
    /// See [`State::Failed`].
    Failed,
    /// See [`State::Cancelled`].
    Cancelled,
    /// See [`State::Quarantined`].
    Quarantined,
    /// See [`State::Stopped`].
    Stopped,
}

/// The text given names no state or no kind of job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{given}`: one of {known} expected")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    known: String,
}

impl State {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> StateName {
        match self {
            Self::Blocked => StateName::Blocked,
            Self::Ready { .. } => StateName::Ready,
            Self::Running { .. } => StateName::Running,
            Self::Succeeded => StateName::Succeeded,
            Self::Failed { .. } => StateName::Failed,
            Self::Cancelled { .. } => StateName::Cancelled,
            Self::Quarantined { .. } => StateName::Quarantined,
            Self::Stopped { .. } => StateName::Stopped,
        }
    }
}

impl StateName {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Blocked,
        Self::Ready,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Quarantined,
        Self::Stopped,
    ];

    /// The name in SQL and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Quarantined => "quarantined",
            Self::Stopped => "stopped",
        }
    }

    /// Whether a job in this state has ended.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Blocked | Self::Ready | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Quarantined | Self::Stopped => true,
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for StateName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| UnknownName {
            what: "job state",
            given: text.to_owned(),
            known: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Train, Self::Evaluate, Self::Inspect, Self::Score, Self::Probe];

    /// The name in SQL and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Evaluate => "evaluate",
            Self::Inspect => "inspect",
            Self::Score => "score",
            Self::Probe => "probe",
        }
    }

    /// Whether a job of this kind may wait for several others; one of another kind waits for one at most.
    #[must_use]
    pub fn may_wait_for_several(self) -> bool {
        match self {
            Self::Score | Self::Probe => true,
            Self::Train | Self::Evaluate | Self::Inspect => false,
        }
    }

    /// Whether a job of this kind runs a flow, and so asks of workers what its sweep asks for.
    #[must_use]
    pub fn runs_flow(self) -> bool {
        match self {
            Self::Train | Self::Evaluate | Self::Inspect | Self::Probe => true,
            Self::Score => false,
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for JobKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownName {
            what: "job kind",
            given: text.to_owned(),
            known: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}
