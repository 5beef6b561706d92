//! The one way in which jobs change: locked rows, the rules' decision, the rows saved, and what follows for dependent jobs.

use std::collections::HashMap;

use domain::{
    Digest, JobId,
    job::{Cascade, Dependency, Effect, Event, Rejected, State, StateName, Transition, apply},
};
use sqlx::query_file;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{LockedJob, StoreError, Transaction, column};

/// A transition was not made; nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum TransitionError {
    /// The rules refuse the event.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What transitions did.
#[derive(Debug, Default)]
pub struct Applied {
    /// Jobs that changed, dependent ones included.
    pub changed: usize,
    /// What to do after the commit.
    pub effects: Vec<Effect>,
}

/// A job, what happens to it, and the digest of the result when that is success.
#[derive(Debug)]
pub struct Ending {
    /// The job.
    pub locked: LockedJob,
    /// The event.
    pub event: Event,
    /// SHA-256 of the result that the event brings.
    pub result_digest: Option<Digest>,
}

/// A decision on a locked job, to be saved.
struct Decided {
    before: LockedJob,
    transition: Transition,
    result_digest: Option<Digest>,
}

impl Transaction {
    /// Applies an event to each job and to the jobs that depend on it, and saves them.
    ///
    /// # Errors
    /// [`TransitionError::Rejected`] when the rules refuse one of the events given; then nothing may be committed.
    pub async fn apply(&mut self, events: Vec<(LockedJob, Event)>) -> Result<Applied, TransitionError> {
        self.apply_endings(
            events.into_iter().map(|(locked, event)| Ending { locked, event, result_digest: None }).collect(),
        )
        .await
    }

    /// As [`Transaction::apply`], with the digests of results.
    ///
    /// # Errors
    /// As [`Transaction::apply`].
    pub async fn apply_endings(&mut self, endings: Vec<Ending>) -> Result<Applied, TransitionError> {
        let mut wave = Vec::with_capacity(endings.len());
        for Ending { locked, event, result_digest } in endings {
            let transition = apply(&locked.job, event, locked.now)?;
            wave.push(Decided { before: locked, transition, result_digest });
        }
        let mut applied = Applied::default();
        while !wave.is_empty() {
            self.save(&wave).await?;
            applied.changed += wave.len();
            applied.effects.extend(wave.iter().flat_map(|decided| decided.transition.effects.iter().copied()));
            wave = self.follow(&wave).await?;
        }
        Ok(applied)
    }

    /// Decides on the jobs that wait for those of a wave.
    async fn follow(&mut self, wave: &[Decided]) -> Result<Vec<Decided>, TransitionError> {
        let mut waiting = Vec::new();
        let mut ended = Vec::new();
        for decided in wave {
            match &decided.transition.cascade {
                Some(Cascade::Unblock | Cascade::End { .. }) => waiting.push(decided.before.job.id.0),
                Some(Cascade::Reopen) => ended.push(decided.before.job.id.0),
                None => {}
            }
        }
        let mut dependents = Vec::new();
        if !waiting.is_empty() {
            dependents.extend(self.lock_dependents(&waiting, &[StateName::Blocked]).await?);
        }
        if !ended.is_empty() {
            let states = [StateName::Failed, StateName::Cancelled, StateName::Quarantined];
            dependents.extend(self.lock_dependents(&ended, &states).await?);
        }
        let causes: HashMap<JobId, &Cascade> = wave
            .iter()
            .filter_map(|decided| Some((decided.before.job.id, decided.transition.cascade.as_ref()?)))
            .collect();
        let mut next = Vec::with_capacity(dependents.len());
        for dependent in dependents {
            let Some(cascade) = dependent.depends_on.and_then(|parent| causes.get(&parent)) else { continue };
            let transition = apply(&dependent.job, consequence(cascade), dependent.now)?;
            next.push(Decided { before: dependent, transition, result_digest: None });
        }
        Ok(next)
    }

    async fn save(&mut self, wave: &[Decided]) -> Result<(), StoreError> {
        self.save_jobs(wave).await?;
        let ended: Vec<_> = wave
            .iter()
            .filter_map(|decided| decided.transition.outcome.as_ref().map(|outcome| (decided, outcome)))
            .collect();
        if ended.is_empty() {
            return Ok(());
        }
        query_file!(
            "queries/attempt_outcome/insert.sql",
            &each(&ended, |(decided, _)| decided.before.job.id.0),
            &each(&ended, |(_, outcome)| outcome.epoch.0),
            &each(&ended, |(_, outcome)| outcome.kind.as_str().to_owned()),
            &each(&ended, |(_, outcome)| outcome.detail.clone()),
            &each(&ended, |(decided, _)| decided.result_digest.map(|digest| digest.as_bytes().to_vec()))
                as &[Option<Vec<u8>>],
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    async fn save_jobs(&mut self, wave: &[Decided]) -> Result<(), StoreError> {
        let jobs: Vec<_> = wave.iter().map(|decided| (&decided.before.job, &decided.transition.job)).collect();
        let not_before = jobs.iter().map(|(_, after)| not_before(&after.state)).collect::<Result<Vec<_>, _>>()?;
        query_file!(
            "queries/job/save.sql",
            &each(&jobs, |(before, _)| before.id.0),
            &each(&jobs, |(before, _)| before.epoch.0),
            &each(&jobs, |(_, after)| after.state.name().as_str().to_owned()),
            &each(&jobs, |(_, after)| after.epoch.0),
            &not_before as &[Option<OffsetDateTime>],
            &each(&jobs, |(_, after)| session_id(&after.state)) as &[Option<Uuid>],
            &each(&jobs, |(_, after)| column::smallint(after.spent.failures)),
            &each(&jobs, |(_, after)| column::smallint(after.spent.infrastructure)),
            &each(&jobs, |(_, after)| column::smallint(after.spent.crashes)),
            &each(&jobs, |(_, after)| reason(&after.state)) as &[Option<String>],
            &each(wave, detail),
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}

fn consequence(cascade: &Cascade) -> Event {
    match cascade {
        Cascade::Unblock => Event::DependencySucceeded,
        Cascade::End { end, reason } => Event::DependencyEnded { end: *end, reason: reason.clone() },
        Cascade::Reopen => Event::Retry { dependency: Dependency::Pending },
    }
}

fn each<T, U>(items: &[T], column: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().map(column).collect()
}

fn not_before(state: &State) -> Result<Option<OffsetDateTime>, StoreError> {
    match state {
        State::Ready { not_before } => not_before.map(column::time_of).transpose(),
        State::Blocked
        | State::Running { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => Ok(None),
    }
}

fn session_id(state: &State) -> Option<Uuid> {
    match state {
        State::Running { session } => Some(session.0),
        State::Blocked
        | State::Ready { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::Quarantined { .. }
        | State::Stopped { .. } => None,
    }
}

fn reason(state: &State) -> Option<String> {
    match state {
        State::Failed { reason }
        | State::Cancelled { reason }
        | State::Quarantined { reason }
        | State::Stopped { reason } => Some(reason.clone()),
        State::Blocked | State::Ready { .. } | State::Running { .. } | State::Succeeded => None,
    }
}

/// What the history says of a transition beside the state reached.
fn detail(decided: &Decided) -> String {
    match (&decided.transition.outcome, reason(&decided.transition.job.state)) {
        (_, Some(reason)) => reason,
        (Some(outcome), None) => outcome.detail.clone(),
        (None, None) => String::new(),
    }
}
