//! How attempts end: what workers were told of it, what the history says, and the results that are left.

use std::collections::{BTreeMap, HashMap};

use domain::job::{FailureKind, JobKind, OutcomeKind, StateName};

use super::{Case, Rule, ended_by};
use crate::{
    history::{JobResult, Measurement, Outcome},
    log::{Answer, Attempt, Entry, Message, Says},
    run::artifact_digests,
    wire::{artifact_of, auroc_of, failure_text, id_in, reason_of, version_of},
};

impl<'run> Case<'run> {
    /// Every answer about an attempt is right at the time at which it was given.
    pub(super) fn check_answers(&mut self) {
        let log = self.log;
        let results = self.results_by_attempt();
        for entry in &log.entries {
            let Some(attempt) = entry.message.attempt() else { continue };
            match entry.answer {
                Answer::Done | Answer::Repeated if matches!(entry.message.says, Says::Report { .. }) => {
                    self.check_report_taken(entry, attempt);
                }
                Answer::Done | Answer::Repeated => self.check_ending_taken(entry, attempt, &results),
                Answer::Stale => self.check_refused(entry, attempt),
                _ => {}
            }
        }
    }

    fn check_report_taken(&mut self, entry: &Entry, attempt: Attempt) {
        let begun = self.history.attempts.get(&attempt);
        let ran = begun.is_some_and(|begun| begun.started_at <= entry.answered_at);
        let ended = self.history.outcome(attempt).is_some_and(|outcome| outcome.ended_at < entry.sent_at);
        self.require_in_time(ran && !ended, Rule::NoStaleWrite, || format!("{attempt:?} did not run: {entry:?}"));
    }

    fn check_ending_taken(&mut self, entry: &Entry, attempt: Attempt, results: &HashMap<Attempt, &JobResult>) {
        let Some(outcome) = self.history.outcome(attempt) else {
            return self.require(false, Rule::AcknowledgedIsKept, || format!("no outcome after {entry:?}"));
        };
        let same = is_outcome_of(outcome, &entry.message, attempt, results);
        self.require(same, Rule::OneOutcome, || format!("{attempt:?} ended otherwise, {outcome:?}, than {entry:?}"));
        let by_then = outcome.ended_at <= entry.answered_at;
        self.require_in_time(by_then, Rule::AcknowledgedIsKept, || format!("{outcome:?} comes after {entry:?}"));
        // A release has nothing of its own to be told by: the session's closing may have been faster.
        if matches!(entry.message.says, Says::Release { .. }) {
            return;
        }
        let sendings = &self.sendings[&entry.message.id];
        let first = sendings.iter().filter(|entry| entry.may_be_done()).map(|entry| entry.sent_at).min();
        let fresh = first.is_some_and(|first| first <= outcome.ended_at);
        self.require_in_time(fresh, Rule::NoStaleWrite, || format!("{attempt:?} had ended, {outcome:?}: {entry:?}"));
    }

    /// A refusal is right when the attempt had not begun, or had ended.
    fn check_refused(&mut self, entry: &Entry, attempt: Attempt) {
        let ran = self.history.attempts.get(&attempt).is_some_and(|begun| begun.started_at <= entry.sent_at);
        let healthy = ran && !ended_by(self.history.outcome(attempt), entry.answered_at);
        self.require_in_time(!healthy, Rule::NoHealthyRefusal, || format!("{attempt:?} ran all the time: {entry:?}"));
    }

    /// Every outcome has its cause, and there is one for each attempt.
    pub(super) fn check_outcomes(&mut self) {
        let history = self.history;
        let results = self.results_by_attempt();
        for (&attempt, outcomes) in &history.outcomes {
            self.require(outcomes.len() == 1, Rule::OneOutcome, || format!("{attempt:?} ended as {outcomes:?}"));
            let taken =
                |entry: &&&Entry| matches!(entry.message.says, Says::Complete { .. }) && entry.answer == Answer::Done;
            let completions = self.by_attempt.get(&attempt).map_or(0, |said| said.iter().filter(taken).count());
            self.require(completions <= 1, Rule::OneOutcome, || format!("{completions} results of {attempt:?} taken"));
            for outcome in outcomes {
                let explained = self.is_explained(attempt, outcome, &results);
                self.require(explained, Rule::OnlyWhatWasSent, || {
                    format!("{attempt:?} ended as {outcome:?}: by whom?")
                });
            }
        }
    }

    fn is_explained(&self, attempt: Attempt, outcome: &Outcome, results: &HashMap<Attempt, &JobResult>) -> bool {
        let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.as_str() == outcome.kind);
        let said = self.by_attempt.get(&attempt).map(Vec::as_slice).unwrap_or_default();
        let by_worker = || {
            said.iter().any(|entry| {
                let fresh = entry.sent_at <= outcome.ended_at || !self.log.steady;
                entry.may_be_done() && fresh && is_outcome_of(outcome, &entry.message, attempt, results)
            })
        };
        let session = self.history.attempts.get(&attempt).and_then(|begun| self.history.sessions.get(&begun.session));
        let session_was = |reason: &str| session.is_some_and(|session| session.reason == reason);
        match kind {
            Some(OutcomeKind::Crashed) if outcome.detail.starts_with("session ") => session_was("lost"),
            // A coordinator takes back itself what it handed to a worker that had hung up.
            Some(OutcomeKind::Released) => by_worker() || session_was("closed") || !self.told.contains(&attempt),
            Some(OutcomeKind::Cancelled) => self.is_cancelled_by_user(attempt.job, outcome),
            Some(_) => by_worker(),
            None => false,
        }
    }

    fn is_cancelled_by_user(&self, job: i64, outcome: &Outcome) -> bool {
        let Some(id) = id_in(&outcome.detail).filter(|&id| reason_of(id) == outcome.detail) else { return false };
        let own_sweep = |entry: &&Entry| match &entry.message.says {
            Says::Cancel { sweep } => *sweep == self.history.jobs[&job].sweep && entry.may_be_done(),
            _ => false,
        };
        self.sendings.get(&id).is_some_and(|sendings| sendings.iter().any(own_sweep))
    }

    /// One result for each job that succeeded, of its last attempt, with the content that the worker sent.
    pub(super) fn check_results(&mut self) {
        let history = self.history;
        let artifacts = artifact_digests();
        let mut measured: HashMap<i64, Vec<&Measurement>> = HashMap::new();
        for row in &history.measurements {
            measured.entry(row.job).or_default().push(row);
        }
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for result in &history.results {
            *counts.entry(result.job).or_default() += 1;
            let attempt = Attempt { job: result.job, epoch: result.epoch };
            let succeeded = history.outcome(attempt).is_some_and(|outcome| outcome.kind == "succeeded");
            let last = history.jobs.get(&result.job).is_some_and(|job| job.epoch == result.epoch + 1);
            self.require(succeeded && last, Rule::OneResult, || format!("{attempt:?} did not bring {result:?}"));
            let as_sent = self.is_as_sent(result, measured.get(&result.job), &artifacts);
            self.require(as_sent, Rule::OneResult, || format!("{result:?} is not what was sent"));
        }
        for (&id, job) in &history.jobs {
            let expected = usize::from(job.state == StateName::Succeeded);
            let found = counts.get(&id).copied().unwrap_or_default();
            self.require(found == expected, Rule::OneResult, || format!("{found} results of job {id}: {job:?}"));
        }
    }

    fn is_as_sent(&self, result: &JobResult, measured: Option<&Vec<&Measurement>>, artifacts: &[String]) -> bool {
        let attempt = Attempt { job: result.job, epoch: result.epoch };
        let Some(id) = id_in(&result.version).filter(|&id| version_of(id) == result.version) else { return false };
        let Some(sendings) = self.sendings.get(&id) else { return false };
        let sent = sendings.iter().find_map(|entry| match entry.message.says {
            Says::Complete { attempt: named, kind } if named == attempt && entry.may_be_done() => Some(kind),
            _ => None,
        });
        let artifact = &artifacts[artifact_of(id, artifacts.len())];
        let measured = measured.map(Vec::as_slice).unwrap_or_default();
        match sent {
            None => false,
            Some(JobKind::Train) => {
                measured.is_empty() && (&result.checkpoint, result.statistics.as_str()) == (artifact, "")
            }
            Some(JobKind::Evaluate | JobKind::Inspect | JobKind::Score | JobKind::Probe) => {
                (result.checkpoint.as_str(), &result.statistics) == ("", artifact)
                    && measured.len() == 1
                    && (measured[0].n_in, measured[0].value) == (id, auroc_of(id))
            }
        }
    }

    fn results_by_attempt(&self) -> HashMap<Attempt, &'run JobResult> {
        let attempt = |result: &JobResult| Attempt { job: result.job, epoch: result.epoch };
        self.history.results.iter().map(|result| (attempt(result), result)).collect()
    }
}

/// Whether `outcome` is what `message` says of its attempt.
fn is_outcome_of(
    outcome: &Outcome,
    message: &Message,
    attempt: Attempt,
    results: &HashMap<Attempt, &JobResult>,
) -> bool {
    match message.says {
        Says::Complete { .. } => {
            let own = |result: &&JobResult| result.version == version_of(message.id);
            outcome.kind == "succeeded" && results.get(&attempt).is_some_and(own)
        }
        Says::Fail { kind, .. } => {
            outcome.kind == outcome_name(kind) && outcome.detail == failure_text(kind, message.id)
        }
        Says::Release { .. } => outcome.kind == "released",
        _ => false,
    }
}

fn outcome_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Permanent | FailureKind::Own => OutcomeKind::Failed,
        FailureKind::Infrastructure => OutcomeKind::Infrastructure,
        FailureKind::Crash => OutcomeKind::Crashed,
    }
    .as_str()
}
