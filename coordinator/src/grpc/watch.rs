//! Watching a sweep: a snapshot at once, another after each change, the last one when every job has ended.

use std::time::Duration;

use domain::{SweepId, job::StateName};
use futures::{Stream, stream};
use proto::v1;
use store::{HistoryMark, Store, StoreError};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{rows, status};
use crate::Wakeups;

/// Longest time between two looks: progress sends no hint.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Shortest time between two looks: a person reads no faster.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// Most rows of running and of ended jobs in a snapshot.
const MAX_ROWS: u32 = 1000;
/// Most rows of the table in a snapshot: some megabytes, of the 64 MiB that the command line takes.
const MAX_TABLE_ROWS: u32 = 10_000;
/// Jobs that ended without a result.
const ENDED: [StateName; 4] = [StateName::Failed, StateName::Cancelled, StateName::Quarantined, StateName::Stopped];

/// One client's watch of one sweep.
pub(super) struct Watch {
    store: Store,
    changes: watch::Receiver<()>,
    shutdown: CancellationToken,
    sweep: SweepId,
    scores: Vec<String>,
    seen: HistoryMark,
    sent: Option<v1::WatchResponse>,
    looked: Option<Instant>,
}

impl Watch {
    /// The table of a snapshot has rows of these `scores`, or of all when there are none.
    pub(super) fn new(
        store: Store,
        wakeups: &Wakeups,
        shutdown: CancellationToken,
        sweep: SweepId,
        scores: Vec<String>,
    ) -> Self {
        Self {
            store,
            changes: wakeups.subscribe(),
            shutdown,
            sweep,
            scores,
            seen: HistoryMark::default(),
            sent: None,
            looked: None,
        }
    }

    /// The snapshots. Ends after one that says that every job has ended, and at a shutdown.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<v1::WatchResponse, Status>> {
        stream::unfold(Some(self), |watch| async {
            let mut watch = watch?;
            if watch.sent.as_ref().is_some_and(|sent| sent.finished) {
                return None;
            }
            match watch.next().await {
                Ok(Some(snapshot)) => Some((Ok(snapshot), Some(watch))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// The next snapshot that differs from the last; `None` at a shutdown.
    async fn next(&mut self) -> Result<Option<v1::WatchResponse>, Status> {
        loop {
            if !self.pause().await {
                return Ok(None);
            }
            let snapshot = self.look().await.map_err(|error| status::of_store(&error))?;
            let snapshot = snapshot.ok_or_else(|| Status::not_found(format!("sweep {} is gone", self.sweep)))?;
            if self.sent.as_ref() != Some(&snapshot) {
                self.sent = Some(snapshot.clone());
                return Ok(Some(snapshot));
            }
        }
    }

    /// Waits for a change or for the longest pause, but never less than the shortest; `false` at a shutdown.
    async fn pause(&mut self) -> bool {
        let Some(looked) = self.looked else { return !self.shutdown.is_cancelled() };
        let changed = async {
            let _ = self.changes.changed().await;
            sleep_until(looked + SHORTEST_PAUSE).await;
        };
        tokio::select! {
            () = self.shutdown.cancelled() => false,
            () = changed => true,
            () = sleep_until(looked + LONGEST_PAUSE) => true,
        }
    }

    /// Tables change with the sweep's events only; what runs is read every time.
    async fn look(&mut self) -> Result<Option<v1::WatchResponse>, StoreError> {
        self.looked = Some(Instant::now());
        // Read first: what happens in between is seen by the next look.
        let mut mark = self.seen.clone();
        let has_grown = self.store.has_history_grown(self.sweep, &mut mark).await?;
        let running = self.store.jobs(self.sweep, &[StateName::Running], MAX_ROWS).await?;
        let running = running.into_iter().map(rows::running).collect();
        if let Some(sent) = self.sent.as_ref().filter(|_| !has_grown) {
            self.seen = mark;
            return Ok(Some(v1::WatchResponse { running, ..sent.clone() }));
        }
        let Some(summary) = self.store.sweep_summary(self.sweep).await? else { return Ok(None) };
        let auroc = self.store.auroc_table(self.sweep, &self.scores, MAX_TABLE_ROWS).await?;
        let ended = self.store.jobs(self.sweep, &ENDED, MAX_ROWS).await?;
        self.seen = mark;
        let finished = summary.is_finished();
        Ok(Some(v1::WatchResponse {
            sweep: Some(rows::summary(&summary)),
            // Nothing runs in a finished sweep, whatever the rows read earlier say.
            running: if finished { Vec::new() } else { running },
            auroc_rows: auroc.first().map_or(0, |row| rows::large_count(row.rows)),
            auroc: auroc.into_iter().map(rows::auroc).collect(),
            ended: ended.into_iter().map(rows::ended).collect(),
            finished,
        }))
    }
}
