//! What a caller may choose.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// The queue measured through gRPC on a private PostgreSQL, with jobs that do nothing, beside its peers.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask bench queue --")]
pub struct Options {
    /// How often everything is measured; medians are printed. 5 when not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub repetitions: Option<u32>,

    /// Small loads, and one repetition unless --repetitions is given: shows that everything runs; its figures mean little
    #[arg(long)]
    pub quick: bool,

    /// Only these measures, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "MEASURE")]
    pub only: Vec<Measure>,

    /// Leave the peers out
    #[arg(long)]
    pub no_peers: bool,

    /// Leave our own side out
    #[arg(long, conflicts_with = "no_peers")]
    pub no_ours: bool,

    /// Drain one backlog and print where the time goes, statement by statement, instead of the tables
    #[arg(long)]
    pub profile: bool,

    /// Jobs of the backlog that is drained
    #[arg(long, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    pub jobs: Option<u64>,

    /// Worker sessions
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub sessions: u32,

    /// Jobs that a session runs at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub slots: u32,

    /// Most jobs that one claim asks for
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub batch: u32,

    /// Claims that a session has under way at once; enough to fill its slots when not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub claims: Option<u32>,

    /// Connections that the sessions share; one for each session when not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub connections: Option<u32>,

    /// Database connections of the coordinator
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub database_connections: u32,

    /// The program that measures the peers; `cargo xtask bench queue` builds it and says where it is
    #[arg(long, value_name = "PATH")]
    pub peers_program: Option<PathBuf>,

    /// Where the figures go as JSON
    #[arg(long, value_name = "PATH")]
    pub output: Option<PathBuf>,
}

/// A thing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Measure {
    /// Jobs and sweeps taken in each second
    Submit,
    /// Jobs of a backlog completed each second
    Drain,
    /// From submit to the assignment in a waiting worker's hand
    Latency,
    /// Statements each second while nothing happens
    Idle,
    /// Heartbeats of 500 sessions
    Renewals,
    /// A drain while a reader holds an old snapshot, beside one without
    Pinned,
    /// The coordinator's CPU for each job as the table grows
    Growth,
    /// Claims while 2,000 sweeps have ready jobs
    Sweeps,
}

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub backlog: u64,
    pub large_sweeps: u32,
    pub tiny_sweeps: u32,
    pub rounds: u32,
    pub idle: Duration,
    pub busy: Duration,
    pub pinned: Duration,
    pub grown: [u64; 3],
    pub many_sweeps: u32,
}

impl Measure {
    pub const ALL: [Self; 8] = [
        Self::Submit,
        Self::Drain,
        Self::Latency,
        Self::Idle,
        Self::Renewals,
        Self::Pinned,
        Self::Growth,
        Self::Sweeps,
    ];
}

impl Options {
    pub fn repetitions(&self) -> u32 {
        self.repetitions.unwrap_or(if self.quick { 1 } else { 5 })
    }

    pub fn measures(&self, measure: Measure) -> bool {
        self.only.is_empty() || self.only.contains(&measure)
    }

    pub fn load(&self) -> Load {
        let full = Load {
            backlog: self.jobs.unwrap_or(20_000),
            large_sweeps: 3,
            tiny_sweeps: 1000,
            rounds: 300,
            idle: Duration::from_secs(20),
            busy: Duration::from_secs(10),
            pinned: Duration::from_secs(30),
            grown: [1000, 10_000, 100_000],
            many_sweeps: 2000,
        };
        if !self.quick {
            return full;
        }
        Load {
            backlog: self.jobs.unwrap_or(1000),
            large_sweeps: 1,
            tiny_sweeps: 50,
            rounds: 20,
            idle: Duration::from_secs(3),
            busy: Duration::from_secs(2),
            pinned: Duration::from_secs(6),
            grown: [200, 1000, 4000],
            many_sweeps: 100,
        }
    }

    pub fn shape(&self) -> Shape {
        Shape {
            sessions: self.sessions,
            slots: self.slots,
            batch: self.batch.min(self.slots),
            claims: self.claims.unwrap_or_else(|| self.slots.div_ceil(self.batch)),
            connections: self.connections.unwrap_or(self.sessions),
        }
    }
}

/// The workers that drain.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub sessions: u32,
    pub slots: u32,
    pub batch: u32,
    pub claims: u32,
    pub connections: u32,
}
