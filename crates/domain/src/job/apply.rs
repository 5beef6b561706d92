//! The centre: one pure function from a job and an event to the job's next state, or to the reason why not.

use super::{
    AttemptOutcome, Cascade, Dependency, DependencyEnd, Effect, Event, FailureKind, Job, OutcomeKind, State, StateName,
    Transition, retry,
};
use crate::{Epoch, SessionId, Timestamp};

/// The event does not fit the job as it stands; nothing changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The report carries an epoch that is not the job's.
    #[error("stale epoch {given}: the job is at epoch {current}, so another attempt holds it or it has ended")]
    Stale {
        /// The epoch of the report.
        given: Epoch,
        /// The epoch of the job.
        current: Epoch,
    },
    /// The session named does not run the job.
    #[error("session {given} does not run this job")]
    OtherSession {
        /// The session named.
        given: SessionId,
    },
    /// The job backs off.
    #[error("the job backs off: not ready before {}", .until.as_micros())]
    BackingOff {
        /// When it will be ready.
        until: Timestamp,
    },
    /// A job that waits for one that ended cannot be retried alone.
    #[error("the job waits for one that ended without success: retry that one, and this one follows")]
    DependencyEnded,
    /// The event does not fit the state.
    #[error("a {state} job cannot take this event: {why}")]
    WrongState {
        /// The state.
        state: StateName,
        /// What the event needs.
        why: &'static str,
    },
}

/// Decides what `event` does to `job` at `now`, a time on Postgres's clock.
///
/// # Errors
/// [`Rejected`] when the event does not fit; the job stays as it is.
pub fn apply(job: &Job, event: Event, now: Timestamp) -> Result<Transition, Rejected> {
    match event {
        Event::Claim { session } => claim(job, session, now),
        Event::Complete { epoch } => running_at(job, epoch).map(|session| complete(job, session)),
        Event::Fail { epoch, kind, message } => {
            running_at(job, epoch).map(|session| fail(job, session, kind, message, now))
        }
        Event::Release { epoch } => {
            running_at(job, epoch).map(|session| release(job, session, "released by the worker".to_owned()))
        }
        Event::Preempted { epoch, reason } => {
            running_at(job, epoch).map(|session| release(job, session, format!("preempted: {reason}")))
        }
        Event::SessionLost { session } => session_lost(job, session, now),
        Event::DependencySucceeded => dependency_succeeded(job),
        Event::DependencyEnded { end, reason } => dependency_ended(job, end, reason),
        Event::Cancel { reason } => cancel(job, reason),
        Event::StopEarly { epoch, reason } => running_at(job, epoch).and_then(|_| stop(job, reason)),
        Event::Stop { reason } => stop(job, reason),
        Event::Retry { dependency } => retry(job, dependency),
    }
}

fn claim(job: &Job, session: SessionId, now: Timestamp) -> Result<Transition, Rejected> {
    match job.state {
        State::Ready { not_before: Some(until) } if until > now => Err(Rejected::BackingOff { until }),
        State::Ready { .. } => Ok(moved(job, State::Running { session })),
        State::Blocked
        | State::Running { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Err(wrong_state(job, "only a ready job can be claimed")),
    }
}

/// The session of the attempt that `epoch` names, if the job still runs it.
fn running_at(job: &Job, epoch: Epoch) -> Result<SessionId, Rejected> {
    if epoch != job.epoch {
        return Err(Rejected::Stale { given: epoch, current: job.epoch });
    }
    match job.state {
        State::Running { session } => Ok(session),
        State::Blocked
        | State::Ready { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Err(wrong_state(job, "only a running job can be reported on")),
    }
}

fn complete(job: &Job, session: SessionId) -> Transition {
    let left = leave_running(job, session, State::Succeeded, OutcomeKind::Succeeded, String::new());
    Transition { cascade: Some(Cascade::Unblock), ..left }
}

fn fail(job: &Job, session: SessionId, kind: FailureKind, message: String, now: Timestamp) -> Transition {
    let mut spent = job.spent;
    let (outcome, count, limit) = match kind {
        FailureKind::Permanent => {
            spent.failures = spent.failures.saturating_add(1);
            (OutcomeKind::Failed, spent.failures, spent.failures)
        }
        FailureKind::Own => {
            spent.failures = spent.failures.saturating_add(1);
            (OutcomeKind::Failed, spent.failures, job.limits.failures)
        }
        FailureKind::Infrastructure => {
            spent.infrastructure = spent.infrastructure.saturating_add(1);
            (OutcomeKind::Infrastructure, spent.infrastructure, job.limits.infrastructure)
        }
        FailureKind::Crash => {
            spent.crashes = spent.crashes.saturating_add(1);
            (OutcomeKind::Crashed, spent.crashes, job.limits.crashes)
        }
    };
    let state = match (count >= limit, kind) {
        (false, _) => State::Ready { not_before: Some(now + retry::backoff(count, job.id, job.epoch)) },
        (true, FailureKind::Crash) => State::Quarantined { reason: message.clone() },
        (true, FailureKind::Permanent | FailureKind::Own | FailureKind::Infrastructure) => {
            State::Failed { reason: message.clone() }
        }
    };
    spend(leave_running(job, session, state, outcome, message), spent)
}

/// Back in the queue at once, and no budget pays.
fn release(job: &Job, session: SessionId, detail: String) -> Transition {
    leave_running(job, session, State::Ready { not_before: None }, OutcomeKind::Released, detail)
}

fn session_lost(job: &Job, session: SessionId, now: Timestamp) -> Result<Transition, Rejected> {
    match job.state {
        State::Running { session: holder } if holder == session => {
            let message = format!("session {session} was lost");
            Ok(fail(job, session, FailureKind::Crash, message, now))
        }
        State::Running { .. } => Err(Rejected::OtherSession { given: session }),
        State::Blocked
        | State::Ready { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Err(Rejected::OtherSession { given: session }),
    }
}

fn dependency_succeeded(job: &Job) -> Result<Transition, Rejected> {
    match job.state {
        State::Blocked => Ok(moved(job, State::Ready { not_before: None })),
        State::Ready { .. }
        | State::Running { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Err(wrong_state(job, "only a blocked job waits for another")),
    }
}

fn dependency_ended(job: &Job, end: DependencyEnd, reason: String) -> Result<Transition, Rejected> {
    match job.state {
        State::Blocked => {
            // What waits for this one waits in vain, too.
            let cascade = Some(Cascade::End { end, reason: reason.clone() });
            let state = match end {
                DependencyEnd::Failed => State::Failed { reason },
                DependencyEnd::Cancelled => State::Cancelled { reason },
                DependencyEnd::Stopped => State::Stopped { reason },
            };
            Ok(Transition { cascade, ..moved(job, state) })
        }
        State::Ready { .. }
        | State::Running { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Err(wrong_state(job, "only a blocked job waits for another")),
    }
}

fn cancel(job: &Job, reason: String) -> Result<Transition, Rejected> {
    let state = State::Cancelled { reason: reason.clone() };
    end(job, state, OutcomeKind::Cancelled, DependencyEnd::Cancelled, reason)
}

fn stop(job: &Job, reason: String) -> Result<Transition, Rejected> {
    let state = State::Stopped { reason: reason.clone() };
    end(job, state, OutcomeKind::Stopped, DependencyEnd::Stopped, reason)
}

/// The job ended from outside, wherever it stands, and what waits for it with it.
fn end(
    job: &Job,
    state: State,
    outcome: OutcomeKind,
    dependents: DependencyEnd,
    reason: String,
) -> Result<Transition, Rejected> {
    let cascade = Some(Cascade::End { end: dependents, reason: reason.clone() });
    match job.state {
        State::Blocked | State::Ready { .. } => Ok(Transition { cascade, ..moved(job, state) }),
        State::Running { session } => {
            let left = leave_running(job, session, state, outcome, reason);
            Ok(Transition { cascade, effects: vec![Effect::StopAttempt { session, epoch: job.epoch }], ..left })
        }
        State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Err(wrong_state(job, "it has ended")),
    }
}

fn retry(job: &Job, dependency: Dependency) -> Result<Transition, Rejected> {
    match job.state {
        State::Failed { .. } | State::Cancelled { .. } | State::Quarantined { .. } => {
            let state = match dependency {
                Dependency::Met => State::Ready { not_before: None },
                Dependency::Pending => State::Blocked,
                Dependency::Ended => return Err(Rejected::DependencyEnded),
            };
            let reopened = spend(moved(job, state), super::Budgets::default());
            Ok(Transition { cascade: Some(Cascade::Reopen), ..reopened })
        }
        State::Blocked | State::Ready { .. } | State::Running { .. } => Err(wrong_state(job, "it has not ended")),
        State::Succeeded => Err(wrong_state(job, "it has its result")),
        State::Stopped { .. } => Err(wrong_state(job, "the sweep's own rule ended it")),
    }
}

/// The job in another state, without an attempt ending.
fn moved(job: &Job, state: State) -> Transition {
    let effects = match state {
        State::Ready { .. } => vec![Effect::WakeClaims],
        State::Blocked
        | State::Running { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Vec::new(),
    };
    Transition { job: Job { state, ..job.clone() }, outcome: None, cascade: None, effects }
}

/// The job out of `running`: the epoch grows, so that whatever the old attempt still sends is stale.
fn leave_running(job: &Job, session: SessionId, state: State, kind: OutcomeKind, detail: String) -> Transition {
    let cascade = match &state {
        State::Failed { reason } | State::Quarantined { reason } => {
            Some(Cascade::End { end: DependencyEnd::Failed, reason: reason.clone() })
        }
        State::Cancelled { reason } => Some(Cascade::End { end: DependencyEnd::Cancelled, reason: reason.clone() }),
        State::Stopped { reason } => Some(Cascade::End { end: DependencyEnd::Stopped, reason: reason.clone() }),
        State::Blocked | State::Ready { .. } | State::Running { .. } | State::Succeeded => None,
    };
    let left = moved(job, state);
    Transition {
        job: Job { epoch: job.epoch.next(), ..left.job },
        outcome: Some(AttemptOutcome { epoch: job.epoch, session, kind, detail }),
        cascade,
        effects: left.effects,
    }
}

fn spend(transition: Transition, spent: super::Budgets) -> Transition {
    Transition { job: Job { spent, ..transition.job }, ..transition }
}

fn wrong_state(job: &Job, why: &'static str) -> Rejected {
    Rejected::WrongState { state: job.state.name(), why }
}
