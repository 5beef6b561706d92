//! What is read from the database when somebody looks: jobs by state, the oldest ready job, sessions by standing; and the connection pool.
//!
//! One look serves every scrape of the next seconds: however many dashboards ask, the database is asked once.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use store::{QueueSample, Store, StoreError};
use tokio::time::{Instant, timeout};
use tracing::warn;

/// How long a look is good for.
const FRESH_FOR: Duration = Duration::from_secs(5);
/// Longest wait for the database: a scrape is answered without it then.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindState {
    kind: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DeviceStanding {
    device: &'static str,
    standing: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// The last look at the database. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Sampled {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    ttl: Duration,
    /// When the last look began. Held during a look, on purpose: scrapes that come together wait for one look and share it.
    looked: tokio::sync::Mutex<Option<Instant>>,
    /// Absent when the database did not answer.
    sample: Mutex<Option<Arc<QueueSample>>>,
}

impl Sampled {
    pub(super) fn new(store: Store, ttl: Duration) -> Self {
        let inner = Inner { store, ttl, looked: tokio::sync::Mutex::default(), sample: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Looks again unless the last look is fresh.
    pub(super) async fn refresh(&self) {
        let mut looked = self.inner.looked.lock().await;
        if looked.is_some_and(|at| at.elapsed() < FRESH_FOR) {
            return;
        }
        *looked = Some(Instant::now());
        let sample = match timeout(LOOK_LIMIT, self.inner.store.queue_sample(self.inner.ttl)).await {
            Ok(Ok(sample)) => Some(Arc::new(sample)),
            Ok(Err(error)) => self.refuse(&error),
            Err(_) => self.refuse(&format!("nothing came within {} s", LOOK_LIMIT.as_secs())),
        };
        *self.sample() = sample;
    }

    /// Whether the database answers.
    pub(super) async fn ping(&self, limit: Duration) -> Result<(), String> {
        match timeout(limit, self.inner.store.ping()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(StoreError::to_string(&error)),
            Err(_) => Err(format!("the database did not answer within {} s", limit.as_secs_f32())),
        }
    }

    /// Said once for each outage.
    fn refuse(&self, reason: &dyn fmt::Display) -> Option<Arc<QueueSample>> {
        if self.sample().is_some() {
            warn!(%reason, "queue could not be sampled for metrics");
        }
        None
    }

    fn sample(&self) -> std::sync::MutexGuard<'_, Option<Arc<QueueSample>>> {
        self.inner.sample.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Sampled {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let sample = self.sample().clone();
        let answers = i64::from(sample.is_some());
        let up = "Whether the database answered the last look";
        ConstGauge::new(answers).encode(encoder.encode_descriptor("database_up", up, None, MetricType::Gauge)?)?;
        encode_pool(&self.inner.store, &mut encoder)?;
        match sample {
            Some(sample) => encode_sample(&sample, &mut encoder),
            None => Ok(()),
        }
    }
}

fn encode_pool(store: &Store, encoder: &mut DescriptorEncoder) -> fmt::Result {
    let pool = store.pool_status();
    let help = "Connections to the database that are open";
    let mut open = encoder.encode_descriptor("database_connections", help, None, MetricType::Gauge)?;
    for (state, connections) in [("idle", pool.idle), ("used", pool.used)] {
        ConstGauge::new(i64::from(connections)).encode(open.encode_family(&State { state })?)?;
    }
    let help = "Most connections to the database at once";
    let most = encoder.encode_descriptor("database_connections_max", help, None, MetricType::Gauge)?;
    ConstGauge::new(i64::from(pool.max)).encode(most)?;
    let help = "Times that no connection was to be had in time";
    let failures = encoder.encode_descriptor("database_acquire_failures", help, None, MetricType::Counter)?;
    ConstCounter::new(pool.acquire_failures).encode(failures)
}

fn encode_sample(sample: &QueueSample, encoder: &mut DescriptorEncoder) -> fmt::Result {
    let help = "Jobs that have not ended, by state; ready ones include those that back off";
    let mut jobs = encoder.encode_descriptor("jobs", help, None, MetricType::Gauge)?;
    for depth in &sample.depths {
        let labels = KindState { kind: depth.kind.as_str(), state: depth.state.as_str() };
        ConstGauge::new(depth.jobs).encode(jobs.encode_family(&labels)?)?;
    }
    let help = "Age of the job that could have been claimed for longest; absent when none could";
    let mut oldest = encoder.encode_descriptor("oldest_ready_age_seconds", help, None, MetricType::Gauge)?;
    for ready in &sample.oldest_ready {
        let labels = Kind { kind: ready.kind.as_str() };
        ConstGauge::new(ready.age_secs).encode(oldest.encode_family(&labels)?)?;
    }
    let help = "Open sessions, by how their lease stands";
    let mut sessions = encoder.encode_descriptor("sessions", help, None, MetricType::Gauge)?;
    for standing in &sample.sessions {
        let labels = DeviceStanding { device: standing.device.as_str(), standing: standing.standing.as_str() };
        ConstGauge::new(standing.sessions).encode(sessions.encode_family(&labels)?)?;
    }
    Ok(())
}
