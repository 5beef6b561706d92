//! What workers write while an attempt runs: points of curves, checkpoints, progress.

use std::collections::{HashMap, HashSet};

use super::{Case, Rule, ended_by};
use crate::{
    history::Begun,
    log::{Answer, Attempt, Entry, Parts, Says},
    run::artifact_digests,
    wire::{POINTS, artifact_of, checkpoint_step, id_in, line_of, loss_of, message_of_step, point_steps},
};

impl Case<'_> {
    /// All points of a message or none, each as it was sent, by a sending that came while the attempt ran.
    pub(super) fn check_points(&mut self) {
        let (history, log) = (self.history, self.log);
        let mut kept: HashMap<(Attempt, u64), u64> = HashMap::new();
        for point in &history.points {
            let id = message_of_step(point.step);
            *kept.entry((point.attempt, id)).or_default() += 1;
            let as_sent = point_steps(id).any(|step| step == point.step) && point.loss == loss_of(id);
            self.require(as_sent, Rule::OnlyWhatWasSent, || format!("nobody sent {point:?}"));
        }
        for (&(attempt, id), &count) in &kept {
            let sent = self.is_report_taken(attempt, id, &[Parts::Points, Parts::Both], may_be_kept);
            self.require(sent && count == POINTS, Rule::OnlyWhatWasSent, || {
                format!("{count} points of {attempt:?} from message {id}, which brought none in time")
            });
        }
        for entry in &log.entries {
            let Says::Report { attempt, parts } = entry.message.says else { continue };
            if matches!(parts, Parts::Points | Parts::Both) && entry.is_acknowledged() {
                let there = kept.contains_key(&(attempt, entry.message.id));
                self.require(there, Rule::AcknowledgedIsKept, || format!("its points are missing: {entry:?}"));
            }
        }
    }

    /// Each checkpoint as it was sent, stored between the attempt's beginning and its end.
    pub(super) fn check_checkpoints(&mut self) {
        let (history, log) = (self.history, self.log);
        let artifacts = artifact_digests();
        let finals: HashSet<(Attempt, Option<u64>)> = history
            .results
            .iter()
            .map(|result| (Attempt { job: result.job, epoch: result.epoch }, id_in(&result.version)))
            .collect();
        let mut kept = HashSet::new();
        for row in &history.checkpoints {
            let id = message_of_step(row.step);
            kept.insert((row.attempt, id));
            let as_sent = row.step == checkpoint_step(id) && row.digest == artifacts[artifact_of(id, artifacts.len())];
            self.require(as_sent, Rule::OnlyWhatWasSent, || format!("nobody sent {row:?}"));
            if finals.contains(&(row.attempt, Some(id))) {
                continue;
            }
            let sent = self.is_report_taken(row.attempt, id, &[Parts::Checkpoint, Parts::Both], may_be_kept);
            self.require(sent, Rule::OnlyWhatWasSent, || format!("{row:?} was not brought in time"));
            let begun = history.attempts.get(&row.attempt).is_some_and(|begun| begun.started_at <= row.stored_at);
            let ended = history.outcome(row.attempt).is_some_and(|outcome| outcome.ended_at < row.stored_at);
            self.require(begun && !ended, Rule::NoStaleWrite, || format!("{:?} did not run: {row:?}", row.attempt));
        }
        for entry in &log.entries {
            let Says::Report { attempt, parts } = entry.message.says else { continue };
            if matches!(parts, Parts::Checkpoint | Parts::Both) && entry.is_acknowledged() {
                let there = kept.contains(&(attempt, entry.message.id));
                self.require(there, Rule::AcknowledgedIsKept, || format!("its checkpoint is missing: {entry:?}"));
            }
        }
        for result in history.results.iter().filter(|result| !result.checkpoint.is_empty()) {
            let attempt = Attempt { job: result.job, epoch: result.epoch };
            let there = id_in(&result.version).is_some_and(|id| kept.contains(&(attempt, id)));
            self.require(there, Rule::AcknowledgedIsKept, || format!("its checkpoint is missing: {result:?}"));
        }
    }

    /// Each line of a log as it was sent, by a sending that came while the attempt ran.
    pub(super) fn check_lines(&mut self) {
        let (history, log) = (self.history, self.log);
        let mut kept = HashSet::new();
        for row in &history.lines {
            kept.insert((row.attempt, row.line));
            let sent = id_in(&row.text).is_some_and(|id| {
                line_of(id) == row.line && self.is_report_taken(row.attempt, id, &[Parts::Line], Entry::may_be_done)
            });
            self.require(sent, Rule::OnlyWhatWasSent, || format!("nobody sent {row:?} in time"));
        }
        for entry in &log.entries {
            let Says::Report { attempt, parts: Parts::Line } = entry.message.says else { continue };
            if entry.is_acknowledged() {
                let there = kept.contains(&(attempt, line_of(entry.message.id)));
                self.require(there, Rule::AcknowledgedIsKept, || format!("its line is missing: {entry:?}"));
            }
        }
    }

    /// Whether a message is a report about `attempt` with one of these `kinds` of parts, and one of its sendings was done
    /// and came while the attempt ran.
    fn is_report_taken(&self, attempt: Attempt, id: u64, kinds: &[Parts], done: impl Fn(&Entry) -> bool) -> bool {
        let ended_at = self.history.outcome(attempt).map_or(i64::MAX, |outcome| outcome.ended_at);
        let taken = |entry: &&Entry| {
            let in_time = entry.sent_at <= ended_at || !self.log.steady;
            let about_it = match entry.message.says {
                Says::Report { attempt: named, parts } => named == attempt && kinds.contains(&parts),
                _ => false,
            };
            about_it && in_time && done(entry)
        };
        self.sendings.get(&id).is_some_and(|sendings| sendings.iter().any(taken))
    }

    /// Beats are taken for the attempts that the session runs, and for no others; what is kept came with one of them.
    pub(super) fn check_progress(&mut self) {
        let (history, log) = (self.history, self.log);
        let known_ends = self.known_ends();
        for entry in &log.entries {
            let (Says::Beat { session, attempts }, Answer::Beaten(abandoned)) = (&entry.message.says, &entry.answer)
            else {
                continue;
            };
            for attempt in attempts {
                let own = |begun: &Begun| begun.session == *session;
                let begun = history.attempts.get(attempt).filter(|begun| own(begun));
                if abandoned.contains(attempt) {
                    let ran = begun.is_some_and(|begun| begun.started_at <= entry.sent_at);
                    let healthy = ran && !ended_by(history.outcome(*attempt), entry.answered_at);
                    self.require_in_time(!healthy, Rule::NoHealthyRefusal, || {
                        format!("{attempt:?} ran, and was to be abandoned: {entry:?}")
                    });
                } else {
                    let ended = known_ends.get(attempt).is_some_and(|&end| end <= entry.sent_at);
                    self.require_in_time(begun.is_some() && !ended, Rule::NoStaleWrite, || {
                        format!("{attempt:?} does not run there: {entry:?}")
                    });
                }
            }
        }
        for row in &history.progress {
            let taken = |entry: &&Entry| {
                let Says::Beat { session, attempts } = &entry.message.says else { return false };
                let own = history.attempts.get(&row.attempt).is_some_and(|begun| begun.session == *session);
                let kept = match &entry.answer {
                    Answer::Beaten(abandoned) => !abandoned.contains(&row.attempt),
                    Answer::Unknown => true,
                    _ => false,
                };
                own && kept && attempts.contains(&row.attempt)
            };
            let sent = self.sendings.get(&row.done).is_some_and(|sendings| sendings.iter().any(taken));
            self.require(sent, Rule::OnlyWhatWasSent, || format!("{row:?} came with no beat that was taken"));
        }
    }

    /// When an attempt had ended for everybody to see: its end was acknowledged, or the next one began.
    fn known_ends(&self) -> HashMap<Attempt, i64> {
        let mut ends: HashMap<Attempt, i64> = HashMap::new();
        let mut know = |attempt: Attempt, time: i64| {
            let known = ends.entry(attempt).or_insert(time);
            *known = (*known).min(time);
        };
        for (next, begun) in &self.history.attempts {
            know(Attempt { epoch: next.epoch - 1, ..*next }, begun.started_at);
        }
        for entry in &self.log.entries {
            let is_report = matches!(entry.message.says, Says::Report { .. });
            if let Some(attempt) = entry.message.attempt().filter(|_| entry.is_acknowledged() && !is_report) {
                know(attempt, entry.answered_at);
            }
        }
        ends
    }
}

/// A report of both is two writes: the first may be kept when the attempt ends before the second.
fn may_be_kept(entry: &Entry) -> bool {
    let both = matches!(entry.message.says, Says::Report { parts: Parts::Both, .. });
    entry.may_be_done() || both && entry.answer == Answer::Stale
}
