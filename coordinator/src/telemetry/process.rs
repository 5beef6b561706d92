//! What this process uses, under the names that every Prometheus dashboard knows.

use std::{
    fmt,
    fs::{read_dir, read_to_string},
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use rustix::{
    param::page_size,
    time::{ClockId, clock_gettime},
};

/// Reads the process's own figures at each scrape; what the system does not tell is left out.
#[derive(Debug)]
pub(super) struct Process {
    started: f64,
}

impl Process {
    pub(super) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: since_epoch.as_secs_f64() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let cpu = encoder.encode_descriptor(
            "process_cpu_seconds",
            "CPU time of this process, user and system",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(cpu_seconds()).encode(cpu)?;
        let mut gauge = |name: &str, help: &str, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        gauge("process_start_time_seconds", "Start of this process, in seconds since 1970", Some(self.started))?;
        gauge("process_resident_memory_bytes", "Main memory that this process holds", resident_bytes())?;
        gauge("process_open_fds", "Files and sockets that this process has open", open_files())
    }
}

fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// The second number of `statm`, in pages.
fn resident_bytes() -> Option<f64> {
    let pages: f64 = read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size() as f64)
}

fn open_files() -> Option<f64> {
    // Reading the folder opens one more.
    Some(read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}
