//! A drain while a reader holds a snapshot from before it, beside one without.

use std::time::Duration;

use super::Bench;
use crate::{
    figures::{Better, Names, OURS},
    fleet::{Fleet, Goal},
};

/// Jobs in a backlog that sizes the real one.
pub const TRIAL: u64 = 4000;
/// How much more than the trial's rate would need.
const RESERVE: f64 = 1.6;
/// Largest backlog.
const LARGEST: f64 = 500_000.0;
/// Windows at the end that are looked at on their own.
const LAST: usize = 2;

/// How fast a drain was.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// Jobs a second over the whole.
    pub mean: f64,
    /// Jobs in each window.
    pub windows: Vec<u64>,
}

/// Jobs that keep workers busy to the end.
pub fn backlog(trial: f64, limit: Duration) -> u64 {
    (trial * limit.as_secs_f64() * RESERVE).clamp(TRIAL as f64, LARGEST) as u64
}

/// Adds the figures of a pair.
pub fn add(bench: &mut Bench, system: &str, free: &Rates, pinned: &Rates) {
    let last = |rates: &Rates| rates.windows.iter().rev().take(LAST).sum::<u64>() as f64;
    for (name, unit, value) in [
        (Names::FREE, "jobs/s", free.mean),
        (Names::PINNED, "jobs/s", pinned.mean),
        (Names::PINNED_SHARE, "", pinned.mean / free.mean),
        (Names::PINNED_SHARE_LAST, "", last(pinned) / last(free).max(1.0)),
    ] {
        bench.figures.add(system, name, unit, Better::Higher, value);
    }
}

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let scene = bench.scene().await?;
    scene.coordinator.submit_jobs("trial", TRIAL).await?;
    let trial = Fleet::open(&scene.coordinator, bench.options.shape()).await?.drain(Goal::jobs(TRIAL)).await?;
    bench.leave(scene)?;
    let backlog = backlog(trial.rate(), bench.load.pinned);
    let free = drain(bench, backlog, false).await?;
    let pinned = drain(bench, backlog, true).await?;
    add(bench, OURS, &free, &pinned);
    Ok(())
}

async fn drain(bench: &mut Bench, backlog: u64, pin: bool) -> anyhow::Result<Rates> {
    let scene = bench.scene().await?;
    scene.coordinator.submit_jobs("pinned", backlog).await?;
    let mut fleet = Fleet::open(&scene.coordinator, bench.options.shape()).await?;
    bench.server.checkpoint()?;
    let reader = if pin { Some(bench.server.pin(&scene.database)?) } else { None };
    let drained = fleet.drain(Goal::jobs_within(backlog, bench.load.pinned)).await?;
    drop(reader);
    eprintln!("    {} jobs of {backlog}; windows {:?}", drained.jobs, drained.windows);
    let rates = Rates { mean: drained.rate(), windows: drained.windows };
    drop(fleet);
    bench.leave(scene)?;
    Ok(rates)
}
