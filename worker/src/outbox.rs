//! What a child has said and the coordinator has not heard yet. Filling it never waits, so that an unreachable
//! coordinator does not stop training.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use domain::report::{CurvePoint, ValidationPoint};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    child::TrainedFlow,
    log::{HeardLine, Log},
};

/// Points that are sent in one report.
pub const POINTS_PER_REPORT: usize = 256;
/// Lines of the log that are sent in one report.
pub const LINES_PER_REPORT: usize = 256;
/// How long a point waits for others to be sent with it.
const LINGER: Duration = Duration::from_secs(1);

/// Points of the curves, lines of the log and the newest checkpoint, until they are taken.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// As many as a curve has: some hundreds.
    points: VecDeque<CurvePoint>,
    log: Log,
    oldest: Option<Instant>,
    /// At most as many as the document's validation asks for.
    validation: VecDeque<ValidationPoint>,
    checkpoint: Option<TrainedFlow>,
    closed: bool,
}

/// What one report says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parcel {
    /// Points of the curve, oldest first.
    pub points: Vec<CurvePoint>,
    /// Points of the validation curve, oldest first.
    pub validation: Vec<ValidationPoint>,
    /// Lines of the log, oldest first.
    pub lines: Vec<HeardLine>,
    /// A checkpoint; it comes after every point that was there before it.
    pub checkpoint: Option<TrainedFlow>,
}

enum Due {
    Now(Parcel),
    At(Instant),
    WhenChanged,
    Never,
}

impl Outbox {
    /// Adds a point of the curve.
    pub fn add_point(&self, point: CurvePoint) {
        let mut waiting = self.waiting();
        waiting.points.push_back(point);
        waiting.oldest.get_or_insert_with(Instant::now);
        self.changed.notify_one();
    }

    /// Adds a line to the attempt's log, or several when there are breaks in it.
    pub fn add_line(&self, text: &str) {
        let mut waiting = self.waiting();
        text.split('\n').for_each(|line| waiting.log.add(line));
        if waiting.log.waiting() > 0 {
            waiting.oldest.get_or_insert_with(Instant::now);
            self.changed.notify_one();
        }
    }

    /// Adds a point of the validation curve. It is sent at once: the sweep's early stopping may wait for it.
    pub fn add_validation(&self, point: ValidationPoint) {
        self.waiting().validation.push_back(point);
        self.changed.notify_one();
    }

    /// Puts in a checkpoint and gives back the one that it replaces, which nobody needs any more.
    #[must_use]
    pub fn replace_checkpoint(&self, checkpoint: TrainedFlow) -> Option<TrainedFlow> {
        let replaced = self.waiting().checkpoint.replace(checkpoint);
        self.changed.notify_one();
        replaced
    }

    /// Nothing more will come.
    pub fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.log.close();
        self.changed.notify_one();
    }

    /// Waits for the next parcel; `None` when it is closed and empty. One taker at a time.
    pub async fn next(&self) -> Option<Parcel> {
        loop {
            let changed = self.changed.notified();
            let due = self.waiting().due(Instant::now());
            match due {
                Due::Now(parcel) => return Some(parcel),
                Due::At(time) => {
                    // Time out or change: both are looked at above.
                    let _either = timeout_at(time, changed).await;
                }
                Due::WhenChanged => changed.await,
                Due::Never => return None,
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no holder of this lock panics")
    }
}

impl Waiting {
    fn due(&mut self, now: Instant) -> Due {
        let lingered = self.oldest.map(|oldest| oldest + LINGER);
        let full = self.points.len() >= POINTS_PER_REPORT || self.log.waiting() >= LINES_PER_REPORT;
        match lingered {
            _ if full || self.closed || self.checkpoint.is_some() || !self.validation.is_empty() => self.take(),
            Some(time) if time <= now => self.take(),
            Some(time) => Due::At(time),
            None => Due::WhenChanged,
        }
    }

    fn take(&mut self) -> Due {
        let count = self.points.len().min(POINTS_PER_REPORT);
        let points: Vec<_> = self.points.drain(..count).collect();
        let count = self.validation.len().min(POINTS_PER_REPORT);
        let validation: Vec<_> = self.validation.drain(..count).collect();
        let lines = self.log.take(LINES_PER_REPORT);
        let all = self.points.is_empty() && self.validation.is_empty();
        let checkpoint = if all { self.checkpoint.take() } else { None };
        self.oldest = self.oldest.filter(|_| !self.points.is_empty() || self.log.waiting() > 0);
        if points.is_empty() && validation.is_empty() && lines.is_empty() && checkpoint.is_none() {
            return Due::Never;
        }
        Due::Now(Parcel { points, validation, lines, checkpoint })
    }
}

#[cfg(test)]
mod tests {
    use domain::Digest;

    use super::*;
    use crate::child::ArtifactFile;

    fn point(step: u64) -> CurvePoint {
        CurvePoint { step, loss_nats: 1.0, bits_per_dim: 2.0, gradient_norm: 3.0 }
    }

    fn checkpoint(step: u64) -> TrainedFlow {
        let file = ArtifactFile { path: format!("checkpoint-{step}").into(), digest: Digest::of(&step.to_le_bytes()) };
        TrainedFlow { file, step }
    }

    #[tokio::test(start_paused = true)]
    async fn points_wait_for_each_other() {
        let outbox = Outbox::default();
        outbox.add_point(point(1));
        outbox.add_point(point(2));
        let put = Instant::now();

        let parcel = outbox.next().await.unwrap();

        assert_eq!(parcel, Parcel { points: vec![point(1), point(2)], ..Parcel::default() });
        assert!(put.elapsed() >= LINGER);
    }

    #[tokio::test(start_paused = true)]
    async fn checkpoint_comes_at_once_and_after_every_point_before_it() {
        let outbox = Outbox::default();
        let points: Vec<_> = (1..=POINTS_PER_REPORT as u64 + 1).map(point).collect();
        points.iter().for_each(|&point| outbox.add_point(point));
        assert_eq!(outbox.replace_checkpoint(checkpoint(300)), None);

        let (first, second) = (outbox.next().await.unwrap(), outbox.next().await.unwrap());

        let first_points = points[..POINTS_PER_REPORT].to_vec();
        assert_eq!(first, Parcel { points: first_points, ..Parcel::default() });
        let rest = points[POINTS_PER_REPORT..].to_vec();
        assert_eq!(second, Parcel { points: rest, checkpoint: Some(checkpoint(300)), ..Parcel::default() });
    }

    #[tokio::test(start_paused = true)]
    async fn validation_is_sent_at_once_with_what_waits_and_before_its_checkpoint() {
        let outbox = Outbox::default();
        let validation = |step| ValidationPoint { step, bits_per_dim: Some(3.5), auroc: None };
        outbox.add_point(point(1));
        let put = Instant::now();
        outbox.add_validation(validation(2));

        let parcel = outbox.next().await.unwrap();
        (1..=POINTS_PER_REPORT as u64 + 1).for_each(|step| outbox.add_validation(validation(step)));
        assert_eq!(outbox.replace_checkpoint(checkpoint(300)), None);
        let (first, second) = (outbox.next().await.unwrap(), outbox.next().await.unwrap());

        assert_eq!(parcel, Parcel { points: vec![point(1)], validation: vec![validation(2)], ..Parcel::default() });
        assert_eq!(put.elapsed(), Duration::ZERO);
        assert_eq!((first.validation.len(), first.checkpoint), (POINTS_PER_REPORT, None));
        assert_eq!((second.validation.len(), second.checkpoint), (1, Some(checkpoint(300))));
    }

    #[tokio::test]
    async fn newer_checkpoint_replaces_one_that_waits() {
        let outbox = Outbox::default();
        assert_eq!(outbox.replace_checkpoint(checkpoint(1)), None);

        assert_eq!(outbox.replace_checkpoint(checkpoint(2)), Some(checkpoint(1)));

        assert_eq!(outbox.next().await.unwrap().checkpoint, Some(checkpoint(2)));
    }

    #[tokio::test]
    async fn closed_outbox_is_emptied_before_it_ends() {
        let outbox = Outbox::default();
        outbox.add_point(point(1));
        outbox.close();

        assert_eq!(outbox.next().await.unwrap().points, [point(1)]);
        assert_eq!(outbox.next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn lines_wait_for_each_other_and_a_checkpoint_takes_them_along() {
        let outbox = Outbox::default();
        let put = Instant::now();
        outbox.add_line("one");
        outbox.add_line("two");
        let reported = |parcel: &Parcel| parcel.lines.iter().map(|line| line.reported().text).collect::<Vec<_>>();

        let first = outbox.next().await.unwrap();
        assert!(put.elapsed() >= LINGER);
        assert_eq!(reported(&first), ["one", "two"]);
        assert_eq!(first.lines[0].reported().age, put.elapsed());

        outbox.add_line("three");
        assert_eq!(outbox.replace_checkpoint(checkpoint(1)), None);
        let second = outbox.next().await.unwrap();
        assert_eq!((reported(&second), second.checkpoint), (vec!["three".to_owned()], Some(checkpoint(1))));
    }

    #[tokio::test]
    async fn closed_outbox_gives_away_every_line_of_its_log() {
        let outbox = Outbox::default();
        (0..2 * LINES_PER_REPORT + 1).for_each(|line| outbox.add_line(&line.to_string()));
        outbox.close();

        let mut sizes = Vec::new();
        while let Some(parcel) = outbox.next().await {
            sizes.push(parcel.lines.len());
        }

        assert_eq!(sizes, [LINES_PER_REPORT, LINES_PER_REPORT, 1]);
    }
}
