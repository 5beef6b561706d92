//! Attempts follow each other, each handed to one session; and sessions that beat keep what they hold.

use std::collections::{HashMap, HashSet};

use domain::job::StateName;
use uuid::Uuid;

use super::{Case, Rule};
use crate::{
    log::{Answer, Attempt, Entry, Says},
    run::LEASE,
};

/// Microseconds from a beat to the earliest end of its session.
const SHORTEST_LIFE: i64 = (LEASE[0] + LEASE[2]).cast_signed() * 1000;

impl Case<'_> {
    /// Epochs are counted without gaps, and no attempt begins before the one before it ended.
    pub(super) fn check_attempts(&mut self) {
        let history = self.history;
        for (&id, job) in &history.jobs {
            let first = Attempt { job: id, epoch: i32::MIN };
            let last = Attempt { job: id, epoch: i32::MAX };
            let mut next = 0;
            let mut ended = Some(i64::MIN);
            for (&attempt, begun) in history.attempts.range(first..=last) {
                self.require(attempt.epoch == next, Rule::OneAttemptRuns, || format!("{attempt:?} comes after {next}"));
                let follows = ended.is_some_and(|ended| ended <= begun.started_at);
                self.require(follows, Rule::OneAttemptRuns, || {
                    format!("{attempt:?} began at {}, the one before ended at {ended:?}", begun.started_at)
                });
                ended = history.outcome(attempt).map(|outcome| outcome.ended_at);
                next = attempt.epoch + 1;
                let ends_before_it_begins = ended.is_some_and(|ended| ended < begun.started_at);
                self.require(!ends_before_it_begins, Rule::OneAttemptRuns, || format!("{attempt:?} ended before"));
            }
            let runs = job.state == StateName::Running;
            let current = Attempt { job: id, epoch: job.epoch };
            let holder = history.attempts.get(&current).map(|begun| begun.session);
            let fits = if runs {
                ended.is_none() && job.epoch == next - 1 && holder == job.session
            } else {
                ended.is_some() && job.epoch == next && holder.is_none()
            };
            self.require(fits, Rule::OneAttemptRuns, || format!("job {id} after {next} attempts: {job:?}"));
            let gone = |session: Uuid| history.sessions.get(&session).is_none_or(|row| row.closed_at.is_some());
            let held_by_nobody = job.session.is_some_and(gone);
            self.require(!held_by_nobody, Rule::OneHolder, || format!("job {id} runs in a session that is gone"));
        }
    }

    /// Each attempt was told to one session, its own. One that nobody was told of has an answer that got lost.
    pub(super) fn check_claims(&mut self) {
        let (history, log) = (self.history, self.log);
        let mut told = HashSet::new();
        let mut unanswered: HashMap<Uuid, i64> = HashMap::new();
        for entry in &log.entries {
            let Says::Claim { session, .. } = entry.message.says else { continue };
            for &(attempt, kind) in entry.assigned() {
                let own = history.attempts.get(&attempt).is_some_and(|begun| begun.session == session);
                let right = history.jobs.get(&attempt.job).is_some_and(|job| job.kind == kind);
                self.require(own && right, Rule::OneHolder, || {
                    format!("{attempt:?}, {kind}, was handed to {session}, which does not have it")
                });
                self.require(told.insert(attempt), Rule::OneHolder, || format!("{attempt:?} went out twice"));
            }
            if entry.answer == Answer::Unknown {
                let first = unanswered.entry(session).or_insert(entry.sent_at);
                *first = (*first).min(entry.sent_at);
            }
        }
        for (&attempt, begun) in &history.attempts {
            let lost_answer = || unanswered.get(&begun.session).is_some_and(|&sent| sent <= begun.started_at);
            let explained = told.contains(&attempt) || lost_answer();
            self.require_in_time(explained, Rule::OneHolder, || format!("nobody was told of {attempt:?}, {begun:?}"));
        }
    }

    /// Sessions end as their workers wish, or when they have been silent; and only sessions that ended are said to be gone.
    pub(super) fn check_sessions(&mut self) {
        let (history, log) = (self.history, self.log);
        let pushed: HashSet<Uuid> = log.pushed.iter().copied().collect();
        let mut closings: HashSet<Uuid> = HashSet::new();
        let mut openings: HashMap<Uuid, i64> = HashMap::new();
        for entry in &log.entries {
            match entry.message.says {
                Says::Close { session } if entry.may_be_done() => drop(closings.insert(session)),
                Says::Open { session } if entry.is_acknowledged() => {
                    let first = openings.entry(session).or_insert(entry.answered_at);
                    *first = (*first).min(entry.answered_at);
                }
                _ => {}
            }
        }
        for (session, row) in &history.sessions {
            let wished = row.reason != "closed" || closings.contains(session);
            self.require(wished, Rule::OnlyWhatWasSent, || format!("session {session} was closed by nobody"));
        }
        for entry in &log.entries {
            let (Says::Open { session } | Says::Claim { session, .. } | Says::Beat { session, .. }) =
                entry.message.says
            else {
                continue;
            };
            let row = history.sessions.get(&session);
            let closed_at = row.and_then(|row| row.closed_at);
            if entry.answer == Answer::SessionGone {
                let opened = openings.get(&session).is_some_and(|&opened| opened <= entry.sent_at);
                let gone = !opened || closed_at.is_some_and(|closed| closed <= entry.answered_at);
                self.require_in_time(gone, Rule::NoHealthyRefusal, || format!("session {session} is open: {entry:?}"));
            }
            let lost = row.is_some_and(|row| row.reason == "lost") && !pushed.contains(&session);
            if let Some(closed) = closed_at.filter(|_| lost) {
                let too_early = renews(entry) && entry.answered_at <= closed && closed < entry.sent_at + SHORTEST_LIFE;
                self.require_in_time(!too_early, Rule::NoHealthySessionLost, || {
                    format!("session {session} was lost at {closed}, soon after {entry:?}")
                });
            }
        }
    }
}

fn renews(entry: &Entry) -> bool {
    entry.is_acknowledged() && matches!(entry.message.says, Says::Open { .. } | Says::Beat { .. })
}
