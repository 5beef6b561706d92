//! The table of the job's life: every event in every state, each cell with its exact transition or its exact refusal.

mod rows;

use std::collections::BTreeSet;

use domain::job::{Dependency, DependencyEnd, Event, FailureKind, StateName, apply};
use rows::{EPOCH, NOW, job, table};

/// The event and the choice inside it. A new event or choice does not compile here until it has a name, and needs a row then.
fn shape(event: &Event) -> &'static str {
    match event {
        Event::Claim { .. } => SHAPES[0],
        Event::Complete { .. } => SHAPES[1],
        Event::Fail { kind: FailureKind::Permanent, .. } => SHAPES[2],
        Event::Fail { kind: FailureKind::Own, .. } => SHAPES[3],
        Event::Fail { kind: FailureKind::Infrastructure, .. } => SHAPES[4],
        Event::Fail { kind: FailureKind::Crash, .. } => SHAPES[5],
        Event::Release { .. } => SHAPES[6],
        Event::SessionLost { .. } => SHAPES[7],
        Event::DependencySucceeded => SHAPES[8],
        Event::DependencyEnded { end: DependencyEnd::Failed, .. } => SHAPES[9],
        Event::DependencyEnded { end: DependencyEnd::Cancelled, .. } => SHAPES[10],
        Event::Cancel { .. } => SHAPES[11],
        Event::Retry { dependency: Dependency::Met } => SHAPES[12],
        Event::Retry { dependency: Dependency::Pending } => SHAPES[13],
        Event::Retry { dependency: Dependency::Ended } => SHAPES[14],
        Event::DependencyEnded { end: DependencyEnd::Stopped, .. } => SHAPES[15],
        Event::StopEarly { .. } => SHAPES[16],
        Event::Stop { .. } => SHAPES[17],
        Event::Preempted { .. } => SHAPES[18],
    }
}

const SHAPES: [&str; 19] = [
    "claim",
    "complete",
    "fail permanent",
    "fail own",
    "fail infrastructure",
    "fail crash",
    "release",
    "session lost",
    "dependency succeeded",
    "dependency failed",
    "dependency cancelled",
    "cancel",
    "retry met",
    "retry pending",
    "retry ended",
    "dependency stopped",
    "stop early",
    "budget spent",
    "preempted",
];

#[test]
fn every_event_in_every_state_does_what_the_table_says() {
    for row in table() {
        for (state, cell) in StateName::ALL.into_iter().zip(&row.cells) {
            let before = job(state, row.given);

            let decided = apply(&before, row.event.clone(), NOW);

            assert_eq!(decided, cell.expected(&before), "{}: {:?} of a {state} job", row.title, row.event);
        }
    }
}

#[test]
fn every_event_has_a_row() {
    let rows: BTreeSet<&str> = table().iter().map(|row| shape(&row.event)).collect();

    assert_eq!(rows, BTreeSet::from(SHAPES));
}

#[test]
fn only_an_exit_from_running_ends_an_attempt_and_grows_the_epoch() {
    for row in table() {
        for state in StateName::ALL {
            let Ok(transition) = apply(&job(state, row.given), row.event.clone(), NOW) else { continue };

            let left = state == StateName::Running && transition.job.state.name() != StateName::Running;

            assert_eq!(transition.job.epoch.0, EPOCH.0 + i32::from(left), "{} of a {state} job", row.title);
            assert_eq!(transition.outcome.is_some(), left, "{} of a {state} job", row.title);
        }
    }
}

#[test]
fn only_a_retry_opens_a_job_that_has_ended() {
    for row in table() {
        for state in StateName::ALL.into_iter().filter(|state| state.is_final()) {
            if apply(&job(state, row.given), row.event.clone(), NOW).is_ok() {
                assert!(matches!(row.event, Event::Retry { .. }), "{} moves a {state} job", row.title);
            }
        }
    }
}
