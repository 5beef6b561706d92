//! Wrong rules, each wrong in one way. A check that lets one of them pass would prove nothing about the right ones.

use domain::{
    Epoch, Timestamp,
    job::{Budgets, Cascade, Dependency, Event, FailureKind, Job, OutcomeKind, Rejected, State, Transition, apply},
};

use super::server::{Property, Rules};

/// A wrong rule, and the property that it must be seen to break.
pub struct Mutant {
    pub name: &'static str,
    pub rules: Rules,
    pub breaks: Property,
}

type Decided = Result<Transition, Rejected>;

pub const MUTANTS: [Mutant; 18] = [
    mutant("takes reports of any epoch", takes_any_epoch, Property::OnlyTheRunningAttemptReports),
    mutant("takes a result of the epoch before", takes_the_epoch_before, Property::OnlyTheRunningAttemptReports),
    mutant("keeps the epoch at a release", keeps_epoch_at_release, Property::EpochGrowsAtExits),
    mutant("keeps the epoch at a cancel", keeps_epoch_at_cancel, Property::EpochGrowsAtExits),
    mutant("grows the epoch at a claim", grows_epoch_at_claim, Property::EpochGrowsAtExits),
    mutant("hands out what runs", hands_out_what_runs, Property::OneHolder),
    mutant("takes no job from a lost session", keeps_jobs_of_lost_sessions, Property::GoneSessionsRunNothing),
    mutant("unblocks on failure", unblocks_on_failure, Property::DependentsEndWithIt),
    mutant("forgets dependents on success", forgets_dependents_on_success, Property::EverythingEnds),
    mutant("forgets dependents on a cancel", forgets_dependents_on_cancel, Property::DependentsEndWithIt),
    mutant("cancels what has succeeded", cancels_what_succeeded, Property::FinalStaysFinal),
    mutant("retries what has succeeded", retries_what_succeeded, Property::FinalStaysFinal),
    mutant("retries what was stopped", retries_what_was_stopped, Property::FinalStaysFinal),
    mutant("stops attempts of any epoch", stops_any_epoch, Property::OnlyTheRunningAttemptReports),
    mutant("lets crashes cost nothing", lets_crashes_cost_nothing, Property::BudgetsExact),
    mutant("allows one failure too many", allows_one_failure_more, Property::BudgetsExact),
    mutant("retries with spent budgets", retries_with_spent_budgets, Property::BudgetsExact),
    mutant("forgets to back off", forgets_to_back_off, Property::BackoffKept),
];

const fn mutant(name: &'static str, rules: Rules, breaks: Property) -> Mutant {
    Mutant { name, rules, breaks }
}

/// The event as if it had been sent under another epoch.
fn at_epoch(event: Event, other: Epoch) -> Event {
    match event {
        Event::Complete { .. } => Event::Complete { epoch: other },
        Event::Fail { kind, message, .. } => Event::Fail { epoch: other, kind, message },
        Event::Release { .. } => Event::Release { epoch: other },
        event => event,
    }
}

fn stops_any_epoch(job: &Job, event: Event, now: Timestamp) -> Decided {
    match event {
        Event::StopEarly { reason, .. } => apply(job, Event::StopEarly { epoch: job.epoch, reason }, now),
        event => apply(job, event, now),
    }
}

fn takes_any_epoch(job: &Job, event: Event, now: Timestamp) -> Decided {
    apply(job, at_epoch(event, job.epoch), now)
}

fn takes_the_epoch_before(job: &Job, event: Event, now: Timestamp) -> Decided {
    match event {
        Event::Complete { epoch } if epoch.next() == job.epoch => apply(job, at_epoch(event, job.epoch), now),
        event => apply(job, event, now),
    }
}

pub fn keeps_epoch_at_release(job: &Job, event: Event, now: Timestamp) -> Decided {
    let released = matches!(event, Event::Release { .. });
    let decided = apply(job, event, now)?;
    Ok(if released { with_epoch(decided, job.epoch) } else { decided })
}

fn keeps_epoch_at_cancel(job: &Job, event: Event, now: Timestamp) -> Decided {
    let cancelled = matches!(event, Event::Cancel { .. });
    let decided = apply(job, event, now)?;
    Ok(if cancelled { with_epoch(decided, job.epoch) } else { decided })
}

fn grows_epoch_at_claim(job: &Job, event: Event, now: Timestamp) -> Decided {
    let claimed = matches!(event, Event::Claim { .. });
    let decided = apply(job, event, now)?;
    Ok(if claimed { with_epoch(decided, job.epoch.next()) } else { decided })
}

fn with_epoch(decided: Transition, epoch: Epoch) -> Transition {
    Transition { job: Job { epoch, ..decided.job }, ..decided }
}

fn hands_out_what_runs(job: &Job, event: Event, now: Timestamp) -> Decided {
    match (&event, &job.state) {
        (Event::Claim { .. }, State::Running { .. }) => {
            apply(&Job { state: State::Ready { not_before: None }, ..job.clone() }, event, now)
        }
        _ => apply(job, event, now),
    }
}

fn keeps_jobs_of_lost_sessions(job: &Job, event: Event, now: Timestamp) -> Decided {
    match event {
        Event::SessionLost { session } => Err(Rejected::OtherSession { given: session }),
        event => apply(job, event, now),
    }
}

fn with_cascade(job: &Job, event: Event, now: Timestamp, change: impl Fn(Cascade) -> Option<Cascade>) -> Decided {
    let decided = apply(job, event, now)?;
    Ok(Transition { cascade: decided.cascade.and_then(change), ..decided })
}

fn unblocks_on_failure(job: &Job, event: Event, now: Timestamp) -> Decided {
    with_cascade(job, event, now, |cascade| match cascade {
        Cascade::Unblock | Cascade::End { .. } => Some(Cascade::Unblock),
        Cascade::Reopen => Some(Cascade::Reopen),
    })
}

fn forgets_dependents_on_success(job: &Job, event: Event, now: Timestamp) -> Decided {
    with_cascade(job, event, now, |cascade| Some(cascade).filter(|cascade| *cascade != Cascade::Unblock))
}

fn forgets_dependents_on_cancel(job: &Job, event: Event, now: Timestamp) -> Decided {
    let cancelled = matches!(event, Event::Cancel { .. });
    with_cascade(job, event, now, |cascade| Some(cascade).filter(|_| !cancelled))
}

/// As if the job had ended otherwise.
fn after_success(job: &Job, event: Event, now: Timestamp, state: State) -> Decided {
    let other = Job { state, ..job.clone() };
    apply(if job.state == State::Succeeded { &other } else { job }, event, now)
}

fn cancels_what_succeeded(job: &Job, event: Event, now: Timestamp) -> Decided {
    match event {
        Event::Cancel { .. } => after_success(job, event, now, State::Ready { not_before: None }),
        event => apply(job, event, now),
    }
}

fn retries_what_succeeded(job: &Job, event: Event, now: Timestamp) -> Decided {
    match event {
        Event::Retry { dependency: Dependency::Met } => {
            after_success(job, event, now, State::Failed { reason: String::new() })
        }
        event => apply(job, event, now),
    }
}

fn retries_what_was_stopped(job: &Job, event: Event, now: Timestamp) -> Decided {
    let ended = Job { state: State::Failed { reason: String::new() }, ..job.clone() };
    match (&event, &job.state) {
        (Event::Retry { .. }, State::Stopped { .. }) => apply(&ended, event, now),
        _ => apply(job, event, now),
    }
}

fn lets_crashes_cost_nothing(job: &Job, event: Event, now: Timestamp) -> Decided {
    let decided = apply(job, event, now)?;
    let crashed = decided.outcome.as_ref().is_some_and(|outcome| outcome.kind == OutcomeKind::Crashed);
    Ok(if crashed { with_spent(decided, job.spent) } else { decided })
}

fn allows_one_failure_more(job: &Job, event: Event, now: Timestamp) -> Decided {
    let limits = Budgets { failures: job.limits.failures + 1, ..job.limits };
    let decided = match event {
        Event::Fail { kind: FailureKind::Own, .. } => apply(&Job { limits, ..job.clone() }, event, now)?,
        event => apply(job, event, now)?,
    };
    Ok(Transition { job: Job { limits: job.limits, ..decided.job }, ..decided })
}

fn retries_with_spent_budgets(job: &Job, event: Event, now: Timestamp) -> Decided {
    let retried = matches!(event, Event::Retry { .. });
    let decided = apply(job, event, now)?;
    Ok(if retried { with_spent(decided, job.spent) } else { decided })
}

fn with_spent(decided: Transition, spent: Budgets) -> Transition {
    Transition { job: Job { spent, ..decided.job }, ..decided }
}

fn forgets_to_back_off(job: &Job, event: Event, now: Timestamp) -> Decided {
    let decided = apply(job, event, now)?;
    let state = match decided.job.state {
        State::Ready { .. } => State::Ready { not_before: None },
        state => state,
    };
    Ok(Transition { job: Job { state, ..decided.job }, ..decided })
}
