//! Grids of `results`, and `compare`: what they ask a coordinator, and what they make of its answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

#[path = "support/coordinator.rs"]
mod coordinator;
mod support;

use std::{collections::BTreeMap, fs, sync::Arc};

use coordinator::{Script, serve};
use domain::{Digest, report::Split};
use proto::v1::{ExperimentRow, StatisticsRow, SweepSummary, TableRow};
use scoring::{Columns, FORMAT, Header, Statistics, column};
use support::{Run, spillway};

const SCORES: [&str; 2] = ["log-likelihood", "typicality"];

fn number(variant: usize, seed: Option<u64>, out: &str, score: &str) -> TableRow {
    let (variant_name, lead) = [("mask=horizontal", 0.0), ("mask=cycle", 0.2)][variant];
    let noise = seed.map_or(0.0, |seed| [0.0, 0.001, -0.002][seed as usize % 3] * (1.0 + variant as f64));
    TableRow {
        sweep: "smoke".to_owned(),
        variant: variant_name.to_owned(),
        in_dataset: "fashion-mnist".to_owned(),
        out_dataset: out.to_owned(),
        score: score.to_owned(),
        metric: "auroc".to_owned(),
        seed,
        experiment_id: seed.map(|seed| 10 * variant as i64 + seed as i64),
        seeds: if seed.is_some() { 1 } else { 3 - u32::from(out == "mnist") },
        seeds_planned: if seed.is_some() { 1 } else { 3 },
        mean: Some(0.5 + lead + noise + if score == "typicality" { 0.1 } else { 0.0 }),
        sd: seed.is_none().then_some(0.001),
        ..TableRow::default()
    }
}

/// Two variants, three seeds, two OOD datasets, two scores; the two evaluations of seed 3 on MNIST are still to come.
fn script() -> Script {
    let mut table = Vec::new();
    for variant in 0..2 {
        for out in ["kmnist", "mnist"] {
            for score in SCORES {
                table.push(number(variant, None, out, score));
                let seeds = (1..=3).filter(|seed| out != "mnist" || *seed < 3);
                table.extend(seeds.map(|seed| number(variant, Some(seed), out, score)));
            }
        }
    }
    let experiment = |(variant, mask): (i64, &str), seed: u64| ExperimentRow {
        sweep: "smoke".to_owned(),
        variant: format!("mask={mask}"),
        seed,
        experiment_id: 10 * variant + seed as i64,
        settings: [("model.realnvp.mask".to_owned(), mask.to_owned())].into(),
        ..ExperimentRow::default()
    };
    let masks = [(0, "horizontal"), (1, "cycle")];
    let experiments = masks.into_iter().flat_map(|mask| (1..=3).map(move |seed| experiment(mask, seed))).collect();
    let sweep = SweepSummary { name: "smoke".to_owned(), ..SweepSummary::default() };
    Script { sweep, table, experiments, ..Script::default() }
}

async fn converse(script: Script, arguments: &[&str]) -> (Run, Arc<Script>) {
    let script = Arc::new(script);
    let endpoint = serve(Arc::clone(&script)).await;
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<&str> =
            ["--endpoint", &endpoint].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        spillway(folder.path(), &all)
    });
    (run.await.unwrap(), script)
}

fn lines(run: &Run) -> Vec<&str> {
    run.out.lines().collect()
}

#[tokio::test]
async fn grid_shows_partial_numbers_as_partial_and_marks_the_best_with_its_test() {
    let (run, _) = converse(script(), &["results", "smoke", "--rows", "variant", "--columns", "out,score"]).await;

    let lines = lines(&run);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["kmnist", "kmnist", "mnist", "mnist"]);
    assert!(lines[1].starts_with("variant          log-likelihood    typicality"), "{}", run.out);
    assert!(lines[3].starts_with("mask=horizontal  0.5000 ± 0.0010   0.6000 ± 0.0010   0.5000 ± 0.0010 (2/3 seeds)"));
    assert!(lines[4].contains("0.7000 ± 0.0010*  0.8000 ± 0.0010*  0.7000 ± 0.0010* (2/3 seeds)"), "{}", run.out);
    assert!(run.out.contains("*: better than every other variant") && run.out.contains("paired t-test"), "{}", run.out);
    assert!(run.out.contains("In-distribution: fashion-mnist."), "{}", run.out);
}

#[tokio::test]
async fn rows_may_be_a_setting_and_conditions_go_to_the_coordinator() {
    let arguments = [
        "results",
        "smoke",
        "--rows",
        "model.realnvp.mask",
        "--columns",
        "out",
        "--scores",
        "typicality",
        "--where",
        "model.realnvp.mask=cycle",
        "--where",
        "out=kmnist",
    ];

    let (run, script) = converse(script(), &arguments).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(lines(&run)[0], "model.realnvp.mask  kmnist");
    assert!(lines(&run)[2].starts_with("cycle               0.8000"), "{}", run.out);
    assert!(!run.out.contains("horizontal"), "{}", run.out);
    let asked = script.table_requests.lock().unwrap().remove(0);
    assert_eq!((asked.variants, asked.out_datasets), (vec!["mask=cycle".to_owned()], vec!["kmnist".to_owned()]));
    assert_eq!((asked.scores, asked.metrics), (vec!["typicality".to_owned()], vec!["auroc".to_owned()]));
}

#[tokio::test]
async fn two_numbers_of_one_cell_are_refused_with_what_tells_them_apart() {
    for (arguments, said) in [
        (&["--rows", "variant", "--columns", "out"][..], "add `score` to --rows or --columns"),
        (&["--rows", "out", "--columns", "score"], "add `variant`"),
        (&["--rows", "out", "--columns", "out"], "`out` stands twice"),
        (&["--rows", "model.realnvp.masks"], "has a setting `model.realnvp.masks`"),
        (&["--sort", "size"], "no column `size`"),
    ] {
        let (run, _) = converse(script(), &[&["results", "smoke"], arguments].concat()).await;

        assert!(run.code.is_some_and(|code| code != 0) && run.err.contains(said), "{arguments:?}: {}", run.err);
    }
}

#[tokio::test]
async fn grid_for_programs_has_a_number_in_each_cell() {
    let arguments =
        ["results", "smoke", "--columns", "out", "--scores", "typicality", "--format", "csv", "--sort", "-mnist"];

    let (run, _) = converse(script(), &arguments).await;

    let expected = [
        "variant,kmnist,kmnist/sd,kmnist/seeds,mnist,mnist/sd,mnist/seeds",
        "mask=cycle,0.7999999999999999,0.001,3,0.7999999999999999,0.001,2",
        "mask=horizontal,0.6,0.001,3,0.6,0.001,2",
    ];
    assert_eq!(lines(&run), expected, "{}", run.err);
}

#[tokio::test]
async fn latex_is_a_grid_unless_rows_are_asked_for() {
    let (run, _) = converse(script(), &["results", "smoke", "--format", "latex"]).await;

    assert!(run.out.starts_with("% Needs \\usepackage{booktabs}.\n\\begin{table}\n"), "{}{}", run.out, run.err);
    assert!(run.out.contains("\\multicolumn{2}{c}{kmnist} & \\multicolumn{2}{c}{mnist}"), "{}", run.out);
    assert!(run.out.contains("$\\mathbf{0.7000 \\pm 0.0010}$ (2/3 seeds)"), "{}", run.out);
    assert!(run.out.ends_with("\\end{table}\n"), "{}", run.out);
}

#[tokio::test]
async fn parquet_goes_to_a_file_that_appears_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.parquet");
    let arguments = ["results", "smoke", "--format", "parquet", "--per-seed", "-o", path.to_str().unwrap()];

    let (run, _) = converse(script(), &arguments).await;
    let (refused, _) =
        converse(script(), &["results", "nowhere", "--format", "parquet", "-o", path.to_str().unwrap()]).await;

    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{}", run.err);
    assert_eq!(refused.code, Some(3));
    let bytes = fs::read(&path).unwrap();
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn variants_are_compared_over_the_seeds_that_both_have() {
    let arguments = ["compare", "smoke:mask=cycle", "smoke:mask=horizontal", "--format", "json"];
    let (json, _) = converse(script(), &arguments).await;
    let (table, _) = converse(script(), &arguments[..3]).await;

    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap_or_else(|_| panic!("{}", json.err));
    let rows = document["comparison"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!((&rows[0]["out_dataset"], &rows[0]["seeds"]), (&"kmnist".into(), &3.into()));
    let difference = rows[0]["difference"].as_f64().unwrap();
    assert!((difference - 0.2).abs() < 0.01, "{rows:?}");
    assert!(rows[0]["p_value"].as_f64().unwrap() < rows[0]["p_holm"].as_f64().unwrap());
    assert_eq!((&rows[2]["out_dataset"], &rows[2]["seeds"]), (&"mnist".into(), &2.into()));
    assert!(table.out.contains("A: smoke:mask=cycle. B: smoke:mask=horizontal.") && table.out.contains("Holm"));
    assert!(lines(&table)[2].contains("  A       3 shared"), "{}", table.out);
}

#[tokio::test]
async fn scores_of_one_variant_are_compared() {
    let (run, _) = converse(script(), &["compare", "smoke:mask=cycle", "--scores", "typicality,log-likelihood"]).await;

    assert!(
        run.out.contains("A: typicality of smoke:mask=cycle. B: log-likelihood of smoke:mask=cycle."),
        "{}",
        run.err
    );
    assert_eq!(run.out.lines().filter(|line| line.contains(" 0.1000 ")).count(), 2, "{}", run.out);
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused_with_what_to_do() {
    for (arguments, said) in [
        (&["compare", "smoke"][..], "sweep `smoke` has 2 variants: one of `smoke:mask=cycle`"),
        (&["compare", "smoke:mask=x", "smoke:mask=cycle"], "has no variant `mask=x`"),
        (&["compare", "smoke:mask=cycle"], "a second one is missing"),
        (&["compare", "smoke:mask=cycle", "smoke:mask=cycle"], "compared with itself"),
        (&["compare", "smoke:mask=cycle", "999"], "no experiment 999"),
        (&["compare", "1", "11", "--scores", "waic"], "share no number"),
    ] {
        let (run, _) = converse(script(), arguments).await;

        assert!(run.code.is_some_and(|code| code != 0) && run.err.contains(said), "{arguments:?}: {}", run.err);
    }
}

/// Stores statistics of so many examples; the likelihood of each is what `of` gives.
fn store(script: &mut Script, experiment_id: i64, dataset: &str, split: Split, of: impl Fn(usize) -> f64) {
    const EXAMPLES: usize = 40;
    let header = Header {
        format: FORMAT,
        checkpoint: Digest::of(experiment_id.to_string().as_bytes()),
        seed: 1,
        dataset: dataset.parse().unwrap(),
        split,
        images: EXAMPLES as u64,
        noise_draws: 1,
        precision: "float32".to_owned(),
        device: "cpu".to_owned(),
        threads: 1,
        dimensions: 784,
        discretisation_nats: 0.0,
        scales: 1,
    };
    let likelihoods: Vec<f64> = (0..EXAMPLES).map(of).collect();
    let totals =
        [column::LOG_LIKELIHOOD, column::LATENT_LOG_DENSITY, column::LOG_DETERMINANT, column::LATENT_NORM_SQUARED];
    let of_scale =
        [column::scale_latent_log_density(0), column::scale_log_determinant(0), column::scale_latent_norm_squared(0)];
    let names = totals.map(str::to_owned).into_iter().chain(of_scale);
    let values: BTreeMap<String, Vec<f64>> = names.map(|name| (name, likelihoods.clone())).collect();
    let bytes = Statistics::new(header, Columns { values, projections: None }).unwrap().to_bytes().unwrap();
    let digest = Digest::of(&bytes).as_bytes().to_vec();
    let split = if split == Split::Train { "train" } else { "test" }.to_owned();
    let row = StatisticsRow {
        experiment_id,
        dataset: dataset.to_owned(),
        split,
        digest: digest.clone(),
        ..Default::default()
    };
    script.statistics.push(row);
    script.artifacts.insert(digest, bytes);
}

#[tokio::test]
async fn one_seed_is_compared_over_the_same_images() {
    let mut script = script();
    for (experiment, gap) in [(1, 2.0), (11, 30.0)] {
        let ours = |index: usize| -(((index * 7) % 40) as f64);
        store(&mut script, experiment, "fashion-mnist", Split::Train, ours);
        store(&mut script, experiment, "fashion-mnist", Split::Test, ours);
        store(&mut script, experiment, "kmnist", Split::Test, |index| ours(index * 3) - gap);
    }
    let arguments = ["compare", "11", "1", "--scores", "log-likelihood", "--format", "csv"];

    let (run, _) = converse(script, &arguments).await;

    let rows: Vec<Vec<&str>> = lines(&run).into_iter().map(|line| line.split(',').collect()).collect();
    let header: BTreeMap<&str, usize> = rows[0].iter().enumerate().map(|(index, name)| (*name, index)).collect();
    let cell = |row: usize, name: &str| rows[row][header[name]];
    assert_eq!(cell(1, "test"), "paired-delong over 40+40 images", "{}{}", run.out, run.err);
    assert!(cell(1, "p_value").parse::<f64>().unwrap() < 0.001, "{}", run.out);
    // The statistics of MNIST are not there: the numbers stand without a test.
    assert_eq!((cell(2, "out_dataset"), cell(2, "test"), cell(2, "p_value")), ("mnist", "", ""), "{}", run.out);
}

#[tokio::test]
async fn best_cell_of_one_seed_is_marked_where_images_support_it() {
    let mut script = script();
    script.table.retain(|row| row.seed.is_none_or(|seed| seed == 1));
    for row in script.table.iter_mut().filter(|row| row.seed.is_none()) {
        (row.seeds, row.seeds_planned, row.sd) = (1, 1, None);
    }
    for (experiment, gap) in [(1, 2.0), (11, 30.0)] {
        let ours = |index: usize| -(((index * 7) % 40) as f64);
        for (dataset, split) in [("fashion-mnist", Split::Train), ("fashion-mnist", Split::Test)] {
            store(&mut script, experiment, dataset, split, ours);
        }
        for out in ["kmnist", "mnist"] {
            store(&mut script, experiment, out, Split::Test, |index| ours(index * 3) - gap);
        }
    }
    let arguments = ["results", "smoke", "--columns", "out", "--scores", "log-likelihood"];

    let (marked, _) = converse(script, &[&arguments[..], &["--images"]].concat()).await;

    assert!(lines(&marked)[3].starts_with("mask=cycle       0.7000*"), "{}{}", marked.out, marked.err);
    assert!(lines(&marked)[2].starts_with("mask=horizontal  0.5000 "), "{}", marked.out);
    assert!(marked.out.contains("paired DeLong test over the same images"), "{}", marked.out);
}
