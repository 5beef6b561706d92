//! The coordinator as calls on the rules' types: several addresses, bounded waits, and errors by what to do about them.

mod refusal;

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    Digest, SessionId,
    fleet::Offer,
    lease::{Directive, LeaseTerms},
    report::{Assignment, Attempt, CheckpointRef, Completion, CurvePoint, Failure, Progress, ValidationPoint},
    spec::Violations,
};
use proto::{
    convert::{FromWire, ToWire},
    v1::{self, artifact_service_client::ArtifactServiceClient, worker_service_client::WorkerServiceClient},
};
use tokio::time::timeout;
use tokio_stream::Stream;
use tonic::{
    Response, Status, Streaming,
    transport::{Channel, Endpoint},
};

use refusal::judge;

pub use refusal::UplinkError;

use crate::{log::HeardLine, retry::FIRST_PAUSE};

/// Longest wait for a connection: a machine that is gone refuses nothing.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Longest wait for the answer to a short call.
const CALL_LIMIT: Duration = Duration::from_secs(15);
/// Longest time without a sign of life on a connection: half of it between two pings, the other half for the answer.
/// A coordinator whose machine is gone, or that stands still, is left after it, however long its calls may take.
const SILENCE_LIMIT: Duration = Duration::from_secs(4);
/// With the pause before the next one is asked, the stall stays below five seconds.
const _: () = assert!(SILENCE_LIMIT.as_millis() + 2 * FIRST_PAUSE.as_millis() < 5000);
/// How long a claim may wait for a job, at the coordinator.
const CLAIM_WAIT: Duration = Duration::from_secs(30);
/// Longest wait for the next piece of a download.
const PIECE_LIMIT: Duration = Duration::from_secs(30);
/// Slowest upload that is waited for, in bytes per second.
const SLOWEST_UPLOAD: u64 = 64 * 1024;

/// What a claim brought.
#[derive(Debug)]
pub enum Claim {
    /// No job came within the wait.
    Nothing,
    /// A job.
    Job(Box<Assignment>),
    /// A job that this version cannot read.
    Unreadable(Attempt, Violations),
}

/// The way to the coordinators: the first of several that answers. Cheap to clone; clones share their choice.
#[derive(Debug, Clone)]
pub struct Uplink {
    channels: Arc<[(String, Channel)]>,
    /// Index of the coordinator that answered last.
    chosen: Arc<AtomicUsize>,
    /// Artifacts whose stored bytes were found damaged: that the store has them is no reason not to send them.
    damaged: Arc<Mutex<BTreeSet<Digest>>>,
}

/// An artifact's bytes on their way from one coordinator.
#[derive(Debug)]
pub struct Pieces<'a> {
    uplink: &'a Uplink,
    /// Index of that coordinator: by the end of the stream another one may be chosen.
    asked: usize,
    stream: Streaming<v1::GetResponse>,
}

impl Uplink {
    /// Prepares connections, which are opened by the first call on each. Needs a runtime, to which they then belong.
    ///
    /// # Panics
    /// There is no endpoint, which the configuration does not let through.
    #[must_use]
    pub fn new(endpoints: &[Endpoint]) -> Self {
        assert!(!endpoints.is_empty(), "a worker has at least one coordinator");
        let channel = |endpoint: &Endpoint| {
            let endpoint = endpoint
                .clone()
                .connect_timeout(CONNECT_LIMIT)
                .http2_keep_alive_interval(SILENCE_LIMIT / 2)
                .keep_alive_timeout(SILENCE_LIMIT / 2)
                .keep_alive_while_idle(true);
            (endpoint.uri().to_string(), endpoint.connect_lazy())
        };
        Self { channels: endpoints.iter().map(channel).collect(), chosen: Arc::default(), damaged: Arc::default() }
    }

    /// Opens a session under an id of the worker's own; sent again, it opens one session.
    pub async fn open_session(&self, id: SessionId, name: &str, offer: &Offer) -> Result<LeaseTerms, UplinkError> {
        let request = v1::OpenSessionRequest {
            session_id: id.to_wire(),
            worker_name: name.to_owned(),
            offer: Some(offer.to_wire()),
            worker_version: crate::config::VERSION.to_owned(),
        };
        let answer = self.ask(CALL_LIMIT, |mut worker| async move { worker.open_session(request).await }).await?;
        let lease = answer.lease.ok_or_else(|| Violations::one("lease", "missing"))?;
        Ok(LeaseTerms::from_wire(lease, "lease")?)
    }

    /// Waits for a job.
    pub async fn claim(&self, id: SessionId, offer: &Offer) -> Result<Claim, UplinkError> {
        let request = v1::ClaimRequest {
            session_id: id.to_wire(),
            offer: Some(offer.to_wire()),
            wait_millis: CLAIM_WAIT.as_millis() as u64,
            max_jobs: 1,
        };
        let limit = CLAIM_WAIT + CALL_LIMIT;
        let answer = self.ask(limit, |mut worker| async move { worker.claim(request).await }).await?;
        let Some(wire) = answer.assignments.into_iter().next() else { return Ok(Claim::Nothing) };
        let attempt = wire.attempt;
        match Assignment::from_wire(wire, "assignment") {
            Ok(assignment) => Ok(Claim::Job(Box::new(assignment))),
            Err(violations) => match attempt.map(|attempt| Attempt::from_wire(attempt, "assignment.attempt")) {
                Some(Ok(attempt)) => Ok(Claim::Unreadable(attempt, violations)),
                Some(Err(_)) | None => Err(violations.into()),
            },
        }
    }

    /// Renews the lease and brings back directives; waits no longer than `limit`.
    pub async fn heartbeat(
        &self,
        id: SessionId,
        progress: &[Progress],
        limit: Duration,
    ) -> Result<Vec<Directive>, UplinkError> {
        let request = v1::HeartbeatRequest { session_id: id.to_wire(), progress: progress.to_wire() };
        let answer = self.ask(limit, |mut worker| async move { worker.heartbeat(request).await }).await?;
        let parse = |(index, wire)| Directive::from_wire(wire, &format!("directives[{index}]"));
        Ok(answer.directives.into_iter().enumerate().map(parse).collect::<Result<_, _>>()?)
    }

    /// Adds points to the curves, lines to the attempt's log, and a checkpoint that is already in the artifact store.
    pub async fn report(
        &self,
        attempt: Attempt,
        curve: &[CurvePoint],
        validation: &[ValidationPoint],
        checkpoint: Option<CheckpointRef>,
        lines: &[HeardLine],
    ) -> Result<(), UplinkError> {
        let request = v1::ReportRequest {
            attempt: Some(attempt.to_wire()),
            curve: curve.to_wire(),
            checkpoint: checkpoint.map(|checkpoint| checkpoint.to_wire()),
            validation: validation.to_wire(),
            log: lines.iter().map(|line| line.reported().to_wire()).collect(),
        };
        self.ask(CALL_LIMIT, |mut worker| async move { worker.report(request).await }).await.map(drop)
    }

    /// Delivers the result of an attempt.
    pub async fn complete(&self, attempt: Attempt, completion: &Completion) -> Result<(), UplinkError> {
        let request = v1::CompleteRequest { attempt: Some(attempt.to_wire()), result: completion.to_wire() };
        self.ask(CALL_LIMIT, |mut worker| async move { worker.complete(request).await }).await.map(drop)
    }

    /// Says that an attempt failed.
    pub async fn fail(&self, attempt: Attempt, failure: &Failure) -> Result<(), UplinkError> {
        let (kind, message) = failure.to_wire();
        let request = v1::FailRequest { attempt: Some(attempt.to_wire()), kind, message };
        self.ask(CALL_LIMIT, |mut worker| async move { worker.fail(request).await }).await.map(drop)
    }

    /// Gives a job back unfinished.
    pub async fn release(&self, attempt: Attempt) -> Result<(), UplinkError> {
        let request = v1::ReleaseRequest { attempt: Some(attempt.to_wire()) };
        self.ask(CALL_LIMIT, |mut worker| async move { worker.release(request).await }).await.map(drop)
    }

    /// Ends a session; jobs that it still holds are released.
    pub async fn close_session(&self, id: SessionId) -> Result<(), UplinkError> {
        let request = v1::CloseSessionRequest { session_id: id.to_wire() };
        self.ask(CALL_LIMIT, |mut worker| async move { worker.close_session(request).await }).await.map(drop)
    }

    /// Notes that the stored bytes of an artifact are not what they should be.
    pub fn distrust(&self, digest: Digest) {
        self.damaged().insert(digest);
    }

    /// Whether the artifact store has an artifact, as far as is known undamaged.
    pub async fn has(&self, digest: Digest) -> Result<bool, UplinkError> {
        if self.damaged().contains(&digest) {
            return Ok(false);
        }
        let request = v1::StatRequest { digest: digest.to_wire() };
        let answer =
            self.call(CALL_LIMIT, |channel| async move { ArtifactServiceClient::new(channel).stat(request).await });
        Ok(answer.await?.exists)
    }

    /// Stores an artifact of `size` bytes, a damaged one anew.
    pub async fn put<S>(&self, digest: Digest, parts: S, size: u64) -> Result<(), UplinkError>
    where
        S: Stream<Item = v1::PutRequest> + Send + 'static,
    {
        let limit = CALL_LIMIT + Duration::from_secs(size / SLOWEST_UPLOAD);
        let answer = self.call(limit, |channel| async move { ArtifactServiceClient::new(channel).put(parts).await });
        answer.await?;
        self.damaged().remove(&digest);
        Ok(())
    }

    /// Opens the stream of an artifact's bytes.
    pub async fn get(&self, digest: Digest) -> Result<Pieces<'_>, UplinkError> {
        let request = v1::GetRequest { digest: digest.to_wire() };
        let asked = self.chosen.load(Ordering::Relaxed);
        let call = |channel| async move { ArtifactServiceClient::new(channel).get(request).await };
        let stream = self.call_at(asked, PIECE_LIMIT, call).await?;
        Ok(Pieces { uplink: self, asked, stream })
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.damaged.lock().expect("no holder of this lock panics")
    }

    async fn ask<T, F>(
        &self,
        limit: Duration,
        call: impl FnOnce(WorkerServiceClient<Channel>) -> F,
    ) -> Result<T, UplinkError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call(limit, |channel| call(WorkerServiceClient::new(channel))).await
    }

    /// Calls the chosen coordinator; the next call after an outage goes to the next one.
    async fn call<T, F>(&self, limit: Duration, call: impl FnOnce(Channel) -> F) -> Result<T, UplinkError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_at(self.chosen.load(Ordering::Relaxed), limit, call).await
    }

    async fn call_at<T, F>(
        &self,
        asked: usize,
        limit: Duration,
        call: impl FnOnce(Channel) -> F,
    ) -> Result<T, UplinkError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let answer = timeout(limit, call(self.channels[asked].1.clone())).await.unwrap_or_else(|_| {
            Err(Status::deadline_exceeded(format!("nothing came within {} s", limit.as_secs_f32())))
        });
        answer.map(Response::into_inner).map_err(|status| self.refusal(asked, &status))
    }

    /// What a refusal by the coordinator that was asked means; an outage moves the choice on.
    fn refusal(&self, asked: usize, status: &Status) -> UplinkError {
        let refusal = judge(&self.channels[asked].0, status);
        if matches!(refusal, UplinkError::Outage { .. } | UplinkError::NoRoom { .. }) {
            // Another call may have moved on already; only one of them does.
            let next = (asked + 1) % self.channels.len();
            let _moved = self.chosen.compare_exchange(asked, next, Ordering::Relaxed, Ordering::Relaxed);
        }
        refusal
    }
}

impl Pieces<'_> {
    /// Waits for the next piece; none at the end. The download after an outage goes to the next coordinator.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, UplinkError> {
        let silence = |_| Err(Status::deadline_exceeded("the download stalled"));
        let piece = timeout(PIECE_LIMIT, self.stream.message()).await.unwrap_or_else(silence);
        Ok(piece.map_err(|status| self.uplink.refusal(self.asked, &status))?.map(|piece| piece.chunk))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn outage_moves_on_to_the_next_coordinator_once() {
        let endpoints = ["http://one", "http://two"].map(Endpoint::from_static);
        let uplink = Uplink::new(&endpoints);
        let chosen = || uplink.chosen.load(Ordering::Relaxed);

        let refusal = uplink.refusal(0, &Status::not_found("no such artifact"));
        assert!(matches!(refusal, UplinkError::Unknown(_)), "{refusal}");
        assert_eq!(chosen(), 0);
        // A call and a download that break together are one outage.
        for _ in 0..2 {
            let refusal = uplink.refusal(0, &Status::unavailable("gone"));
            assert!(matches!(&refusal, UplinkError::Outage { coordinator, .. } if coordinator.contains("one")));
            assert_eq!(chosen(), 1);
        }
        let refusal = uplink.refusal(1, &Status::unavailable("gone"));
        assert!(matches!(&refusal, UplinkError::Outage { coordinator, .. } if coordinator.contains("two")));
        assert_eq!(chosen(), 0);
    }
}
