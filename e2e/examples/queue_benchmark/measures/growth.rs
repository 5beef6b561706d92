//! What a job costs the coordinator as the table grows.

use super::Bench;
use crate::{
    figures::Better,
    fleet::{Fleet, Goal},
};

/// Jobs that are drained of each table: as many of a large one as of a small one.
const DRAINED: u64 = 5000;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    for jobs in bench.load.grown {
        let scene = bench.scene().await?;
        scene.coordinator.submit_jobs("growth", jobs).await?;
        let mut fleet = Fleet::open(&scene.coordinator, bench.options.shape()).await?;
        bench.server.checkpoint()?;
        let before = bench.used(&scene)?;
        let drained = fleet.drain(Goal::jobs(jobs.min(DRAINED))).await?;
        let (coordinator, _) = bench.used(&scene)?.millis_each(before, drained.jobs);
        bench.add(&format!("{jobs} jobs in the table: coordinator CPU"), "ms/job", Better::Lower, coordinator);
        bench.add(&format!("{jobs} jobs in the table: drain"), "jobs/s", Better::Higher, drained.rate());
        drop(fleet);
        bench.leave(scene)?;
    }
    Ok(())
}
