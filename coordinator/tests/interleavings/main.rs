//! Do the rules hold on a real Postgres, whatever workers and users do to two coordinators at once? A hundred thousand
//! operations of several clients, interleaved, doubled, late, cut off; and a checker that reads the history afterwards.
//!
//! `SPILLWAY_INTERLEAVINGS=1000000 SPILLWAY_SEED=7 cargo test --package coordinator --test interleavings -- --nocapture`

#![allow(clippy::print_stdout, reason = "the seed and the tally are what a reader wants to know")]
#![allow(clippy::needless_update, reason = "a message that gains a field still compiles here")]
#![allow(clippy::float_cmp, reason = "numbers must come back as they were sent")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod checks;
mod client;
mod dice;
mod history;
mod log;
mod run;
#[path = "../scene/mod.rs"]
mod scene;
mod wire;

use std::{env, time::Instant};

use checks::{Finding, Rule, broken, check};
use history::History;
use log::{Answer, Log, Says};
use run::{LEASE, Settings, run};
use scene::Scene;
use wire::{loss_of, point_steps, reason_of};

/// Operations when nothing else is asked for.
const OPERATIONS: usize = 100_000;
/// Operations of the run whose history is corrupted.
const FEW_OPERATIONS: usize = 4_000;
/// Findings that are shown.
const SHOWN: usize = 20;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}: a number expected")))
}

fn list(findings: &[Finding]) -> String {
    let shown: Vec<String> = findings.iter().take(SHOWN).map(ToString::to_string).collect();
    format!("{} findings:\n{}", findings.len(), shown.join("\n"))
}

fn describe(history: &History) -> String {
    format!(
        "{} jobs, {} attempts, {} results, {} events, {} curve points, {} checkpoints, {} sessions",
        history.jobs.len(),
        history.attempts.len(),
        history.results.len(),
        history.events.len(),
        history.points.len(),
        history.checkpoints.len(),
        history.sessions.len()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_interleaving_of_a_hundred_thousand_operations_breaks_a_rule() {
    let operations = number("SPILLWAY_INTERLEAVINGS").map_or(OPERATIONS, |count| usize::try_from(count).unwrap());
    let seed = number("SPILLWAY_SEED").unwrap_or_else(|| u64::try_from(log::Clock::now()).unwrap() % 1_000_000);
    println!("SPILLWAY_INTERLEAVINGS={operations} SPILLWAY_SEED={seed} makes the same choices");
    let scene = Scene::with_lease(LEASE);
    let began = Instant::now();

    let log = run(&scene, Settings { operations, seed }).await;

    let ran = began.elapsed();
    let history = History::read(&scene.database);
    let findings = check(&history, &log);
    println!("{}\n{}", log.tally(), describe(&history));
    println!(
        "{} operations in {:.1} s, checked in {:.1} s",
        log.operations(),
        ran.as_secs_f64(),
        (began.elapsed() - ran).as_secs_f64()
    );
    assert!(log.steady, "the machine's clock was set during the run: its times prove nothing; run it again");
    assert!(findings.is_empty(), "seed {seed}: {}", list(&findings));
    assert!(log.operations() >= operations, "{} operations", log.operations());
}

/// A change behind the scene, and the rule that must be seen to be broken.
fn corruptions(log: &Log, history: &History) -> Vec<(String, Rule)> {
    let fixed = [
        (
            "alter table attempt_outcome drop constraint attempt_outcome_pkey cascade;
             insert into attempt_outcome (job_id, epoch, kind, detail, ended_at)
             select job_id, epoch, 'failed', 'own m1', ended_at from attempt_outcome where kind = 'succeeded' limit 1",
            Rule::OneOutcome,
        ),
        (
            "update result set epoch = epoch - 1 where job_id = (select max(job_id) from result where epoch > 0)",
            Rule::OneResult,
        ),
        ("update result set worker_version = 'm1' where job_id = (select max(job_id) from result)", Rule::OneResult),
        ("update measurement set value = 1 - value where job_id = (select max(job_id) from measurement)", Rule::OneResult),
        ("update job set state = 'failed', reason = '' where id = (select max(job_id) from result)", Rule::OneResult),
        (
            "update attempt_outcome set detail = 'own m1' where kind = 'failed'",
            Rule::OnlyWhatWasSent,
        ),
        (
            "insert into curve_point select job_id, epoch, 7, 1, 1, 1 from attempt limit 1",
            Rule::OnlyWhatWasSent,
        ),
        (
            "update checkpoint set stored_at = stored_at + interval '1 hour'",
            Rule::NoStaleWrite,
        ),
        (
            "update attempt_outcome set ended_at = (select started_at from attempt where attempt.job_id = attempt_outcome.job_id
                and attempt.epoch = attempt_outcome.epoch)",
            Rule::NoStaleWrite,
        ),
        ("delete from curve_point where step = (select max(step) from curve_point)", Rule::OnlyWhatWasSent),
        ("delete from curve_point where job_id = (select max(job_id) from curve_point)", Rule::AcknowledgedIsKept),
        ("delete from checkpoint where job_id = (select max(job_id) from checkpoint)", Rule::AcknowledgedIsKept),
        ("update job_log set text = 'm1'", Rule::OnlyWhatWasSent),
        ("delete from job_log", Rule::AcknowledgedIsKept),
        ("update progress set done = 5", Rule::OnlyWhatWasSent),
        (
            "insert into event (sweep_id, job_id, epoch, kind)
             select sweep_id, id, epoch, 'ready' from job where state = 'succeeded' limit 1",
            Rule::FinalStaysFinal,
        ),
        (
            "delete from event where kind = 'running' and job_id = (select max(job_id) from result)",
            Rule::Sequence,
        ),
        (
            "delete from event where kind = 'succeeded' and job_id =
                (select max(depends_on) from job where kind = 'evaluate' and state = 'succeeded')",
            Rule::DependencyFirst,
        ),
        ("update job set crashes = crashes + 1 where id = (select max(job_id) from result)", Rule::BudgetsExact),
        (
            "update attempt set started_at = started_at - interval '1 hour' where epoch > 0",
            Rule::OneAttemptRuns,
        ),
        ("delete from job where id = (select min(job_id) from attempt)", Rule::AcknowledgedIsKept),
        (
            "update attempt set session_id = (select id from session where id <> attempt.session_id limit 1)",
            Rule::OneHolder,
        ),
        ("update session set close_reason = 'lost' where close_reason = 'closed'", Rule::NoHealthySessionLost),
        ("update session set closed_at = closed_at + interval '1 hour'", Rule::NoHealthyRefusal),
    ];
    let mut all: Vec<(String, Rule)> = fixed.into_iter().map(|(sql, rule)| (sql.to_owned(), rule)).collect();
    all.push((a_refused_report_kept(log, history), Rule::OnlyWhatWasSent));
    all.push((a_cancel_that_did_less(log), Rule::UsersObeyed));
    all
}

/// The points of a report that was refused as stale, put where they would be had it been taken.
fn a_refused_report_kept(log: &Log, history: &History) -> String {
    let sendings = log.by_message();
    let refused = log.entries.iter().find_map(|entry| match entry.message.says {
        Says::Report { attempt, parts: log::Parts::Points } if history.outcome(attempt).is_some() => {
            let stale = sendings[&entry.message.id].iter().all(|entry| entry.answer == Answer::Stale);
            stale.then_some((attempt, entry.message.id))
        }
        _ => None,
    });
    let (attempt, id) = refused.unwrap();
    let row = |step| format!("({}, {}, {step}, {}, 1.5, 2)", attempt.job, attempt.epoch, loss_of(id));
    let rows: Vec<String> = point_steps(id).map(row).collect();
    format!(
        "insert into curve_point (job_id, epoch, step, loss_nats, bits_per_dim, gradient_norm) values {}",
        rows.join(", ")
    )
}

/// One job less that a cancel ended.
fn a_cancel_that_did_less(log: &Log) -> String {
    let ended = |entry: &&log::Entry| {
        matches!((&entry.message.says, &entry.answer), (Says::Cancel { .. }, Answer::Changed(1..)))
    };
    let reason = reason_of(log.entries.iter().find(ended).unwrap().message.id);
    format!("delete from event where id = (select max(id) from event where job_id is not null and detail = '{reason}')")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrupted_history_is_seen_through() {
    let scene = Scene::with_lease(LEASE);
    let log = run(&scene, Settings { operations: FEW_OPERATIONS, seed: 1 }).await;
    let history = History::read(&scene.database);
    let findings = check(&history, &log);
    assert!(findings.is_empty(), "before anything was corrupted: {}", list(&findings));

    for (statement, rule) in corruptions(&log, &history) {
        let findings = check(&History::read_after(&scene.database, &format!("{statement};")), &log);

        assert!(broken(&findings).contains(&rule), "{statement}\n{rule:?} expected, {}", list(&findings));
    }
}
