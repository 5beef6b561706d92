//! Why a job does not run: every reason that holds, in order.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    JobId, SessionId, Timestamp,
    explanation::{Cause, DependencyFacts, Facts, LaneFacts, RunFacts, WorkerFacts, explain},
    fleet::{DeviceKind, DeviceRequirement, Offer, Requirement},
    job::{JobKind, State, StateName},
    lease::Heartbeat,
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

fn worker(name: &str) -> WorkerFacts {
    WorkerFacts {
        name: name.to_owned(),
        offer: Offer { device: DeviceKind::Cpu, memory_bytes: 0, labels: BTreeSet::new(), artifacts: Vec::new() },
        is_draining: false,
        heartbeat: Heartbeat::OnTime,
        jobs: 0,
    }
}

fn facts(state: State) -> Facts {
    Facts {
        now: NOW,
        state,
        dependency: None,
        requirement: Requirement { device: DeviceRequirement::Any, memory_bytes: 0, labels: BTreeSet::new() },
        run: None,
        workers: vec![worker("w1")],
        running_of_sweep: 0,
        max_running: None,
        before_in_lane: 0,
        lane: None,
        lanes_before: Vec::new(),
    }
}

fn ready() -> State {
    State::Ready { not_before: None }
}

fn names(facts: &Facts) -> Vec<&'static str> {
    explain(facts).iter().map(Cause::name).collect()
}

fn text(facts: &Facts) -> String {
    explain(facts).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn training(state: StateName) -> DependencyFacts {
    DependencyFacts { job: JobId(3), kind: JobKind::Train, state, reason: None, progress: None, others: 0 }
}

#[test]
fn a_ready_job_with_an_idle_worker_is_about_to_run() {
    assert_eq!(names(&facts(ready())), ["unhindered"]);
}

#[test]
fn a_blocked_job_names_what_it_waits_for_and_the_worker_that_would_be_missing_too() {
    let parent = DependencyFacts { progress: Some((30, 100)), ..training(StateName::Running) };
    let blocked = Facts { dependency: Some(parent), workers: Vec::new(), ..facts(State::Blocked) };

    assert_eq!(names(&blocked), ["blocked", "no-workers"]);
    assert!(text(&blocked).contains("job 3 (train), which is running at 30/100"), "{}", text(&blocked));
}

#[test]
fn a_job_that_backs_off_says_for_how_long() {
    let waiting = facts(State::Ready { not_before: Some(NOW + Duration::from_secs(41)) });
    let over = facts(State::Ready { not_before: Some(NOW) });

    assert_eq!(names(&waiting), ["backing-off"]);
    assert!(text(&waiting).contains("another 42 s"), "{}", text(&waiting));
    assert_eq!(names(&over), ["unhindered"]);
}

#[test]
fn each_worker_that_does_not_fit_says_what_it_lacks() {
    let requirement = Requirement {
        device: DeviceRequirement::Cuda,
        memory_bytes: 8 << 30,
        labels: BTreeSet::from(["site=oslo".parse().unwrap()]),
    };
    let workers = (1..=7).map(|number| worker(&format!("w{number}"))).collect();
    let unfit = Facts { requirement, workers, ..facts(ready()) };

    assert_eq!(names(&unfit), ["no-fitting-worker"]);
    let text = text(&unfit);
    assert!(text.contains("w5 lacks device cuda and 8192 MiB of device memory and label site=oslo"), "{text}");
    assert!(text.ends_with("; and 2 more") && !text.contains("w6"), "{text}");
}

#[test]
fn workers_that_drain_or_are_silent_do_not_count() {
    let draining = WorkerFacts { is_draining: true, ..worker("leaving") };
    let silent = WorkerFacts { heartbeat: Heartbeat::Lapsed, ..worker("silent") };
    let drained = Facts { workers: vec![draining.clone()], ..facts(ready()) };
    let both = Facts { workers: vec![draining, silent], ..facts(ready()) };

    assert_eq!(names(&drained), ["fitting-workers-drain"]);
    assert!(text(&drained).contains("leaving"), "{}", text(&drained));
    assert_eq!(names(&both), ["fitting-workers-lapsed"]);
    assert!(text(&both).ends_with(": silent"), "{}", text(&both));
}

#[test]
fn everything_that_holds_is_named_the_most_decisive_first() {
    let lane = |sweep: &str, running| LaneFacts {
        sweep: sweep.to_owned(),
        kind: JobKind::Train,
        priority: 70,
        aged: 3,
        running,
        weight: 2,
    };
    let crowded = Facts {
        state: State::Ready { not_before: Some(NOW + Duration::from_secs(5)) },
        workers: vec![WorkerFacts { jobs: 1, ..worker("w1") }, WorkerFacts { jobs: 1, ..worker("w2") }],
        running_of_sweep: 2,
        max_running: Some(2),
        before_in_lane: 12,
        lane: Some(LaneFacts { aged: 0, ..lane("own", 2) }),
        lanes_before: vec![lane("a", 0), lane("b", 1), lane("c", 2), lane("d", 3)],
        ..facts(ready())
    };

    let expected = ["backing-off", "sweep-limit", "fitting-workers-busy", "others-first", "own-lane"];
    assert_eq!(names(&crowded), expected);
    let text = text(&crowded);
    assert!(text.contains("train jobs of `b` (priority 70 + 3 for waiting, weight 2, 1 running)"), "{text}");
    assert!(text.contains(" and 1 more; train jobs of its own sweep have priority 70, weight 2, 2 running"), "{text}");
    assert!(text.contains("12 jobs of its sweep and kind were ready before it"), "{text}");
    assert_eq!(
        names(&Facts { max_running: Some(3), ..crowded }).iter().filter(|name| **name == "sweep-limit").count(),
        0
    );
}

#[test]
fn a_running_job_says_where_since_when_and_how_far() {
    let session = SessionId(Uuid::from_u128(1));
    let run = RunFacts {
        worker: "w1".to_owned(),
        since: Timestamp::from_micros(NOW.as_micros() - 90_000_000),
        progress: Some((7, 10)),
        heartbeat: Some(Heartbeat::Late),
    };
    let running = Facts { run: Some(run), ..facts(State::Running { session }) };

    assert_eq!(text(&running), "it has been running on w1 for 90 s, 7 of 10 done; its worker's heartbeat is late");
}

#[test]
fn an_ended_job_says_why_and_with_whom() {
    let parent = DependencyFacts { reason: Some("diverged".to_owned()), ..training(StateName::Failed) };
    let failed = State::Failed { reason: "diverged".to_owned() };
    let followed = Facts { dependency: Some(parent), ..facts(failed.clone()) };

    assert_eq!(text(&facts(State::Succeeded)), "it has ended: succeeded");
    assert_eq!(text(&facts(failed)), "it has ended: failed, diverged");
    assert!(text(&followed).contains("it waited for job 3 (train), which is failed: diverged"), "{}", text(&followed));
}
