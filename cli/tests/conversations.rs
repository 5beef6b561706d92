//! What the commands ask a coordinator, and what they make of its answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

#[path = "support/coordinator.rs"]
mod coordinator;
mod support;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use coordinator::{Screenplay, Script, serve};
use domain::spec::Violations;
use proto::{
    convert::{FromWire, invalid_argument},
    v1::{AurocRow, BitsPerDimRow, EndedJob, JobCounts, JobRow, RunningJob, SweepSummary, TableRow, WatchResponse},
};
use support::{Run, spillway, sweeps};
use tonic::Status;

const ID: &str = "0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8e";

fn summary(jobs: JobCounts) -> SweepSummary {
    SweepSummary {
        id: ID.to_owned(),
        name: "smoke".to_owned(),
        variants: 2,
        experiments: 4,
        jobs: Some(jobs),
        ..SweepSummary::default()
    }
}

fn auroc() -> AurocRow {
    AurocRow {
        sweep: "smoke".to_owned(),
        variant: "mask=cycle".to_owned(),
        in_dataset: "synthetic-shapes".to_owned(),
        out_dataset: "synthetic-strokes".to_owned(),
        score: "log-likelihood".to_owned(),
        seeds: 2,
        seeds_planned: 2,
        auroc_mean: Some(0.25),
        seeds_undefined: 0,
        auroc_sd: Some(0.125),
        ci_low: Some(0.125),
        ci_high: Some(0.375),
        ci_method: "student-t over seeds".to_owned(),
        n_in: 64,
        n_out: 32,
        seeds_stopped: 0,
    }
}

fn row(seed: Option<u64>) -> TableRow {
    TableRow {
        sweep: "smoke".to_owned(),
        variant: "mask=cycle".to_owned(),
        in_dataset: "synthetic-shapes".to_owned(),
        out_dataset: "synthetic-strokes".to_owned(),
        score: "log-likelihood".to_owned(),
        metric: "auroc".to_owned(),
        seed,
        seeds: if seed.is_some() { 1 } else { 2 },
        seeds_planned: if seed.is_some() { 1 } else { 2 },
        mean: Some(0.25),
        sd: seed.is_none().then_some(0.125),
        ci_low: Some(0.125),
        ci_high: Some(0.375),
        ci_method: "student-t over seeds".to_owned(),
        n_in: 64,
        n_out: 32,
        device: "cpu".to_owned(),
        precision: "float32".to_owned(),
        noise_draws: 1,
        worker_version: "0.1.0".to_owned(),
        ..TableRow::default()
    }
}

fn bits(dataset: &str, mean: f64, outliers: f64) -> BitsPerDimRow {
    BitsPerDimRow {
        variant: "mask=cycle".to_owned(),
        dataset: dataset.to_owned(),
        in_distribution: dataset == "synthetic-shapes",
        seeds: 2,
        seeds_planned: 2,
        mean: Some(mean),
        outliers: Some(outliers),
        ..BitsPerDimRow::default()
    }
}

fn snapshot(jobs: JobCounts) -> WatchResponse {
    WatchResponse { sweep: Some(summary(jobs)), ..WatchResponse::default() }
}

fn script() -> Script {
    Script { sweep: summary(JobCounts { succeeded: 8, ..JobCounts::default() }), created: true, ..Script::default() }
}

/// Runs the program against `script` and hands both back.
async fn converse(script: Script, arguments: &[&str]) -> (Run, Arc<Script>) {
    let script = Arc::new(script);
    let endpoint = serve(Arc::clone(&script)).await;
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<&str> =
            ["--endpoint", &endpoint].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        spillway(folder.path(), &all)
    });
    (run.await.unwrap(), script)
}

fn smoke_file() -> String {
    sweeps().join("smoke.toml").to_str().unwrap().to_owned()
}

fn watches(screenplays: Vec<Screenplay>) -> std::sync::Mutex<VecDeque<Screenplay>> {
    std::sync::Mutex::new(screenplays.into())
}

#[tokio::test]
async fn submit_sends_the_whole_document_and_prints_the_id_alone() {
    let file = smoke_file();

    let (run, script) = converse(script(), &["submit", &file, "--name", "other", "--idempotency-key", "monday"]).await;

    assert_eq!((run.code, run.out.as_str()), (Some(0), format!("{ID}\n").as_str()), "{}", run.err);
    assert_eq!(run.err, "stored sweep `smoke`: 2 variants, 4 experiments\n");
    let submitted = script.submitted.lock().unwrap().remove(0);
    assert_eq!(submitted.idempotency_key, "monday");
    let sweep = domain::sweep::SweepSpec::from_wire(submitted.sweep.unwrap(), "").unwrap();
    assert_eq!((sweep.name.as_str(), sweep.seeds.as_slice()), ("other", &[1, 2][..]));
    assert_eq!(sweep.expand().unwrap().job_count(), 8);
}

#[tokio::test]
async fn submit_of_a_known_sweep_says_that_nothing_is_new() {
    let (run, _) = converse(Script { created: false, ..script() }, &["submit", &smoke_file()]).await;

    assert_eq!((run.code, run.out.trim()), (Some(0), ID));
    assert!(run.err.starts_with("stored before, nothing new"), "{}", run.err);
}

fn no_room(millis: u64) -> Status {
    proto::convert::resource_exhausted("4 submits are worked on and 32 wait", Duration::from_millis(millis))
}

#[tokio::test]
async fn submit_comes_again_when_it_is_told_to_and_says_so() {
    let first_refusals = std::sync::Mutex::new([no_room(10), no_room(10)].into());

    let (run, script) = converse(Script { first_refusals, ..script() }, &["submit", &smoke_file()]).await;

    assert_eq!((run.code, run.out.trim()), (Some(0), ID), "{}", run.err);
    assert_eq!(script.submitted.lock().unwrap().len(), 3);
    let said: Vec<_> = run.err.lines().collect();
    assert_eq!(said[0], "4 submits are worked on and 32 wait");
    assert!(said[1].starts_with("trying again in 1 s (1 of 5)"), "{said:?}");
    assert!(said[3].contains("(2 of 5)"), "{said:?}");
}

#[tokio::test]
async fn submit_gives_up_after_a_bounded_number_of_refusals_or_at_once_when_it_would_take_too_long() {
    for (millis, submits) in [(1, 6), (301_000, 1)] {
        let refusal = Some(no_room(millis));

        let (run, script) = converse(Script { refusal, ..script() }, &["submit", &smoke_file()]).await;

        assert_eq!(run.code, Some(7), "{}", run.err);
        assert_eq!(run.out, "");
        assert_eq!(script.submitted.lock().unwrap().len(), submits);
        assert!(run.err.ends_with("error: the coordinator has no room now: 4 submits are worked on and 32 wait\n"));
    }
}

#[tokio::test]
async fn violations_that_the_coordinator_finds_are_shown_like_our_own() {
    let mut violations = Violations::one("base.model.realnvp.scales", "too many");
    violations.add("name", "taken by a statue");
    let script = Script { refusal: Some(invalid_argument(&violations)), ..script() };

    let (run, _) = converse(script, &["submit", &smoke_file()]).await;

    assert_eq!((run.code, run.out.as_str()), (Some(4), ""));
    let expected = "error: the request is not valid\nbase.model.realnvp.scales: too many\nname: taken by a statue\n";
    assert_eq!(run.err, expected);
}

#[tokio::test]
async fn bad_file_is_not_even_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    let text = std::fs::read_to_string(sweeps().join("smoke.toml")).unwrap();
    std::fs::write(&file, text.replace("steps = 20", "steps = 0")).unwrap();

    let (run, script) = converse(script(), &["submit", file.to_str().unwrap()]).await;

    assert_eq!(run.code, Some(4));
    assert!(run.err.contains("base.training.steps: 0 is out of range"), "{}", run.err);
    assert!(script.submitted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn sweeps_that_do_not_exist_exit_with_3() {
    let commands: [&[&str]; 6] =
        [&["watch", "x"], &["results", "x"], &["figures", "x"], &["jobs", "x"], &["cancel", "x"], &["retry", "x"]];
    for arguments in commands {
        let (run, _) = converse(script(), arguments).await;

        assert_eq!(run.code, Some(3), "{arguments:?}: {}", run.err);
        assert_eq!(run.err, "error: there is no sweep `x`\n");
    }
}

#[tokio::test]
async fn results_hold_the_auroc_table_and_the_bits_per_dim() {
    let of_dataset = TableRow {
        metric: "outliers".to_owned(),
        dataset: "synthetic-shapes".to_owned(),
        mean: Some(2.0),
        ..row(Some(1))
    };
    let table = || vec![row(None), row(Some(1)), row(Some(2)), of_dataset.clone()];
    let bits_per_dim = || vec![bits("synthetic-shapes", 3.25, 2.0), bits("synthetic-strokes", 1.5, 0.0)];
    let script = || Script { table: table(), bits_per_dim: bits_per_dim(), ..script() };

    let (table, _) = converse(script(), &["results", "smoke"]).await;
    let (json, _) = converse(script(), &["results", ID, "--format", "json"]).await;
    let (csv, asked) = converse(script(), &["results", "smoke", "--format", "csv"]).await;
    let (numbers, _) = converse(script(), &["results", "smoke", "--evaluations", "--format", "csv"]).await;

    assert!(table.out.contains("0.2500 ± 0.1250  [0.1250, 0.3750]  2/2"), "{}{}", table.out, table.err);
    assert!(table.out.contains("synthetic-shapes   3.250"), "{}", table.out);
    assert!(table.out.contains("--scores all shows every one"), "{}", table.out);
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(document["results"][0]["mean"], 0.25);
    assert_eq!(document["bits_per_dim"][0]["outliers"], 2.0);
    assert_eq!(
        csv.out,
        "sweep,variant,in_dataset,out_dataset,score,metric,seeds,seeds_planned,seeds_undefined,seeds_stopped,partial,mean,sd,\
         ci_low,ci_high,ci_method,n_in,n_out,device,precision,noise_draws,worker_version\n\
         smoke,mask=cycle,synthetic-shapes,synthetic-strokes,log-likelihood,auroc,2,2,0,0,false,0.25,0.125,\
         0.125,0.375,student-t over seeds,64,32,cpu,float32,1,0.1.0\n"
    );
    let request = asked.table_requests.lock().unwrap().remove(0);
    assert_eq!((request.scores.len(), request.metrics), (0, vec!["auroc".to_owned()]), "programs get every score");
    assert_eq!(numbers.out.lines().count(), 4, "{}", numbers.out);
}

#[tokio::test]
async fn results_of_a_sweep_that_has_none_say_where_to_look() {
    let (run, _) = converse(script(), &["results", "smoke"]).await;

    assert_eq!((run.code, run.out.as_str()), (Some(0), ""));
    assert!(run.err.contains("has no results yet"), "{}", run.err);
}

#[tokio::test]
async fn watch_survives_a_coordinator_that_goes_away_and_ends_with_the_table() {
    let working = JobCounts { running: 1, ready: 7, ..JobCounts::default() };
    let running = RunningJob {
        job_id: 1,
        kind: "train".to_owned(),
        variant: "mask=cycle".to_owned(),
        seed: 1,
        worker: "worker-1".to_owned(),
        ..RunningJob::default()
    };
    let first = WatchResponse { running: vec![running], ..snapshot(working) };
    let done = JobCounts { succeeded: 8, ..JobCounts::default() };
    let last = WatchResponse { auroc: vec![auroc()], finished: true, ..snapshot(done) };
    let screenplays = vec![vec![Ok(first), Err(Status::unavailable("shutting down"))], vec![Ok(last)]];

    let (run, _) = converse(Script { watches: watches(screenplays), ..script() }, &["watch", "smoke"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    let said = "lost the coordinator (shutting down): trying again in 0.5 s\nthe coordinator is back\n";
    assert_eq!(run.err, said);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(
        lines[..5],
        [
            "sweep     smoke: 2 variants, 4 experiments",
            "jobs      7 ready, 1 running",
            "running   train mask=cycle seed 1 on worker-1",
            "jobs      8 succeeded",
            "result    mask=cycle: AUROC 0.2500 ± 0.1250 [0.1250, 0.3750], synthetic-shapes against synthetic-strokes, \
             log-likelihood, seeds 2/2",
        ]
    );
    assert!(lines[6].starts_with("variant"), "{}", run.out);
}

#[tokio::test]
async fn watched_sweep_with_failed_jobs_exits_with_6() {
    let failed = EndedJob {
        job_id: 2,
        kind: "train".to_owned(),
        variant: "mask=cycle".to_owned(),
        seed: 2,
        state: "failed".to_owned(),
        reason: "loss is not a number".to_owned(),
        ..EndedJob::default()
    };
    let counts = JobCounts { succeeded: 6, failed: 2, ..JobCounts::default() };
    let last = WatchResponse { ended: vec![failed], finished: true, ..snapshot(counts) };

    let script = Script { watches: watches(vec![vec![Ok(last)]]), ..script() };
    let (run, _) = converse(script, &["submit", &smoke_file(), "--watch"]).await;

    assert_eq!(run.code, Some(6));
    assert!(run.out.contains("failed    train mask=cycle seed 2: loss is not a number\n"), "{}", run.out);
    assert!(run.err.contains("error: 2 of the jobs of sweep `smoke` did not succeed"), "{}", run.err);
}

#[tokio::test]
async fn watched_sweep_that_stopped_some_of_its_experiments_has_succeeded_and_says_so() {
    let reason = "bits/dim 3.9100 at step 2000 is not among the best 1/3 of 9 (3.5200 needed)";
    let stopped = EndedJob {
        job_id: 2,
        kind: "train".to_owned(),
        variant: "mask=horizontal".to_owned(),
        seed: 1,
        state: "stopped".to_owned(),
        reason: reason.to_owned(),
        ..EndedJob::default()
    };
    let counts = JobCounts { succeeded: 6, stopped: 2, ..JobCounts::default() };
    let left = AurocRow { auroc_mean: None, auroc_sd: None, seeds: 0, seeds_stopped: 2, ..auroc() };
    let last = WatchResponse { auroc: vec![auroc(), left], ended: vec![stopped], finished: true, ..snapshot(counts) };

    let (run, _) = converse(Script { watches: watches(vec![vec![Ok(last)]]), ..script() }, &["watch", "smoke"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.contains("jobs      6 succeeded, 2 stopped\n"), "{}", run.out);
    assert!(run.out.contains(&format!("stopped   train mask=horizontal seed 1: {reason}\n")), "{}", run.out);
    assert!(run.out.contains("0/2, 2 stopped"), "{}", run.out);
}

#[tokio::test]
async fn jobs_are_shown_by_state_with_their_reasons() {
    let job = |job_id, state: &str, reason: &str| JobRow {
        job_id,
        kind: "train".to_owned(),
        state: state.to_owned(),
        reason: reason.to_owned(),
        ..JobRow::default()
    };
    let script = || Script { jobs: vec![job(1, "succeeded", ""), job(2, "failed", "boom\nat line 7")], ..script() };

    let (all, _) = converse(script(), &["jobs", "smoke", "--format", "csv"]).await;
    let (failed, _) = converse(script(), &["jobs", "smoke", "--state", "failed"]).await;

    assert!(all.out.contains("\"boom\nat line 7\""), "{}", all.out);
    assert!(failed.out.contains("boom…") && !failed.out.contains("succeeded"), "{}", failed.out);
}

#[tokio::test]
async fn cancel_and_retry_say_how_many_jobs() {
    let (cancelled, script) = converse(script(), &["cancel", "smoke", "--reason", "wrong rate"]).await;
    let (retried, _) = converse(self::script(), &["retry", "smoke"]).await;

    assert_eq!(cancelled.err, "cancelled 3 jobs of `smoke`\n");
    assert_eq!(script.cancelled.lock().unwrap()[0].reason, "wrong rate");
    assert_eq!(retried.err, "opened 2 jobs of `smoke` again, with fresh budgets\n");
}

#[tokio::test]
async fn list_shows_where_each_sweep_stands() {
    let (run, _) = converse(script(), &["list"]).await;
    let (json, _) = converse(script(), &["list", "--format", "json"]).await;

    assert!(run.out.contains("smoke") && run.out.contains("8 succeeded") && run.out.contains(ID), "{}", run.out);
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(document["sweeps"][0]["succeeded"], 8);
}
