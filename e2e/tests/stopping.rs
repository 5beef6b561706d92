//! Early stopping in a whole cluster: a bad learning rate is stopped by what its flow showed, and the table says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use domain::sweep::SweepSpec;
use e2e::{Cluster, ClusterOptions, eventually};
use proto::v1::QueryAurocRequest;
use serde_json::json;

/// Three learning rates, the last of which learns nothing, compared after 10 of 30 steps.
fn learning_rates() -> SweepSpec {
    let rates = json!([{"field": "training.optimiser.adam.learning_rate", "values": [2e-3, 1e-3, 1e-9]}]);
    let document = json!({
        "name": "rates",
        "seeds": [1],
        "base": {
            "model": {"realnvp": {"mask": "cycle", "couplings": 2, "st_network": {"resnet": {"width": 2, "blocks": 1}}}},
            "data": {"dataset": "synthetic-shapes", "train_images": 128},
            "training": {
                "steps": 30, "batch_size": 8, "optimiser": {"adam": {"learning_rate": 1e-3}},
                "validation": {"every_steps": 10, "examples": 16, "out": "synthetic-strokes"},
            },
            "evaluation": {"out": ["synthetic-strokes"], "images": 16},
        },
        "expansion": {"grid": {"axes": rates}},
        "early_stopping": {"asha": {"min_steps": 10, "reduction_factor": 3}},
    });
    domain::spec::parse_document(&document, "").unwrap()
}

#[tokio::test]
async fn a_bad_learning_rate_is_stopped_and_the_table_marks_it() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.submit(&learning_rates()).await.unwrap();
    // One worker: the experiments report in the order of the sweep.
    cluster.add_worker().unwrap();

    // Each training has the patience of a test to itself: every job starts a process that loads the tensor library.
    let mut jobs = Vec::new();
    for trainings in 1..=3 {
        let ended = eventually("the end of a training with what waits for it", || async {
            let jobs = cluster.jobs("rates").await?;
            let ended = jobs.iter().filter(|job| ["succeeded", "stopped"].contains(&job.state.as_str())).count();
            Ok((ended >= 2 * trainings).then_some(jobs))
        });
        jobs = ended.await.unwrap();
    }

    let trains: Vec<_> = jobs.iter().filter(|job| job.kind == "train").collect();
    let states: Vec<&str> = trains.iter().map(|job| job.state.as_str()).collect();
    assert_eq!(states, ["succeeded", "succeeded", "stopped"], "{}", cluster.logs());
    assert!(trains[2].reason.contains("at step 10 is not among the best 1/3 of 3"), "{}", trains[2].reason);
    assert_eq!((trains[2].attempts, trains[2].failures, trains[2].crashes), (1, 0, 0));
    let request = QueryAurocRequest { sweep: "rates".to_owned(), scores: vec!["log-likelihood".to_owned()] };
    let rows = cluster.results().unwrap().query_auroc(request).await.unwrap().into_inner().rows;
    let shown: Vec<_> = rows.iter().map(|row| (row.seeds, row.seeds_stopped, row.auroc_mean.is_some())).collect();
    assert_eq!(shown, [(1, 0, true), (1, 0, true), (0, 1, false)]);
    let curve = "select variant_ordinal, min(step), max(step), count(auroc) from validation_curve \
                 join (select label, ordinal as variant_ordinal from variant) as variant on label = variant \
                 where variant_ordinal < 2 group by variant_ordinal order by variant_ordinal";
    assert_eq!(cluster.sql(curve).unwrap().trim(), "0|10|30|3\n1|10|30|3");
    // The first two went on because of what they had shown, not because nobody looked.
    let decided = "select turn, stop_reason is null from stopping_report where step = 10 order by turn";
    assert_eq!(cluster.sql(decided).unwrap().trim(), "1|t\n2|t\n3|f");
}
