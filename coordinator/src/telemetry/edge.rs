//! What came in and went out: submits and artifacts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

/// Why a submit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitRefusal {
    /// The document breaks rules.
    Invalid,
    /// The name or the key belongs to another document.
    Taken,
    /// Too many submits at once.
    Busy,
    /// The user has too many open jobs.
    Quota,
    /// The database failed, or this coordinator ends.
    Unavailable,
}

/// Why an artifact was not stored or not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactRefusal {
    /// The store is full.
    Full,
    /// The store fails otherwise.
    Unavailable,
    /// The bytes sent are not those announced, or too many.
    Mismatch,
    /// The stored bytes are damaged.
    Corrupt,
    /// There is none.
    Missing,
}

impl SubmitRefusal {
    const ALL: [Self; 5] = [Self::Invalid, Self::Taken, Self::Busy, Self::Quota, Self::Unavailable];

    fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Taken => "taken",
            Self::Busy => "busy",
            Self::Quota => "quota",
            Self::Unavailable => "unavailable",
        }
    }
}

impl ArtifactRefusal {
    const ALL: [Self; 5] = [Self::Full, Self::Unavailable, Self::Mismatch, Self::Corrupt, Self::Missing];

    fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Unavailable => "unavailable",
            Self::Mismatch => "mismatch",
            Self::Corrupt => "corrupt",
            Self::Missing => "missing",
        }
    }
}

/// Counters of what clients and workers send and fetch.
#[derive(Debug, Default)]
pub struct Edge {
    submits: Counter,
    submits_repeated: Counter,
    submitted_jobs: Counter,
    submits_refused: Family<Reason, Counter>,
    submits_waiting: Gauge,
    bytes_in: Counter,
    bytes_out: Counter,
    artifacts_refused: Family<Reason, Counter>,
}

/// A submit that waits for its turn; dropped, it waits no more.
#[derive(Debug)]
pub struct WaitingSubmit<'a>(&'a Gauge);

impl Edge {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let bytes = Family::<Direction, Counter>::default();
        let edge = Self {
            bytes_in: bytes.get_or_create_owned(&Direction { direction: "in" }),
            bytes_out: bytes.get_or_create_owned(&Direction { direction: "out" }),
            ..Self::default()
        };
        for reason in SubmitRefusal::ALL.map(SubmitRefusal::as_str) {
            drop(edge.submits_refused.get_or_create(&Reason { reason }));
        }
        for reason in ArtifactRefusal::ALL.map(ArtifactRefusal::as_str) {
            drop(edge.artifacts_refused.get_or_create(&Reason { reason }));
        }
        registry.register("submits", "Sweeps stored", edge.submits.clone());
        registry.register(
            "submits_repeated",
            "Submits of a sweep that was stored before",
            edge.submits_repeated.clone(),
        );
        registry.register("submitted_jobs", "Jobs of the sweeps stored", edge.submitted_jobs.clone());
        registry.register("submits_refused", "Submits that were refused", edge.submits_refused.clone());
        registry.register("submits_waiting", "Submits that wait for their turn here", edge.submits_waiting.clone());
        registry.register("artifact_bytes", "Bytes of artifacts received and sent", bytes);
        registry.register(
            "artifacts_refused",
            "Artifacts that were not stored or not read",
            edge.artifacts_refused.clone(),
        );
        edge
    }

    /// A sweep was stored.
    pub fn submitted(&self, jobs: usize) {
        self.submits.inc();
        self.submitted_jobs.inc_by(jobs as u64);
    }

    /// A sweep had been stored before.
    pub fn submit_repeated(&self) {
        self.submits_repeated.inc();
    }

    /// A submit was refused.
    pub fn submit_refused(&self, refusal: SubmitRefusal) {
        self.submits_refused.get_or_create(&Reason { reason: refusal.as_str() }).inc();
    }

    /// A submit begins to wait for its turn.
    pub fn submit_waits(&self) -> WaitingSubmit<'_> {
        self.submits_waiting.inc();
        WaitingSubmit(&self.submits_waiting)
    }

    /// Bytes of an artifact came.
    pub fn artifact_received(&self, bytes: usize) {
        self.bytes_in.inc_by(bytes as u64);
    }

    /// Bytes of an artifact went out.
    pub fn artifact_sent(&self, bytes: usize) {
        self.bytes_out.inc_by(bytes as u64);
    }

    /// An artifact was not stored or not read.
    pub fn artifact_refused(&self, refusal: ArtifactRefusal) {
        self.artifacts_refused.get_or_create(&Reason { reason: refusal.as_str() }).inc();
    }
}

impl Drop for WaitingSubmit<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
