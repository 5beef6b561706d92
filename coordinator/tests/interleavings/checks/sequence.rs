//! The history of each job, taken again through the rules: the same states, the same epochs, the same budgets.

use std::{collections::HashMap, str::FromStr};

use domain::{
    Epoch, JobId, SessionId, Timestamp,
    job::{
        Budgets, Dependency, DependencyEnd, Event as Happened, FailureKind, Job as Rules, JobKind, OutcomeKind, State,
        StateName, apply, retry,
    },
};

use super::{Case, Rule};
use crate::{
    history::{Event, Job, Outcome},
    log::Attempt,
};

/// In the replay everything happens at once, and claims come later than any backoff; that backoffs were kept is checked apart.
const NOW: Timestamp = Timestamp::from_micros(0);
const LATER: Timestamp = Timestamp::from_micros(i64::MAX);

impl Case<'_> {
    /// Replays every job's events.
    pub(super) fn check_sequences(&mut self) {
        let history = self.history;
        let mut events: HashMap<i64, Vec<&Event>> = HashMap::new();
        for event in &history.events {
            events.entry(event.job).or_default().push(event);
        }
        for (&id, job) in &history.jobs {
            let own = events.remove(&id).unwrap_or_default();
            self.replay(id, job, &own);
            self.check_spent(id, job, &own);
        }
    }

    fn replay(&mut self, id: i64, job: &Job, events: &[&Event]) {
        let state = match job.kind {
            JobKind::Train => State::Ready { not_before: None },
            JobKind::Evaluate | JobKind::Inspect | JobKind::Score | JobKind::Probe => State::Blocked,
        };
        let mut now = Rules { id: JobId(id), state, epoch: Epoch(0), spent: Budgets::default(), limits: job.limits };
        for event in events {
            // Other kinds of events say nothing about the state.
            let Ok(to) = StateName::from_str(&event.kind) else { continue };
            let from = now.state.name();
            let time = if to == StateName::Running { LATER } else { NOW };
            let moves = self.happened(&now, to).and_then(|happened| apply(&now, happened, time).ok());
            let legal = moves.as_ref().is_some_and(|moved| moved.job.state.name() == to);
            let rule = if from.is_final() { Rule::FinalStaysFinal } else { Rule::Sequence };
            self.require(legal, rule, || format!("job {id} goes from {from} to {to}: {event:?}"));
            let at_epoch = event.epoch == Some(now.epoch.0);
            self.require(at_epoch, Rule::Sequence, || format!("job {id} is at {}: {event:?}", now.epoch));
            let Some(moved) = moves.filter(|_| legal) else { return };
            if to == StateName::Running {
                self.check_backoff(&now);
            }
            now = moved.job;
        }
        let same = (now.state.name(), now.epoch.0) == (job.state, job.epoch);
        self.require(same, Rule::Sequence, || format!("job {id} is {job:?}, its history leads to {now:?}"));
        let spent = now.spent == job.spent;
        self.require(spent, Rule::BudgetsExact, || format!("job {id} is {job:?}, its history spent {:?}", now.spent));
    }

    /// What must have happened to a job for it to come to `to`, as the tables tell.
    fn happened(&self, job: &Rules, to: StateName) -> Option<Happened> {
        let attempt = Attempt { job: job.id.0, epoch: job.epoch.0 };
        let reason = String::new();
        match (&job.state, to) {
            (State::Ready { .. }, StateName::Running) => {
                Some(Happened::Claim { session: SessionId(self.history.attempts.get(&attempt)?.session) })
            }
            (State::Running { session }, _) => ending(self.history.outcome(attempt)?, job.epoch, *session),
            (State::Blocked, StateName::Ready) => Some(Happened::DependencySucceeded),
            (State::Blocked, StateName::Failed) => {
                Some(Happened::DependencyEnded { end: DependencyEnd::Failed, reason })
            }
            (State::Blocked | State::Ready { .. }, StateName::Cancelled) => Some(Happened::Cancel { reason }),
            (_, StateName::Ready) => Some(Happened::Retry { dependency: Dependency::Met }),
            (_, StateName::Blocked) => Some(Happened::Retry { dependency: Dependency::Pending }),
            _ => None,
        }
    }

    /// After a failure the next attempt begins no earlier than half the delay that the rules chose: a row's times are
    /// taken a moment after the decision.
    fn check_backoff(&mut self, ready: &Rules) {
        let State::Ready { not_before: Some(_) } = ready.state else { return };
        let [before, next] = [-1, 0].map(|back| Attempt { job: ready.id.0, epoch: ready.epoch.0 + back });
        let (Some(outcome), Some(begun)) = (self.history.outcome(before), self.history.attempts.get(&next)) else {
            return;
        };
        let count = match outcome.kind.as_str() {
            "failed" => ready.spent.failures,
            "infrastructure" => ready.spent.infrastructure,
            _ => ready.spent.crashes,
        };
        let delay = retry::backoff(count, ready.id, Epoch(before.epoch)).as_micros();
        let waited = u128::try_from(begun.started_at - outcome.ended_at).unwrap_or_default();
        self.require(waited >= delay / 2, Rule::Sequence, || format!("{next:?} began {waited} µs after {outcome:?}"));
    }

    /// The budgets once more, counted from outcomes alone, and the ends that they demand.
    fn check_spent(&mut self, id: i64, job: &Job, events: &[&Event]) {
        let state = |event: &Event| StateName::from_str(&event.kind).ok();
        let mut since = 0;
        let mut before = None;
        for event in events {
            let Some(now) = state(event) else { continue };
            if before.is_some_and(StateName::is_final) {
                since = event.epoch.unwrap_or_default();
            }
            before = Some(now);
        }
        let mut spent = Budgets::default();
        let mut permanent = false;
        let recent = Attempt { job: id, epoch: since }..=Attempt { job: id, epoch: i32::MAX };
        for outcome in self.history.outcomes.range(recent).flat_map(|(_, outcomes)| outcomes) {
            permanent |= outcome.detail.starts_with(FailureKind::Permanent.as_str());
            match outcome.kind.as_str() {
                "failed" => spent.failures += 1,
                "infrastructure" => spent.infrastructure += 1,
                "crashed" => spent.crashes += 1,
                _ => {}
            }
        }
        let Budgets { failures, infrastructure, crashes } = job.limits;
        let exhausted = spent.failures >= failures || spent.infrastructure >= infrastructure || permanent;
        let ended = exhausted == (job.state == StateName::Failed) || job.state.is_final() && !exhausted;
        let quarantined = (spent.crashes >= crashes) == (job.state == StateName::Quarantined);
        self.require(spent == job.spent && ended && quarantined, Rule::BudgetsExact, || {
            format!("job {id} is {job:?}, and since its last retry its attempts cost {spent:?}")
        });
    }

    /// No dependent job runs, or is even ready, before all that it waits for have succeeded.
    pub(super) fn check_dependencies(&mut self) {
        let history = self.history;
        let mut states: HashMap<i64, StateName> = HashMap::new();
        for event in &history.events {
            let (Some(job), Ok(state)) = (history.jobs.get(&event.job), StateName::from_str(&event.kind)) else {
                continue;
            };
            states.insert(event.job, state);
            let needs_them = matches!(state, StateName::Ready | StateName::Running | StateName::Succeeded);
            for parent in &job.waits_for {
                let met = states.get(parent) == Some(&StateName::Succeeded);
                self.require(met || !needs_them, Rule::DependencyFirst, || {
                    format!("job {parent} had not succeeded: {event:?}")
                });
            }
        }
        for (&id, job) in &history.jobs {
            let parents: Option<Vec<&Job>> = job.waits_for.iter().map(|parent| history.jobs.get(parent)).collect();
            let Some(parents) = parents.filter(|parents| !parents.is_empty()) else { continue };
            let succeeded = parents.iter().all(|parent| parent.state == StateName::Succeeded);
            let fits = match job.state {
                StateName::Blocked => {
                    !succeeded && parents.iter().all(|one| !one.state.is_final() || one.state == StateName::Succeeded)
                }
                StateName::Ready | StateName::Running | StateName::Succeeded => succeeded,
                _ => true,
            };
            self.require(fits, Rule::DependencyFirst, || format!("job {id} is {job:?}, and waits for {parents:?}"));
        }
    }
}

/// The event that ended an attempt.
fn ending(outcome: &Outcome, epoch: Epoch, session: SessionId) -> Option<Happened> {
    let message = outcome.detail.clone();
    let fail = |kind| Happened::Fail { epoch, kind, message: message.clone() };
    let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.as_str() == outcome.kind)?;
    Some(match kind {
        OutcomeKind::Succeeded => Happened::Complete { epoch },
        OutcomeKind::Failed if message.starts_with(FailureKind::Permanent.as_str()) => fail(FailureKind::Permanent),
        OutcomeKind::Failed => fail(FailureKind::Own),
        OutcomeKind::Infrastructure => fail(FailureKind::Infrastructure),
        OutcomeKind::Crashed if message.starts_with("session ") => Happened::SessionLost { session },
        OutcomeKind::Crashed => fail(FailureKind::Crash),
        OutcomeKind::Released => Happened::Release { epoch },
        OutcomeKind::Cancelled => Happened::Cancel { reason: message },
        OutcomeKind::Stopped => Happened::Stop { reason: message },
    })
}
