//! What the schema refuses, and what users' views say.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::{SweepId, job::StateName, report::CurvePoint};
use scene::{LONG, Scene, sweep_spec};
use statrs::distribution::{ContinuousCDF, StudentsT};
use store::{Channel, Hint};

#[tokio::test]
async fn the_schema_refuses_what_the_rules_forbid() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("checked", &[1])).await;
    scene.claim(scene.open_session(LONG).await).await.unwrap();
    let forbidden = [
        ("running without a session", "update job set session_id = null where state = 'running'"),
        ("a session without running", "update job set session_id = (select id from session) where state = 'blocked'"),
        ("failed without a reason", "update job set state = 'failed' where state = 'blocked'"),
        ("a reason without an ending", "update job set reason = 'why' where state = 'blocked'"),
        ("backoff while blocked", "update job set not_before = now() where state = 'blocked'"),
        ("blocked by nothing", "update job set state = 'blocked', session_id = null where kind = 'train'"),
        ("an evaluate job of no train job", "update job set depends_on = null where kind = 'evaluate'"),
        ("an unknown state", "update job set state = 'asleep' where state = 'blocked'"),
        ("a priority beyond 100", "update job set priority = 101"),
        ("a negative epoch", "update job set epoch = -1"),
        ("a close without a reason", "update session set closed_at = now()"),
        ("a short digest", "insert into artifact (digest, size) values ('\\x00', 1)"),
        (
            "success without a digest",
            "insert into attempt_outcome (job_id, epoch, kind, detail) select job_id, epoch, 'succeeded', '' from attempt",
        ),
        (
            "a second attempt at one epoch",
            "insert into attempt (job_id, epoch, session_id) select job_id, epoch, session_id from attempt",
        ),
        ("a name with capitals", "update sweep set name = 'Masks'"),
    ];

    for (what, statement) in forbidden {
        let refusal = scene.behind_the_scene(statement).await.expect_err(what);
        let code = refusal.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert!(code.as_deref().is_some_and(|code| code.starts_with("23")), "{what}: {refusal}");
    }
}

#[tokio::test]
async fn measurements_are_numbers_or_null() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("measured", &[1])).await;
    evaluate(&scene, sweep, &[0.5, 0.75]).await;
    let forbidden = [
        "update measurement set value = 'NaN'",
        "update measurement set value = 'infinity', metric = 'bits-per-dim-mean'",
        "update measurement set value = 1.5",
        "update measurement set ci_low = null",
        "update measurement set n_in = -1",
    ];

    for statement in forbidden {
        assert!(scene.behind_the_scene(statement).await.is_err(), "{statement}");
    }
    scene.behind_the_scene("update measurement set value = null").await.unwrap();
}

/// Trains every experiment of the sweep and gives its evaluate jobs these AUROCs in the order of their ids.
async fn evaluate(scene: &Scene, sweep: SweepId, aurocs: &[f64]) {
    let session = scene.open_session(LONG).await;
    let experiments = scene.store.sweep_summary(sweep).await.unwrap().unwrap().experiments;
    scene.train_all(session, usize::try_from(experiments).unwrap()).await;
    let mut attempts = Vec::new();
    while let Some(attempt) = scene.claim(session).await {
        attempts.push(attempt);
    }
    attempts.sort_by_key(|attempt| attempt.job);
    for (attempt, auroc) in attempts.into_iter().zip(aurocs) {
        scene.complete(attempt, &scene.evaluated(*auroc).await).await.unwrap();
    }
}

#[tokio::test]
async fn one_seed_keeps_its_own_interval() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("one-seed", &[4])).await;
    evaluate(&scene, sweep, &[0.25, 0.5]).await;

    let table = scene.store.auroc_table(sweep, &[], 100).await.unwrap();

    assert_eq!(table.len(), 2);
    let row = &table[0];
    assert_eq!((row.variant.as_str(), row.out_dataset.as_str()), ("base", "synthetic-strokes"));
    assert_eq!((row.seeds, row.seeds_planned, row.auroc_mean, row.auroc_sd), (1, 1, Some(0.25), None));
    assert_eq!((row.ci_low, row.ci_high, row.ci_method.as_deref()), (Some(0.125), Some(1.0), Some("delong")));
    assert_eq!((row.n_in, row.n_out), (100, 50));
}

#[tokio::test]
async fn several_seeds_have_the_interval_of_students_t() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("three-seeds", &[1, 2, 3])).await;
    evaluate(&scene, sweep, &[0.2, 0.9, 0.3, 0.9, 0.4, 0.9]).await;

    let row = scene.store.auroc_table(sweep, &[], 100).await.unwrap().remove(0);

    let half = StudentsT::new(0.0, 1.0, 2.0).unwrap().inverse_cdf(0.975) * 0.1 / 3_f64.sqrt();
    assert_eq!((row.seeds, row.seeds_planned), (3, 3));
    assert!((row.auroc_mean.unwrap() - 0.3).abs() < 1e-12, "{row:?}");
    assert!((row.auroc_sd.unwrap() - 0.1).abs() < 1e-12, "{row:?}");
    assert!((row.ci_low.unwrap() - (0.3 - half)).abs() < 1e-6, "{row:?} against ±{half}");
    assert!((row.ci_high.unwrap() - (0.3 + half)).abs() < 1e-6, "{row:?} against ±{half}");
    assert_eq!(row.ci_method.as_deref(), Some("student-t over seeds"));
}

#[tokio::test]
async fn an_undefined_auroc_is_counted_and_not_dropped() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("undefined", &[1, 2])).await;
    evaluate(&scene, sweep, &[0.25, 0.5, 0.25, 0.5]).await;
    let blank = "update measurement set value = null, ci_low = null, ci_high = null, ci_method = null \
                 where metric = 'auroc' and job_id = (select min(job_id) from measurement)";
    sqlx::query(blank).execute(&scene.behind).await.unwrap();

    let row = scene.store.auroc_table(sweep, &[], 100).await.unwrap().remove(0);

    assert_eq!((row.seeds, row.seeds_undefined, row.auroc_mean), (1, 1, Some(0.25)), "{row:?}");
}

#[tokio::test]
async fn the_quantile_of_students_t_is_the_library_one() {
    let scene = Scene::new().await;

    for freedom in [1_i64, 2, 3, 9, 29, 30, 31, 60, 120, 10_000] {
        let ours: f64 =
            sqlx::query_scalar("select student_t_975($1)").bind(freedom).fetch_one(&scene.behind).await.unwrap();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let theirs = StudentsT::new(0.0, 1.0, freedom as f64).unwrap().inverse_cdf(0.975);
        assert!((ours / theirs - 1.0).abs() < 2e-6, "{freedom}: {ours} against {theirs}");
    }
}

#[tokio::test]
async fn a_resumed_attempt_replaces_the_curve_it_repeats() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("curve", &[1])).await;
    let session = scene.open_session(LONG).await;
    let point = |step, bits_per_dim| CurvePoint { step, loss_nats: 1.0, bits_per_dim, gradient_norm: 1.0 };
    let first = scene.claim(session).await.unwrap();
    scene.store.add_curve_points(first, &[point(10, 5.0), point(20, 4.0)]).await.unwrap();
    scene.apply(first, domain::job::Event::Release { epoch: first.epoch }).await.unwrap();
    let second = scene.claim(session).await.unwrap();
    scene.store.add_curve_points(second, &[point(20, 3.5), point(30, 3.0)]).await.unwrap();

    let experiment = scene.assignment(second).experiment;
    let curve = scene.store.training_curve(experiment).await.unwrap();

    let shown: Vec<_> = curve.iter().map(|point| (point.step, point.bits_per_dim)).collect();
    assert_eq!(shown, [(10, 5.0), (20, 3.5), (30, 3.0)]);
    let job = scene.store.jobs(sweep, &[StateName::Running], 10).await.unwrap().remove(0);
    assert_eq!((job.attempts, job.epoch, job.worker.as_deref()), (2, 1, Some("scripted")));
}

#[tokio::test]
async fn a_summary_counts_jobs_by_state() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("counted", &[1, 2])).await;
    scene.claim(scene.open_session(LONG).await).await.unwrap();

    let summary = scene.store.sweep_summary(sweep).await.unwrap().unwrap();

    assert_eq!((summary.variants, summary.experiments, summary.description.as_str()), (1, 2, "two masks"));
    assert_eq!((summary.running, summary.ready, summary.blocked, summary.succeeded), (1, 1, 4, 0));
    assert!(!summary.is_finished());
    assert_eq!(scene.store.sweep_summaries(10).await.unwrap(), [summary]);
}

#[tokio::test]
async fn hints_reach_every_listener() {
    let scene = Scene::new().await;
    let mut listener = scene.store.listen().await.unwrap();

    let sent = Hint {
        channel: Channel::Ready,
        sender: uuid::Uuid::new_v4(),
        sweeps: vec![domain::SweepId(uuid::Uuid::new_v4())],
    };
    scene.store.notify(&sent).await.unwrap();

    assert_eq!(listener.next().await.unwrap(), Some(sent));
}
