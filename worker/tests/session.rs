//! Leases, fencing, outages and drains, as a scripted coordinator sees them.

mod support;

use std::time::{Duration, Instant};

use domain::lease::Directive;
use rustix::process::Signal;
use support::{
    coordinator::Coordinator,
    documents::{ENDLESS, attempt, train, train_with_checkpoints},
    program::Program,
    service::Call,
};

#[test]
fn stale_answer_kills_the_child_and_the_next_job_runs() {
    let mut coordinator = Coordinator::start();
    let (stale, next) = (attempt(1, 1), attempt(2, 1));
    coordinator.state(|state| state.jobs.push_back(train_with_checkpoints(stale)));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(stale, 0);
    let child = worker.child();

    coordinator.state(|state| {
        state.stale.insert((1, 1));
        state.jobs.push_back(train(next, 10, Vec::new()));
    });

    coordinator.wait_for_completion(next);
    child.wait_until_gone();
    let ends =
        |call: &Call| matches!(call, Call::Complete(of, _) | Call::Fail(of, _) | Call::Release(of) if *of == stale);
    assert!(!coordinator.seen().iter().any(ends), "an attempt that is no longer ours was reported");
}

#[test]
fn directive_to_abandon_kills_the_child() {
    let mut coordinator = Coordinator::start();
    let (abandoned, next) = (attempt(1, 1), attempt(2, 1));
    coordinator.state(|state| state.jobs.push_back(train(abandoned, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(abandoned, 0);
    let child = worker.child();

    coordinator.state(|state| {
        state.directives.push(Directive::Abandon { job: abandoned.job, epoch: abandoned.epoch });
        state.jobs.push_back(train(next, 10, Vec::new()));
    });

    child.wait_until_gone();
    coordinator.wait_for_completion(next);
}

#[test]
fn lost_session_kills_the_child_and_is_replaced() {
    let mut coordinator = Coordinator::start();
    let (lost, next) = (attempt(1, 1), attempt(1, 2));
    coordinator.state(|state| state.jobs.push_back(train(lost, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(lost, 0);
    let child = worker.child();
    let first = coordinator.seen().iter().find_map(|call| match call {
        Call::Open(session) => Some(*session),
        _ => None,
    });

    coordinator.state(|state| {
        state.closed.extend(first);
        state.jobs.push_back(train(next, 10, Vec::new()));
    });

    let second = coordinator.wait_for("second session", |call| match call {
        Call::Open(session) => Some(*session),
        _ => None,
    });
    child.wait_until_gone();
    assert_ne!(Some(second), first);
    coordinator.wait_for_completion(next);
}

#[test]
fn training_goes_on_without_a_coordinator_and_attaches_again() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    let before = coordinator.wait_for_progress(running, 0).done;
    let child = worker.child().pid();

    coordinator.be_away_for(3);

    let after = coordinator.wait_for_progress(running, before).done;
    assert!(after > before);
    assert_eq!(worker.child().pid(), child, "the child was replaced");
    let sessions = coordinator.seen().iter().filter(|call| matches!(call, Call::Open(_))).count();
    assert_eq!(sessions, 1, "the session was replaced");
}

#[test]
fn worker_without_a_trusted_lease_reports_nothing_until_it_is_renewed() {
    const LEASE_TTL: Duration = Duration::from_secs(2);
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| {
        state.lease_ttl = Some(LEASE_TTL);
        state.jobs.push_back(train_with_checkpoints(running));
    });
    let _worker = Program::start(&coordinator.url(), &[]);
    let report = |call: &Call| matches!(call, Call::Report { .. }).then_some(());
    coordinator.wait_for("report", report);

    coordinator.state(|state| state.heartbeats_lost = true);
    let lost = Instant::now();
    coordinator.wait_for("end of the lease", |call| {
        (matches!(call, Call::LostHeartbeat) && lost.elapsed() > LEASE_TTL).then_some(())
    });
    let expired = coordinator.seen().len();
    // A checkpoint comes every second, so that several fall into this time.
    coordinator.wait_for("more lost heartbeats", |call| {
        (matches!(call, Call::LostHeartbeat) && lost.elapsed() > LEASE_TTL * 2).then_some(())
    });
    assert!(!coordinator.seen()[expired..].iter().any(|call| report(call).is_some()), "a report without a lease");

    coordinator.state(|state| state.heartbeats_lost = false);
    coordinator.wait_for("report", report);
}

#[test]
fn result_survives_a_coordinator_that_loses_the_answer() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| {
        state.lost_completions = 2;
        state.jobs.push_back(train(running, 10, Vec::new()));
    });
    let _worker = Program::start(&coordinator.url(), &[]);

    let results: Vec<_> = (0..3).map(|_| coordinator.wait_for_completion(running)).collect();

    assert!(results.iter().all(|result| *result == results[0]), "{results:#?}");
}

#[test]
fn session_whose_claim_got_lost_is_closed_and_replaced() {
    let mut coordinator = Coordinator::start();
    let next = attempt(1, 2);
    coordinator.state(|state| {
        state.lost_claims = 1;
        state.jobs.push_back(train(next, 10, Vec::new()));
    });
    let _worker = Program::start(&coordinator.url(), &[]);

    coordinator.wait_for_completion(next);

    let sessions: Vec<_> = coordinator
        .seen()
        .iter()
        .filter_map(|call| match call {
            Call::Open(session) => Some(("opened", *session)),
            Call::Close(session) => Some(("closed", *session)),
            _ => None,
        })
        .collect();
    let [("opened", first), ("closed", closed), ("opened", second)] = sessions[..] else {
        panic!("one session after another expected: {sessions:?}");
    };
    assert!(first == closed && first != second, "{sessions:?}");
}

#[test]
fn session_that_could_not_be_closed_is_closed_once_a_coordinator_answers() {
    let mut coordinator = Coordinator::start();
    let _worker = Program::start(&coordinator.url(), &[]);
    let opened = |call: &Call| match call {
        Call::Open(session) => Some(*session),
        _ => None,
    };
    let first = coordinator.wait_for("session", opened);

    // The claim that waits is cut off, and there is nobody to say goodbye to for longer than the worker insists: seven tries.
    coordinator.be_away_for(14);

    let second = coordinator.wait_for("second session", opened);
    assert_ne!(first, second);
    coordinator.wait_for("goodbye", |call| matches!(call, Call::Close(session) if *session == first).then_some(()));
}

#[test]
fn second_address_is_tried_when_the_first_does_not_answer() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, 10, Vec::new())));
    // Port 1 is privileged and answers nowhere that tests run.
    let _worker = Program::start(&format!("http://127.0.0.1:1,{}", coordinator.url()), &[]);

    coordinator.wait_for_completion(running);
}

#[test]
fn sigterm_drains_with_a_checkpoint_and_a_release() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &["--grace-secs", "100"]);
    let before = coordinator.wait_for_progress(running, 0).done;

    // A service manager signals every process of the worker.
    worker.child().signal(Signal::TERM);
    worker.signal(Signal::TERM);

    drained(&mut coordinator, worker, before);
}

#[test]
fn directive_to_drain_does_what_sigterm_does() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &["--grace-secs", "100"]);
    let before = coordinator.wait_for_progress(running, 0).done;

    coordinator.state(|state| state.directives.push(Directive::Drain));

    drained(&mut coordinator, worker, before);
}

fn drained(coordinator: &mut Coordinator, worker: Program, before: u64) {
    coordinator.wait_for("closed session", |call| matches!(call, Call::Close(_)).then_some(()));
    assert!(worker.wait().success());
    let said = coordinator.seen();
    let checkpoint = said.iter().position(|call| match call {
        Call::Report { checkpoint: Some(checkpoint), .. } => checkpoint.step >= before,
        _ => false,
    });
    let release = said.iter().position(|call| matches!(call, Call::Release(of) if *of == attempt(1, 1)));
    assert!(checkpoint.expect("a checkpoint was reported") < release.expect("the job was released"));
}

#[test]
fn drain_that_takes_too_long_kills_the_child_and_releases_the_job() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &["--grace-secs", "1"]);
    coordinator.wait_for_progress(running, 0);
    let child = worker.child();
    // A stopped process follows no command.
    child.signal(Signal::STOP);

    worker.signal(Signal::TERM);

    coordinator.wait_for("release", |call| matches!(call, Call::Release(of) if *of == running).then_some(()));
    child.wait_until_gone();
    assert!(worker.wait().success());
}

#[test]
fn child_does_not_outlive_its_supervisor() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(running, 0);
    let child = worker.child();

    worker.signal(Signal::KILL);

    child.wait_until_gone();
}

#[test]
fn stopped_child_does_not_outlive_its_supervisor_either() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(running, 0);
    let child = worker.child();
    // It cannot see the end of its standard input.
    child.signal(Signal::STOP);

    worker.signal(Signal::KILL);

    child.wait_until_gone();
}

#[test]
fn child_yields_to_the_heartbeats_of_its_supervisor() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(running, 0);
    let niceness = |pid| rustix::process::getpriority_process(Some(pid)).unwrap();

    let (supervisor, child) = (niceness(worker.pid()), niceness(worker.child().pid()));

    assert!(child > supervisor, "supervisor {supervisor}, child {child}");
}

#[test]
fn what_a_killed_worker_left_behind_goes_with_the_next_start() {
    let mut coordinator = Coordinator::start();
    let (running, next) = (attempt(1, 1), attempt(2, 1));
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let killed = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(running, 0);
    let child = killed.child();
    let folders = |worker: &Program| {
        let entries = std::fs::read_dir(worker.scratch()).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name.to_string_lossy().starts_with("spillway-worker-")).collect::<Vec<_>>()
    };
    let left = folders(&killed);
    killed.signal(Signal::KILL);
    child.wait_until_gone();

    coordinator.state(|state| state.jobs.push_back(train(next, 10, Vec::new())));
    let _next = killed.start_beside(&coordinator.url());
    coordinator.wait_for_completion(next);

    assert_eq!(left.len(), 1);
    let now = folders(&killed);
    assert!(now.len() == 1 && now != left, "{left:?}, then {now:?}");
}

#[test]
fn silent_coordinator_is_left_for_the_next_one() {
    // It takes connections and never says a word, as a stopped process does.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut coordinator = Coordinator::start();
    let job = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(job, 10, Vec::new())));

    let both = format!("http://{},{}", silent.local_addr().unwrap(), coordinator.url());
    let _worker = Program::start(&both, &[]);

    coordinator.wait_for_completion(job);
}

#[test]
fn idle_worker_drains_at_once() {
    let mut coordinator = Coordinator::start();
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for("heartbeat", |call| matches!(call, Call::Heartbeat(..)).then_some(()));

    worker.signal(Signal::TERM);

    coordinator.wait_for("closed session", |call| matches!(call, Call::Close(_)).then_some(()));
    assert!(worker.wait().success());
}
