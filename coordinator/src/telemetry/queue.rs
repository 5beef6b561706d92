//! What the queue did: claims, attempts, results, leases, sessions.

use std::time::Instant;

use domain::job::{JobKind, OutcomeKind, StateName};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use store::Applied;

/// Jobs in one claim or completion, sessions in one renewal.
const BATCH_BUCKETS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];
/// Seconds that a claim waited: from a job that was ready to a long poll's end.
const WAIT_BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 30.0];

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindOutcome {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindState {
    kind: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Acceptance {
    acceptance: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    call: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// A call by which a worker reports on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportCall {
    /// Progress in a heartbeat.
    Heartbeat,
    /// Points, a checkpoint, log lines.
    Report,
    /// A result.
    Complete,
    /// A failure.
    Fail,
    /// A job given back.
    Release,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// Its worker closed it.
    Closed,
    /// Its lease ran out.
    Lost,
}

impl ReportCall {
    const ALL: [Self; 5] = [Self::Heartbeat, Self::Report, Self::Complete, Self::Fail, Self::Release];

    /// The name in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heartbeat => "heartbeat",
            Self::Report => "report",
            Self::Complete => "complete",
            Self::Fail => "fail",
            Self::Release => "release",
        }
    }
}

impl SessionEnd {
    const ALL: [Self; 2] = [Self::Closed, Self::Lost];

    fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Lost => "lost",
        }
    }
}

/// One for each kind of job, in the order of [`JobKind::ALL`].
type ByKind<T> = [T; JobKind::ALL.len()];

/// Counters of the queue. Every series is found when this is made, so that counting is an addition and nothing else, and is there from
/// the start, so that a rate over its first increment is right.
#[derive(Debug)]
pub struct Queue {
    claims: ByKind<Counter>,
    claims_empty: Counter,
    claims_waiting: Gauge,
    claim_batch: Histogram,
    claim_wait: Histogram,
    completion_batch: Histogram,
    attempts_ended: ByKind<[Counter; OutcomeKind::ALL.len()]>,
    jobs_ended: ByKind<[Option<Counter>; StateName::ALL.len()]>,
    accepted: Counter,
    duplicates: Counter,
    stale: [Counter; ReportCall::ALL.len()],
    sessions_opened: Counter,
    sessions_ended: [Counter; SessionEnd::ALL.len()],
    renewals: Counter,
    renewal_batch: Histogram,
    late: Counter,
}

/// A claim that waits; dropped, it waits no more.
#[derive(Debug)]
pub struct WaitingClaim<'a> {
    queue: &'a Queue,
    since: Instant,
    served: bool,
}

impl Queue {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let claims = Family::<Kind, Counter>::default();
        let (attempts, jobs) = (Family::<KindOutcome, Counter>::default(), Family::<KindState, Counter>::default());
        let results = Family::<Acceptance, Counter>::default();
        let stale = Family::<Call, Counter>::default();
        let sessions = Family::<Reason, Counter>::default();
        let acceptance = |acceptance| results.get_or_create_owned(&Acceptance { acceptance });
        let queue = Self {
            claims: JobKind::ALL.map(|kind| claims.get_or_create_owned(&Kind { kind: kind.as_str() })),
            claims_empty: Counter::default(),
            claims_waiting: Gauge::default(),
            claim_batch: Histogram::new(BATCH_BUCKETS),
            claim_wait: Histogram::new(WAIT_BUCKETS),
            completion_batch: Histogram::new(BATCH_BUCKETS),
            attempts_ended: JobKind::ALL.map(JobKind::as_str).map(|kind| {
                OutcomeKind::ALL
                    .map(|outcome| attempts.get_or_create_owned(&KindOutcome { kind, outcome: outcome.as_str() }))
            }),
            jobs_ended: JobKind::ALL.map(JobKind::as_str).map(|kind| {
                StateName::ALL.map(|state| {
                    let labels = KindState { kind, state: state.as_str() };
                    state.is_final().then(|| jobs.get_or_create_owned(&labels))
                })
            }),
            accepted: acceptance("accepted"),
            duplicates: acceptance("duplicate"),
            stale: ReportCall::ALL.map(|call| stale.get_or_create_owned(&Call { call: call.as_str() })),
            sessions_opened: Counter::default(),
            sessions_ended: SessionEnd::ALL.map(|end| sessions.get_or_create_owned(&Reason { reason: end.as_str() })),
            renewals: Counter::default(),
            renewal_batch: Histogram::new(BATCH_BUCKETS),
            late: Counter::default(),
        };
        registry.register("claims", "Jobs handed out to workers", claims);
        registry.register("attempts_ended", "Attempts that ended, by outcome", attempts);
        registry.register("jobs_ended", "Jobs that reached a final state", jobs);
        registry.register("results", "Results that workers sent for attempts of their own", results);
        let help = "Reports refused because the attempt is no longer their sender's";
        registry.register("stale_reports", help, stale);
        registry.register("sessions_ended", "Sessions closed by their worker or lost", sessions);
        queue.register_unlabelled(registry);
        queue
    }

    /// A claim begins to wait.
    pub fn claim_waits(&self) -> WaitingClaim<'_> {
        self.claims_waiting.inc();
        WaitingClaim { queue: self, since: Instant::now(), served: false }
    }

    /// One round claimed jobs of these kinds.
    pub fn claimed(&self, kinds: impl ExactSizeIterator<Item = JobKind>) {
        if kinds.len() == 0 {
            return;
        }
        self.claim_batch.observe(kinds.len() as f64);
        kinds.for_each(|kind| {
            self.claims[kind as usize].inc();
        });
    }

    /// One transaction saved this many completions.
    pub fn completed(&self, attempts: usize) {
        self.completion_batch.observe(attempts as f64);
    }

    /// A transaction was committed.
    pub fn applied(&self, applied: &Applied) {
        for change in &applied.changes {
            let kind = change.kind as usize;
            if let Some(outcome) = change.outcome {
                self.attempts_ended[kind][outcome as usize].inc();
            }
            if let Some(ended) = &self.jobs_ended[kind][change.state as usize] {
                ended.inc();
            }
        }
    }

    /// A result was taken.
    pub fn result_accepted(&self) {
        self.accepted.inc();
    }

    /// A result came again.
    pub fn result_repeated(&self) {
        self.duplicates.inc();
    }

    /// Reports about attempts that are not their sender's were refused.
    pub fn stale(&self, call: ReportCall, reports: usize) {
        self.stale[call as usize].inc_by(reports as u64);
    }

    /// A session was opened.
    pub fn session_opened(&self) {
        self.sessions_opened.inc();
    }

    /// A session ended.
    pub fn session_ended(&self, end: SessionEnd) {
        self.sessions_ended[end as usize].inc();
    }

    /// One statement renewed leases; some of the beats were late.
    pub fn renewed(&self, sessions: usize, late: usize) {
        self.renewal_batch.observe(sessions as f64);
        self.renewals.inc_by(sessions as u64);
        self.late.inc_by(late as u64);
    }

    fn register_unlabelled(&self, registry: &mut Registry) {
        registry.register("claims_empty", "Claims that ended without a job", self.claims_empty.clone());
        registry.register("claims_waiting", "Claims that wait for a job here", self.claims_waiting.clone());
        registry.register("claim_batch_jobs", "Jobs handed out in one round of the desk", self.claim_batch.clone());
        let help = "Time from a claim's arrival to its jobs; claims without one are not in it";
        registry.register("claim_wait_seconds", help, self.claim_wait.clone());
        let help = "Completions saved by one transaction";
        registry.register("completion_batch_attempts", help, self.completion_batch.clone());
        registry.register("sessions_opened", "Sessions opened", self.sessions_opened.clone());
        registry.register("lease_renewals", "Leases renewed by heartbeats", self.renewals.clone());
        registry.register("renewal_batch_sessions", "Leases renewed by one statement", self.renewal_batch.clone());
        let help = "Heartbeats that came in the second half of their lease";
        registry.register("heartbeats_late", help, self.late.clone());
    }
}

impl WaitingClaim<'_> {
    /// The claim got a job.
    pub fn served(mut self) {
        self.served = true;
        self.queue.claim_wait.observe(self.since.elapsed().as_secs_f64());
    }
}

impl Drop for WaitingClaim<'_> {
    fn drop(&mut self) {
        self.queue.claims_waiting.dec();
        if !self.served {
            self.queue.claims_empty.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_stands_at_the_place_of_its_label() {
        assert!(JobKind::ALL.into_iter().enumerate().all(|(at, kind)| kind as usize == at));
        assert!(OutcomeKind::ALL.into_iter().enumerate().all(|(at, outcome)| outcome as usize == at));
        assert!(StateName::ALL.into_iter().enumerate().all(|(at, state)| state as usize == at));
        assert!(ReportCall::ALL.into_iter().enumerate().all(|(at, call)| call as usize == at));
        assert!(SessionEnd::ALL.into_iter().enumerate().all(|(at, end)| end as usize == at));
    }
}
