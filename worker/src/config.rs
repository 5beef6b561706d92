//! The worker's configuration: flags and environment variables, parsed once.

use std::{collections::BTreeSet, path::PathBuf, thread::available_parallelism, time::Duration};

use clap::{Parser, Subcommand};
use domain::fleet::{DeviceKind, Label, MAX_LABELS};
use process::LogFormat;
use rustix::{process::getpid, system};
use thiserror::Error;
use tonic::transport::Endpoint;

use crate::child::Resources;

/// The version that sessions and results carry.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Most memory that may be offered: 4 TiB, as much as a sweep may ask for.
const MAX_MEMORY_MIB: i64 = 4 << 20;

const EXAMPLES: &str = "\
Examples:
  spillway-worker --coordinator http://127.0.0.1:7450
  spillway-worker --coordinator http://one:7450,http://two:7450 --threads 4
  spillway-worker --device cuda --cuda-library /opt/libtorch/lib/libtorch_cuda.so
  spillway-worker --label a100,site=oslo --memory-mib 40960

SIGTERM drains: the running job leaves a checkpoint and is released; a second SIGTERM ends at once.
Exit codes: 0 drained, 1 failed, 64 bad configuration.";

/// Claims jobs from a Spillway coordinator, trains and evaluates flows, and reports the results.
#[derive(Debug, Parser)]
#[command(name = "spillway-worker", version, about, after_help = EXAMPLES)]
pub struct Arguments {
    /// What this process is; a supervisor when absent.
    #[command(subcommand)]
    pub role: Option<Role>,
    /// Addresses of the coordinators, separated by commas; the next one is tried when one does not answer
    #[arg(
        long,
        env = "SPILLWAY_ENDPOINT",
        value_delimiter = ',',
        value_parser = parse_endpoint,
        default_value = "http://127.0.0.1:7450"
    )]
    coordinator: Vec<Endpoint>,
    /// A label for people [default: the machine's name and the process number]
    #[arg(long, env = "SPILLWAY_WORKER_NAME", value_parser = parse_name)]
    name: Option<String>,
    /// Where to compute: cpu or cuda
    #[arg(long, env = "SPILLWAY_DEVICE", default_value = "cpu")]
    device: DeviceKind,
    /// Threads of the tensor library [default: the number of cores]
    #[arg(long, env = "SPILLWAY_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// What else the worker has, for sweeps that ask for it; separated by commas, at most 16
    #[arg(long = "label", env = "SPILLWAY_LABELS", value_delimiter = ',')]
    labels: Vec<Label>,
    /// Memory to offer in MiB; less than there is keeps the rest free [default: the device's]
    #[arg(long, env = "SPILLWAY_MEMORY_MIB", value_parser = clap::value_parser!(u32).range(0..=MAX_MEMORY_MIB))]
    memory_mib: Option<u32>,
    /// The folder with one folder per dataset
    #[arg(long, env = "SPILLWAY_DATA_DIR", default_value = "data")]
    data_dir: PathBuf,
    /// An existing folder for files on their way [default: the system's temporary folder]
    #[arg(long, env = "SPILLWAY_SCRATCH_DIR")]
    scratch_dir: Option<PathBuf>,
    /// Room for checkpoints that the next jobs may need, in MiB; 0 keeps none
    #[arg(long, env = "SPILLWAY_CACHE_MIB", default_value_t = 1024)]
    cache_mib: u32,
    /// An existing folder for those checkpoints [default: the folder for files on their way]
    #[arg(long, env = "SPILLWAY_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// The libtorch_cuda.so of a libtorch 2.11.0 with CUDA [default: the loader's search path]
    #[arg(long, env = "SPILLWAY_CUDA_LIBRARY")]
    cuda_library: Option<PathBuf>,
    /// Longest drain in seconds before the running job is killed and released as it is
    #[arg(long, env = "SPILLWAY_GRACE_SECS", default_value_t = 25)]
    grace_secs: u32,
    /// How to write the log
    #[arg(long, env = "SPILLWAY_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// Processes that a supervisor starts from its own program.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Runs one job, ordered on standard input.
    #[command(hide = true)]
    RunChild,
    /// Exits with 0 if CUDA works.
    #[command(hide = true)]
    ProbeDevice {
        /// The library to load.
        #[arg(long)]
        cuda_library: Option<PathBuf>,
    },
}

/// A supervisor's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The coordinators, at least one.
    pub endpoints: Vec<Endpoint>,
    /// A label for people.
    pub name: String,
    /// What children may use.
    pub resources: Resources,
    /// A folder for files on their way; the system's temporary folder when absent.
    pub scratch: Option<PathBuf>,
    /// What else the worker has.
    pub labels: BTreeSet<Label>,
    /// Bytes of memory to offer; the device's when absent.
    pub memory_bytes: Option<u64>,
    /// Room for checkpoints that are kept.
    pub cache_bytes: u64,
    /// A folder for checkpoints that are kept; the one for files on their way when absent.
    pub cache: Option<PathBuf>,
    /// Longest drain.
    pub grace: Duration,
}

/// The worker is given more labels than a worker may have.
#[derive(Debug, Error)]
#[error("--label (SPILLWAY_LABELS): {0} labels: at most {MAX_LABELS} allowed")]
pub struct TooManyLabels(usize);

impl Arguments {
    /// The configuration of a supervisor, defaults filled in.
    ///
    /// # Errors
    /// [`TooManyLabels`].
    pub fn into_config(self) -> Result<Config, TooManyLabels> {
        let labels: BTreeSet<Label> = self.labels.into_iter().collect();
        if labels.len() > MAX_LABELS {
            return Err(TooManyLabels(labels.len()));
        }
        let cores = available_parallelism().map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(u16::MAX));
        Ok(Config {
            endpoints: self.coordinator,
            name: self.name.unwrap_or_else(default_name),
            resources: Resources {
                device: self.device,
                cuda_library: self.cuda_library,
                threads: self.threads.unwrap_or(cores),
                data: self.data_dir,
            },
            scratch: self.scratch_dir,
            labels,
            memory_bytes: self.memory_mib.map(mib),
            cache_bytes: mib(self.cache_mib),
            cache: self.cache_dir,
            grace: Duration::from_secs(self.grace_secs.into()),
        })
    }
}

fn mib(count: u32) -> u64 {
    u64::from(count) << 20
}

fn default_name() -> String {
    let machine = system::uname();
    format!("{}-{}", machine.nodename().to_string_lossy(), getpid().as_raw_nonzero())
}

fn parse_endpoint(text: &str) -> Result<Endpoint, String> {
    let endpoint = Endpoint::from_shared(text.to_owned()).map_err(|error| format!("not an address: {error}"))?;
    match endpoint.uri().scheme_str() {
        Some("http") if endpoint.uri().host().is_some() => Ok(endpoint),
        Some(_) | None => Err("an address like http://host:7450 expected".to_owned()),
    }
}

fn parse_name(text: &str) -> Result<String, String> {
    proto::convert::worker_name_from_wire(text.to_owned(), "name").map_err(|violations| violations.to_string())
}

#[cfg(test)]
mod tests {
    use process::configuration_from;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Config, String> {
        let program = std::iter::once("spillway-worker");
        configuration_from::<Arguments>(program.chain(arguments.iter().copied()))
            .map_err(|refusal| refusal.to_string())
            .and_then(|arguments| arguments.into_config().map_err(|refusal| refusal.to_string()))
    }

    #[test]
    fn several_coordinators_are_separated_by_commas() {
        let config = parse(&["--coordinator", "http://one:7450,http://two:7451"]).unwrap();

        let addresses: Vec<_> = config.endpoints.iter().map(|endpoint| endpoint.uri().to_string()).collect();
        assert_eq!(addresses, ["http://one:7450/", "http://two:7451/"]);
    }

    #[test]
    fn bad_values_name_the_flag_and_the_variable() {
        let cases = [
            ("--coordinator", "ftp://one", "SPILLWAY_ENDPOINT"),
            ("--device", "tpu", "SPILLWAY_DEVICE"),
            ("--threads", "0", "SPILLWAY_THREADS"),
            ("--grace-secs", "soon", "SPILLWAY_GRACE_SECS"),
            ("--name", "", "SPILLWAY_WORKER_NAME"),
            ("--label", "a100,Big GPU", "SPILLWAY_LABELS"),
            ("--label", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "SPILLWAY_LABELS"),
            ("--memory-mib", "4194305", "SPILLWAY_MEMORY_MIB"),
            ("--cache-mib", "much", "SPILLWAY_CACHE_MIB"),
        ];
        for (flag, value, variable) in cases {
            let refusal = parse(&[flag, value]).unwrap_err();

            assert!(refusal.contains(flag) && refusal.contains(variable), "{flag} {value}: {refusal}");
        }
    }

    #[test]
    fn defaults_name_the_machine_and_use_its_cores() {
        let config = parse(&[]).unwrap();

        assert!(config.name.ends_with(&getpid().as_raw_nonzero().to_string()), "{}", config.name);
        assert!(config.resources.threads >= 1);
        assert_eq!((config.memory_bytes, config.labels.len(), config.cache_bytes), (None, 0, 1 << 30));
    }

    #[test]
    fn labels_are_repeated_or_separated_by_commas_and_count_once() {
        let config = parse(&["--label", "site=oslo,a100", "--label", "a100", "--memory-mib", "512"]).unwrap();

        let labels: Vec<_> = config.labels.iter().map(Label::as_str).collect();
        assert_eq!(labels, ["a100", "site=oslo"]);
        assert_eq!(config.memory_bytes, Some(512 << 20));
    }
}
