//! Inspect jobs and their figures: stored with the result, fenced like it, and read back.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::{
    Digest,
    figure::{Figure, MediaType},
    job::{Event, FailureKind},
    report::{Attempt, Completion, Task},
    spec::InspectionSpec,
    sweep::SweepSpec,
};
use scene::{LONG, Scene, provenance, sweep_spec};
use store::{StoreError, TransitionError};

/// Two masks' sweep with an inspection.
fn inspected_sweep(name: &str, seeds: &[u64]) -> SweepSpec {
    let mut spec = sweep_spec(name, seeds);
    let inspection: InspectionSpec = serde_json::from_value(serde_json::json!({"draws": 2})).unwrap();
    spec.base.inspection = Some(inspection);
    spec
}

/// Claims the inspect job of the only experiment, whose training and evaluations end first.
async fn inspect_attempt(scene: &Scene) -> Attempt {
    let session = scene.open_session(LONG).await;
    scene.train_all(session, 1).await;
    loop {
        let attempt = scene.claim(session).await.unwrap();
        match scene.assignment(attempt).task {
            Task::Inspect { .. } => return attempt,
            Task::Train { .. } | Task::Evaluate { .. } | Task::Score { .. } => {
                scene.complete(attempt, &scene.evaluated(0.5).await).await.unwrap();
            }
        }
    }
}

async fn figure(scene: &Scene, name: &str) -> Figure {
    let digest = Digest::of(name.as_bytes());
    scene.store.record_artifact(&digest, name.len() as u64).await.unwrap();
    Figure {
        name: name.parse().unwrap(),
        caption: format!("shows {name}"),
        digest,
        media_type: MediaType::Png,
        width: 320,
        height: 200,
    }
}

async fn inspected(scene: &Scene, names: &[&str]) -> Completion {
    let mut figures = Vec::new();
    for name in names {
        figures.push(figure(scene, name).await);
    }
    Completion::Inspect { figures, provenance: provenance() }
}

#[tokio::test]
async fn figures_come_back_in_their_order_by_sweep_and_by_experiment() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&inspected_sweep("pictures", &[7])).await;
    let attempt = inspect_attempt(&scene).await;
    let experiment = scene.assignment(attempt).experiment;
    assert_eq!(scene.store.figures_of_experiment(experiment).await.unwrap(), Some(vec![]));

    let completion = inspected(&scene, &["contact-sheet.png", "latents-mnist.png", "a.png"]).await;
    scene.complete(attempt, &completion).await.unwrap();

    let rows = scene.store.figures_of_sweep(sweep, None, None).await.unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["contact-sheet.png", "latents-mnist.png", "a.png"]);
    let first = &rows[0];
    assert_eq!((first.sweep.as_str(), first.variant.as_str(), first.seed), ("pictures", "base", 7));
    assert_eq!((first.width, first.height, first.bytes, first.media_type.as_str()), (320, 200, 17, "image/png"));
    assert_eq!(first.digest, Digest::of(b"contact-sheet.png").to_string());
    assert_eq!((first.device.as_str(), first.precision.as_str(), first.noise_draws), ("cpu", "float32", 1));
    assert_eq!(scene.store.figures_of_experiment(experiment).await.unwrap(), Some(rows.clone()));
    assert_eq!(scene.store.figures_of_sweep(sweep, Some("base"), Some(7)).await.unwrap(), rows);
    assert_eq!(scene.store.figures_of_sweep(sweep, Some("other"), None).await.unwrap(), []);
    assert_eq!(scene.store.figures_of_sweep(sweep, None, Some(8)).await.unwrap(), []);
    assert_eq!(scene.store.figures_of_experiment(domain::ExperimentId(999)).await.unwrap(), None);
}

#[tokio::test]
async fn an_inspect_job_waits_for_its_training_and_ends_with_it() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&inspected_sweep("ended", &[1])).await;
    let attempt = scene.claim(scene.open_session(LONG).await).await.unwrap();
    assert_eq!(scene.states(sweep).await, ["running", "blocked", "blocked", "blocked"]);

    scene.fail(attempt, FailureKind::Permanent).await.unwrap();

    assert_eq!(scene.states(sweep).await, ["failed"; 4]);
}

#[tokio::test]
async fn a_result_of_a_stale_attempt_leaves_no_figure() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&inspected_sweep("stale", &[1])).await;
    let attempt = inspect_attempt(&scene).await;
    let completion = inspected(&scene, &["a.png"]).await;
    scene.apply(attempt, Event::Release { epoch: attempt.epoch }).await.unwrap();

    let refusal = scene.complete(attempt, &completion).await.unwrap_err();

    assert!(matches!(refusal, TransitionError::Rejected(_)), "{refusal}");
    assert_eq!(scene.store.figures_of_sweep(sweep, None, None).await.unwrap(), []);
}

#[tokio::test]
async fn a_figure_that_nobody_stored_is_refused_with_the_whole_result() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&inspected_sweep("unknown", &[1])).await;
    let attempt = inspect_attempt(&scene).await;
    let Completion::Inspect { mut figures, provenance } = inspected(&scene, &["a.png", "b.png"]).await else {
        unreachable!("it was made so")
    };
    figures[1].digest = Digest::of(b"never stored");

    let refusal = scene.complete(attempt, &Completion::Inspect { figures, provenance }).await.unwrap_err();

    assert!(matches!(refusal, TransitionError::Store(StoreError::UnknownArtifact)), "{refusal}");
    assert_eq!(scene.store.figures_of_sweep(sweep, None, None).await.unwrap(), []);
    assert_eq!(scene.count("result where figures is not null").await, 0);
}

#[tokio::test]
async fn the_schema_refuses_figures_that_break_the_rules() {
    let scene = Scene::new().await;
    scene.submit(&inspected_sweep("checked", &[1])).await;
    let attempt = inspect_attempt(&scene).await;
    scene.complete(attempt, &inspected(&scene, &["a.png", "b.png"]).await).await.unwrap();
    let forbidden = [
        ("a name that leaves its folder", "update figure set name = '../a.png' where ordinal = 0"),
        ("a name twice", "update figure set name = 'b.png' where ordinal = 0"),
        ("a place twice", "update figure set ordinal = 1 where ordinal = 0"),
        ("another format", "update figure set media_type = 'text/html'"),
        ("no caption", "update figure set caption = ''"),
        ("no width", "update figure set width = 0"),
        ("figures of no result", "update figure set job_id = 999"),
        (
            "two kinds of results in one",
            "update result set statistics = digest from artifact where figures is not null",
        ),
        ("an inspect job of no train job", "update job set depends_on = null where kind = 'inspect'"),
        ("a train job that waits", "update job set depends_on = (select max(id) from job) where kind = 'train'"),
        ("an unknown kind", "update job set kind = 'dream' where kind = 'inspect'"),
    ];

    for (what, statement) in forbidden {
        let refusal = scene.behind_the_scene(statement).await.expect_err(what);
        let code = refusal.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert!(code.as_deref().is_some_and(|code| code.starts_with("23")), "{what}: {refusal}");
    }
}
