//! `spillway report` and `spillway plot` of a sweep that a real cluster has run.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use domain::sweep::SweepSpec;
use e2e::{Cluster, ClusterOptions, tiny_sweep};
use serde_json::json;

/// Two seeds, held-out examples and figures.
fn sweep(name: &str) -> SweepSpec {
    let mut sweep = tiny_sweep(name, &[1, 2], 40);
    let inspection = json!({"images": [0], "draws": 2, "samples": 4, "parts": ["latents", "samples"]});
    sweep.base.inspection = Some(serde_json::from_value(inspection).unwrap());
    let validation = json!({"every_steps": 10, "examples": 32});
    sweep.base.training.validation = Some(serde_json::from_value(validation).unwrap());
    sweep
}

/// Runs `spillway` in `folder`.
fn spillway(cluster: &Cluster, folder: &Path, arguments: &[&str]) -> Output {
    let mut command: Command = e2e::command("spillway").unwrap();
    command.current_dir(folder).args(["--endpoint", cluster.endpoint(0)]).args(arguments).output().unwrap()
}

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn finished_sweep_becomes_one_page_that_reproduces_it() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&sweep("reported")).await.unwrap();
    cluster.await_success("reported").await.unwrap();
    let folder = tempfile::tempdir().unwrap();

    assert_success(&spillway(&cluster, folder.path(), &["report", "reported"]));

    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let page = roxmltree::Document::parse_with_options(&html, options).unwrap();
    let with_id = |id: &str| page.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
    let pictures = |id: &str| {
        with_id(id).descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "svg"))).count()
    };
    assert_eq!(["auroc", "likelihoods", "roc", "training"].map(pictures), [1, 1, 1, 1], "{html}");
    let figures = with_id("figures").descendants().filter(|node| node.has_tag_name("img")).count();
    assert!(figures >= 3, "{figures} figures of the first seed");
    assert!(!html.contains("These results are not complete") && html.contains("2/2"), "{html}");
    for digest in cluster.sql("select checkpoint from trained_model where sweep = 'reported'").unwrap().lines() {
        assert!(html.contains(digest.trim()), "{digest} is missing");
    }
    // What the page says was asked for is what can be asked for again.
    let document = with_id("document").text().unwrap();
    fs::write(folder.path().join("reported.json"), document).unwrap();
    assert_success(&spillway(&cluster, folder.path(), &["validate", "reported.json"]));
    let again = spillway(&cluster, folder.path(), &["submit", "reported.json"]);
    assert_success(&again);
    assert!(String::from_utf8_lossy(&again.stderr).contains("before"), "{}", String::from_utf8_lossy(&again.stderr));

    assert_success(&spillway(&cluster, folder.path(), &["report", "reported", "-o", "again.html"]));
    assert_eq!(fs::read_to_string(folder.path().join("again.html")).unwrap(), html, "the same results, the same page");
}

#[tokio::test]
async fn finished_sweep_is_plotted_in_every_way() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&sweep("plotted")).await.unwrap();
    cluster.await_success("plotted").await.unwrap();
    let folder = tempfile::tempdir().unwrap();

    for (kind, said) in [
        (&["likelihoods"][..], "synthetic-strokes, OOD (n = 64)"),
        (&["likelihoods", "--seed", "2", "--unit", "nats"], "seed 2"),
        (&["likelihoods", "--score", "typicality"], "typicality (higher: more out-of-distribution)"),
        (&["roc"], ", seed 1: AUROC"),
        (&["roc", "--score", "dose"], "ROC against synthetic-strokes, dose"),
        (&["roc", "--by", "score"], "complexity-png: AUROC"),
        (&["training"], "mean of 2 seeds"),
        (&["auroc"], "plotted: AUROC against synthetic-strokes, log-likelihood"),
    ] {
        let all = [&["plot", kind[0], "plotted", "-o", "picture.svg"], &kind[1..]].concat();
        assert_success(&spillway(&cluster, folder.path(), &all));
        let svg = fs::read_to_string(folder.path().join("picture.svg")).unwrap();
        assert!(svg.contains(said), "{kind:?}: {svg}");
        let all = [&["plot", kind[0], "plotted", "-o", "picture.png"], &kind[1..]].concat();
        assert_success(&spillway(&cluster, folder.path(), &all));
        let png = fs::read(folder.path().join("picture.png")).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert!(pixels.iter().any(|&byte| byte != pixels[0]), "{kind:?} is of one colour");
    }
}
