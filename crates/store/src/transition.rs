//! The one way in which jobs change: locked rows, the rules' decision, the rows saved, and what follows for dependent jobs.

use domain::{
    Digest, SweepId,
    dispatch::LaneReady,
    job::{Cascade, Cascades, Effect, Event, JobKind, OutcomeKind, Rejected, State, StateName, Transition, apply},
};
use sqlx::query_file_as;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    LockedJob, Parents, StoreError, Transaction, column,
    lane::{LaneRow, lanes},
};

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
    /// What each of them came to.
    pub changes: Vec<Change>,
    /// What to do after the commit.
    pub effects: Vec<Effect>,
    /// Lanes that have more ready jobs, with the number of these.
    pub ready: Vec<LaneReady>,
    /// For each job that left `running`, its sweep.
    pub left_running: Vec<SweepId>,
}

/// What one job came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What the job does.
    pub kind: JobKind,
    /// Where it stands now.
    pub state: StateName,
    /// How an attempt ended with it.
    pub outcome: Option<OutcomeKind>,
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

impl Decided {
    fn change(&self) -> Change {
        let Self { before, transition, .. } = self;
        let outcome = transition.outcome.as_ref().map(|outcome| outcome.kind);
        Change { kind: before.kind, state: transition.job.state.name(), outcome }
    }
}

impl Transaction {
    /// Applies an event to each job and to the jobs that depend on it, and saves them.
    ///
    /// # Errors
    /// [`TransitionError::Rejected`] when the rules refuse one of the events given; then nothing may be committed.
    pub async fn apply(&mut self, events: Vec<(LockedJob, Event)>) -> Result<Applied, TransitionError> {
        let mut wave = Vec::with_capacity(events.len());
        for (locked, event) in events {
            wave.push(Ending { locked, event, result_digest: None }.decide()?);
        }
        self.save_with_dependents(wave).await
    }

    /// As [`Transaction::apply`], for jobs of which each stands for itself: what the rules refuse is left as it is and yields its
    /// rejection, in the order given.
    ///
    /// # Errors
    /// [`TransitionError`] when a dependent job or the database is at fault; then nothing may be committed.
    pub async fn apply_each(
        &mut self,
        endings: Vec<Ending>,
    ) -> Result<(Applied, Vec<Option<Rejected>>), TransitionError> {
        let mut wave = Vec::with_capacity(endings.len());
        let mut rejections = Vec::with_capacity(endings.len());
        for ending in endings {
            match ending.decide() {
                Ok(decided) => {
                    wave.push(decided);
                    rejections.push(None);
                }
                Err(rejected) => rejections.push(Some(rejected)),
            }
        }
        Ok((self.save_with_dependents(wave).await?, rejections))
    }

    /// Decides on dependents, and saves all of it in one statement.
    async fn save_with_dependents(&mut self, mut decided: Vec<Decided>) -> Result<Applied, TransitionError> {
        let mut applied = Applied::default();
        if decided.is_empty() {
            return Ok(applied);
        }
        let following = self.follow(&decided).await?;
        decided.extend(following);
        applied.ready = self.save(&decided).await?;
        applied.changed = decided.len();
        applied.changes = decided.iter().map(Decided::change).collect();
        applied.effects = decided.iter().flat_map(|one| one.transition.effects.iter().copied()).collect();
        let left = decided.iter().filter(|one| one.transition.outcome.is_some());
        applied.left_running = left.map(|one| one.before.sweep).collect();
        Ok(applied)
    }

    /// Decides on the jobs that wait for those decided, and on those that wait for them, in the order of ids: each comes after what it
    /// waits for.
    async fn follow(&mut self, decided: &[Decided]) -> Result<Vec<Decided>, TransitionError> {
        let mut cascades = Cascades::default();
        decided.iter().for_each(|one| cascades.record(&one.transition));
        let mut dependents = self.lock_concerned(decided).await?;
        // Nothing is saved yet, so a job that ends beside the one that it waits for, as in a cancelled sweep, still looks
        // blocked: it is decided once.
        dependents.retain(|dependent| !cascades.has(dependent.job.id));
        // Read when the dependents are locked, by a statement of its own: of two parents that succeed at once, the one whose
        // transaction gets the lock later sees what the other has committed, and releases the job.
        let several: Vec<i64> =
            dependents.iter().filter(|one| one.kind.may_wait_for_several()).map(|one| one.job.id.0).collect();
        let parents = if several.is_empty() { Parents::default() } else { self.parents_of(&several).await? };
        let mut following = Vec::new();
        for dependent in dependents {
            let state = dependent.job.state.name();
            let event = match parents.of(&dependent) {
                Some(parents) => cascades.consequence(state, parents),
                None => {
                    // Its only parent is among those decided, or nothing follows: the state before does not matter.
                    let only = dependent.depends_on.map(|parent| (parent, StateName::Running));
                    cascades.consequence(state, only.as_slice())
                }
            };
            let Some(event) = event else { continue };
            let transition = apply(&dependent.job, event, dependent.now)?;
            cascades.record(&transition);
            following.push(Decided { before: dependent, transition, result_digest: None });
        }
        Ok(following)
    }

    /// Locks the jobs that these decisions may move. A success concerns those that wait for it; an ending, and a job that is opened
    /// again, all that wait for those, too.
    async fn lock_concerned(&mut self, decided: &[Decided]) -> Result<Vec<LockedJob>, StoreError> {
        let (mut succeeded, mut ended, mut reopened) = (Vec::new(), Vec::new(), Vec::new());
        for Decided { before, transition, .. } in decided {
            match &transition.cascade {
                Some(Cascade::Unblock) => succeeded.push(before.job.id.0),
                Some(Cascade::End { .. }) => ended.push(before.job.id.0),
                Some(Cascade::Reopen) => reopened.push(before.job.id.0),
                None => {}
            }
        }
        // No event of a call brings two of these: each transaction locks once.
        let mut concerned = Vec::new();
        if !succeeded.is_empty() {
            concerned.extend(self.lock_dependents(&succeeded, &[StateName::Blocked]).await?);
        }
        if !ended.is_empty() {
            concerned.extend(self.lock_descendants(&ended, &[StateName::Blocked]).await?);
        }
        if !reopened.is_empty() {
            let states = [StateName::Failed, StateName::Cancelled, StateName::Quarantined];
            concerned.extend(self.lock_descendants(&reopened, &states).await?);
        }
        concerned.sort_unstable_by_key(|one| one.job.id);
        concerned.dedup_by_key(|one| one.job.id);
        Ok(concerned)
    }

    /// Yields the lanes of the jobs that are ready now.
    async fn save(&mut self, wave: &[Decided]) -> Result<Vec<LaneReady>, StoreError> {
        let jobs: Vec<_> = wave.iter().map(|decided| (&decided.before.job, &decided.transition.job)).collect();
        let not_before = jobs.iter().map(|(_, after)| not_before(&after.state)).collect::<Result<Vec<_>, _>>()?;
        let outcomes: Vec<_> = wave.iter().map(|decided| decided.transition.outcome.as_ref()).collect();
        let rows = query_file_as!(
            LaneRow,
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
            &each(&outcomes, |outcome| outcome.map(|outcome| outcome.kind.as_str().to_owned())) as &[Option<String>],
            &each(&outcomes, |outcome| outcome.map(|outcome| outcome.detail.clone())) as &[Option<String>],
            &each(wave, |decided| decided.result_digest.map(|digest| digest.as_bytes().to_vec()))
                as &[Option<Vec<u8>>],
        )
        .fetch_all(&mut *self.inner)
        .await?;
        lanes(rows)
    }
}

impl Ending {
    fn decide(self) -> Result<Decided, Rejected> {
        let Self { locked, event, result_digest } = self;
        let transition = apply(&locked.job, event, locked.now)?;
        Ok(Decided { before: locked, transition, result_digest })
    }
}

pub(crate) fn each<T, U>(items: &[T], column: impl Fn(&T) -> U) -> Vec<U> {
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
