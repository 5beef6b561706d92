//! `spillway report` and `spillway plot`: what is written, what is said, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

#[path = "support/coordinator.rs"]
mod coordinator;
mod support;

use std::{fs, path::Path, sync::Arc};

use coordinator::{Script, serve};
use domain::Digest;
use proto::{
    convert::ToWire,
    v1::{
        AurocRow, DescribeSweepResponse, EvaluationRow, FigureRow, JobCounts, JobRow, ResultProvenance, SweepSummary,
        TrainingCurvePoint, TrainingCurveResponse, ValidationCurvePoint, VariantDocument,
    },
};
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

fn auroc(variant: &str, mean: Option<f64>) -> AurocRow {
    AurocRow {
        sweep: "demo".to_owned(),
        variant: variant.to_owned(),
        in_dataset: "fashion-mnist".to_owned(),
        out_dataset: "mnist".to_owned(),
        score: "log-likelihood".to_owned(),
        seeds: if mean.is_some() { 1 } else { 0 },
        seeds_planned: 2,
        auroc_mean: mean,
        ci_low: mean.map(|mean| mean - 0.01),
        ci_high: mean.map(|mean| mean + 0.01),
        ..AurocRow::default()
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
    let evaluation = EvaluationRow {
        variant: "mask=cycle".to_owned(),
        seed: 1,
        in_dataset: "fashion-mnist".to_owned(),
        out_dataset: "mnist".to_owned(),
        score: "log-likelihood".to_owned(),
        metric: "auroc".to_owned(),
        value: Some(0.71),
        ..EvaluationRow::default()
    };
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
        auroc: vec![auroc("mask=cycle", Some(0.71)), auroc(EVIL, None)],
        evaluations: vec![evaluation],
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
        "1 jobs have not ended",
        "0.7100",
        "1/2",
        "no statistics of single examples yet",
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
async fn damaged_figure_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = Script { artifact: b"something else".to_vec(), ..script() };

    let run = run_in(folder.path(), damaged, &["report", "demo"]).await;

    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("samples.png is damaged: expected SHA-256"), "{}", run.err);
    assert!(!folder.path().join("report.html").exists());
}
