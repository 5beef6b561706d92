//! `spillway report` and `spillway plot`: what is written, what is said, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

#[path = "support/coordinator.rs"]
mod coordinator;
mod support;

use std::{fs, path::Path, sync::Arc};

use coordinator::{Script, serve};
use domain::{Digest, report::Split};
use proto::{
    convert::ToWire,
    v1::{
        DescribeSweepResponse, FigureRow, JobCounts, JobRow, ResultProvenance, StatisticsRow, SweepSummary, TableRow,
        TrainingCurvePoint, TrainingCurveResponse, ValidationCurvePoint, VariantDocument,
    },
};
use scoring::{Columns, FORMAT, Header, Statistics};
use support::{Run, spillway};

/// A label as somebody who means no good would write it.
const EVIL: &str = "mask=\"</pre><script>alert('x')</script>\" & <b>";
/// The smallest picture.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

fn job(kind: &str, variant: &str, seed: u64, experiment_id: i64) -> JobRow {
    let out_dataset = if kind == "evaluate" { "mnist" } else { "" };
    JobRow {
        kind: kind.to_owned(),
        variant: variant.to_owned(),
        seed,
        experiment_id,
        out_dataset: out_dataset.to_owned(),
        state: "succeeded".to_owned(),
        ..JobRow::default()
    }
}

fn auroc(variant: &str, mean: Option<f64>) -> TableRow {
    TableRow {
        sweep: "demo".to_owned(),
        variant: variant.to_owned(),
        in_dataset: "fashion-mnist".to_owned(),
        out_dataset: "mnist".to_owned(),
        score: "log-likelihood".to_owned(),
        metric: "auroc".to_owned(),
        seeds: if mean.is_some() { 1 } else { 0 },
        seeds_planned: 2,
        mean,
        ci_low: mean.map(|mean| mean - 0.01),
        ci_high: mean.map(|mean| mean + 0.01),
        ..TableRow::default()
    }
}

/// A sweep of two variants, one of them evil, that has come half the way.
fn script() -> Script {
    let variants = ["mask=cycle", EVIL];
    let document = |label: &str| VariantDocument {
        label: label.to_owned(),
        fingerprint: vec![0xab; 32],
        in_dataset: "fashion-mnist".to_owned(),
        document: format!("{{\"note\": {}}}", serde_json::Value::from(EVIL)),
    };
    let points = (1..=50_u32).map(|step| TrainingCurvePoint {
        step: u64::from(step) * 10,
        bits_per_dim: 3.0 + 2.0 / f64::from(step),
        ..TrainingCurvePoint::default()
    });
    let of_seed = TableRow { seed: Some(1), ..auroc("mask=cycle", Some(0.71)) };
    Script {
        sweep: SweepSummary {
            name: "demo".to_owned(),
            description: EVIL.to_owned(),
            variants: 2,
            experiments: 2,
            jobs: Some(JobCounts { succeeded: 3, running: 1, ..JobCounts::default() }),
            ..SweepSummary::default()
        },
        description: DescribeSweepResponse {
            document: "{\"name\": \"demo\"}".to_owned(),
            variants: variants.map(document).to_vec(),
            results: vec![ResultProvenance {
                kind: "train".to_owned(),
                variant: "mask=cycle".to_owned(),
                checkpoint: vec![0xcd; 32],
                device: "cpu".to_owned(),
                ..ResultProvenance::default()
            }],
            coordinator_version: "9.9.9".to_owned(),
            ..DescribeSweepResponse::default()
        },
        curve: TrainingCurveResponse {
            points: points.collect(),
            validation: vec![ValidationCurvePoint { step: 250, bits_per_dim: Some(3.2), auroc: None }],
        },
        table: vec![auroc("mask=cycle", Some(0.71)), auroc(EVIL, None), of_seed],
        jobs: vec![job("train", "mask=cycle", 1, 1), job("evaluate", "mask=cycle", 1, 1), job("train", EVIL, 1, 2)],
        figures: vec![FigureRow {
            sweep: "demo".to_owned(),
            variant: EVIL.to_owned(),
            name: "samples.png".to_owned(),
            caption: EVIL.to_owned(),
            digest: Digest::of(PNG).to_wire(),
            bytes: PNG.len() as u64,
            width: 30,
            height: 20,
            ..FigureRow::default()
        }],
        artifact: PNG.to_vec(),
        ..Script::default()
    }
}

/// The statistics of one dataset under the flow of `mask=cycle`, and their row.
fn statistics(dataset: &str, nats: impl Iterator<Item = f64>) -> (StatisticsRow, Vec<u8>) {
    let nats: Vec<f64> = nats.collect();
    let header = Header {
        format: FORMAT,
        checkpoint: Digest::of(b"a flow"),
        seed: 1,
        dataset: dataset.parse().unwrap(),
        split: Split::Test,
        images: nats.len() as u64,
        noise_draws: 1,
        precision: "float32".to_owned(),
        device: "cpu".to_owned(),
        threads: 1,
        dimensions: 784,
        discretisation_nats: 0.0,
        scales: 1,
    };
    let mut columns = Columns::default();
    for name in ["latent_log_density", "log_determinant", "latent_norm_squared"] {
        columns.values.insert(name.to_owned(), nats.clone());
        columns.values.insert(format!("scale_0.{name}"), nats.clone());
    }
    columns.values.insert("log_likelihood".to_owned(), nats.clone());
    let bytes = Statistics::new(header, columns).unwrap().to_bytes().unwrap();
    let row = StatisticsRow {
        variant: "mask=cycle".to_owned(),
        seed: 1,
        dataset: dataset.to_owned(),
        split: "test".to_owned(),
        images: nats.len() as u64,
        digest: Digest::of(&bytes).to_wire(),
        bytes: bytes.len() as u64,
        ..StatisticsRow::default()
    };
    (row, bytes)
}

/// The script with likelihoods of both sides: `out` is as likely as a step to the left or right of the middle.
fn script_with_statistics(out: impl Iterator<Item = f64>) -> Script {
    let mut script = script();
    let inside = statistics("fashion-mnist", (0..2000).map(|i| -1500.0 - f64::from(i % 500)));
    for (row, bytes) in [inside, statistics("mnist", out)] {
        script.artifacts.insert(row.digest.clone(), bytes);
        script.statistics.push(row);
    }
    script
}

/// Runs the program in `folder` against `script`.
async fn run_in(folder: &Path, script: Script, arguments: &[&str]) -> Run {
    let endpoint = serve(Arc::new(script)).await;
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let folder = folder.to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let all: Vec<&str> =
            ["--endpoint", &endpoint].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        spillway(&folder, &all)
    });
    run.await.unwrap()
}

#[tokio::test]
async fn report_is_one_page_that_asks_for_nothing_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();

    let run = run_in(folder.path(), script(), &["report", "demo", "-o", "page.html"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.starts_with("wrote page.html ("), "{}", run.err);
    let html = fs::read_to_string(folder.path().join("page.html")).unwrap();
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let page = roxmltree::Document::parse_with_options(&html, options).unwrap();
    let elements = || page.descendants().filter(|node| node.is_element());
    let name = |node: &roxmltree::Node| node.tag_name().name().to_owned();
    assert!(elements().all(|node| !["script", "iframe", "link", "object", "b"].contains(&name(&node).as_str())));
    for node in elements() {
        for attribute in node.attributes() {
            let value = attribute.value();
            assert!(!attribute.name().starts_with("on"), "{} of {}", attribute.name(), name(&node));
            if ["src", "href"].contains(&attribute.name()) {
                assert!(value.starts_with('#') || value.starts_with("data:image/png;base64,"), "{value}");
            }
        }
    }
    let mut ids: Vec<_> = elements().filter_map(|node| node.attribute("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands twice");
    // The label in the table, in a document's summary, as the caption of a figure and what a screen reader says of it.
    assert!(html.matches("alert(").count() > 5 && !html.contains("<script"), "{html}");
}

#[tokio::test]
async fn report_of_a_sweep_on_its_way_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();

    let run = run_in(folder.path(), script(), &["report", "demo"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    for said in [
        "1 job has not ended",
        "0.7100",
        "1/2",
        "no statistics of single examples; workers record them",
        "Coordinator 9.9.9",
        &"cd".repeat(32),
        &"ab".repeat(32),
        "data:image/png;base64,iVBORw0KGgo",
        "Area under the ROC curve",
        "spillway submit demo.json",
    ] {
        assert!(html.contains(said), "{said} is missing");
    }
    assert_eq!(html.matches("<svg").count(), 2, "AUROC by variant and training curves");
}

#[tokio::test]
async fn page_says_which_figures_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();

    let run = run_in(folder.path(), script(), &["report", "demo", "--figures-mib", "0"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(html.contains("1 of 1 figures of inspect jobs") && !html.contains("data:image"));
}

#[tokio::test]
async fn plots_are_written_as_the_ending_says_and_the_same_every_time() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();

    for (kind, name) in [("training", "a.svg"), ("training", "b.svg"), ("auroc", "c.svg"), ("auroc", "d.png")] {
        let run = run_in(folder.path(), script(), &["plot", kind, "demo", "-o", name]).await;
        assert_eq!(run.code, Some(0), "{}", run.err);
    }

    assert_eq!(read("a.svg"), read("b.svg"));
    let training = String::from_utf8(read("a.svg")).unwrap();
    assert!(training.contains("bits per dimension") && training.contains("held-out examples"), "{training}");
    let auroc = String::from_utf8(read("c.svg")).unwrap();
    assert!(auroc.contains("mask=cycle (1 of 2 seeds)") && auroc.contains("none yet"), "{auroc}");
    assert!(!auroc.contains("<script"), "{auroc}");
    assert!(read("d.png").starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn plots_that_cannot_be_drawn_are_refused_with_the_remedy_and_leave_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["training", "demo", "-o", "a.gif"], 1, "one that ends in .svg or .png expected"),
        (&["training", "other", "-o", "a.svg"], 3, "there is no sweep `other`"),
        (&["training", "demo", "--variant", "x", "-o", "a.svg"], 3, "there is no variant `x`: one of `mask=cycle`"),
        (&["training", "demo", "--out", "mnist", "-o", "a.svg"], 1, "training curves have no --score and no --out"),
        (&["auroc", "demo", "--out", "svhn", "-o", "a.svg"], 3, "not evaluated against `svhn`: one of mnist"),
        (&["auroc", "demo", "--score", "luck", "-o", "a.svg"], 1, "unknown score `luck`"),
        (&["auroc", "demo", "--seed", "1", "-o", "a.svg"], 1, "leave --seed out"),
        (&["likelihoods", "demo", "--variant", "mask=cycle", "-o", "a.svg"], 1, "has no such results yet"),
    ];

    for (arguments, code, said) in cases {
        let all = [&["plot"], arguments].concat();
        let run = run_in(folder.path(), script(), &all).await;

        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn likelihoods_and_roc_curves_are_drawn_from_statistics_of_single_examples() {
    let folder = tempfile::tempdir().unwrap();
    let out = || (0..1000).map(|i| -1300.0 - f64::from(i % 400));

    for (name, arguments) in [
        ("bits.svg", &["likelihoods"][..]),
        ("nats.svg", &["likelihoods", "--unit", "nats", "--out", "mnist"]),
        ("score.svg", &["likelihoods", "--score", "log-likelihood"]),
        ("roc.svg", &["roc"]),
        ("scores.svg", &["roc", "--by", "score", "--score", "log-likelihood"]),
    ] {
        let all = [&["plot", arguments[0], "demo", "-o", name], &arguments[1..]].concat();
        let run = run_in(folder.path(), script_with_statistics(out()), &all).await;
        assert_eq!(run.code, Some(0), "{name}: {}", run.err);
    }

    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for said in ["bits per dimension", "fashion-mnist, in-distribution (n = 2,000)", "mnist, OOD (n = 1,000)"] {
        assert!(read("bits.svg").contains(said), "{said}");
    }
    assert!(read("nats.svg").contains("log-likelihood (nats per example)"));
    assert!(read("score.svg").contains("more out-of-distribution"));
    // 400 of the 1,000 are less likely than the most likely of the others, and of those pairs two fifths are near: 0.4 × 0.4 / 2.
    assert!(read("roc.svg").contains("mask=cycle, seed 1: AUROC 0.080"), "{}", read("roc.svg"));
    assert!(read("scores.svg").contains("log-likelihood: AUROC 0.080"));
    let run = run_in(folder.path(), script_with_statistics(out()), &["report", "demo"]).await;
    assert_eq!(run.code, Some(0), "{}", run.err);
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert_eq!(html.matches("<svg").count(), 4, "AUROC by variant, training, likelihoods and ROC curves");
    // For a person to look at.
    if let Some(folder) = std::env::var_os("PICTURES_OUT") {
        fs::write(Path::new(&folder).join("report.html"), &html).unwrap();
    }
    assert!(html.contains("ROC curves against mnist under log-likelihood"), "{html}");
}

#[tokio::test]
async fn statistics_that_cannot_be_compared_are_said_by_name_and_take_no_page_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let no_numbers = || script_with_statistics([f64::NAN; 10].into_iter());

    let run = run_in(folder.path(), no_numbers(), &["plot", "roc", "demo", "-o", "roc.svg"]).await;
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("no ROC curve of mask=cycle, seed 1"), "{}", run.err);
    let run = run_in(folder.path(), no_numbers(), &["plot", "likelihoods", "demo", "-o", "a.svg"]).await;
    assert!(run.err.contains("none of the 10 values of `mnist, OOD` is finite"), "{}", run.err);
    let run = run_in(folder.path(), no_numbers(), &["report", "demo"]).await;
    assert_eq!(run.code, Some(0), "{}", run.err);
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(html.contains("none of the 10 values") && html.contains("no ROC curve of mask=cycle"), "{html}");
}

#[tokio::test]
async fn sweep_of_a_thousand_variants_makes_a_page_that_opens_and_says_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let label =
        |index: usize| format!("mask=cycle, learning_rate=0.000{index:04}, st_network=resnet(width=64, blocks=6)");
    let mut large = script();
    large.sweep.variants = 1000;
    large.description.variants = (0..1000)
        .map(|index| VariantDocument {
            label: label(index),
            in_dataset: "fashion-mnist".to_owned(),
            document: format!("{{\"model\": \"{}\"}}", "x".repeat(2000)),
            ..VariantDocument::default()
        })
        .collect();
    large.jobs = (0..1000)
        .flat_map(|i| [job("train", &label(i), 1, i as i64 + 1), job("evaluate", &label(i), 1, i as i64 + 1)])
        .collect();
    large.table = (0..1000)
        .flat_map(|index| {
            let over_seeds = auroc(&label(index), Some(0.3 + index as f64 * 5e-4));
            let others = ["auroc", "aupr-out", "fpr-in-at-95-out"]
                .map(|metric| TableRow { metric: metric.to_owned(), ..over_seeds.clone() });
            let of_seed = TableRow { seed: Some(1), ..over_seeds };
            others.into_iter().chain([of_seed])
        })
        .collect();

    let run = run_in(folder.path(), large, &["report", "demo"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(html.len() < 4_000_000, "{} bytes", html.len());
    for said in [
        "figures of 988 of 1000 variants",
        "Documents of 950 variants",
        "1000 rows of the table of all metrics",
        "Pictures of AUROC by variant beyond 6 datasets and 60 variants",
    ] {
        assert!(html.contains(said), "{said}");
    }
}

#[tokio::test]
async fn damaged_figure_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = Script { artifact: b"something else".to_vec(), ..script() };

    let run = run_in(folder.path(), damaged, &["report", "demo"]).await;

    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("samples.png is damaged: expected SHA-256"), "{}", run.err);
    assert!(!folder.path().join("report.html").exists());
}
