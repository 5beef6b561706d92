//! `spillway figures`: what is fetched, checked and written, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

#[path = "support/coordinator.rs"]
mod coordinator;
mod support;

use std::{fs, path::Path, sync::Arc};

use coordinator::{Script, serve};
use domain::Digest;
use proto::{
    convert::ToWire,
    v1::{FigureRow, SweepSummary},
};
use support::{Run, spillway};

const BYTES: &[u8] = b"not really a picture";

fn figure(experiment_id: i64, seed: u64, name: &str) -> FigureRow {
    FigureRow {
        sweep: "demo".to_owned(),
        variant: "mask=cycle".to_owned(),
        seed,
        experiment_id,
        name: name.to_owned(),
        caption: "What it shows".to_owned(),
        digest: Digest::of(BYTES).to_wire(),
        media_type: "image/png".to_owned(),
        width: 320,
        height: 200,
        ..FigureRow::default()
    }
}

fn script(figures: Vec<FigureRow>) -> Script {
    let sweep = SweepSummary { name: "demo".to_owned(), ..SweepSummary::default() };
    Script { sweep, figures, artifact: BYTES.to_vec(), ..Script::default() }
}

/// Runs the program in `folder` against `script`.
async fn run_in(folder: &Path, script: Script, arguments: &[&str]) -> Run {
    let endpoint = serve(Arc::new(script)).await;
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let folder = folder.to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let all: Vec<&str> =
            ["--endpoint", &endpoint, "figures"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        spillway(&folder, &all)
    });
    run.await.unwrap()
}

#[tokio::test]
async fn figures_of_a_sweep_are_written_into_a_folder_for_each_experiment() {
    let folder = tempfile::tempdir().unwrap();
    let figures = vec![figure(3, 1, "contact-sheet.png"), figure(4, 2, "contact-sheet.png")];

    let run = run_in(folder.path(), script(figures), &["demo"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    for name in ["3-mask=cycle-seed-1", "4-mask=cycle-seed-2"] {
        let file = folder.path().join("figures/demo").join(name).join("contact-sheet.png");
        assert_eq!(fs::read(&file).unwrap(), BYTES);
    }
    assert!(run.out.contains("320×200  figures/demo/3-mask=cycle-seed-1/contact-sheet.png"), "{}", run.out);
}

#[tokio::test]
async fn experiment_is_named_by_its_number_and_seeds_and_variants_narrow_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let figures = || vec![figure(3, 1, "a.png"), figure(4, 2, "b.png")];
    let listed = async |arguments: &[&str]| {
        let all = [arguments, &["--list", "--format", "csv"]].concat();
        let run = run_in(folder.path(), script(figures()), &all).await;
        run.out.lines().skip(1).map(|line| line.split(',').nth(5).unwrap().to_owned()).collect::<Vec<_>>()
    };

    assert_eq!(listed(&["4"]).await, ["b.png"]);
    assert_eq!(listed(&["demo"]).await, ["a.png", "b.png"]);
    assert_eq!(listed(&["demo", "--seed", "1"]).await, ["a.png"]);
    assert!(listed(&["demo", "--variant", "mask=horizontal"]).await.is_empty());
    assert!(listed(&["4", "--seed", "1"]).await.is_empty());
    assert!(!folder.path().join("figures").exists(), "a list fetches nothing");
    let unknown = run_in(folder.path(), script(figures()), &["17"]).await;
    assert_eq!((unknown.code, unknown.err.as_str()), (Some(3), "error: no experiment 17\n"));
}

#[tokio::test]
async fn damaged_figure_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut damaged = script(vec![figure(3, 1, "a.png")]);
    damaged.artifact = b"something else".to_vec();

    let run = run_in(folder.path(), damaged, &["demo", "--out-dir", "out"]).await;

    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("a.png is damaged: expected SHA-256"), "{}", run.err);
    let written = fs::read_dir(folder.path().join("out/demo/3-mask=cycle-seed-1")).unwrap().count();
    assert_eq!(written, 0);
}

#[tokio::test]
async fn name_that_is_no_figures_is_refused_before_anything_is_fetched() {
    let folder = tempfile::tempdir().unwrap();

    let run = run_in(folder.path(), script(vec![figure(3, 1, "../../evil.png")]), &["demo"]).await;

    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("is not a figure's name"), "{}", run.err);
    assert!(!folder.path().join("figures").exists());
}

#[tokio::test]
async fn sweep_without_figures_says_how_to_get_them() {
    let folder = tempfile::tempdir().unwrap();

    let run = run_in(folder.path(), script(vec![]), &["demo"]).await;

    assert_eq!((run.code, run.out.as_str()), (Some(0), ""));
    assert!(run.err.contains("`[inspection]`"), "{}", run.err);
}
