//! What a cluster costs that has nothing to do: statements and CPU while sessions wait and beat.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Bench, Scene};
use crate::{
    figures::{Better, Names},
    fleet::{Fleet, Goal},
    options::Shape,
};

/// Waiting sessions, and how their rows are marked.
const CROWDS: [(u32, &str); 2] = [(10, ""), (MANY, ", 500 workers waiting")];
/// Sessions whose heartbeats are measured.
const MANY: u32 = 500;
/// Time for claims to arrive.
const SETTLE: Duration = Duration::from_secs(2);

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    for (sessions, crowd) in CROWDS {
        let scene = bench.counted_scene().await?;
        let mut fleet = Fleet::open(&scene.coordinator, waiting(sessions)).await?;
        // Nothing to drain: every session has a claim that waits, and beats.
        fleet.drain(Goal::time(SETTLE)).await?;
        bench.server.forget_statements()?;
        let before = bench.used(&scene)?;
        fleet.drain(Goal::time(bench.load.idle)).await?;
        let seconds = bench.load.idle.as_secs_f64();
        let statements = calls(bench, &scene)?;
        let (coordinator, server) = bench.used(&scene)?.percent(before);
        let of = |what: &str| format!("{what}{crowd}");
        bench.add(&of(Names::IDLE), "1/s", Better::Lower, statements as f64 / seconds);
        bench.add(&of(Names::IDLE_OUTSIDE), "% of a core", Better::Lower, coordinator);
        bench.add(&of(Names::IDLE_SERVER), "% of a core", Better::Lower, server);
        drop(fleet);
        bench.leave(scene)?;
    }
    Ok(())
}

/// Heartbeats of 500 sessions: as they come by default, then one after the other as fast as they are answered.
pub async fn renewals(bench: &mut Bench) -> anyhow::Result<()> {
    let scene = bench.counted_scene().await?;
    let fleet = Fleet::open(&scene.coordinator, waiting(MANY)).await?;
    tokio::time::sleep(SETTLE).await;
    bench.server.forget_statements()?;
    let before = bench.used(&scene)?;
    tokio::time::sleep(bench.load.idle).await;
    let (coordinator, server) = bench.used(&scene)?.percent(before);
    add_renewals(bench, &scene, "renewals of 500 sessions")?;
    bench.add("renewals of 500 sessions: coordinator CPU", "% of a core", Better::Lower, coordinator);
    bench.add("renewals of 500 sessions: PostgreSQL CPU", "% of a core", Better::Lower, server);

    bench.server.forget_statements()?;
    let before = bench.used(&scene)?;
    let end = Instant::now() + bench.load.busy;
    let mut beats = JoinSet::new();
    for worker in fleet.workers() {
        let worker = worker.clone();
        beats.spawn(async move {
            let mut count = 0_u64;
            while Instant::now() < end {
                worker.heartbeat().await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(ended) = beats.join_next().await {
        count += ended??;
    }
    let (coordinator, _) = bench.used(&scene)?.millis_each(before, count);
    let rate = count as f64 / bench.load.busy.as_secs_f64();
    bench.add("heartbeats of 500 sessions without pause", "1/s", Better::Higher, rate);
    bench.add("heartbeats without pause: coordinator CPU", "ms/heartbeat", Better::Lower, coordinator);
    add_renewals(bench, &scene, "renewals without pause")?;
    drop(fleet);
    bench.leave(scene)
}

fn add_renewals(bench: &mut Bench, scene: &Scene, what: &str) -> anyhow::Result<()> {
    let statements = bench.server.statements(&scene.database)?;
    let renewals = statements.iter().filter(|statement| statement.text.contains("update session "));
    let (calls, rows, total) = renewals.fold((0, 0, Duration::ZERO), |(calls, rows, total), statement| {
        (calls + statement.calls, rows + statement.rows, total + statement.total)
    });
    if calls == 0 {
        return Ok(());
    }
    let millis = total.as_secs_f64() * 1e3;
    bench.add(&format!("{what}: one statement"), "ms", Better::Lower, millis / calls as f64);
    bench.add(&format!("{what}: sessions in one statement"), "sessions", Better::Higher, rows as f64 / calls as f64);
    Ok(())
}

fn calls(bench: &Bench, scene: &Scene) -> anyhow::Result<u64> {
    Ok(bench.server.statements(&scene.database)?.iter().map(|statement| statement.calls).sum())
}

fn waiting(sessions: u32) -> Shape {
    Shape { sessions, slots: 1, batch: 1, claims: 1, connections: sessions }
}
