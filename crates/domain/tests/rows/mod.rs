//! The rows of the table: for each event, what it must do to a job in each state.

use domain::{
    Epoch, JobId, SessionId, Timestamp,
    job::{
        AttemptOutcome, Budgets, Cascade, Dependency, DependencyEnd, Effect, Event, FailureKind, Job, OutcomeKind,
        Rejected, State, StateName, Transition, retry,
    },
};
use uuid::Uuid;

/// When every event of the table happens.
pub const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
const JOB: JobId = JobId(9);
/// The epoch of the jobs of the table.
pub const EPOCH: Epoch = Epoch(4);
const HOLDER: SessionId = SessionId(Uuid::from_u128(1));
const OTHER: SessionId = SessionId(Uuid::from_u128(2));
const LIMITS: Budgets = Budgets { failures: 3, infrastructure: 10, crashes: 3 };
/// What the jobs of the table have spent unless a row says otherwise.
const SPENT: Budgets = Budgets { failures: 1, infrastructure: 1, crashes: 1 };

const NOT_READY: &str = "only a ready job can be claimed";
const NOT_RUNNING: &str = "only a running job can be reported on";
const NOT_BLOCKED: &str = "only a blocked job waits for another";
const ENDED: &str = "it has ended";
const NOT_ENDED: &str = "it has not ended";
const HAS_RESULT: &str = "it has its result";
const BY_RULE: &str = "the sweep's own rule ended it";

/// What one event must do to jobs in each state, in the order of `StateName::ALL`: a new state does not compile here.
pub struct Row {
    pub title: &'static str,
    pub given: Given,
    pub event: Event,
    pub cells: [Cell; StateName::ALL.len()],
}

/// What the job had before the event.
#[derive(Clone, Copy)]
pub struct Given {
    spent: Budgets,
    not_before: Option<Timestamp>,
}

const USUAL: Given = Given { spent: SPENT, not_before: None };

pub enum Cell {
    /// The job moves.
    To(Change),
    /// The state refuses the event, for this reason.
    No(&'static str),
    /// The event is refused otherwise.
    Refused(Rejected),
}

/// What changes when a job moves.
pub struct Change {
    state: State,
    /// Present exactly when an attempt ends.
    outcome: Option<(OutcomeKind, String)>,
    spent: Budgets,
    cascade: Option<Cascade>,
    effects: Vec<Effect>,
}

use Cell::{No, Refused, To};

impl Cell {
    /// What `apply` must decide for the job `before`.
    pub fn expected(&self, before: &Job) -> Result<Transition, Rejected> {
        match self {
            To(change) => Ok(change.of(before)),
            No(why) => Err(Rejected::WrongState { state: before.state.name(), why }),
            Refused(rejected) => Err(rejected.clone()),
        }
    }
}

impl Change {
    fn of(&self, before: &Job) -> Transition {
        let outcome = self.outcome.as_ref().map(|(kind, detail)| AttemptOutcome {
            epoch: EPOCH,
            session: HOLDER,
            kind: *kind,
            detail: detail.clone(),
        });
        let epoch = if outcome.is_some() { Epoch(EPOCH.0 + 1) } else { EPOCH };
        Transition {
            job: Job { state: self.state.clone(), epoch, spent: self.spent, ..before.clone() },
            outcome,
            cascade: self.cascade.clone(),
            effects: self.effects.clone(),
        }
    }
}

/// A job of the table in the given state.
pub fn job(state: StateName, given: Given) -> Job {
    let reason = "earlier".to_owned();
    let state = match state {
        StateName::Blocked => State::Blocked,
        StateName::Ready => State::Ready { not_before: given.not_before },
        StateName::Running => State::Running { session: HOLDER },
        StateName::Succeeded => State::Succeeded,
        StateName::Failed => State::Failed { reason },
        StateName::Cancelled => State::Cancelled { reason },
        StateName::Quarantined => State::Quarantined { reason },
        StateName::Stopped => State::Stopped { reason },
    };
    Job { id: JOB, state, epoch: EPOCH, spent: given.spent, limits: LIMITS }
}

/// A move without an attempt ending.
fn to(state: State) -> Cell {
    let effects = if state.name() == StateName::Ready { vec![Effect::WakeClaims] } else { vec![] };
    To(Change { state, outcome: None, spent: SPENT, cascade: None, effects })
}

fn ready() -> State {
    State::Ready { not_before: None }
}

/// Ready again after a failure, which was the `count`-th of its budget.
fn backing_off(count: u16) -> State {
    State::Ready { not_before: Some(NOW + retry::backoff(count, JOB, EPOCH)) }
}

fn ends(end: DependencyEnd, reason: &str) -> Option<Cascade> {
    Some(Cascade::End { end, reason: reason.to_owned() })
}

fn claims() -> Vec<Row> {
    let claim = || Event::Claim { session: OTHER };
    let claimed = || to(State::Running { session: OTHER });
    let no = || No(NOT_READY);
    let row = |title, not_before, ready| Row {
        title,
        given: Given { not_before, ..USUAL },
        event: claim(),
        //      blocked ready  running succeeded failed cancelled quarantined stopped
        cells: [no(), ready, no(), no(), no(), no(), no(), no()],
    };
    let later = Timestamp::from_micros(NOW.as_micros() + 1);
    vec![
        row("claim", None, claimed()),
        row("claim at the end of the backoff", Some(NOW), claimed()),
        row("claim during the backoff", Some(later), Refused(Rejected::BackingOff { until: later })),
    ]
}

/// A report that only a running job takes.
fn report(title: &'static str, spent: Budgets, event: Event, running: Change) -> Row {
    let no = || No(NOT_RUNNING);
    //           blocked ready  running      succeeded failed cancelled quarantined stopped
    let cells = [no(), no(), To(running), no(), no(), no(), no(), no()];
    Row { title, given: Given { spent, not_before: None }, event, cells }
}

fn completions_and_releases() -> Vec<Row> {
    let succeeded = Change {
        state: State::Succeeded,
        outcome: Some((OutcomeKind::Succeeded, String::new())),
        spent: SPENT,
        cascade: Some(Cascade::Unblock),
        effects: vec![],
    };
    let released = |detail: &str| Change {
        state: ready(),
        outcome: Some((OutcomeKind::Released, detail.to_owned())),
        spent: SPENT,
        cascade: None,
        effects: vec![Effect::WakeClaims],
    };
    let preempted = Event::Preempted { epoch: EPOCH, reason: "for job 9".to_owned() };
    vec![
        report("complete", SPENT, Event::Complete { epoch: EPOCH }, succeeded),
        report("release", SPENT, Event::Release { epoch: EPOCH }, released("released by the worker")),
        report("preempted", SPENT, preempted, released("preempted: for job 9")),
    ]
}

/// What a failure of one kind spends, and the outcome that it leaves.
fn spending(kind: FailureKind, before: Budgets) -> (Budgets, OutcomeKind) {
    match kind {
        FailureKind::Permanent | FailureKind::Own => {
            (Budgets { failures: before.failures + 1, ..before }, OutcomeKind::Failed)
        }
        FailureKind::Infrastructure => {
            (Budgets { infrastructure: before.infrastructure + 1, ..before }, OutcomeKind::Infrastructure)
        }
        FailureKind::Crash => (Budgets { crashes: before.crashes + 1, ..before }, OutcomeKind::Crashed),
    }
}

fn failure(title: &'static str, kind: FailureKind, before: Budgets, state: State) -> Row {
    let (spent, outcome) = spending(kind, before);
    let ended = state.name().is_final();
    let change = Change {
        state,
        outcome: Some((outcome, "boom".to_owned())),
        spent,
        cascade: if ended { ends(DependencyEnd::Failed, "boom") } else { None },
        effects: if ended { vec![] } else { vec![Effect::WakeClaims] },
    };
    report(title, before, Event::Fail { epoch: EPOCH, kind, message: "boom".to_owned() }, change)
}

fn failures() -> Vec<Row> {
    let failed = || State::Failed { reason: "boom".to_owned() };
    let quarantined = State::Quarantined { reason: "boom".to_owned() };
    let last = Budgets { failures: 2, infrastructure: 9, crashes: 2 };
    vec![
        failure("permanent failure", FailureKind::Permanent, SPENT, failed()),
        failure("own failure below the limit", FailureKind::Own, SPENT, backing_off(2)),
        failure("own failure at the limit", FailureKind::Own, last, failed()),
        failure("infrastructure failure below the limit", FailureKind::Infrastructure, SPENT, backing_off(2)),
        failure("infrastructure failure at the limit", FailureKind::Infrastructure, last, failed()),
        failure("crash below the limit", FailureKind::Crash, SPENT, backing_off(2)),
        failure("crash at the limit", FailureKind::Crash, last, quarantined),
    ]
}

/// Reports under another epoch, older or never given: refused in every state, before anything else is looked at.
fn stale_reports() -> Vec<Row> {
    let events = |epoch| {
        let fails = FailureKind::ALL.map(|kind| Event::Fail { epoch, kind, message: String::new() });
        let others = [
            Event::Complete { epoch },
            Event::Release { epoch },
            Event::Preempted { epoch, reason: String::new() },
            Event::StopEarly { epoch, reason: String::new() },
        ];
        others.into_iter().chain(fails)
    };
    let stale = |event, given| Row {
        title: "stale report",
        given: USUAL,
        event,
        cells: std::array::from_fn(|_| Refused(Rejected::Stale { given, current: EPOCH })),
    };
    [Epoch(3), Epoch(5)].into_iter().flat_map(|epoch| events(epoch).map(move |event| stale(event, epoch))).collect()
}

fn session_losses() -> Vec<Row> {
    let message = || format!("session {HOLDER} was lost");
    let refused = |given| Refused(Rejected::OtherSession { given });
    let lost = |title, before: Budgets, state: State| {
        let ended = state.name().is_final();
        let no = || refused(HOLDER);
        let running = To(Change {
            state,
            outcome: Some((OutcomeKind::Crashed, message())),
            spent: Budgets { crashes: before.crashes + 1, ..before },
            cascade: if ended { ends(DependencyEnd::Failed, &message()) } else { None },
            effects: if ended { vec![] } else { vec![Effect::WakeClaims] },
        });
        Row {
            title,
            given: Given { spent: before, not_before: None },
            event: Event::SessionLost { session: HOLDER },
            //      blocked ready  running succeeded failed cancelled quarantined stopped
            cells: [no(), no(), running, no(), no(), no(), no(), no()],
        }
    };
    let last = Budgets { crashes: 2, ..SPENT };
    vec![
        lost("session lost below the limit", SPENT, backing_off(2)),
        lost("session lost at the limit", last, State::Quarantined { reason: message() }),
        Row {
            title: "another session lost",
            given: USUAL,
            event: Event::SessionLost { session: OTHER },
            cells: std::array::from_fn(|_| refused(OTHER)),
        },
    ]
}

fn dependencies() -> Vec<Row> {
    let row = |title, event, blocked: Cell| {
        let no = || No(NOT_BLOCKED);
        //           blocked      ready  running succeeded failed cancelled quarantined stopped
        let cells = [blocked, no(), no(), no(), no(), no(), no(), no()];
        Row { title, given: USUAL, event, cells }
    };
    let reason = || "train failed".to_owned();
    // What waits for the job that ends so ends with it.
    let ending = |title, end, state| {
        let cascade = ends(end, &reason());
        let change = Change { state, outcome: None, spent: SPENT, cascade, effects: vec![] };
        row(title, Event::DependencyEnded { end, reason: reason() }, To(change))
    };
    vec![
        row("dependency succeeded", Event::DependencySucceeded, to(ready())),
        ending("dependency failed", DependencyEnd::Failed, State::Failed { reason: reason() }),
        ending("dependency cancelled", DependencyEnd::Cancelled, State::Cancelled { reason: reason() }),
        ending("dependency stopped", DependencyEnd::Stopped, State::Stopped { reason: reason() }),
    ]
}

fn cancels() -> Vec<Row> {
    let change = |outcome, effects| {
        To(Change {
            state: State::Cancelled { reason: "by hand".to_owned() },
            outcome,
            spent: SPENT,
            cascade: ends(DependencyEnd::Cancelled, "by hand"),
            effects,
        })
    };
    let waiting = || change(None, vec![]);
    let stop = vec![Effect::StopAttempt { session: HOLDER, epoch: EPOCH }];
    let running = change(Some((OutcomeKind::Cancelled, "by hand".to_owned())), stop);
    let no = || No(ENDED);
    vec![Row {
        title: "cancel",
        given: USUAL,
        event: Event::Cancel { reason: "by hand".to_owned() },
        //      blocked    ready      running  succeeded failed cancelled quarantined stopped
        cells: [waiting(), waiting(), running, no(), no(), no(), no(), no()],
    }]
}

fn stops() -> Vec<Row> {
    let reason = || "3.91 is not among the best third".to_owned();
    let change = |outcome, effects| Change {
        state: State::Stopped { reason: reason() },
        outcome,
        spent: SPENT,
        cascade: ends(DependencyEnd::Stopped, &reason()),
        effects,
    };
    let waiting = || To(change(None, vec![]));
    let stop = vec![Effect::StopAttempt { session: HOLDER, epoch: EPOCH }];
    let running = || change(Some((OutcomeKind::Stopped, reason())), stop.clone());
    let no = || No(ENDED);
    vec![
        report("stop early", SPENT, Event::StopEarly { epoch: EPOCH, reason: reason() }, running()),
        Row {
            title: "budget spent",
            given: USUAL,
            event: Event::Stop { reason: reason() },
            //      blocked    ready      running          succeeded failed cancelled quarantined stopped
            cells: [waiting(), waiting(), To(running()), no(), no(), no(), no(), no()],
        },
    ]
}

fn retries() -> Vec<Row> {
    let reopened = |state: State| {
        let effects = if state.name() == StateName::Ready { vec![Effect::WakeClaims] } else { vec![] };
        To(Change { state, outcome: None, spent: Budgets::default(), cascade: Some(Cascade::Reopen), effects })
    };
    let row = |title, dependency, ended: &dyn Fn() -> Cell| {
        let (no, result) = (|| No(NOT_ENDED), No(HAS_RESULT));
        //           blocked ready running succeeded failed cancelled quarantined stopped
        let cells = [no(), no(), no(), result, ended(), ended(), ended(), No(BY_RULE)];
        Row { title, given: USUAL, event: Event::Retry { dependency }, cells }
    };
    vec![
        row("retry, dependency met", Dependency::Met, &|| reopened(ready())),
        row("retry, dependency pending", Dependency::Pending, &|| reopened(State::Blocked)),
        row("retry, dependency ended", Dependency::Ended, &|| Refused(Rejected::DependencyEnded)),
    ]
}

/// Every row.
pub fn table() -> Vec<Row> {
    let groups = [
        claims(),
        completions_and_releases(),
        failures(),
        stale_reports(),
        session_losses(),
        dependencies(),
        cancels(),
        stops(),
        retries(),
    ];
    groups.into_iter().flatten().collect()
}
