//! How fast sweeps are taken: large ones by their jobs, tiny ones by their number.

use std::time::Instant;

use tokio::task::JoinSet;

use super::Bench;
use crate::{
    coordinator::{self, LARGEST_SWEEP},
    figures::{Better, Names},
};

/// Tiny sweeps that are under way at once.
const AT_ONCE: u32 = 8;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let scene = bench.scene().await?;
    let jobs = u64::from(bench.load.large_sweeps) * LARGEST_SWEEP;
    let before = bench.used(&scene)?;
    let begun = Instant::now();
    scene.coordinator.submit_jobs("large", jobs).await?;
    let elapsed = begun.elapsed().as_secs_f64();
    let (coordinator, _) = bench.used(&scene)?.millis_each(before, jobs);
    bench.add(Names::SUBMIT_MANY, "jobs/s", Better::Higher, jobs as f64 / elapsed);
    bench.add("submit: coordinator CPU", "ms/job", Better::Lower, coordinator);
    bench.leave(scene)?;

    let scene = bench.scene().await?;
    let sweeps = bench.load.tiny_sweeps;
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..AT_ONCE {
        let mut service = scene.coordinator.sweeps()?;
        clients.spawn(async move {
            for number in (client..sweeps).step_by(AT_ONCE as usize) {
                coordinator::submit(&mut service, coordinator::sweep(&format!("tiny-{number}"), 2)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    let elapsed = begun.elapsed().as_secs_f64();
    bench.add(Names::SUBMIT_ONE, "submits/s", Better::Higher, f64::from(sweeps) / elapsed);
    bench.leave(scene)
}
