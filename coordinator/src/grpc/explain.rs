//! The facts behind an explanation, read one after the other: they are for a person, who asks again when they have moved on.

use std::{collections::HashMap, time::Duration};

use domain::{
    JobId, SweepId,
    dispatch::{Board, Lane, LaneReady, Policy},
    explanation::{Facts, LaneFacts, RunFacts, WorkerFacts, explain},
    job::State,
    lease::LeaseTerms,
};
use proto::{convert::ToWire, v1};
use store::{AttemptRow, JobStanding, Sessions, Store, StoreError};

use super::rows::{count, large_count};
use crate::lifecycle::Terms;

/// Most workers that are looked at.
const MAX_WORKERS: u32 = 2000;
/// Most lanes that are counted before a job's own.
const MAX_LANES: usize = 1000;
/// Most attempts that are listed.
const MAX_ATTEMPTS: u32 = 50;

/// Everything that holds of a job; nothing when there is none.
pub(super) async fn explanation(
    store: &Store,
    terms: &Terms,
    job: JobId,
) -> Result<Option<v1::ExplainResponse>, StoreError> {
    let Some(standing) = store.job_standing(job).await? else { return Ok(None) };
    let Terms { lease, policy } = terms;
    let workers = workers(store, lease).await?;
    let lanes = lanes(store, *policy, &standing, &workers).await?;
    let attempts = store.attempts(job, MAX_ATTEMPTS).await?;
    let (state, in_all) = (standing.state.name(), count_of(standing.attempts));
    let (kind, sweep, variant) = (standing.kind, standing.sweep.clone(), standing.variant.clone());
    let (seed, epoch) = (large_count(standing.seed), standing.epoch);
    let out_dataset = standing.out_dataset.clone().unwrap_or_default();
    let causes = explain(&facts(standing, lease, workers, lanes));
    Ok(Some(v1::ExplainResponse {
        job_id: job.0,
        sweep,
        kind: kind.to_string(),
        variant,
        seed,
        out_dataset,
        state: state.to_string(),
        epoch,
        causes: causes
            .iter()
            .map(|cause| v1::Cause { kind: cause.name().to_owned(), text: cause.to_string() })
            .collect(),
        attempts: attempts.into_iter().map(attempt).collect(),
        attempts_in_all: in_all,
    }))
}

fn facts(
    standing: JobStanding,
    terms: &LeaseTerms,
    workers: Vec<WorkerFacts>,
    (lanes_before, lane): (Vec<LaneFacts>, Option<LaneFacts>),
) -> Facts {
    let now = standing.now;
    let run = standing.started_at.map(|since| RunFacts {
        since,
        progress: standing.progress,
        heartbeat: standing.worker.as_ref().map(|(_, until)| terms.heartbeat(*until, now).1),
        worker: standing.worker.map_or_else(|| "a worker whose session is closed".to_owned(), |(name, _)| name),
    });
    Facts {
        now,
        run,
        state: standing.state,
        dependency: standing.dependency,
        requirement: standing.requirement,
        workers,
        running_of_sweep: standing.running_of_sweep,
        max_running: standing.max_running,
        before_in_lane: standing.before_in_lane,
        lane,
        lanes_before,
    }
}

async fn workers(store: &Store, terms: &LeaseTerms) -> Result<Vec<WorkerFacts>, StoreError> {
    let rows = store.workers(Sessions::Open, MAX_WORKERS).await?;
    let facts = rows.into_iter().map(|row| WorkerFacts {
        heartbeat: terms.heartbeat(row.lease_until, row.now).1,
        name: row.name,
        offer: row.offer,
        is_draining: row.is_draining,
        jobs: row.jobs.len(),
    });
    Ok(facts.collect())
}

/// The lanes that the next claim of a worker that fits would serve before the job's own, and that one. Ordered as by a coordinator
/// that has just started: how many device-seconds each sweep had so far is every coordinator's own.
async fn lanes(
    store: &Store,
    policy: Policy,
    standing: &JobStanding,
    workers: &[WorkerFacts],
) -> Result<(Vec<LaneFacts>, Option<LaneFacts>), StoreError> {
    let fitting = workers.iter().find(|worker| standing.requirement.is_met_by(&worker.offer));
    let (State::Ready { .. }, Some(worker)) = (&standing.state, fitting) else { return Ok((Vec::new(), None)) };
    let own = Lane { sweep: standing.sweep_id, kind: standing.kind };
    let ready: HashMap<Lane, LaneReady> =
        store.ready_lanes().await?.into_iter().map(|lane| (lane.lane, lane)).collect();
    let running = store.running_jobs().await?;
    let mut board = Board::new(policy);
    board.replace_lanes(ready.values().copied());
    for (sweep, terms) in store.sweep_terms(&board.strangers()).await? {
        board.introduce(sweep, terms);
    }
    board.count_running(&running, Duration::ZERO);

    let mut before = Vec::new();
    while let Some(lane) =
        board.best(&worker.offer, standing.now).filter(|lane| *lane != own && before.len() < MAX_LANES)
    {
        before.push(lane);
        board.close(lane);
    }
    if board.best(&worker.offer, standing.now).is_none() {
        // A lane whose jobs all back off, or whose sweep is full, stands nowhere.
        return Ok((Vec::new(), None));
    }
    let sweeps: Vec<SweepId> = before.iter().chain([&own]).map(|lane| lane.sweep).collect();
    let names: HashMap<SweepId, String> = store.sweep_names(&sweeps).await?.into_iter().collect();
    let facts = |lane: &Lane| {
        let (terms, ready) = (board.terms(lane.sweep)?, ready.get(lane)?);
        Some(LaneFacts {
            sweep: names.get(&lane.sweep).cloned().unwrap_or_default(),
            kind: lane.kind,
            priority: terms.priority,
            aged: policy.effective_priority(terms.priority, ready.since, standing.now) - i64::from(terms.priority),
            running: running.get(&lane.sweep).copied().unwrap_or_default().into(),
            weight: terms.weight,
        })
    };
    Ok((before.iter().filter_map(facts).collect(), facts(&own)))
}

fn attempt(row: AttemptRow) -> v1::AttemptRow {
    v1::AttemptRow {
        epoch: row.epoch,
        started_at: Some(row.started().to_wire()),
        ended_at: row.ended().map(|at| at.to_wire()),
        worker: row.worker,
        session_id: row.session_id.to_string(),
        outcome: row.outcome.unwrap_or_default(),
        detail: row.detail.unwrap_or_default(),
    }
}

fn count_of(attempts: u64) -> u32 {
    count(i64::try_from(attempts).unwrap_or(i64::MAX))
}
