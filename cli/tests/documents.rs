//! Sweep files as users write them: the good ones, the bad ones, and what is said about each.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use support::{spillway, sweeps};

const SMOKE_JSON: &str = r#"{
  "name": "smoke",
  "seeds": [1, 2],
  "base": {
    "model": {"realnvp": {"mask": "cycle", "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
    "data": {"dataset": "synthetic-shapes"},
    "training": {"steps": 20, "batch_size": 16, "optimiser": {"adam": {"learning_rate": 1e-3}}},
    "evaluation": {"out": ["synthetic-strokes", "constant"]}
  },
  "expansion": {"grid": {"axes": [{"field": "model.realnvp.mask", "values": ["horizontal", "cycle"]}]}}
}"#;

const SMOKE_YAML: &str = "\
name: smoke
seeds: [1, 2]
base:
  model:
    realnvp: {mask: cycle, st_network: {resnet: {width: 4, blocks: 1}}}
  data: {dataset: synthetic-shapes}
  training:
    steps: 20
    batch_size: 16
    optimiser: {adam: {learning_rate: 1e-3}}
  evaluation:
    out: [synthetic-strokes, constant]
expansion:
  grid:
    axes:
      - field: model.realnvp.mask
        values: [horizontal, cycle]
";

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn every_sweep_of_the_repository_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = [
        ("demo", "12 = 6 train + 6 evaluate"),
        ("demo-synthetic", "12 = 6 train + 6 evaluate"),
        ("smoke", "8 = 4 train + 4 evaluate"),
        ("asha", "18 = 9 train + 9 evaluate"),
        ("views-fashion-mnist", "48 = 6 train + 42 evaluate"),
        ("class-split-fashion-mnist", "18 = 6 train + 12 evaluate"),
    ];
    for (name, jobs) in jobs {
        let file = sweeps().join(format!("{name}.toml"));

        let run = spillway(folder.path(), &["validate", file.to_str().unwrap()]);

        assert_eq!(run.code, Some(0), "{}", run.err);
        assert!(run.out.contains(&format!("sweep        {name}\n")), "{}", run.out);
        assert!(run.out.contains(jobs), "{}", run.out);
    }
    let file = sweeps().join("asha.toml");
    let run = spillway(folder.path(), &["validate", file.to_str().unwrap()]);
    assert!(
        run.out.contains("stopping     asha: the best 1/3 by bits-per-dim go on at 50, 150 steps\n"),
        "{}",
        run.out
    );
    assert!(run.out.contains("budget       2 device hours of training\n"), "{}", run.out);
    assert_eq!(sweep_files(&sweeps()).len(), jobs.len(), "a sweep file is not in this test");
}

#[test]
fn every_experiment_of_the_paper_is_a_valid_sweep_with_a_small_variant() {
    let folder = tempfile::tempdir().unwrap();
    for (place, prefix) in [("paper", ""), ("paper/small", "small-")] {
        let files = sweep_files(&sweeps().join(place));
        for file in &files {
            let stem = file.file_stem().unwrap().to_str().unwrap();

            let run = spillway(folder.path(), &["validate", file.to_str().unwrap()]);

            assert_eq!(run.code, Some(0), "{}: {}", file.display(), run.err);
            assert!(run.out.contains(&format!("sweep        {prefix}{stem}\n")), "{}: {}", file.display(), run.out);
        }
        for experiment in 1..=11 {
            let begin = format!("e{experiment:02}-");
            let found = files.iter().any(|file| file.file_name().unwrap().to_str().unwrap().starts_with(&begin));
            assert!(found, "no {begin}*.toml in {place}");
        }
    }
}

/// The sweep files of a folder, without those of folders in it.
fn sweep_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect()
}

#[test]
fn demo_has_the_three_masks_and_two_seeds() {
    let folder = tempfile::tempdir().unwrap();

    let run = spillway(folder.path(), &["validate", sweeps().join("demo.toml").to_str().unwrap()]);

    let variants: Vec<&str> = run.out.lines().skip(2).take(3).map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(variants, ["mask=checkerboard", "mask=horizontal", "mask=cycle"]);
    assert!(run.out.contains("seeds        1, 2\n"), "{}", run.out);
}

#[test]
fn validate_says_what_training_takes() {
    let folder = tempfile::tempdir().unwrap();
    let demo = sweeps().join("demo.toml");
    let validate = |format: &str| spillway(folder.path(), &["validate", demo.to_str().unwrap(), "--format", format]);

    let people = spillway(folder.path(), &["validate", demo.to_str().unwrap()]);
    let json: serde_json::Value = serde_json::from_str(&validate("json").out).unwrap();
    let csv = validate("csv").out;

    let (variant, sweep) = (&json["variants"][0], &json["sweep"][0]);
    assert_eq!(variant["couplings"], 10);
    assert_eq!(variant["parameters"], 326_088);
    assert_eq!((&variant["examples_per_epoch"], &variant["steps_per_epoch"]), (&60_000.into(), &1875.into()));
    assert_eq!(variant["flops"].as_u64().unwrap(), 500 * variant["flops_per_step"].as_u64().unwrap());
    assert_eq!(variant["fingerprint"].as_str().unwrap().len(), 64);
    assert_eq!((&sweep["train_jobs"], &sweep["evaluate_jobs"]), (&6.into(), &6.into()));
    assert!(people.out.contains("  326 k  "), "{}", people.out);
    assert!(people.out.contains("\ntraining     "), "{}", people.out);
    assert!(csv.contains(",10,326088,"), "{csv}");
}

#[test]
fn json_and_yaml_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "smoke.json", SMOKE_JSON);
    write(folder.path(), "smoke.yaml", SMOKE_YAML);
    write(folder.path(), "smoke.yml", SMOKE_YAML);

    let [json, yaml, yml] =
        ["smoke.json", "smoke.yaml", "smoke.yml"].map(|file| spillway(folder.path(), &["validate", file]));

    assert_eq!(json.code, Some(0), "{}", json.err);
    assert!(json.out.contains("jobs         12 = 4 train + 8 evaluate"), "{}", json.out);
    assert_eq!((json.out.as_str(), json.out.as_str()), (yaml.out.as_str(), yml.out.as_str()));
}

#[test]
fn all_violations_are_said_one_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let bad =
        SMOKE_JSON.replace("\"smoke\"", "\"Smoke!\"").replace("20,", "0,").replace("16,", "1,").replace("1e-3", "-1");
    write(folder.path(), "bad.json", &bad);

    let run = spillway(folder.path(), &["validate", "bad.json"]);

    assert_eq!(run.code, Some(4));
    assert_eq!(run.out, "");
    assert_eq!(
        run.err,
        "error: bad.json is not valid\n\
         name: `Smoke!` is not a name: 1 to 64 lower-case letters, digits, `-` and `_` allowed\n\
         base.training.steps: 0 is out of range: 1 to 1000000000 allowed, or 0 to evaluate initial_weights as they are\n\
         base.training.batch_size: 1 is out of range: 2 to 65536 allowed\n\
         base.training.optimiser.adam.learning_rate: -1 is out of range: 0.000000000001 to 1000 allowed\n"
    );
}

#[test]
fn unknown_fields_and_values_are_named_with_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (("\"steps\"", "\"stepz\""), "base.training.stepz: unknown field `stepz`, expected one of `steps`"),
        (
            ("\"mask\": \"cycle\"", "\"mask\": \"spiral\""),
            "unknown choice `spiral`, expected `checkerboard`, `horizontal`, `vertical`, `cycle`",
        ),
        (
            ("\"horizontal\", \"cycle\"", ""),
            "expansion.grid.axes[0].values: empty: give at least one value for `model.realnvp.mask`",
        ),
        (
            ("\"horizontal\", \"cycle\"", "\"horizontal\", \"oval\""),
            "expansion.grid.axes[0].values[1]: `model.realnvp.mask`: unknown choice `oval`",
        ),
    ];
    for ((good, bad), message) in cases {
        assert!(SMOKE_JSON.contains(good));
        write(folder.path(), "bad.json", &SMOKE_JSON.replace(good, bad));

        let run = spillway(folder.path(), &["validate", "bad.json"]);

        assert_eq!(run.code, Some(4), "{}", run.err);
        assert!(run.err.contains(message), "{message} is not in\n{}", run.err);
    }
}

#[test]
fn syntax_errors_name_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "bad.toml", "name = \"x\"\nseeds = 1, 2\n");
    write(folder.path(), "bad.json", "{\n  \"name\": \"x\",\n  seeds: [1]\n}");
    write(folder.path(), "bad.yaml", "name: x\nseeds: [1\nbase: {\n");
    for (file, place) in [("bad.toml", "bad.toml:2:10: "), ("bad.json", "bad.json:3:3: "), ("bad.yaml", "bad.yaml:")] {
        let run = spillway(folder.path(), &["validate", file]);

        assert_eq!(run.code, Some(4), "{}", run.err);
        assert!(run.err.starts_with(&format!("error: {place}")), "{}", run.err);
    }
}

#[test]
fn files_that_are_none_are_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "sweep.ini", "");
    let cases = [
        ("nowhere.toml", "cannot open nowhere.toml"),
        ("sweep.ini", "sweep.ini ends in none of .toml, .yaml, .yml, .json"),
    ];
    for (file, message) in cases {
        let run = spillway(folder.path(), &["validate", file]);

        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(run.err.contains(message), "{}", run.err);
    }
}

#[test]
fn sweep_over_the_limit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let seeds: Vec<String> = (0..6000).map(|seed| seed.to_string()).collect();
    write(folder.path(), "huge.json", &SMOKE_JSON.replace("[1, 2]", &format!("[{}]", seeds.join(","))));

    let run = spillway(folder.path(), &["validate", "huge.json"]);

    assert_eq!(run.code, Some(4), "{}", run.err);
    assert!(run.err.contains("at most 10000 allowed"), "{}", run.err);
}

#[test]
fn the_guide_s_sweep_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let guide = include_str!("../../docs/guide.md");
    let example = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    write(folder.path(), "masks.toml", example);

    let run = spillway(folder.path(), &["validate", "masks.toml"]);

    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.contains("24 = 12 train + 12 evaluate"), "{}", run.out);
}
