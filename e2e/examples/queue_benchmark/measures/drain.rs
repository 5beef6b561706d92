//! How fast a backlog is worked off.

use super::Bench;
use crate::{
    cpu,
    figures::{Better, Names},
    fleet::{Fleet, Goal},
};

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let scene = bench.scene().await?;
    let jobs = bench.load.backlog;
    scene.coordinator.submit_jobs("drain", jobs).await?;
    let mut fleet = Fleet::open(&scene.coordinator, bench.options.shape()).await?;
    bench.server.checkpoint()?;
    let (before, workers) = (bench.used(&scene)?, cpu::of_process(std::process::id())?);
    let drained = fleet.drain(Goal::jobs(jobs)).await?;
    let (coordinator, server) = bench.used(&scene)?.millis_each(before, drained.jobs);
    let workers = (cpu::of_process(std::process::id())? - workers).as_secs_f64() * 1e3 / drained.jobs as f64;
    bench.add(Names::DRAIN, "jobs/s", Better::Higher, drained.rate());
    bench.add(Names::DRAIN_OUTSIDE, "ms/job", Better::Lower, coordinator + workers);
    bench.add(Names::DRAIN_SERVER, "ms/job", Better::Lower, server);
    bench.add("drain: CPU of the coordinator", "ms/job", Better::Lower, coordinator);
    drop(fleet);
    bench.leave(scene)
}
