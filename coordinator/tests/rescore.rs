//! Jobs that compute scores of what was evaluated, through gRPC: added to stored sweeps, waiting for several, shown beside the rest.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::collections::HashMap;

use domain::{
    Digest,
    spec::{ScoreChoice, ScoreName},
    sweep::SweepSpec,
};
use proto::{
    convert::{ToWire, violations_of},
    v1,
};
use scene::{Running, Scene, Worker, code, evaluated, sweep_spec, trained};
use tonic::{Code, Status};

/// Pairs of results that come at once.
const ROUNDS: u64 = 40;

async fn rescore(coordinator: &Running, sweep: &str, scores: &[&str]) -> Result<(u32, u32), Status> {
    let scores = scores.iter().map(|score| (*score).to_owned()).collect();
    let request = v1::RescoreRequest { sweep: sweep.to_owned(), scores };
    let v1::RescoreResponse { added, blocked } = coordinator.sweeps().rescore(request).await?.into_inner();
    Ok((added, blocked))
}

/// A training that recorded what its flow makes of the dataset that it learned.
fn recorded(digest: Digest, step: u64, statistics: Digest) -> v1::complete_request::Result {
    let v1::complete_request::Result::Train(trained) = trained(digest, step) else { unreachable!("it trained") };
    let of_split = |split: &str| v1::StatisticsRef {
        dataset: "synthetic-shapes".to_owned(),
        split: split.to_owned(),
        images: 20,
        noise_draws: 1,
        digest: statistics.to_wire(),
    };
    v1::complete_request::Result::Train(v1::TrainResult {
        statistics: vec![of_split("train"), of_split("test")],
        ..trained
    })
}

/// What a job found that computed a score.
fn scored(score: &str, scores: Digest, auroc: f64) -> v1::complete_request::Result {
    let v1::complete_request::Result::Evaluate(evaluated) = evaluated(scores, auroc) else { unreachable!("it is") };
    let measurements = evaluated
        .measurements
        .into_iter()
        .map(|measurement| v1::Measurement { score: score.to_owned(), ..measurement })
        .collect();
    v1::complete_request::Result::Score(v1::ScoreResult {
        measurements,
        scores: scores.to_wire(),
        provenance: evaluated.provenance,
    })
}

fn with_scores(mut spec: SweepSpec, scores: &[ScoreName]) -> SweepSpec {
    spec.base.evaluation.scores = Some(scores.iter().map(|score| ScoreChoice::One(*score)).collect());
    spec
}

/// Trains all and evaluates all.
async fn train_and_evaluate(coordinator: &Running, worker: &mut Worker, experiments: usize) {
    for evaluation in train(coordinator, worker, experiments).await {
        finish(coordinator, worker, evaluation).await;
    }
}

/// Trains all and yields their evaluations, claimed.
async fn train(coordinator: &Running, worker: &mut Worker, experiments: usize) -> Vec<v1::Assignment> {
    let mut trainings = Vec::new();
    for _ in 0..experiments {
        trainings.push(worker.claim(0).await.unwrap().unwrap());
    }
    for training in trainings {
        assert!(matches!(training.task, Some(v1::assignment::Task::Train(_))), "{training:?}");
        let weights = coordinator.put(format!("weights {}", training.seed).as_bytes()).await;
        let statistics = coordinator.put(format!("inside {}", training.seed).as_bytes()).await;
        worker.complete(training.attempt.unwrap(), recorded(weights, 10, statistics)).await.unwrap();
    }
    let mut evaluations = Vec::new();
    for _ in 0..experiments {
        evaluations.push(worker.claim(0).await.unwrap().unwrap());
    }
    evaluations
}

async fn finish(coordinator: &Running, worker: &mut Worker, evaluation: v1::Assignment) {
    assert!(matches!(evaluation.task, Some(v1::assignment::Task::Evaluate(_))), "{evaluation:?}");
    let statistics = coordinator.put(format!("outside {}", evaluation.seed).as_bytes()).await;
    worker.complete(evaluation.attempt.unwrap(), evaluated(statistics, 0.25)).await.unwrap();
}

fn score_task(assignment: v1::Assignment) -> v1::ScoreTask {
    match assignment.task {
        Some(v1::assignment::Task::Score(task)) => task,
        other => panic!("{other:?}"),
    }
}

async fn kinds(coordinator: &Running, sweep: &str) -> HashMap<String, Vec<String>> {
    let mut kinds: HashMap<String, Vec<String>> = HashMap::new();
    for job in coordinator.jobs(sweep).await {
        kinds.entry(job.kind).or_default().push(job.state);
    }
    kinds
}

#[tokio::test]
async fn scores_of_an_old_sweep_are_computed_from_what_is_stored_and_stand_beside_its_others() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("old", &[3])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    train_and_evaluate(&coordinator, &mut worker, 1).await;

    assert_eq!(rescore(&coordinator, "old", &["dose", "typicality-7"]).await.unwrap(), (1, 0));
    assert_eq!(rescore(&coordinator, "old", &["typicality-7", "dose"]).await.unwrap(), (0, 0), "the same again");
    assert_eq!(rescore(&coordinator, "old", &["log-likelihood"]).await.unwrap(), (0, 0), "it was measured");
    let job = worker.claim(0).await.unwrap().unwrap();
    let (attempt, seed) = (job.attempt.unwrap(), job.seed);
    let task = score_task(job);
    assert_eq!(
        (task.scores, task.out_dataset.as_str(), seed),
        (vec!["dose".into(), "typicality-7".into()], "synthetic-strokes", 3)
    );
    let digest = |text: &[u8]| Digest::of(text).to_wire();
    let expected = v1::Evaluated {
        seed: 3,
        reference: Some(digest(b"inside 3")),
        inside: digest(b"inside 3"),
        outside: digest(b"outside 3"),
    };
    assert_eq!((task.evaluated, task.checkpoint), (vec![expected], None), "no checkpoint is needed");
    let scores = coordinator.put(b"scores").await;
    assert!(!worker.complete(attempt, scored("dose", scores, 0.75)).await.unwrap());
    assert!(worker.complete(attempt, scored("dose", scores, 0.75)).await.unwrap(), "a duplicate");

    let request = v1::QueryAurocRequest { sweep: "old".to_owned(), ..Default::default() };
    let rows = coordinator.results().query_auroc(request).await.unwrap().into_inner().rows;
    let cells: Vec<_> = rows.iter().map(|row| (row.score.as_str(), row.auroc_mean)).collect();
    assert_eq!(cells, [("dose", Some(0.75)), ("log-likelihood", Some(0.25))]);
    assert_eq!(kinds(&coordinator, "old").await["score"], ["succeeded"]);
}

#[tokio::test]
async fn a_score_over_seeds_waits_for_all_of_them_and_is_one_job() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let spec = with_scores(sweep_spec("seeds", &[5, 6, 7]), &[ScoreName::LogLikelihood, ScoreName::Waic]);
    coordinator.submit(&spec).await.unwrap();
    let mut worker = coordinator.open_worker().await;

    let mut evaluations = train(&coordinator, &mut worker, 3).await;
    let last = evaluations.pop().unwrap();
    for evaluation in evaluations {
        finish(&coordinator, &mut worker, evaluation).await;
    }
    assert_eq!(kinds(&coordinator, "seeds").await["score"], ["blocked"]);
    let job = coordinator.jobs("seeds").await.into_iter().find(|job| job.kind == "score").unwrap();
    let request = v1::ExplainRequest { job_id: job.job_id };
    let causes = coordinator.fleet().explain(request).await.unwrap().into_inner().causes;
    assert!(causes[0].text.ends_with("(evaluate), which is running"), "{causes:?}");
    finish(&coordinator, &mut worker, last).await;

    let task = score_task(worker.claim(0).await.unwrap().unwrap());
    let seeds: Vec<u64> = task.evaluated.iter().map(|one| one.seed).collect();
    assert_eq!((task.scores, seeds), (vec!["waic".to_owned()], vec![5, 6, 7]));
    assert_eq!(rescore(&coordinator, "seeds", &["waic"]).await.unwrap(), (0, 0), "it has its job");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_of_two_seeds_that_come_at_once_release_each_score_once() {
    let scene = Scene::new();
    let [one, other] = [scene.start().await, scene.start().await];
    let mut worker = one.open_worker().await;
    for round in 0..ROUNDS {
        let spec =
            with_scores(sweep_spec(&format!("race-{round}"), &[1, 2]), &[ScoreName::LogLikelihood, ScoreName::Waic]);
        one.submit(&spec).await.unwrap();
        let evaluations = train(&one, &mut worker, 2).await;
        let statistics = one.put(b"outside").await;
        // Two coordinators, so that no batch takes both.
        let mut elsewhere = other.worker();
        elsewhere.session.clone_from(&worker.session);
        let [first, second] = [0, 1].map(|place: usize| evaluations[place].attempt.unwrap());

        let (first, second) = tokio::join!(
            worker.complete(first, evaluated(statistics, 0.5)),
            elsewhere.complete(second, evaluated(statistics, 0.5)),
        );

        assert_eq!((first.unwrap(), second.unwrap()), (false, false));
        let task = score_task(worker.claim(2_000).await.unwrap().unwrap_or_else(|| panic!("round {round}: no job")));
        assert_eq!(task.evaluated.len(), 2);
        assert_eq!(worker.claim(0).await.unwrap(), None, "round {round}: released twice");
    }
    let ready = "select count(*) from event join job on job.id = event.job_id where job.kind = 'score' and event.kind = 'ready'";
    assert_eq!(scene.rows(ready), [ROUNDS.to_string()]);
}

#[tokio::test]
async fn evaluations_that_have_not_ended_are_waited_for_and_failed_ones_are_left_out() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = with_scores(sweep_spec("part", &[1, 2, 3]), &[ScoreName::LogLikelihood]);
    spec.execution.max_failures = 1;
    coordinator.submit(&spec).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let mut evaluations = train(&coordinator, &mut worker, 3).await;
    finish(&coordinator, &mut worker, evaluations.remove(0)).await;
    worker.fail(evaluations.remove(0).attempt.unwrap(), "it broke").await.unwrap();

    assert_eq!(rescore(&coordinator, "part", &["latent-norm"]).await.unwrap(), (2, 1));
    let mut states = kinds(&coordinator, "part").await.remove("score").unwrap();
    states.sort_unstable();
    assert_eq!(states, ["blocked", "ready"]);
    finish(&coordinator, &mut worker, evaluations.remove(0)).await;

    assert_eq!(kinds(&coordinator, "part").await["score"], ["ready", "ready"]);
    let request = v1::RetryRequest { sweep: "part".to_owned(), ..Default::default() };
    coordinator.sweeps().retry(request).await.unwrap();
    assert_eq!(rescore(&coordinator, "part", &["latent-norm"]).await.unwrap(), (1, 1), "the one that was opened again");
}

#[tokio::test]
async fn a_score_ends_with_what_it_waits_for_and_opens_with_the_last_of_it() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = with_scores(sweep_spec("ends", &[1, 2]), &[ScoreName::LogLikelihood, ScoreName::Waic]);
    spec.execution.max_failures = 1;
    coordinator.submit(&spec).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let evaluations = train(&coordinator, &mut worker, 2).await;
    for evaluation in &evaluations {
        worker.fail(evaluation.attempt.unwrap(), "it broke").await.unwrap();
    }
    assert_eq!(kinds(&coordinator, "ends").await["score"], ["failed"]);
    let retry = async |job: i64| {
        let request = v1::RetryRequest { sweep: "ends".to_owned(), job_id: job, ..Default::default() };
        coordinator.sweeps().retry(request).await.map(|answer| answer.into_inner().retried)
    };
    let [first, second] = [0, 1].map(|place: usize| evaluations[place].attempt.unwrap().job_id);
    let score = coordinator.jobs("ends").await.into_iter().find(|job| job.kind == "score").unwrap().job_id;

    let refusal = retry(score).await.unwrap_err();
    let violation = violations_of(&refusal).unwrap().iter().next().unwrap().to_string();
    assert_eq!(
        violation,
        format!("job_id: job {score} waits for job {first}, which is failed: retry job {first}, and this one follows")
    );
    assert_eq!(retry(first).await.unwrap(), 1, "the score still waits for another one that failed");
    assert_eq!(kinds(&coordinator, "ends").await["score"], ["failed"]);
    assert_eq!(retry(second).await.unwrap(), 2, "and now for none");
    assert_eq!(kinds(&coordinator, "ends").await["score"], ["blocked"]);
}

#[tokio::test]
async fn a_worker_without_a_gpu_computes_scores_of_a_sweep_that_asks_for_one() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("gpu", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    train_and_evaluate(&coordinator, &mut worker, 1).await;
    scene.sql("update sweep set device = 'cuda', memory_bytes = 1 << 34, labels = '{a100}'");
    scene.sql("update job set device = 'cuda'");
    coordinator.ended().await;
    let coordinator = scene.start().await;

    assert_eq!(rescore(&coordinator, "gpu", &["dose"]).await.unwrap(), (1, 0));
    let job = coordinator.jobs("gpu").await.into_iter().find(|job| job.kind == "score").unwrap();
    let explained = coordinator.fleet().explain(v1::ExplainRequest { job_id: job.job_id }).await.unwrap().into_inner();
    assert!(explained.causes.iter().all(|cause| cause.kind != "no-fitting-worker"), "{explained:?}");
    let mut worker = coordinator.open_worker().await;

    assert_eq!(score_task(worker.claim(2_000).await.unwrap().unwrap()).scores, ["dose"]);
}

#[tokio::test]
async fn quotas_count_jobs_that_are_added() {
    let mut scene = Scene::new();
    scene.flags = vec!["--max-open-jobs-per-user", "6"];
    let coordinator = scene.start().await;
    coordinator.submit(&with_scores(sweep_spec("quota", &[1, 2, 3]), &[ScoreName::LogLikelihood])).await.unwrap();

    let refusal = rescore(&coordinator, "quota", &["dose"]).await.unwrap_err();
    let nothing = rescore(&coordinator, "quota", &["log-likelihood"]).await.unwrap();

    assert_eq!((refusal.code(), nothing), (Code::ResourceExhausted, (0, 0)));
    assert!(!kinds(&coordinator, "quota").await.contains_key("score"), "nothing was added");
}

#[tokio::test]
async fn scores_that_cannot_be_computed_are_refused_with_the_reason() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("one", &[1])).await.unwrap();
    let refusals = async |scores: &[&str]| {
        let refusal = rescore(&coordinator, "one", scores).await.unwrap_err();
        violations_of(&refusal).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };

    assert_eq!(refusals(&[]).await, "scores: empty: name at least one score");
    assert!(refusals(&["magic"]).await.starts_with("scores[0]: unknown score `magic`"));
    assert_eq!(refusals(&["dose", "dose"]).await, "scores[1]: `dose` stands twice");
    let few = "scores[0]: `waic` compares the models of 2 seeds at least, and no variant of this sweep has so many that did not fail";
    assert_eq!(refusals(&["waic"]).await, few);
    assert!(refusals(&["scale-9"]).await.starts_with("scores[0]: `scale-9`"));
    assert_eq!(code(rescore(&coordinator, "nowhere", &["dose"]).await), Code::NotFound);
    let alone = with_scores(sweep_spec("alone", &[1]), &[ScoreName::Waic]);
    let refusal = coordinator.submit(&alone).await.unwrap_err();
    assert!(violations_of(&refusal).unwrap().to_string().contains("seeds: `waic` compares"), "{refusal:?}");
}

#[tokio::test]
async fn an_evaluation_without_stored_statistics_ends_its_score_with_a_remedy() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("ancient", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let training = worker.attempt().await;
    let weights = coordinator.put(b"weights").await;
    worker.complete(training, trained(weights, 10)).await.unwrap();
    let evaluation = worker.claim(0).await.unwrap().unwrap();
    finish(&coordinator, &mut worker, evaluation).await;

    rescore(&coordinator, "ancient", &["dose"]).await.unwrap();
    assert_eq!(worker.claim(500).await.unwrap(), None);

    let job = coordinator.jobs("ancient").await.into_iter().find(|job| job.kind == "score").unwrap();
    assert_eq!(job.state, "failed");
    assert!(job.reason.contains("no statistics are stored"), "{}", job.reason);
}
