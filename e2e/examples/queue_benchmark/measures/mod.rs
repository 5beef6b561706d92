//! The measures, each on a fresh database with a fresh coordinator.

mod drain;
mod growth;
mod idle;
mod latency;
pub mod pinned;
mod submit;
mod sweeps;

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{
    coordinator::Coordinator,
    figures::{Better, Figures, OURS},
    options::{Load, Measure, Options},
    peers,
    postgres::{Database, Server},
};

/// What measures work with.
pub struct Bench {
    pub server: Server,
    pub options: Options,
    pub load: Load,
    pub figures: Figures,
}

/// A coordinator on its database.
pub struct Scene {
    pub database: Database,
    pub coordinator: Coordinator,
}

/// CPU times at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    at: Instant,
    coordinator: Duration,
    server: Duration,
}

/// One repetition of everything that was asked for. Ours comes first in one and last in the next, so that neither side always
/// runs on a server that the other has just used.
pub async fn run(bench: &mut Bench, repetition: u32) -> anyhow::Result<()> {
    for measure in Measure::ALL {
        if !bench.options.measures(measure) {
            continue;
        }
        eprintln!("  {measure:?}");
        let (ours, theirs) = (!bench.options.no_ours, !bench.options.no_peers);
        if theirs && repetition.is_multiple_of(2) {
            peers::run(bench, measure)?;
        }
        if ours {
            run_ours(bench, measure).await.with_context(|| format!("measuring {measure:?} failed"))?;
        }
        if theirs && !repetition.is_multiple_of(2) {
            peers::run(bench, measure)?;
        }
    }
    Ok(())
}

async fn run_ours(bench: &mut Bench, measure: Measure) -> anyhow::Result<()> {
    match measure {
        Measure::Submit => submit::run(bench).await,
        Measure::Drain => drain::run(bench).await,
        Measure::Latency => latency::run(bench).await,
        Measure::Idle => idle::run(bench).await,
        Measure::Renewals => idle::renewals(bench).await,
        Measure::Pinned => pinned::run(bench).await,
        Measure::Growth => growth::run(bench).await,
        Measure::Sweeps => sweeps::run(bench).await,
    }
}

impl Bench {
    /// A coordinator on a fresh database.
    pub async fn scene(&mut self) -> anyhow::Result<Scene> {
        let database = self.server.database()?;
        let coordinator = Coordinator::start(&database, self.options.database_connections).await?;
        Ok(Scene { database, coordinator })
    }

    /// The same, with statements counted.
    pub async fn counted_scene(&mut self) -> anyhow::Result<Scene> {
        let database = self.server.database()?;
        self.server.count_statements(&database)?;
        let coordinator = Coordinator::start(&database, self.options.database_connections).await?;
        Ok(Scene { database, coordinator })
    }

    /// Stops the coordinator and removes its database.
    pub fn leave(&self, scene: Scene) -> anyhow::Result<()> {
        let Scene { database, coordinator } = scene;
        drop(coordinator);
        self.server.remove(&database)
    }

    /// A figure of ours of this repetition.
    pub fn add(&mut self, measure: &str, unit: &str, better: Better, value: f64) {
        self.figures.add(OURS, measure, unit, better, value);
    }

    /// CPU times so far.
    pub fn used(&self, scene: &Scene) -> anyhow::Result<Used> {
        Ok(Used { at: Instant::now(), coordinator: scene.coordinator.cpu()?, server: self.server.cpu()? })
    }
}

impl Used {
    /// Milliseconds of the coordinator's and of the server's CPU for each of `count` things between two moments.
    pub fn millis_each(self, earlier: Self, count: u64) -> (f64, f64) {
        let each = |time: Duration| time.as_secs_f64() * 1e3 / count.max(1) as f64;
        (each(self.coordinator - earlier.coordinator), each(self.server - earlier.server))
    }

    /// Percent of one core that the coordinator and the server used between two moments.
    pub fn percent(self, earlier: Self) -> (f64, f64) {
        let wall = (self.at - earlier.at).as_secs_f64();
        let share = |time: Duration| 100.0 * time.as_secs_f64() / wall;
        (share(self.coordinator - earlier.coordinator), share(self.server - earlier.server))
    }
}
