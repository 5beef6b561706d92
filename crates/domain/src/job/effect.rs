//! What a transition asks the outside world to do.

use super::{DependencyEnd, Job};
use crate::{Epoch, SessionId};

/// The result of applying an event: the job's new row and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The job after the event.
    pub job: Job,
    /// How the attempt ended, when the event ended one.
    pub outcome: Option<AttemptOutcome>,
    /// What must happen to the jobs that wait for this one, in the same transaction.
    pub cascade: Option<Cascade>,
    /// What to do after the commit. Each may be lost: the next run of a background service finds the same work again.
    pub effects: Vec<Effect>,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// The epoch of the attempt.
    pub epoch: Epoch,
    /// The session that ran it.
    pub session: SessionId,
    /// The ending.
    pub kind: OutcomeKind,
    /// What happened, for people.
    pub detail: String,
}

/// The ending of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// The result was accepted.
    Succeeded,
    /// The attempt failed and the job's own budget, or nothing, paid for it.
    Failed,
    /// The attempt failed through the infrastructure.
    Infrastructure,
    /// The process or the session died.
    Crashed,
    /// The worker gave the job back.
    Released,
    /// A user cancelled the job.
    Cancelled,
    /// The sweep's own rule stopped the job.
    Stopped,
}

/// What must happen to dependent jobs in the same transaction; [`super::Cascades`] says what that is for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cascade {
    /// Apply [`super::Event::DependencySucceeded`] to each that waits for nothing else.
    Unblock,
    /// Apply [`super::Event::DependencyEnded`] to each.
    End {
        /// How this job ended.
        end: DependencyEnd,
        /// Why.
        reason: String,
    },
    /// Apply [`super::Event::Retry`] to each that ended with this one, unless another one that it waits for has ended, too.
    Reopen,
}

/// Something to do after the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A job is ready: wake the claims that wait.
    WakeClaims,
    /// A session runs an attempt that is no longer its own: tell it with its next heartbeat.
    StopAttempt {
        /// The session.
        session: SessionId,
        /// The epoch that it holds.
        epoch: Epoch,
    },
}

impl OutcomeKind {
    /// Every ending.
    pub const ALL: [Self; 7] = [
        Self::Succeeded,
        Self::Failed,
        Self::Infrastructure,
        Self::Crashed,
        Self::Released,
        Self::Cancelled,
        Self::Stopped,
    ];

    /// The name in SQL and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Infrastructure => "infrastructure",
            Self::Crashed => "crashed",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
            Self::Stopped => "stopped",
        }
    }
}
