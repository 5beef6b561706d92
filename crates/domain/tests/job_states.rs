//! `docs/job-states.md`: the diagram and the tables of a job's life, written from what `apply` decides.
//!
//! `SPILLWAY_BLESS=1 cargo test -p domain --test job_states` rewrites the page.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf};

use domain::{
    Epoch, JobId, SessionId, Timestamp,
    job::{
        Budgets, Cascade, Dependency, DependencyEnd, Event, FailureKind, Job, Rejected, State, StateName, Transition,
        apply,
    },
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(0);
const EPOCH: Epoch = Epoch(0);
const SESSION: SessionId = SessionId(Uuid::from_u128(1));
const REMEDY: &str = "run `SPILLWAY_BLESS=1 cargo test -p domain --test job_states`";

/// How much of each budget is left before the event.
#[derive(Clone, Copy)]
enum Budget {
    Left,
    LastOne,
}

/// The events of the page, each with its title.
fn events() -> Vec<(&'static str, Budget, Event)> {
    use Budget::{LastOne, Left};
    let fail = |kind| Event::Fail { epoch: EPOCH, kind, message: String::new() };
    let ended = |end| Event::DependencyEnded { end, reason: String::new() };
    let retry = |dependency| Event::Retry { dependency };
    vec![
        ("claim", Left, Event::Claim { session: SESSION }),
        ("complete", Left, Event::Complete { epoch: EPOCH }),
        ("release", Left, Event::Release { epoch: EPOCH }),
        ("preempted", Left, Event::Preempted { epoch: EPOCH, reason: String::new() }),
        ("permanent failure", Left, fail(FailureKind::Permanent)),
        ("own failure, budget left", Left, fail(FailureKind::Own)),
        ("own failure, budget spent", LastOne, fail(FailureKind::Own)),
        ("infrastructure failure, budget left", Left, fail(FailureKind::Infrastructure)),
        ("infrastructure failure, budget spent", LastOne, fail(FailureKind::Infrastructure)),
        ("crash, budget left", Left, fail(FailureKind::Crash)),
        ("crash, budget spent", LastOne, fail(FailureKind::Crash)),
        ("session lost, budget left", Left, Event::SessionLost { session: SESSION }),
        ("session lost, budget spent", LastOne, Event::SessionLost { session: SESSION }),
        ("dependency succeeded", Left, Event::DependencySucceeded),
        ("dependency failed", Left, ended(DependencyEnd::Failed)),
        ("dependency cancelled", Left, ended(DependencyEnd::Cancelled)),
        ("dependency stopped", Left, ended(DependencyEnd::Stopped)),
        ("cancel", Left, Event::Cancel { reason: String::new() }),
        ("stop early", Left, Event::StopEarly { epoch: EPOCH, reason: String::new() }),
        ("budget of the sweep spent", Left, Event::Stop { reason: String::new() }),
        ("retry", Left, retry(Dependency::Met)),
        ("retry, dependency pending", Left, retry(Dependency::Pending)),
        ("retry, dependency ended", Left, retry(Dependency::Ended)),
    ]
}

fn decide(state: StateName, budget: Budget, event: &Event) -> Result<Transition, Rejected> {
    let reason = String::new();
    let state = match state {
        StateName::Blocked => State::Blocked,
        StateName::Ready => State::Ready { not_before: None },
        StateName::Running => State::Running { session: SESSION },
        StateName::Succeeded => State::Succeeded,
        StateName::Failed => State::Failed { reason },
        StateName::Cancelled => State::Cancelled { reason },
        StateName::Quarantined => State::Quarantined { reason },
        StateName::Stopped => State::Stopped { reason },
    };
    let limit = match budget {
        Budget::Left => 2,
        Budget::LastOne => 1,
    };
    let limits = Budgets { failures: limit, infrastructure: limit, crashes: limit };
    apply(&Job { id: JobId(1), state, epoch: EPOCH, spent: Budgets::default(), limits }, event.clone(), NOW)
}

/// Every transition of the page: from, to, the event's title, and what was decided.
fn transitions() -> Vec<(StateName, StateName, &'static str, Transition)> {
    let decided = events().into_iter().flat_map(|(title, budget, event)| {
        StateName::ALL.into_iter().filter_map(move |from| {
            let transition = decide(from, budget, &event).ok()?;
            Some((from, transition.job.state.name(), title, transition))
        })
    });
    decided.collect()
}

fn page() -> String {
    let mut page = String::from(
        "# The life of a job\n\n\
         Written from `domain::job::apply` by `crates/domain/tests/job_states.rs`; a test compares them. Do not edit: ",
    );
    page.push_str(REMEDY);
    page.push_str(".\n\n");
    write_diagram(&mut page);
    write_table(&mut page);
    write_cascades(&mut page);
    page
}

fn write_diagram(page: &mut String) {
    let mut edges: BTreeMap<(StateName, StateName), Vec<&str>> = BTreeMap::new();
    for (from, to, title, _) in transitions() {
        edges.entry((from, to)).or_default().push(title);
    }
    page.push_str(
        "```mermaid\nstateDiagram-v2\n    [*] --> blocked: evaluate, inspect, score, probe\n    [*] --> ready: train\n",
    );
    for ((from, to), titles) in edges {
        writeln!(page, "    {from} --> {to}: {}", titles.join("<br/>")).expect("text grows");
    }
    for state in StateName::ALL.into_iter().filter(|state| state.is_final()) {
        writeln!(page, "    {state} --> [*]").expect("text grows");
    }
    page.push_str("```\n\n");
}

fn write_table(page: &mut String) {
    page.push_str(
        "## Every event in every state\n\n\
         `↑`: an attempt ends and the epoch grows. `·`: refused. A report that carries another epoch than the job's is refused \
         in every state, and so is a claim before the end of a backoff.\n\n",
    );
    let states = StateName::ALL.map(StateName::as_str).join(" | ");
    writeln!(page, "| event | {states} |\n|---|{}", "---|".repeat(StateName::ALL.len())).expect("text grows");
    for (title, budget, event) in events() {
        let cells = StateName::ALL.map(|from| cell(&decide(from, budget, &event)));
        writeln!(page, "| {title} | {} |", cells.join(" | ")).expect("text grows");
    }
}

fn cell(decided: &Result<Transition, Rejected>) -> String {
    match decided {
        Err(_) => "·".to_owned(),
        Ok(transition) if transition.job.epoch == EPOCH => transition.job.state.name().to_string(),
        Ok(transition) => format!("{} ↑", transition.job.state.name()),
    }
}

fn write_cascades(page: &mut String) {
    page.push_str("\n## What happens to the jobs that wait for it, in the same transaction\n\n");
    page.push_str("| from | to | they |\n|---|---|---|\n");
    let mut lines: Vec<String> = Vec::new();
    for (from, to, _, transition) in transitions() {
        let Some(cascade) = transition.cascade else { continue };
        let line = format!("| {from} | {to} | {} |", follow(&cascade));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    page.push_str(&lines.join("\n"));
    page.push('\n');
}

fn follow(cascade: &Cascade) -> &'static str {
    match cascade {
        Cascade::Unblock => "become ready, once all that they wait for has succeeded",
        Cascade::End { end: DependencyEnd::Failed, .. } => "fail, with its reason",
        Cascade::End { end: DependencyEnd::Cancelled, .. } => "are cancelled, with its reason",
        Cascade::End { end: DependencyEnd::Stopped, .. } => "are stopped, with its reason",
        Cascade::Reopen => "wait again, if they ended without a result and nothing else that they wait for has",
    }
}

#[test]
fn page_shows_what_the_rules_decide() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/job-states.md");
    if env::var_os("SPILLWAY_BLESS").is_some() {
        fs::write(&path, page()).expect("docs/ can be written");
    }

    let written = fs::read_to_string(&path).unwrap_or_default();

    assert!(written == page(), "docs/job-states.md does not show what the rules decide: {REMEDY}");
}
