//! The log of a job as a stream: what there is, and with `follow` what comes until the job has ended.

use std::time::Duration;

use domain::{Epoch, JobId, spec::Violations};
use futures::{Stream, stream};
use proto::{
    convert::{Fields, ToWire},
    v1,
};
use store::{LogPosition, LogScope, LogStanding, Store, StoreError, StoredLine};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::status;

/// Most lines in one message.
const LINES: u32 = 1000;
/// Time between two looks: lines send no hint, and workers send theirs once a second.
const PAUSE: Duration = Duration::from_millis(500);

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogRequest {
    job: JobId,
    epoch: Option<Epoch>,
    tail: u32,
    follows: bool,
    after: Option<LogPosition>,
}

/// One client's reading of one job's log.
pub(super) struct LogReader {
    store: Store,
    shutdown: CancellationToken,
    job: JobId,
    scope: LogScope,
    follows: bool,
    position: LogPosition,
    is_at_end: bool,
}

impl LogRequest {
    pub(super) fn parse(request: v1::JobLogRequest) -> Result<Self, Violations> {
        let v1::JobLogRequest { job_id, epoch, tail, follow, after } = request;
        let mut fields = Fields::at("");
        let job = fields.plain("job_id", job_id);
        let epoch = fields.optional("epoch", epoch);
        let after = match after {
            None => Some(None),
            Some(v1::LogPosition { epoch, line }) => {
                let epoch = fields.within("after.epoch", epoch, &(0..=i32::MAX));
                let line = fields.within("after.line", line, &(0..=i32::MAX));
                epoch.zip(line).map(|(epoch, line)| Some(LogPosition { epoch, line }))
            }
        };
        fields.finish(|| Some(Self { job: job?, epoch: epoch?, tail, follows: follow, after: after? }))
    }
}

impl LogReader {
    /// Finds the job and the place to begin at.
    pub(super) async fn open(store: Store, shutdown: CancellationToken, request: LogRequest) -> Result<Self, Status> {
        let LogRequest { job, epoch, tail, follows, after } = request;
        let failed = |error: StoreError| status::of_store(&error);
        let standing = store.log_standing(job).await.map_err(failed)?.ok_or_else(|| status::no_such_job(job))?;
        let scope = match (epoch, standing.newest) {
            (Some(epoch), Some(newest)) if epoch <= newest => LogScope::Attempt(epoch),
            (Some(epoch), newest) => return Err(no_such_attempt(job, epoch, newest)),
            // Whoever reads on after a break reads on from there, whatever attempt is the newest by now.
            (None, _) if after.is_some() => LogScope::From(after.map_or(Epoch(0), |after| Epoch(after.epoch))),
            (None, newest) => LogScope::From(newest.unwrap_or(Epoch(0))),
        };
        let position = match after {
            Some(after) => after,
            None if tail > 0 => store.log_tail(job, scope, tail).await.map_err(failed)?,
            None => LogPosition::default(),
        };
        Ok(Self { store, shutdown, job, scope, follows, position, is_at_end: false })
    }

    /// The messages.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<v1::JobLogResponse, Status>> {
        stream::unfold(Some(self), |reader| async {
            let mut reader = reader?;
            match reader.next().await {
                Ok(Some(lines)) => Some((Ok(lines), Some(reader))),
                Ok(None) => None,
                Err(refusal) => Some((Err(refusal), None)),
            }
        })
    }

    /// The next lines; `None` at the end. A shutdown is an error, so that the client reads on elsewhere.
    async fn next(&mut self) -> Result<Option<v1::JobLogResponse>, Status> {
        loop {
            if self.is_at_end {
                return Ok(None);
            }
            // Asked first: what is written before a job ends is read after this look.
            let goes_on = self.follows && self.goes_on().await.map_err(|error| status::of_store(&error))?;
            let lines = self.store.log_lines(self.job, self.scope, self.position, LINES).await;
            let lines = lines.map_err(|error| status::of_store(&error))?;
            if let Some(last) = lines.last() {
                self.position = last.position();
                return Ok(Some(v1::JobLogResponse { lines: lines.into_iter().map(message).collect() }));
            }
            if !goes_on {
                self.is_at_end = true;
                continue;
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return Err(Status::unavailable("this coordinator is shutting down")),
                () = sleep(PAUSE) => {}
            }
        }
    }

    /// Whether more lines may come.
    async fn goes_on(&self) -> Result<bool, StoreError> {
        let Some(LogStanding { state, epoch, .. }) = self.store.log_standing(self.job).await? else { return Ok(false) };
        Ok(match self.scope {
            LogScope::Attempt(followed) => epoch == followed && !state.is_final(),
            LogScope::From(_) => !state.is_final(),
        })
    }
}

fn no_such_attempt(job: JobId, epoch: Epoch, newest: Option<Epoch>) -> Status {
    let there = match newest {
        None => "it has not been tried yet".to_owned(),
        Some(newest) => format!("the newest one is {newest}"),
    };
    Status::not_found(format!("job {job} has no attempt {epoch}: {there}; `spillway why {job}` lists them"))
}

fn message(line: StoredLine) -> v1::JobLogLine {
    v1::JobLogLine {
        epoch: line.epoch,
        line: line.line.max(0).unsigned_abs(),
        at: Some(line.time().to_wire()),
        text: line.text,
    }
}
