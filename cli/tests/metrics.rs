//! `spillway metrics`: any two files of scores, as text or JSON, and what it says about files that are none.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod support;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value;
use support::{Run, command, spillway};
use tempfile::TempDir;

/// Two sets of scores as text, and the same as `.npy`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("in.csv", "1\n2\n");
    write("out.csv", "score\n2\n3\n");
    write("in-table.csv", "image,dose,typicality\na,1,9\nb,2,8\nc,3,1\n");
    write("out-table.csv", "image,dose,typicality\nd,2.5,7\ne,4,3\nf,5,10\n");
    npy(&folder.path().join("in.npy"), &[1.0, 2.0]);
    npy(&folder.path().join("out.npy"), &[2.0, 3.0]);
    folder
}

fn npy(path: &Path, numbers: &[f64]) {
    let dictionary = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}\n", numbers.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((dictionary.len() as u16).to_le_bytes());
    bytes.extend(dictionary.as_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

fn json(folder: &TempDir, arguments: &[&str]) -> Value {
    let run = spillway(folder.path(), &[&["metrics"], arguments, &["--json"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    serde_json::from_str(&run.out).unwrap()
}

fn value(document: &Value, metric: &str) -> f64 {
    let rows = document["metrics"].as_array().unwrap();
    rows.iter().find(|row| row["metric"] == metric).unwrap()["value"].as_f64().unwrap()
}

#[test]
fn every_metric_is_printed_with_its_definition_interval_method_and_counts() {
    let folder = folder();

    let document = json(&folder, &["in.csv", "out.csv"]);

    let rows = document["metrics"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["metric"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "auroc",
            "aupr-out",
            "aupr-in",
            "ap-out",
            "ap-in",
            "fpr-in-at-95-out",
            "fpr-out-at-95-in",
            "detection-error",
            "detection-error-at-95-in"
        ]
    );
    assert_eq!((value(&document, "auroc"), value(&document, "fpr-in-at-95-out")), (0.875, 0.5));
    assert_eq!(rows[0]["ci_method"], "delong");
    assert_eq!(rows[1]["ci_method"], "stratified-bootstrap-1000-seed-0");
    for row in rows {
        assert_eq!((&row["n_in"], &row["n_out"]), (&Value::from(2), &Value::from(2)), "{row}");
        assert!(row["definition"].as_str().unwrap().len() > 10 && row["ci_level"] == 0.95, "{row}");
        assert!(row["ci_low"].as_f64().unwrap() <= row["value"].as_f64().unwrap(), "{row}");
    }
}

#[test]
fn text_says_the_same_as_json() {
    let folder = folder();

    let run = spillway(folder.path(), &["metrics", "in.csv", "out.csv", "--resamples", "0"]);

    assert_eq!(run.code, Some(0), "{}", run.err);
    let auroc = run.out.lines().find(|line| line.starts_with("auroc")).unwrap();
    assert!(auroc.contains("0.8750") && auroc.contains("delong") && auroc.contains("P(out > in)"), "{auroc}");
    assert!(run.out.contains("--resamples 1000 computes them"), "{}", run.out);
}

#[test]
fn formats_and_columns_give_the_same_numbers() {
    let folder = folder();
    let from_csv = json(&folder, &["in.csv", "out.csv"]);

    assert_eq!(json(&folder, &["in.npy", "out.npy"]), from_csv);
    assert_eq!(json(&folder, &["in.npy", "out.csv"]), from_csv);
    let dose = json(&folder, &["in-table.csv", "out-table.csv", "--column", "dose"]);
    assert_eq!(value(&dose, "auroc"), 8.0 / 9.0);
    let mirrored = json(&folder, &["in.csv", "out.csv", "--negate"]);
    assert_eq!(value(&mirrored, "auroc"), 0.125);
}

#[test]
fn standard_input_is_one_of_the_files() {
    let folder = folder();
    let mut child = command(folder.path(), &["metrics", "-", "out.csv", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"1\n2\n").unwrap();

    let output: Output = child.wait_with_output().unwrap();

    let run = Run::from(output);
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(value(&document, "auroc"), 0.875);
    let twice = spillway(folder.path(), &["metrics", "-", "-"]);
    assert!(twice.code == Some(1) && twice.err.contains("standard input is one stream"), "{twice:?}");
}

#[test]
fn paired_scores_are_tested_from_other_files_or_other_columns() {
    let folder = folder();
    let tables = ["in-table.csv", "out-table.csv"];

    let same_files = json(&folder, &[&tables[..], &["--column", "dose", "--paired-column", "typicality"]].concat());
    let other_files = json(
        &folder,
        &[&tables[..], &["--column", "dose", "--paired-with"], &tables, &["--paired-column", "typicality"]].concat(),
    );
    let itself = json(&folder, &["in.csv", "out.csv", "--paired-with", "in.npy", "out.npy"]);

    assert_eq!(same_files, other_files);
    let paired = &same_files["paired"][0];
    assert_eq!((&paired["auroc_first"], &paired["auroc_second"]), (&Value::from(8.0 / 9.0), &Value::from(5.0 / 9.0)));
    assert_eq!(paired["p_method"], "paired-delong");
    assert!(paired["p"].as_f64().unwrap() > 0.05 && paired["ci_high"].as_f64().unwrap() > 0.0, "{paired}");
    assert_eq!(itself["paired"][0]["p"], 1.0);
    let unpaired = ["metrics", "in.csv", "out.csv", "--paired-with", "in-table.csv", "out-table.csv"];
    let refusal = spillway(folder.path(), &[&unpaired[..], &["--paired-column", "dose"]].concat());
    assert!(refusal.code == Some(1) && refusal.err.contains("the same examples: there are 2 and 3"), "{refusal:?}");
}

#[test]
fn files_that_hold_no_scores_are_named_with_row_and_remedy() {
    let folder = folder();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("empty.csv", b"");
    write("nan.csv", b"score\n1\nnan\nNaN\n");
    write("word.csv", b"1\n2\nthree\n");
    write("cut.npy", &fs::read(folder.path().join("in.npy")).unwrap()[..70]);
    write("text.parquet", b"1\n2\n");
    write("pickle.npy", b"\x80\x04K\x01.");
    let cases = [
        ("absent.csv", "cannot read scores from absent.csv: No such file"),
        ("empty.csv", "empty.csv holds no scores: both sides need at least one"),
        ("nan.csv", "2 of the 3 scores of nan.csv are NaN, the first in row 2"),
        ("word.csv", "cannot read scores from word.csv: line 3: `three` is no number"),
        ("in-table.csv", "say with --column which one holds the scores: image, dose, typicality"),
        ("cut.npy", "cannot read scores from cut.npy: it is damaged"),
        ("pickle.npy", "cannot read scores from pickle.npy: it is damaged"),
        ("text.parquet", "cannot read scores from text.parquet: it is damaged, or no Parquet file"),
    ];
    for (name, expected) in cases {
        for arguments in [["metrics", name, "out.csv"], ["metrics", "out.csv", name]] {
            let run = spillway(folder.path(), &arguments);

            assert_eq!((run.code, run.out.as_str()), (Some(1), ""), "{name}");
            assert!(run.err.starts_with("error: ") && run.err.contains(expected), "{name}: {}", run.err);
        }
    }
}

#[test]
fn too_few_resamples_are_refused_and_the_seed_is_recorded() {
    let folder = folder();

    let few = spillway(folder.path(), &["metrics", "in.csv", "out.csv", "--resamples", "10"]);
    let seeded = json(&folder, &["in.csv", "out.csv", "--resamples", "2000", "--seed", "7"]);

    assert!(few.code == Some(2) && few.err.contains("0 or a number from 1000 to 1000000"), "{few:?}");
    assert_eq!(seeded["metrics"][1]["ci_method"], "stratified-bootstrap-2000-seed-7");
}

#[test]
fn infinite_scores_are_extremes() {
    let folder = folder();
    fs::write(folder.path().join("extreme.csv"), "inf\n-inf\n").unwrap();

    let document = json(&folder, &["in.csv", "extreme.csv"]);

    assert_eq!(value(&document, "auroc"), 0.5);
    let rows = document["metrics"].as_array().unwrap();
    assert_eq!(rows[5]["threshold"], "-inf", "JSON has no infinity: it is text");
}
