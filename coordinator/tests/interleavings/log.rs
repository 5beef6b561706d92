//! What clients said and what they were told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use domain::job::{FailureKind, JobKind};
use uuid::Uuid;

/// How far the machine's clock may drift from its monotonic one before times of ours and Postgres's cannot be compared.
const STEADY: Duration = Duration::from_millis(100);

/// A job and an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    pub job: i64,
    pub epoch: i32,
}

/// Something that a client says, once or several times. Its id is in all that it writes.
#[derive(Debug)]
pub struct Message {
    pub id: u64,
    pub says: Says,
}

#[derive(Debug)]
pub enum Says {
    Open { session: Uuid },
    Claim { session: Uuid, jobs: u32, wait_millis: u64 },
    Beat { session: Uuid, attempts: Vec<Attempt> },
    Report { attempt: Attempt, parts: Parts },
    Complete { attempt: Attempt, kind: JobKind },
    Fail { attempt: Attempt, kind: FailureKind },
    Release { attempt: Attempt },
    Close { session: Uuid },
    Submit { sweep: String, seeds: u64 },
    Cancel { sweep: String },
    Retry { sweep: String },
}

/// What a report brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    Points,
    Checkpoint,
    Both,
    /// A line of the log.
    Line,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Acknowledged.
    Done,
    /// Acknowledged as known already.
    Repeated,
    /// Jobs were handed out, each with its kind.
    Assigned(Vec<(Attempt, JobKind)>),
    /// The beat was taken, and these attempts are to be abandoned.
    Beaten(Vec<Attempt>),
    /// So many jobs changed.
    Changed(u32),
    /// The attempt does not run.
    Stale,
    /// The session is closed or unknown.
    SessionGone,
    /// Nothing was done: another transaction was in the way, or there was no room.
    Busy,
    /// No answer: nobody knows whether it was done.
    Unknown,
    /// One that the protocol does not foresee.
    Unforeseen(String),
}

/// A message sent once, and its answer. Times are microseconds since 1970.
#[derive(Debug)]
pub struct Entry {
    pub message: Arc<Message>,
    pub sent_at: i64,
    pub answered_at: i64,
    pub answer: Answer,
}

/// Everything that was said in a run.
#[derive(Debug, Default)]
pub struct Log {
    pub entries: Vec<Entry>,
    /// Sessions whose lease was moved into the past behind the coordinators' backs.
    pub pushed: Vec<Uuid>,
    /// Whether times may be compared.
    pub steady: bool,
}

impl Message {
    pub fn attempt(&self) -> Option<Attempt> {
        match self.says {
            Says::Report { attempt, .. }
            | Says::Complete { attempt, .. }
            | Says::Fail { attempt, .. }
            | Says::Release { attempt } => Some(attempt),
            Says::Open { .. }
            | Says::Claim { .. }
            | Says::Beat { .. }
            | Says::Close { .. }
            | Says::Submit { .. }
            | Says::Cancel { .. }
            | Says::Retry { .. } => None,
        }
    }

    fn operation(&self) -> &'static str {
        match &self.says {
            Says::Open { .. } => "open session",
            Says::Claim { .. } => "claim",
            Says::Beat { .. } => "heartbeat",
            Says::Report { parts: Parts::Points, .. } => "report points",
            Says::Report { parts: Parts::Checkpoint, .. } => "report checkpoint",
            Says::Report { parts: Parts::Both, .. } => "report both",
            Says::Report { parts: Parts::Line, .. } => "report log line",
            Says::Complete { .. } => "complete",
            Says::Fail { kind: FailureKind::Permanent, .. } => "fail permanent",
            Says::Fail { kind: FailureKind::Own, .. } => "fail own",
            Says::Fail { kind: FailureKind::Infrastructure, .. } => "fail infrastructure",
            Says::Fail { kind: FailureKind::Crash, .. } => "fail crash",
            Says::Release { .. } => "release",
            Says::Close { .. } => "close session",
            Says::Submit { .. } => "submit",
            Says::Cancel { .. } => "cancel",
            Says::Retry { .. } => "retry",
        }
    }
}

impl Entry {
    /// The coordinator said that it did it.
    pub fn is_acknowledged(&self) -> bool {
        match self.answer {
            Answer::Done | Answer::Repeated | Answer::Assigned(_) | Answer::Beaten(_) | Answer::Changed(_) => true,
            Answer::Stale | Answer::SessionGone | Answer::Busy | Answer::Unknown | Answer::Unforeseen(_) => false,
        }
    }

    /// It may have been done.
    pub fn may_be_done(&self) -> bool {
        self.is_acknowledged() || self.answer == Answer::Unknown
    }

    /// The jobs that it handed out.
    pub fn assigned(&self) -> &[(Attempt, JobKind)] {
        match &self.answer {
            Answer::Assigned(jobs) => jobs,
            _ => &[],
        }
    }

    fn label(&self) -> &'static str {
        match &self.answer {
            Answer::Done => "done",
            Answer::Repeated => "repeated",
            Answer::Assigned(jobs) if jobs.is_empty() => "nothing",
            Answer::Assigned(_) => "done",
            Answer::Beaten(abandoned) if abandoned.is_empty() => "done",
            Answer::Beaten(_) => "abandon",
            Answer::Changed(0) => "nothing",
            Answer::Changed(_) => "done",
            Answer::Stale => "stale",
            Answer::SessionGone => "session gone",
            Answer::Busy => "busy",
            Answer::Unknown => "unknown",
            Answer::Unforeseen(_) => "unforeseen",
        }
    }
}

impl Log {
    pub fn operations(&self) -> usize {
        self.entries.len() + self.pushed.len()
    }

    /// Sendings by message.
    pub fn by_message(&self) -> HashMap<u64, Vec<&Entry>> {
        let mut all: HashMap<u64, Vec<&Entry>> = HashMap::new();
        for entry in &self.entries {
            all.entry(entry.message.id).or_default().push(entry);
        }
        all
    }

    /// How often each operation had each answer, as a table.
    pub fn tally(&self) -> String {
        const ANSWERS: [&str; 9] =
            ["done", "repeated", "nothing", "abandon", "stale", "session gone", "busy", "unknown", "unforeseen"];
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry((entry.message.operation(), entry.label())).or_default() += 1;
        }
        let operations: std::collections::BTreeSet<&str> = counts.keys().map(|(operation, _)| *operation).collect();
        let mut table = format!("| operation | sent | {} |\n|---|{}\n", ANSWERS.join(" | "), "--:|".repeat(10));
        for operation in operations {
            let count = |answer: &&str| counts.get(&(operation, answer)).copied().unwrap_or_default();
            let sent: usize = ANSWERS.iter().map(count).sum();
            let cells: Vec<String> = ANSWERS.iter().map(|answer| shown(count(answer))).collect();
            table += &format!("| {operation} | {sent} | {} |\n", cells.join(" | "));
        }
        table + &format!("| lease moved into the past | {} |{}", self.pushed.len(), " |".repeat(ANSWERS.len()))
    }
}

fn shown(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

/// The machine's clock, which is Postgres's too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
    began_at: SystemTime,
}

impl Clock {
    pub fn start() -> Self {
        Self { began: Instant::now(), began_at: SystemTime::now() }
    }

    pub fn now() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
        i64::try_from(since.as_micros()).expect("it is earlier than the year 290000")
    }

    /// Nobody has set the clock since the start.
    pub fn was_steady(&self) -> bool {
        let shown = SystemTime::now().duration_since(self.began_at).unwrap_or_default();
        shown.abs_diff(self.began.elapsed()) < STEADY
    }
}
