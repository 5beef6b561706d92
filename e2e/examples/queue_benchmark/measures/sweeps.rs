//! Claims while thousands of sweeps have ready jobs.

use std::{sync::Arc, time::Instant};

use tokio::task::JoinSet;

use super::Bench;
use crate::{
    coordinator,
    figures::{Better, percentile},
    fleet::{Fleet, Goal},
    worker::{Times, Worker},
};

/// Clients that submit.
const AT_ONCE: u32 = 8;
/// Claims that are timed, one after the other.
const CLAIMS: u32 = 200;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    for sweeps in [1, bench.load.many_sweeps] {
        let scene = bench.scene().await?;
        // As many jobs either way.
        let each = 4 * u64::from(bench.load.many_sweeps / sweeps);
        let mut clients = JoinSet::new();
        for client in 0..AT_ONCE.min(sweeps) {
            let mut service = scene.coordinator.sweeps()?;
            clients.spawn(async move {
                for number in (client..sweeps).step_by(AT_ONCE as usize) {
                    coordinator::submit(&mut service, coordinator::sweep(&format!("sweep-{number}"), each)).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = clients.join_next().await {
            ended??;
        }
        bench.server.checkpoint()?;
        let worker = Worker::open(&scene.coordinator, scene.coordinator.channel()?, Arc::new(Times::default())).await?;
        let mut claims = Vec::new();
        for _ in 0..CLAIMS.min(sweeps * u32::try_from(each)? / 4) {
            let begun = Instant::now();
            let assignments = worker.claim(1).await?;
            claims.push(begun.elapsed().as_secs_f64() * 1e3);
            for assignment in assignments {
                worker.complete(&assignment).await?;
            }
        }
        let name = if sweeps == 1 { "1 sweep".to_owned() } else { format!("{sweeps} sweeps with ready jobs") };
        bench.add(&format!("claim, {name}, p50"), "ms", Better::Lower, percentile(&claims, 0.5));
        bench.add(&format!("claim, {name}, p99"), "ms", Better::Lower, percentile(&claims, 0.99));
        let mut fleet = Fleet::open(&scene.coordinator, bench.options.shape()).await?;
        let before = bench.used(&scene)?;
        let left = u64::from(sweeps) * each - claims.len() as u64;
        let drained = fleet.drain(Goal::jobs_within(left, bench.load.busy)).await?;
        let (coordinator, _) = bench.used(&scene)?.millis_each(before, drained.jobs);
        bench.add(&format!("drain, {name}"), "jobs/s", Better::Higher, drained.rate());
        bench.add(&format!("drain, {name}: coordinator CPU"), "ms/job", Better::Lower, coordinator);
        drop(fleet);
        bench.leave(scene)?;
    }
    Ok(())
}
