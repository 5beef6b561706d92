//! Early stopping and budgets through gRPC: reports decide in their order, once, and what is stopped stays and is shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use proto::v1::{self, directive::Kind};
use scene::{Scene, code, evaluated, soon, trained, validated_sweep};
use serde_json::json;
use store::{Connection, Store};
use tonic::Code;

const ASHA: &str = r#"{"early_stopping": {"asha": {"min_steps": 10, "reduction_factor": 3}}}"#;

fn asha() -> serde_json::Value {
    serde_json::from_str(ASHA).unwrap()
}

#[tokio::test]
async fn the_worst_of_three_is_stopped_with_what_waits_for_it() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&validated_sweep("asha", 3, asha())).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempts = [worker.attempt().await, worker.attempt().await, worker.attempt().await];

    worker.validate(attempts[0], &[(10, Some(3.0))]).await.unwrap();
    worker.validate(attempts[1], &[(10, Some(9.0))]).await.unwrap();
    let refusal = worker.validate(attempts[2], &[(10, Some(4.5))]).await.unwrap_err();

    let reason = "bits/dim 4.5000 at step 10 is not among the best 1/3 of 3 (3.0000 needed)";
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    assert!(refusal.message().ends_with(reason), "{refusal}");
    // The worker may miss the answer: its next report and its next heartbeat tell it again.
    assert_eq!(code(worker.validate(attempts[2], &[(10, Some(4.5))]).await), Code::FailedPrecondition);
    assert_eq!(worker.heartbeat(&attempts).await.unwrap(), [Kind::Abandon(attempts[2])]);
    let weights = coordinator.put(b"weights").await;
    assert_eq!(code(worker.complete(attempts[2], trained(weights, 90)).await), Code::FailedPrecondition);
    let jobs = coordinator.jobs("asha").await;
    let states: Vec<&str> = jobs.iter().map(|job| job.state.as_str()).collect();
    assert_eq!(states, ["running", "running", "stopped", "blocked", "blocked", "stopped"]);
    assert_eq!((jobs[2].reason.as_str(), jobs[5].reason.as_str()), (reason, reason));
    assert_eq!((jobs[2].epoch, jobs[2].failures, jobs[2].crashes), (1, 0, 0));
    // Nothing opens it again.
    let retried =
        coordinator.sweeps().retry(v1::RetryRequest { sweep: "asha".to_owned(), ..Default::default() }).await.unwrap();
    assert_eq!(retried.into_inner().retried, 0);
}

#[tokio::test]
async fn a_repeated_report_of_a_resumed_attempt_changes_nothing() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&validated_sweep("repeated", 3, asha())).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempts = [worker.attempt().await, worker.attempt().await];
    worker.validate(attempts[0], &[(10, Some(5.0))]).await.unwrap();
    worker.validate(attempts[1], &[(10, Some(4.0))]).await.unwrap();

    worker.client.release(v1::ReleaseRequest { attempt: Some(attempts[0]) }).await.unwrap();
    let third = worker.attempt().await;
    let resumed = worker.attempt().await;
    assert_eq!(resumed, v1::Attempt { epoch: 1, ..attempts[0] });
    worker.validate(third, &[(10, Some(3.0))]).await.unwrap();
    // Judged now, it would be the worst of three; it was judged as the first.
    worker.validate(resumed, &[(10, Some(5.0))]).await.unwrap();
    worker.validate(resumed, &[(10, Some(5.0)), (20, Some(4.9))]).await.unwrap();

    let places = scene.rows("select job_id, epoch, step, value, stop_reason from rung_report order by place");
    let of = |attempt: v1::Attempt, value: u32| format!("{}|{}|10|{value}|", attempt.job_id, attempt.epoch);
    assert_eq!(places, [of(attempts[0], 5), of(attempts[1], 4), of(third, 3)]);
    let curve =
        "select step, bits_per_dim, epoch from validation_curve where seed = 1 order by experiment_id, step limit 2";
    assert_eq!(scene.rows(curve), ["10|5|1", "20|4.9|1"]);
    assert_eq!(code(worker.validate(attempts[0], &[(30, Some(1.0))]).await), Code::FailedPrecondition, "stale");
    assert_eq!(scene.rows("select count(*) from validation_point where step = 30"), ["0"]);
}

#[tokio::test]
async fn a_decision_outlives_the_coordinator_that_made_it() {
    let scene = Scene::new();
    let first = scene.start().await;
    first.submit(&validated_sweep("outlived", 3, asha())).await.unwrap();
    let mut worker = first.open_worker().await;
    let attempts = [worker.attempt().await, worker.attempt().await, worker.attempt().await];
    worker.validate(attempts[0], &[(10, Some(3.0))]).await.unwrap();
    worker.validate(attempts[1], &[(10, Some(4.0))]).await.unwrap();
    // The answer is lost with the coordinator.
    let _lost = worker.validate(attempts[2], &[(10, Some(5.0))]).await;
    first.request_shutdown();

    let second = scene.start().await;
    worker.client = second.worker().client;

    assert_eq!(code(worker.validate(attempts[2], &[(10, Some(5.0))]).await), Code::FailedPrecondition);
    worker.validate(attempts[1], &[(10, Some(4.0)), (20, Some(3.9))]).await.unwrap();
    assert_eq!(worker.heartbeat(&attempts).await.unwrap(), [Kind::Abandon(attempts[2])]);
    assert_eq!(
        scene.rows("select value, stop_reason is null from stopping_report order by turn"),
        ["3|t", "4|t", "5|f"]
    );
}

#[tokio::test]
async fn several_coordinators_keep_one_order_and_decide_alike() {
    // Twelve experiments report one rung at once through two coordinators.
    let scene = Scene::new();
    let coordinators = [scene.start().await, scene.start().await];
    coordinators[0].submit(&validated_sweep("order", 12, asha())).await.unwrap();
    let mut reports = Vec::new();
    for place in 0..12_u32 {
        let mut worker = coordinators[place as usize % 2].open_worker().await;
        let attempt = worker.attempt().await;
        // A permutation of 0..12.
        let value = f64::from(place * 5 % 12);
        reports.push(async move { worker.validate(attempt, &[(10, Some(value))]).await.is_ok() });
    }

    let going_on = futures::future::join_all(reports).await;

    let rows = scene.rows("select value, stop_reason is null from stopping_report order by turn");
    let rows: Vec<(f64, bool)> = rows
        .iter()
        .map(|row| row.split_once('|').unwrap())
        .map(|(value, went_on)| (value.parse().unwrap(), went_on == "t"))
        .collect();
    // The same reports in the same order, judged by the rule alone.
    let mut seen: Vec<f64> = Vec::new();
    for (value, went_on) in rows {
        seen.push(value);
        let best = seen.len() / 3;
        let better = seen.iter().filter(|other| **other < value).count();
        assert_eq!(went_on, best == 0 || better < best, "{value} after {seen:?}");
    }
    assert_eq!(seen.len(), 12);
    let running = scene.rows("select count(*) from job where state = 'running'");
    assert_eq!(running, [going_on.iter().filter(|went_on| **went_on).count().to_string()]);
}

#[tokio::test]
async fn several_points_in_one_report_are_judged_in_the_order_of_their_steps() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&validated_sweep("late", 3, asha())).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempts = [worker.attempt().await, worker.attempt().await, worker.attempt().await];
    for attempt in &attempts[..2] {
        worker.validate(*attempt, &[(30, Some(2.0)), (10, Some(3.0)), (20, Some(2.5))]).await.unwrap();
    }

    let refusal = worker.validate(attempts[2], &[(30, Some(9.0)), (10, None)]).await.unwrap_err();

    let reason = "bits/dim without a number at step 10 is not among the best 1/3 of 3 (3.0000 needed)";
    assert!(refusal.message().ends_with(reason), "{refusal}");
    let steps = scene.rows("select step, count(*) from rung_report group by step order by step");
    assert_eq!(steps, ["10|3", "30|2"], "step 20 is no rung, and nothing follows the end");
}

#[tokio::test]
async fn the_median_rule_stops_by_best_and_means() {
    let rule = json!({"early_stopping": {"median": {"after_steps": 20, "every_steps": 10, "min_experiments": 2}}});
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&validated_sweep("median", 3, rule)).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempts = [worker.attempt().await, worker.attempt().await, worker.attempt().await];
    worker.validate(attempts[0], &[(10, Some(4.0)), (20, Some(2.0))]).await.unwrap();
    worker.validate(attempts[1], &[(10, Some(5.0)), (20, Some(3.0))]).await.unwrap();

    worker.validate(attempts[2], &[(10, Some(9.0))]).await.unwrap();
    let refusal = worker.validate(attempts[2], &[(20, Some(3.6))]).await.unwrap_err();

    let reason = "bits/dim 3.6000 is the best up to step 20, and the median of the means of 2 others is 3.5000";
    assert!(refusal.message().ends_with(reason), "{refusal}");
}

#[tokio::test]
async fn tables_mark_what_was_stopped() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&validated_sweep("tables", 3, asha())).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempts = [worker.attempt().await, worker.attempt().await, worker.attempt().await];
    worker.validate(attempts[0], &[(10, Some(3.0))]).await.unwrap();
    worker.validate(attempts[1], &[(10, Some(3.5))]).await.unwrap();
    worker.validate(attempts[2], &[(10, Some(4.0))]).await.unwrap_err();
    let weights = coordinator.put(b"weights").await;
    worker.complete(attempts[0], trained(weights, 90)).await.unwrap();
    let evaluation = worker.attempt().await;
    worker.complete(evaluation, evaluated(weights, 0.25)).await.unwrap();

    let request = v1::QueryAurocRequest { sweep: "tables".to_owned(), scores: vec!["log-likelihood".to_owned()] };
    let rows = coordinator.results().query_auroc(request).await.unwrap().into_inner().rows;
    let summary = coordinator.sweeps().get(v1::GetSweepRequest { sweep: "tables".to_owned() }).await.unwrap();
    let mut watch = coordinator
        .sweeps()
        .watch(v1::WatchRequest { sweep: "tables".to_owned(), scores: vec!["log-likelihood".to_owned()] })
        .await
        .unwrap()
        .into_inner();
    let snapshot = watch.message().await.unwrap().unwrap();

    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.variant.as_str(), row.seeds, row.seeds_stopped, row.auroc_mean, row.out_dataset.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("learning_rate=0.0001", 1, 0, Some(0.25), "synthetic-strokes"),
            ("learning_rate=0.00030000000000000003", 0, 1, None, "synthetic-strokes"),
        ]
    );
    assert_eq!(rows[1].score, "log-likelihood");
    let counts = summary.into_inner().jobs.unwrap();
    assert_eq!((counts.succeeded, counts.running, counts.blocked, counts.stopped), (2, 1, 1, 2));
    let ended: Vec<_> = snapshot.ended.iter().map(|job| (job.kind.as_str(), job.state.as_str())).collect();
    assert_eq!(ended, [("train", "stopped"), ("evaluate", "stopped")]);
    assert_eq!(snapshot.auroc, rows);
}

#[tokio::test]
async fn a_budget_of_experiments_leaves_the_rest_out() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let budget = json!({"budget": {"experiments": 2}});
    coordinator.submit(&validated_sweep("two", 4, budget)).await.unwrap();

    let jobs = coordinator.jobs("two").await;

    let states: Vec<&str> = jobs.iter().map(|job| job.state.as_str()).collect();
    assert_eq!(states, ["ready", "ready", "stopped", "stopped", "blocked", "blocked", "stopped", "stopped"]);
    assert_eq!(jobs[3].reason, "the budget of 2 experiments leaves this one out");
    let variants: Vec<&str> = jobs[..2].iter().map(|job| job.variant.as_str()).collect();
    assert_eq!(variants, ["learning_rate=0.0001", "learning_rate=0.0002"], "the first of the expansion");
    let request = v1::QueryAurocRequest { sweep: "two".to_owned(), scores: vec!["log-likelihood".to_owned()] };
    let rows = coordinator.results().query_auroc(request).await.unwrap().into_inner().rows;
    assert_eq!(rows.iter().map(|row| row.seeds_stopped).collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test]
async fn spent_device_hours_stop_trainings_and_not_evaluations() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let budget = json!({"budget": {"device_hours": 2.0}});
    coordinator.submit(&validated_sweep("hours", 3, budget)).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let done = worker.attempt().await;
    let weights = coordinator.put(b"weights").await;
    worker.complete(done, trained(weights, 90)).await.unwrap();
    scene.sql("update attempt set started_at = started_at - interval '90 minutes'");
    coordinator.submit(&validated_sweep("others", 1, json!({}))).await.unwrap();
    // The other two trainings, the evaluation of the first, and another sweep's training.
    let attempts = [worker.attempt().await, worker.attempt().await, worker.attempt().await, worker.attempt().await];
    let jobs = coordinator.jobs("hours").await;
    let attempt_at = |place: usize| *attempts.iter().find(|attempt| attempt.job_id == jobs[place].job_id).unwrap();
    let (running, evaluation) = (attempt_at(1), attempt_at(3));

    let (address, patience) = (scene.database.clone(), scene::PATIENCE);
    let store = Store::connect(&Connection { address, max_connections: 2, patience }).await.unwrap();
    assert_eq!(store.spent_budgets(10).await.unwrap(), [], "one hour and a half is not two");
    scene.sql("update attempt set started_at = started_at - interval '31 minutes' where job_id = 2");
    // The coordinator looks every few seconds, and stops everything in one go.
    let stopped = async {
        while !coordinator.states("hours").await.iter().any(|state| state == "stopped") {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the trainings", stopped).await;

    let jobs = coordinator.jobs("hours").await;
    let states: Vec<&str> = jobs.iter().map(|job| job.state.as_str()).collect();
    assert_eq!(states, ["succeeded", "stopped", "stopped", "running", "stopped", "stopped"]);
    assert!(
        jobs[1].reason.starts_with("the budget of 2 device hours is spent: trainings took 2.0"),
        "{}",
        jobs[1].reason
    );
    assert_eq!(store.spent_budgets(10).await.unwrap(), [], "what is stopped is not stopped again");
    assert_eq!(worker.heartbeat(&[running]).await.unwrap(), [Kind::Abandon(running)]);
    worker.complete(evaluation, evaluated(weights, 0.5)).await.unwrap();
    assert!(coordinator.states("others").await.iter().all(|state| state != "stopped"));
}
