//! How far a pass over images is: counted, reported at a bounded rate, and stopped when the observer wants it.

use std::time::{Duration, Instant};

use crate::observer::{Directive, Observer, Progress};

/// Time between two progress reports.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Counts images and reports at a bounded rate.
pub(crate) struct Pace<'a> {
    observer: &'a mut dyn Observer,
    done: u64,
    /// Images in all; none where they are not what the run's progress counts.
    total: Option<u64>,
    /// Images done at the last report.
    reported: u64,
    since: Instant,
}

impl<'a> Pace<'a> {
    /// At the beginning of `total` images.
    pub(crate) fn new(observer: &'a mut dyn Observer, total: u64) -> Self {
        Self { observer, done: 0, total: Some(total), reported: 0, since: Instant::now() }
    }

    /// At the beginning of images that follow a training, whose progress counts steps: all of them are done, and the last report of
    /// them, with the loss, stays as it is.
    pub(crate) fn after_training(observer: &'a mut dyn Observer) -> Self {
        Self { observer, done: 0, total: None, reported: 0, since: Instant::now() }
    }

    /// Whether the run shall go on.
    pub(crate) fn goes_on(&mut self) -> bool {
        match self.observer.directive() {
            Directive::Continue | Directive::Checkpoint => true,
            Directive::StopAfterCheckpoint | Directive::StopNow => false,
        }
    }

    /// Counts images that are done.
    pub(crate) fn count(&mut self, images: u64) {
        self.done += images;
        let Some(total) = self.total else { return };
        let elapsed = self.since.elapsed();
        if elapsed < PROGRESS_EVERY && self.done < total {
            return;
        }
        let rate = (self.done - self.reported) as f64 / elapsed.as_secs_f64();
        let done = self.done;
        self.observer.progress(Progress { done, total, images_per_second: rate, loss_nats: None, bits_per_dim: None });
        self.reported = self.done;
        self.since = Instant::now();
    }
}
