//! Scores with jobs of their own, the whole way: real workers, real statistics, numbers computed again from what is stored.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use std::collections::BTreeMap;

use domain::{report::Split, spec::Dataset, sweep::SweepSpec};
use e2e::{Cluster, ClusterOptions, eventually, tiny_sweep};
use rustix::process::Signal;
use scoring::Statistics;
use serde_json::json;

/// A sweep of two seeds with every score that has jobs of its own and fits images of 784 dimensions in a test.
fn scored_sweep(name: &str, subsample: u32) -> SweepSpec {
    let mut document = serde_json::to_value(tiny_sweep(name, &[1, 2], 30)).unwrap();
    let evaluation = json!({
        "out": ["synthetic-strokes"],
        "images": 64,
        "scores": ["log-likelihood", "waic", "gradient-norm", "score-test", "likelihood-ratio"],
        "subsample": subsample,
        "background": {"mutation": 0.3},
    });
    document["base"]["evaluation"] = evaluation;
    domain::spec::parse_document(&document, "").unwrap()
}

/// The per-image log-likelihoods that are stored of the variant with this label: by dataset and seed.
fn log_likelihoods(cluster: &Cluster, label: &str) -> BTreeMap<(String, u64), Vec<f64>> {
    let rows = cluster
        .sql(&format!("select dataset, seed, digest from statistics where split = 'test' and variant = '{label}'"))
        .unwrap();
    let mut found = BTreeMap::new();
    for row in rows.lines() {
        let [dataset, seed, digest] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
        let bytes = std::fs::read(artifact(cluster, digest)).unwrap();
        let statistics = Statistics::read(&bytes, Some(digest.parse().unwrap())).unwrap();
        assert_eq!(statistics.header().split, Split::Test);
        found.insert((dataset.to_owned(), seed.parse().unwrap()), statistics.log_likelihood().to_vec());
    }
    found
}

/// The file of an artifact in the coordinators' folder.
fn artifact(cluster: &Cluster, digest: &str) -> std::path::PathBuf {
    let mut folders = vec![cluster.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().replace('/', "").ends_with(digest) {
                return path;
            }
        }
    }
    panic!("artifact {digest} is nowhere in {}", cluster.folder().display());
}

fn auroc(cluster: &Cluster, score: &str, variant: &str) -> Vec<f64> {
    let query = format!(
        "select value from evaluation where score = '{score}' and metric = 'auroc' and variant = '{variant}' order by seed"
    );
    cluster.sql(&query).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?} where {expected:?} is right");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} where {expected} is right");
    }
}

#[tokio::test]
async fn opt_in_scores_are_those_of_the_stored_statistics_and_more_can_be_added() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&scored_sweep("scored", 8)).await.unwrap();
    cluster.await_success("scored").await.unwrap();

    let (own, background) = (log_likelihoods(&cluster, "base"), log_likelihoods(&cluster, "background of base"));
    let (inside, outside) = ("synthetic-shapes".to_owned(), "synthetic-strokes".to_owned());
    let of = |dataset: &String, seed: u64| own[&(dataset.clone(), seed)].as_slice();
    let waic = |dataset: &String| ood::waic(&[of(dataset, 1), of(dataset, 2)]);
    close(&auroc(&cluster, "waic", "base"), &[ood::auroc(&waic(&inside), &waic(&outside)).unwrap().value]);
    let ratio =
        |dataset: &String, seed| ood::likelihood_ratio(of(dataset, seed), &background[&(dataset.clone(), seed)]);
    let expected = [1, 2].map(|seed| ood::auroc(&ratio(&inside, seed), &ratio(&outside, seed)).unwrap().value);
    close(&auroc(&cluster, "likelihood-ratio", "base"), &expected);
    for score in ["gradient-norm", "score-test"] {
        assert_eq!(auroc(&cluster, score, "base").len(), 2, "{score}");
        let counts = "select distinct n_in, n_out from evaluation where metric = 'auroc' and score = 'gradient-norm'";
        assert_eq!(cluster.sql(counts).unwrap().trim(), "8|8");
    }

    let rescore = |scores: &str| {
        let ran = e2e::command("spillway")
            .unwrap()
            .args(["--endpoint", cluster.endpoint(0), "rescore", "scored", "--scores", scores])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stderr).into_owned()
    };
    // Two experiments and two background models.
    assert!(rescore("latent-norm,typicality-3").starts_with("added 4 jobs to `scored`"));
    assert!(rescore("typicality-3,latent-norm").starts_with("nothing to add"));
    cluster.await_success("scored").await.unwrap();

    assert_eq!(auroc(&cluster, "latent-norm", "base").len(), 2);
    assert_eq!(auroc(&cluster, "typicality-3", "background of base").len(), 2);
    let digest = cluster
        .sql("select statistics from evaluation where score = 'typicality-3' and metric = 'auroc' and variant = 'base' and seed = 1")
        .unwrap();
    let scores = std::fs::read(artifact(&cluster, digest.trim())).unwrap();
    let names: Vec<String> = serde_json::from_slice::<serde_json::Value>(&scores[8..8 + header_length(&scores)])
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| *name != "__metadata__")
        .cloned()
        .collect();
    assert_eq!(names, ["in.latent-norm", "in.typicality-3", "out.latent-norm", "out.typicality-3"]);
    let parsed: Dataset = inside.parse().unwrap();
    assert_eq!(parsed.to_string(), inside);
}

fn header_length(bytes: &[u8]) -> usize {
    usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap()
}

#[tokio::test]
async fn a_drained_worker_hands_its_probe_over() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let first = cluster.add_worker().unwrap();
    let mut sweep = serde_json::to_value(tiny_sweep("probed", &[1], 5)).unwrap();
    sweep["base"]["evaluation"]["scores"] = json!(["log-likelihood", "gradient-norm"]);
    sweep["base"]["evaluation"]["subsample"] = json!(64);
    let sweep: SweepSpec = domain::spec::parse_document(&sweep, "").unwrap();
    cluster.submit(&sweep).await.unwrap();
    let under_way = "select count(*) from progress join job on job.id = job_id where kind = 'probe' and done > 0";
    eventually("the probe runs", async || Ok((cluster.sql(under_way)?.trim() == "1").then_some(()))).await.unwrap();

    cluster.worker(first).signal(Signal::TERM).unwrap();
    let job = eventually("the probe is given back", async || {
        let job = cluster.jobs("probed").await?.into_iter().find(|job| job.kind == "probe");
        Ok(job.filter(|job| job.state == "ready"))
    })
    .await
    .unwrap();

    let outcome = format!("select kind from attempt_outcome where job_id = {}", job.job_id);
    assert_eq!(cluster.sql(&outcome).unwrap().trim(), "released");
    assert_eq!((job.failures, job.infrastructure_failures, job.crashes), (0, 0, 0));
    cluster.add_worker().unwrap();
    cluster.await_success("probed").await.unwrap();
    assert_eq!(auroc(&cluster, "gradient-norm", "base").len(), 1);
}
