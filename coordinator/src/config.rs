//! Configuration: flags and `SPILLWAY_…` variables, parsed once.

use std::{net::SocketAddr, time::Duration};

use clap::Parser;
use domain::{dispatch::Policy, lease::LeaseTerms, preemption};
use process::LogFormat;
use store::Connection;

use crate::{StartError, lifecycle::SubmitLimits};

/// Largest artifact when nothing else is said: 4 GiB.
pub const DEFAULT_MAX_ARTIFACT_BYTES: u64 = 4 << 30;
/// Beats that fit into a lease at least, so that one lost beat costs nothing.
const BEATS_PER_LEASE: u32 = 3;

/// The coordinator of a Spillway cluster: takes sweeps, hands out their jobs, keeps their results in Postgres.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "spillway-coordinator",
    version,
    after_help = "Examples:\n  spillway-coordinator --database-url 'postgres:///spillway?host=/run/postgresql'\n  \
                  spillway-coordinator --database-url postgres://spillway@db/spillway --listen 0.0.0.0:7450 --artifacts /srv/artifacts"
)]
pub struct Config {
    /// The database, such as postgres://user@host/spillway. Any number of coordinators may share it.
    #[arg(long, env = "SPILLWAY_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,

    /// The address to serve gRPC on; port 0 takes a free one and prints it.
    #[arg(long, env = "SPILLWAY_LISTEN", default_value = "127.0.0.1:7450")]
    pub listen: SocketAddr,

    /// Where artifacts are kept: a folder or a URL. Coordinators of one database share it.
    #[arg(long, env = "SPILLWAY_ARTIFACTS", default_value = ".spillway/artifacts")]
    pub artifacts: String,

    /// Largest artifact in bytes.
    #[arg(long, env = "SPILLWAY_MAX_ARTIFACT_BYTES", default_value_t = DEFAULT_MAX_ARTIFACT_BYTES)]
    pub max_artifact_bytes: u64,

    /// How long a worker's lease lives after each heartbeat, in milliseconds.
    #[arg(long, env = "SPILLWAY_LEASE_TTL_MILLIS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(100..=86_400_000))]
    pub lease_ttl_millis: u64,

    /// Time between two heartbeats, in milliseconds; a third of the lease at most.
    #[arg(long, env = "SPILLWAY_BEAT_MILLIS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(10..=86_400_000))]
    pub beat_millis: u64,

    /// Time after a lease's end before its jobs are taken back, in milliseconds.
    #[arg(long, env = "SPILLWAY_GRACE_MILLIS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    pub grace_millis: u64,

    /// How long a job of a much more important sweep waits before a training is told to make room for it at a checkpoint, in
    /// seconds; 0 leaves every training alone.
    #[arg(long, env = "SPILLWAY_PREEMPT_AFTER_SECS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub preempt_after_secs: u64,

    /// By how much the waiting sweep's priority must be higher for that.
    #[arg(long, env = "SPILLWAY_PREEMPT_MARGIN", default_value_t = 20, value_parser = clap::value_parser!(i16).range(1..=100))]
    pub preempt_margin: i16,

    /// How long a training that made room before runs at least before it makes room again, in seconds.
    #[arg(long, env = "SPILLWAY_PREEMPT_MIN_RUN_SECS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=604_800))]
    pub preempt_min_run_secs: u64,

    /// Waiting that raises a job's priority by one, in seconds; 0 switches ageing off.
    #[arg(long, env = "SPILLWAY_AGEING_SECS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=31_536_000))]
    pub ageing_secs: u64,

    /// Most database connections at once; one of them listens for hints.
    #[arg(long, env = "SPILLWAY_DATABASE_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_connections: u32,

    /// How long to wait at the start for a database that does not answer, in seconds.
    #[arg(long, env = "SPILLWAY_DATABASE_WAIT_SECS", default_value_t = 30)]
    pub database_wait_secs: u64,

    /// Days that the history of jobs and their logs are kept, in whole months; 0 keeps them for ever. Results, attempts and
    /// measurements always stay.
    #[arg(long, env = "SPILLWAY_RETENTION_DAYS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub retention_days: u32,

    /// The address to serve metrics and health on over HTTP: /metrics for Prometheus, /healthz, /readyz. Not served when absent.
    #[arg(long, env = "SPILLWAY_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,

    /// Most jobs that one user may have before they end; a submit beyond it is refused. 0 for any number.
    #[arg(long, env = "SPILLWAY_MAX_OPEN_JOBS_PER_USER", default_value_t = 200_000)]
    pub max_open_jobs_per_user: u64,

    /// Submits that are worked on at once; each takes a processor and a database connection.
    #[arg(long, env = "SPILLWAY_MAX_SUBMITS_AT_ONCE", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub max_submits_at_once: u16,

    /// Submits that may wait for their turn; more are told to come again.
    #[arg(long, env = "SPILLWAY_MAX_SUBMITS_WAITING", default_value_t = 32, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub max_submits_waiting: u16,

    /// How the log is written.
    #[arg(long, env = "SPILLWAY_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

impl Config {
    /// The terms of leases.
    ///
    /// # Errors
    /// [`StartError::Configuration`] when too few beats fit into a lease.
    pub fn lease_terms(&self) -> Result<LeaseTerms, StartError> {
        let terms = LeaseTerms {
            ttl: Duration::from_millis(self.lease_ttl_millis),
            beat: Duration::from_millis(self.beat_millis),
            grace: Duration::from_millis(self.grace_millis),
        };
        if terms.beat * BEATS_PER_LEASE > terms.ttl {
            return Err(StartError::Configuration {
                variable: "SPILLWAY_BEAT_MILLIS",
                reason: format!(
                    "{} ms between beats is more than a third of the lease of {} ms (SPILLWAY_LEASE_TTL_MILLIS)",
                    self.beat_millis, self.lease_ttl_millis
                ),
            });
        }
        Ok(terms)
    }

    /// How much may be submitted.
    #[must_use]
    pub fn submit_limits(&self) -> SubmitLimits {
        SubmitLimits {
            at_once: usize::from(self.max_submits_at_once),
            waiting: usize::from(self.max_submits_waiting),
            open_jobs_per_user: Some(self.max_open_jobs_per_user).filter(|most| *most > 0),
        }
    }

    /// When trainings make room for more important jobs; `None` when they never do.
    #[must_use]
    pub fn preemption_terms(&self) -> Option<preemption::Terms> {
        (self.preempt_after_secs > 0).then(|| preemption::Terms {
            after: Duration::from_secs(self.preempt_after_secs),
            margin: self.preempt_margin,
            minimum_run: Duration::from_secs(self.preempt_min_run_secs),
        })
    }

    /// What decides between jobs.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let ageing = (self.ageing_secs > 0).then(|| Duration::from_secs(self.ageing_secs));
        Policy { ageing }
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection {
            address: self.database_url.clone(),
            max_connections: self.database_connections,
            patience: Duration::from_secs(self.database_wait_secs),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::job::retry::FIRST_BACKOFF_LIMIT;

    use super::*;
    use crate::services::POLL_INTERVAL;

    fn config(flags: &[&str]) -> Config {
        let all = ["spillway-coordinator", "--database-url", "postgres:///spillway"];
        Config::parse_from(all.iter().chain(flags))
    }

    #[test]
    fn the_default_lease_is_the_rules_own() {
        assert_eq!(config(&[]).lease_terms().unwrap(), LeaseTerms::default());
    }

    /// The longest time from a worker's death until its job, which had not failed before, is handed out again.
    fn longest_absence(terms: LeaseTerms) -> Duration {
        terms.longest_takeback() + FIRST_BACKOFF_LIMIT + POLL_INTERVAL
    }

    #[test]
    fn a_dead_workers_job_runs_elsewhere_within_45_seconds_by_default_and_10_when_tuned() {
        let tuned = ["--lease-ttl-millis", "3000", "--beat-millis", "1000", "--grace-millis", "1000"];

        let by_default = longest_absence(config(&[]).lease_terms().unwrap());
        let when_tuned = longest_absence(config(&tuned).lease_terms().unwrap());

        assert_eq!(by_default, Duration::from_secs(30 + 5 + 5 + 3 + 1));
        assert_eq!(when_tuned, Duration::from_secs(3 + 1 + 1 + 3 + 1));
        assert!(by_default <= Duration::from_secs(45) && when_tuned <= Duration::from_secs(10));
    }

    #[test]
    fn no_wait_before_preemption_switches_it_off() {
        let by_default = config(&[]).preemption_terms().unwrap();

        assert_eq!((by_default.after, by_default.margin), (Duration::from_secs(60), 20));
        assert_eq!(by_default.minimum_run, Duration::from_secs(300));
        assert_eq!(config(&["--preempt-after-secs", "0"]).preemption_terms(), None);
    }

    #[test]
    fn the_default_policy_is_the_rules_own_and_ageing_can_be_switched_off() {
        assert_eq!(config(&[]).policy(), Policy::default());
        assert_eq!(config(&["--ageing-secs", "0"]).policy(), Policy { ageing: None });
    }

    #[test]
    fn a_beat_as_long_as_the_lease_is_refused_with_its_variable() {
        let refusal = config(&["--beat-millis", "30000"]).lease_terms().unwrap_err();

        assert!(refusal.to_string().contains("SPILLWAY_BEAT_MILLIS"), "{refusal}");
    }
}
