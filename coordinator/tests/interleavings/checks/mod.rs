//! The checker: reads what the tables hold and what clients were told, and finds whatever does not fit together.

mod attempts;
mod endings;
mod sequence;
mod users;
mod writes;

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use crate::{
    history::{History, Outcome},
    log::{Attempt, Entry, Log},
};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// An attempt ends once, as its worker said, or as its session or a user ended it.
    OneOutcome,
    /// A job that succeeded has one result, that of its last attempt, as its worker sent it; no other job has any.
    OneResult,
    /// What was acknowledged is there.
    AcknowledgedIsKept,
    /// What is there was sent, and was not refused.
    OnlyWhatWasSent,
    /// Nothing is taken of an attempt that does not run.
    NoStaleWrite,
    /// Nothing is refused of an attempt that runs.
    NoHealthyRefusal,
    /// The history of a job is a path through the diagram of its states.
    Sequence,
    /// A job that has ended moves only because a user retries it; one that succeeded, never.
    FinalStaysFinal,
    /// A dependent job runs only after the one that it waits for succeeded, and ends with it.
    DependencyFirst,
    /// What a job has spent is what its attempts since the last retry cost.
    BudgetsExact,
    /// One attempt after the other, each under one session.
    OneAttemptRuns,
    /// Every attempt was handed to one session, which was told, unless the answer was lost.
    OneHolder,
    /// A session is lost only when its lease ran out.
    NoHealthySessionLost,
    /// What users asked for happened, once.
    UsersObeyed,
    /// Every answer is one that the protocol foresees.
    Protocol,
}

/// Something that does not fit.
pub struct Finding {
    pub rule: Rule,
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.rule, self.text)
    }
}

/// A history, the log beside it, and what was found.
struct Case<'run> {
    history: &'run History,
    log: &'run Log,
    sendings: HashMap<u64, Vec<&'run Entry>>,
    by_attempt: HashMap<Attempt, Vec<&'run Entry>>,
    /// Attempts of which a worker was told.
    told: HashSet<Attempt>,
    findings: Vec<Finding>,
}

/// Finds every breach of a rule.
pub fn check(history: &History, log: &Log) -> Vec<Finding> {
    let mut by_attempt: HashMap<Attempt, Vec<&Entry>> = HashMap::new();
    for entry in &log.entries {
        if let Some(attempt) = entry.message.attempt() {
            by_attempt.entry(attempt).or_default().push(entry);
        }
    }
    let told = log.entries.iter().flat_map(Entry::assigned).map(|(attempt, _)| *attempt).collect();
    let mut case = Case { history, log, sendings: log.by_message(), by_attempt, told, findings: Vec::new() };
    case.check_protocol();
    case.check_attempts();
    case.check_claims();
    case.check_sessions();
    case.check_answers();
    case.check_outcomes();
    case.check_results();
    case.check_points();
    case.check_checkpoints();
    case.check_lines();
    case.check_progress();
    case.check_sequences();
    case.check_dependencies();
    case.check_users();
    case.findings
}

/// The rules that findings break.
pub fn broken(findings: &[Finding]) -> HashSet<Rule> {
    findings.iter().map(|finding| finding.rule).collect()
}

impl Case<'_> {
    fn require(&mut self, holds: bool, rule: Rule, text: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(Finding { rule, text: text() });
        }
    }

    /// As [`Case::require`], for what rests on times of ours and of Postgres.
    fn require_in_time(&mut self, holds: bool, rule: Rule, text: impl FnOnce() -> String) {
        self.require(holds || !self.log.steady, rule, text);
    }

    fn check_protocol(&mut self) {
        for entry in &self.log.entries {
            if let crate::log::Answer::Unforeseen(answer) = &entry.answer {
                self.require(false, Rule::Protocol, || format!("{:?}: {answer}", entry.message));
            }
        }
    }
}

/// Whether the attempt had ended by `time`.
fn ended_by(outcome: Option<&Outcome>, time: i64) -> bool {
    outcome.is_some_and(|outcome| outcome.ended_at <= time)
}
