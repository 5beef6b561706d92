//! One round of the desk: look at what is ready, plan a lane for every claim, claim all of it in one statement, answer.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    SessionId, SweepId, Timestamp,
    dispatch::{Board, Lane},
    job::{Event, FailureKind, JobKind},
    report::{Assignment, Attempt, Task},
};
use store::{ClaimedJob, SessionStanding, Slot, SlotOutcome, StoreError};
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::{count::Rounds, desk::Waiting};
use crate::lifecycle::{Lifecycle, LifecycleError};

/// Most jobs that are claimed in one statement.
const MAX_SLOTS: usize = 256;
/// How long a claim of a session that may not claim now is left alone.
const BARRED_PAUSE: Duration = Duration::from_secs(1);

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Jobs handed out.
    pub jobs: usize,
    /// Whether another round at once may hand out more.
    pub more: bool,
}

/// A claim in the round, and what is planned for it.
struct Planned {
    waiting: Waiting,
    slots: Vec<Slot>,
    /// Whether its first slot asks for a job whose checkpoint the worker has, ahead of older ones.
    local: bool,
    jobs: Vec<ClaimedJob>,
    barred: bool,
}

impl Lifecycle {
    /// Waits until a round may be worth it.
    pub(crate) async fn claims_to_serve(&self) {
        tokio::select! {
            () = self.desk.work() => {}
            () = self.wakeups.ready_elsewhere() => {}
        }
    }

    /// Serves the claims that wait, as far as there are jobs.
    ///
    /// # Errors
    /// [`LifecycleError`] when the database failed: who was being served is told, the others wait on.
    pub(crate) async fn serve_claims(&self, rounds: &mut Rounds) -> Result<Served, LifecycleError> {
        self.desk.queue().retain(|waiting| !waiting.is_withdrawn());
        if self.desk.waiting() == 0 {
            return Ok(Served { jobs: 0, more: false });
        }
        self.look(rounds).await?;
        let (mut planned, idle) = self.plan(rounds.now());
        self.prefer_local(&mut planned).await;
        let claimed = self.claim_planned(&planned).await;
        let planned = match claimed {
            Ok(outcomes) => self.settle(planned, outcomes),
            Err(error) => {
                // Whether jobs were claimed is unknown: their workers must open new sessions.
                rounds.distrust();
                self.put_back(idle);
                return Err(refuse_all(planned, error));
            }
        };
        self.answer(planned, idle).await
    }

    /// Takes the claims from the queue and plans jobs for them: one for each in turn, then a second one for each that wants
    /// several, and so on. The others are yielded as they are.
    fn plan(&self, now: Timestamp) -> (Vec<Planned>, Vec<Waiting>) {
        let mut board = self.desk.board();
        let mut queue = self.desk.queue();
        let mut planned = Vec::new();
        let mut idle = Vec::new();
        let mut slots = 0;
        let instant = Instant::now();
        while let Some(waiting) = queue.pop_front() {
            let able = waiting.not_before.is_none_or(|until| until <= instant);
            let lane = if able && slots < MAX_SLOTS { board.best(&waiting.offer, now) } else { None };
            match lane {
                Some(lane) if waiting.take() => {
                    let slot = plan_one(&mut board, waiting.session, lane);
                    slots += 1;
                    let slots = Vec::from_iter(slot);
                    planned.push(Planned { waiting, slots, local: false, jobs: Vec::new(), barred: false });
                }
                Some(_) => {}
                None => idle.push(waiting),
            }
        }
        drop(queue);
        for wanted in 2.. {
            let before = slots;
            for claim in planned.iter_mut().filter(|claim| claim.waiting.max_jobs >= wanted) {
                if slots >= MAX_SLOTS {
                    break;
                }
                let Some(lane) = board.best(&claim.waiting.offer, now) else { continue };
                claim.slots.extend(plan_one(&mut board, claim.waiting.session, lane));
                slots += 1;
            }
            if slots == before {
                break;
            }
        }
        (planned, idle)
    }

    /// Points the first slot of each claim that offers artifacts to a job which needs one of them, within the lane whose turn it is.
    async fn prefer_local(&self, planned: &mut [Planned]) {
        let mut taken = HashSet::new();
        for claim in planned {
            let (Some(slot), artifacts) = (claim.slots.first_mut(), &claim.waiting.offer.artifacts) else { continue };
            if artifacts.is_empty() || slot.lane.kind == JobKind::Train {
                continue;
            }
            let wanted = u32::try_from(taken.len() + 1).unwrap_or(u32::MAX);
            match self.store.local_jobs(slot.lane.sweep, slot.lane.kind, artifacts, wanted).await {
                Ok(jobs) => {
                    if let Some((_, place)) = jobs.into_iter().find(|(job, _)| taken.insert(*job)) {
                        slot.oldest = place;
                        claim.local = true;
                    }
                }
                // Any job of the lane will do.
                Err(error) => debug!(%error, "jobs near their checkpoints were not found"),
            }
        }
    }

    /// Claims what is planned: all of it in one statement, but for sweeps with a limit, each of which is counted under a lock.
    async fn claim_planned(&self, planned: &[Planned]) -> Result<Vec<SlotOutcome>, StoreError> {
        let slots: Vec<Slot> = planned.iter().flat_map(|claim| claim.slots.iter().copied()).collect();
        let limits: HashMap<SweepId, u32> = {
            let board = self.desk.board();
            let limit = |slot: &Slot| Some((slot.lane.sweep, board.terms(slot.lane.sweep)?.max_running?));
            slots.iter().filter_map(limit).collect()
        };
        if limits.is_empty() {
            return self.store.claim(&slots).await;
        }
        let mut outcomes: Vec<Option<SlotOutcome>> = slots.iter().map(|_| None).collect();
        let free: Vec<usize> = (0..slots.len()).filter(|at| !limits.contains_key(&slots[*at].lane.sweep)).collect();
        let chosen: Vec<Slot> = free.iter().map(|at| slots[*at]).collect();
        for (at, outcome) in free.into_iter().zip(self.store.claim(&chosen).await?) {
            outcomes[at] = Some(outcome);
        }
        for (sweep, most) in limits {
            let bound: Vec<usize> = (0..slots.len()).filter(|at| slots[*at].lane.sweep == sweep).collect();
            let chosen: Vec<Slot> = bound.iter().map(|at| slots[*at]).collect();
            let claimed = self.store.claim_limited(sweep, most, &chosen).await;
            // What was claimed before stands: its workers get it.
            let claimed = claimed.unwrap_or_else(|error| {
                warn!(sweep_id = %sweep, %error, "jobs of a sweep with a limit could not be claimed");
                chosen.iter().map(|_| SlotOutcome::Barred).collect()
            });
            for (at, outcome) in bound.into_iter().zip(claimed) {
                outcomes[at] = Some(outcome);
            }
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(SlotOutcome::Empty)).collect())
    }

    /// Tells the board what came of the plan.
    fn settle(&self, mut planned: Vec<Planned>, outcomes: Vec<SlotOutcome>) -> Vec<Planned> {
        let mut claimed = Vec::new();
        let mut outcomes = outcomes.into_iter();
        let mut board = self.desk.board();
        // A local slot goes ahead of older jobs, or finds another slot at the same job: neither tells that its lane is empty.
        let local = planned.iter().filter(|claim| claim.local).filter_map(|claim| claim.slots.first());
        let local: HashSet<Lane> = local.map(|slot| slot.lane).collect();
        for claim in &mut planned {
            for (at, slot) in claim.slots.iter().enumerate() {
                match outcomes.next() {
                    Some(SlotOutcome::Filled(job)) => {
                        if at > 0 || !claim.local {
                            board.took(slot.lane, job.ready_seq);
                        }
                        claimed.push(slot.lane.kind);
                        claim.jobs.push(*job);
                    }
                    Some(SlotOutcome::Empty) if local.contains(&slot.lane) => board.unplan(slot.lane),
                    Some(SlotOutcome::Empty) | None => board.missed(slot.lane),
                    Some(SlotOutcome::Barred) => {
                        board.unplan(slot.lane);
                        claim.barred = true;
                    }
                }
            }
        }
        board.settle();
        drop(board);
        self.telemetry.queue().claimed(claimed.into_iter());
        planned
    }

    /// Answers who has a job; the others wait on, in their order.
    async fn answer(&self, planned: Vec<Planned>, idle: Vec<Waiting>) -> Result<Served, LifecycleError> {
        let mut jobs = 0;
        let mut back = Vec::new();
        for mut claim in planned {
            if claim.jobs.is_empty() {
                if claim.barred {
                    claim.waiting.not_before = Some(Instant::now() + BARRED_PAUSE);
                    claim.waiting.known = false;
                    self.desk.forget(claim.waiting.session);
                }
                back.push(claim.waiting);
                continue;
            }
            let assignments = self.assignments(claim.waiting.session, &claim.jobs).await;
            match assignments {
                Ok(assignments) if assignments.is_empty() => back.push(claim.waiting),
                Ok(assignments) => {
                    jobs += assignments.len();
                    if let Err(unheard) = claim.waiting.answer(Ok(assignments)) {
                        self.give_back(unheard.unwrap_or_default()).await;
                    }
                }
                // The jobs go back when the worker replaces its session.
                Err(error) => drop(claim.waiting.answer(Err(LifecycleError::Batch(Arc::new(error))))),
            }
        }
        let unserved = back.into_iter().chain(idle).collect();
        let unserved = self.dismiss_unknown(unserved).await?;
        self.put_back(unserved);
        let more = jobs > 0 && self.desk.waiting() > 0 && !self.desk.board().is_empty();
        Ok(Served { jobs, more })
    }

    /// They wait on, in their order.
    fn put_back(&self, claims: Vec<Waiting>) {
        let mut queue = self.desk.queue();
        for waiting in claims.into_iter().rev() {
            waiting.put_back();
            queue.push_front(waiting);
        }
    }

    async fn assignments(&self, session: SessionId, jobs: &[ClaimedJob]) -> Result<Vec<Assignment>, StoreError> {
        self.wakeups.announce_change();
        let mut readable = Vec::with_capacity(jobs.len());
        for (attempt, assignment) in self.store.assignments(jobs).await? {
            match assignment {
                Ok(assignment) => {
                    info!(
                        job_id = %attempt.job, attempt = %attempt.epoch, experiment_id = %assignment.experiment,
                        session_id = %session, sweep_id = %assignment.sweep, kind = kind_of(&assignment.task).as_str(),
                        "job was claimed"
                    );
                    readable.push(assignment);
                }
                Err(refusal) => self.give_up(attempt, &refusal).await,
            }
        }
        Ok(readable)
    }

    /// Ends a job whose stored document nobody can read: handed out again, it would come back for ever.
    async fn give_up(&self, attempt: Attempt, refusal: &StoreError) {
        error!(job_id = %attempt.job, attempt = %attempt.epoch, %refusal, "job could not be handed out");
        let event = Event::Fail { epoch: attempt.epoch, kind: FailureKind::Permanent, message: refusal.to_string() };
        if let Err(error) = self.end_attempt(attempt, event, |_, _| false).await {
            warn!(job_id = %attempt.job, %error, "job stays with its session until that ends");
        }
    }

    /// Takes back jobs whose worker hung up before it heard of them.
    async fn give_back(&self, unheard: Vec<Assignment>) {
        for Assignment { attempt, .. } in unheard {
            if let Err(error) = self.release(attempt).await {
                warn!(job_id = %attempt.job, %error, "job stays with its session until that ends");
            }
        }
    }

    /// Answers the claims of sessions that are closed or unknown; each claim is asked about once, unless it was barred.
    async fn dismiss_unknown(&self, unserved: Vec<Waiting>) -> Result<Vec<Waiting>, LifecycleError> {
        let strangers: Vec<SessionId> = unserved.iter().filter(|one| !one.known).map(|one| one.session).collect();
        if strangers.is_empty() {
            return Ok(unserved);
        }
        let standings = match self.store.session_standings(&strangers).await {
            Ok(standings) => standings,
            Err(error) => {
                self.put_back(unserved);
                return Err(error.into());
            }
        };
        let mut known = Vec::with_capacity(unserved.len());
        for mut waiting in unserved {
            if waiting.known || standings.get(&waiting.session).is_some_and(|one| *one != SessionStanding::Gone) {
                if !waiting.known {
                    waiting.known = true;
                    self.desk.remember(waiting.session);
                }
                known.push(waiting);
            } else {
                let session = waiting.session;
                // Whoever asked may have hung up.
                drop(waiting.answer(Err(LifecycleError::NoSession(session))));
            }
        }
        Ok(known)
    }
}

fn kind_of(task: &Task) -> JobKind {
    match task {
        Task::Train { .. } => JobKind::Train,
        Task::Evaluate { .. } => JobKind::Evaluate,
        Task::Inspect { .. } => JobKind::Inspect,
        Task::Score { checkpoint: None, .. } => JobKind::Score,
        Task::Score { checkpoint: Some(_), .. } => JobKind::Probe,
    }
}

fn plan_one(board: &mut Board, session: SessionId, lane: Lane) -> Option<Slot> {
    board.plan(lane).map(|oldest| Slot { session, lane, oldest })
}

fn refuse_all(planned: Vec<Planned>, error: StoreError) -> LifecycleError {
    let error = Arc::new(error);
    for claim in planned {
        drop(claim.waiting.answer(Err(LifecycleError::Batch(Arc::clone(&error)))));
    }
    LifecycleError::Batch(error)
}
