//! The experiment document: one refusal for each rule, defaults, and identity.

mod documents;

use documents::{experiment, lines, parse, with};
use domain::{
    figure::MediaType,
    fleet::{DeviceKind, DeviceRequirement},
    job::{FailureKind, JobKind, StateName},
    report::Metric,
    spec::{DatasetName, MaskScheme, ParitySpec, PartName, ScoreName, SplitPriorSpec, SqueezeSpec},
};
use serde::Serialize;
use serde_json::{Value, json};

const REALNVP: &str = "/model/realnvp";
const RESNET: &str = "/model/realnvp/st_network/resnet";

/// Asserts that the experiment with `value` at `path` parses and is refused with exactly `refusals`.
#[track_caller]
fn assert_refused(changes: &[(&str, Value)], refusals: &[&str]) {
    let document = changes.iter().fold(experiment(), |document, (path, value)| with(document, path, value.clone()));
    let spec = parse(&document).unwrap_or_else(|refusal| panic!("{document} does not even parse: {refusal}"));

    let found = spec.validate("base").expect_err("a rule is broken");

    assert_eq!(lines(&found), refusals);
}

/// Asserts that the experiment with `value` at `path` is refused while parsing, at `field` and with `part` of a message.
#[track_caller]
fn assert_does_not_parse(path: &str, value: Value, field: &str, part: &str) {
    let found = parse(&with(experiment(), path, value)).expect_err("the document does not parse");

    let violation = found.iter().next().expect("a refusal holds a violation");
    assert_eq!((violation.field.as_str(), found.len()), (field, 1), "{found}");
    assert!(violation.message.contains(part), "{found}");
}

#[test]
fn sound_experiment_passes() {
    let spec = parse(&experiment()).unwrap();

    spec.validate("base").unwrap();
}

#[test]
fn each_rule_of_the_model_names_its_field() {
    let scales = "/model/realnvp/scales";
    let couplings = "/model/realnvp/couplings";
    assert_refused(&[(scales, json!(0))], &["base.model.realnvp.scales: 0 is out of range: 1 to 6 allowed"]);
    assert_refused(&[(scales, json!(7))], &["base.model.realnvp.scales: 7 is out of range: 1 to 6 allowed"]);
    assert_refused(
        &[(scales, json!(2)), ("/model/realnvp/mask", json!("cycle"))],
        &["base.model.realnvp.scales: 2 scales need mask = \"checkerboard\"; other masks allow 1"],
    );
    assert_refused(
        &[(scales, json!(4))],
        &["base.model.realnvp.scales: 4 scales need sides divisible by 8, and the images are 28×28"],
    );
    assert_refused(
        &[(couplings, json!(8))],
        &["base.model.realnvp.couplings: only a single-scale model takes this: leave it out, or set scales = 1"],
    );
    for wrong in [0, 257] {
        assert_refused(
            &[(scales, json!(1)), (couplings, json!(wrong))],
            &[&format!("base.model.realnvp.couplings: {wrong} is out of range: 1 to 256 allowed")],
        );
    }
    for (field, most) in [("width", 4096), ("blocks", 64)] {
        for wrong in [0, most + 1] {
            assert_refused(
                &[(&format!("{RESNET}/{field}"), json!(wrong))],
                &[&format!(
                    "base.model.realnvp.st_network.resnet.{field}: {wrong} is out of range: 1 to {most} allowed"
                )],
            );
        }
    }
}

#[test]
fn each_rule_of_the_data_names_its_field() {
    assert_refused(
        &[("/data/train_images", json!(0))],
        &["base.data.train_images: 0 is out of range: 1 to 100000000 allowed"],
    );
    assert_refused(
        &[("/data/dataset", json!("notmnist"))],
        &[
            "base.data.dataset: `notmnist` has a test split only: name it in evaluation.out, and learn a dataset with a \
           train split",
        ],
    );
}

#[test]
fn a_dataset_of_another_shape_is_refused_with_both_shapes() {
    assert_refused(
        &[("/evaluation/out", json!(["notmnist", "cifar10"]))],
        &["base.evaluation.out[1]: `cifar10` has 3×32×32, and `fashion-mnist`, which is learned, 1×28×28"],
    );
    assert_refused(
        &[("/evaluation/out", json!(["miniboone-0"]))],
        &["base.evaluation.out[0]: `miniboone-0` has 50 features, and `fashion-mnist`, which is learned, 1×28×28"],
    );
}

#[test]
fn each_rule_of_the_training_names_its_field() {
    for (field, wrong, refusal) in [
        ("steps", json!(0), "0 is out of range: 1 to 1000000000 allowed, or 0 to evaluate initial_weights as they are"),
        ("batch_size", json!(1), "1 is out of range: 2 to 65536 allowed"),
        ("weight_decay", json!(-1e-9), "-0.000000001 is out of range: 0 to 1 allowed"),
        ("gradient_clip_norm", json!(-1), "-1 is out of range: 0.000001 to 1000000000000 allowed"),
        ("gradient_clip_norm", json!(1e-7), "0.0000001 is out of range: 0.000001 to 1000000000000 allowed"),
    ] {
        assert_refused(&[(&format!("/training/{field}"), wrong)], &[&format!("base.training.{field}: {refusal}")]);
    }
}

#[test]
fn each_rule_of_the_optimisers_names_its_field() {
    for (optimiser, field, wrong, refusal) in [
        ("adam", "learning_rate", json!(0), "0 is out of range: 0.000000000001 to 1000 allowed"),
        ("adam", "beta1", json!(1), "1 is out of range: 0 to 0.999999 allowed"),
        ("adam", "beta2", json!(1), "1 is out of range: 0 to 0.9999999 allowed"),
        ("adam", "epsilon", json!(0), "0 is out of range: 0.0000000000000001 to 1 allowed"),
        ("rmsprop", "learning_rate", json!(1e4), "10000 is out of range: 0.000000000001 to 1000 allowed"),
        ("rmsprop", "alpha", json!(-0.5), "-0.5 is out of range: 0 to 0.9999999 allowed"),
        ("rmsprop", "epsilon", json!(2), "2 is out of range: 0.0000000000000001 to 1 allowed"),
        ("adamw", "beta1", json!(1), "1 is out of range: 0 to 0.999999 allowed"),
    ] {
        let mut hyper_parameters = json!({"learning_rate": 5e-4});
        hyper_parameters[field] = wrong;

        assert_refused(
            &[("/training/optimiser", json!({optimiser: hyper_parameters}))],
            &[&format!("base.training.optimiser.{optimiser}.{field}: {refusal}")],
        );
    }
}

#[test]
fn each_rule_of_the_evaluation_names_its_field() {
    assert_refused(
        &[("/evaluation/out", json!([]))],
        &["base.evaluation.out: empty: name at least one out-of-distribution dataset"],
    );
    assert_refused(
        &[("/evaluation/out", json!(["mnist", "fashion-mnist"]))],
        &["base.evaluation.out[1]: `fashion-mnist` is the in-distribution dataset itself"],
    );
    assert_refused(
        &[("/evaluation/out", json!(["mnist", "constant", "mnist"]))],
        &["base.evaluation.out[2]: `mnist` stands twice"],
    );
    assert_refused(
        &[("/evaluation/images", json!(1))],
        &["base.evaluation.images: 1 is out of range: 2 to 100000000 allowed"],
    );
    assert_refused(
        &[("/evaluation/scores", json!([]))],
        &["base.evaluation.scores: empty: name at least one score, or leave the list out for the default ones"],
    );
    assert_refused(
        &[("/evaluation/scores", json!(["log-likelihood", "log-likelihood"]))],
        &["base.evaluation.scores[1]: `log-likelihood` stands twice"],
    );
    assert_refused(
        &[("/evaluation/scores", json!(vec!["dose"; 257]))],
        &["base.evaluation.scores: 257 scores: at most 256 allowed"],
    );
    assert_refused(
        &[("/evaluation/noise_draws", json!(0))],
        &["base.evaluation.noise_draws: 0 is out of range: 1 to 1000 allowed"],
    );
}

#[test]
fn all_violations_are_found_at_once() {
    assert_refused(
        &[("/training/steps", json!(0)), ("/evaluation/out", json!([])), (&format!("{RESNET}/width"), json!(0))],
        &[
            "base.model.realnvp.st_network.resnet.width: 0 is out of range: 1 to 4096 allowed",
            "base.training.steps: 0 is out of range: 1 to 1000000000 allowed, or 0 to evaluate initial_weights as they are",
            "base.evaluation.out: empty: name at least one out-of-distribution dataset",
        ],
    );
}

#[test]
fn unknown_fields_are_refused_at_their_path_with_the_known_ones() {
    assert_does_not_parse(
        "/data/datset",
        json!(1),
        "base.data.datset",
        "expected one of `dataset`, `train_images`, `mutation`",
    );
    assert_does_not_parse(
        &format!("{RESNET}/widht"),
        json!(1),
        "base.model.realnvp.st_network.resnet.widht",
        "unknown field `widht`, expected one of `width`, `blocks`, `batch_norm`, `skip`",
    );
    assert_does_not_parse("/seed", json!(1), "base.seed", "expected one of `model`, `data`, `training`, `evaluation`,");
}

#[test]
fn unknown_values_are_refused_at_their_path_with_the_known_ones() {
    assert_does_not_parse(
        "/model/realnvp/mask",
        json!("stripes"),
        "base.model.realnvp.mask",
        "unknown choice `stripes`, expected `checkerboard`, `horizontal`, `vertical`, `cycle`, `sub-quadrant`, `centre` or a list",
    );
    assert_does_not_parse(
        "/evaluation/out/0",
        json!("cifar"),
        "base.evaluation.out[0]",
        "one of fashion-mnist, mnist, ",
    );
    assert_does_not_parse(
        "/model",
        json!({"vae": {}}),
        "base.model",
        "unknown variant `vae`, expected one of `realnvp`, `glow`, `tabular`",
    );
    assert_does_not_parse(
        "/training/optimiser",
        json!({"sgd": {}}),
        "base.training.optimiser",
        "expected one of `adam`, `rmsprop`, `adamw`",
    );
}

#[test]
fn wrong_types_and_missing_fields_are_refused_at_their_path() {
    assert_does_not_parse("/training/steps", json!("many"), "base.training.steps", "expected u32");
    assert_does_not_parse("/training/steps", json!(-1), "base.training.steps", "expected u32");
    assert_does_not_parse("/training/steps", json!(1.5), "base.training.steps", "expected u32");
    assert_does_not_parse("/training", json!({"steps": 1}), "base.training", "missing field `batch_size`");
}

#[test]
fn clip_norm_of_zero_and_null_mean_no_clipping() {
    let clip = "/training/gradient_clip_norm";
    let zero = parse(&with(experiment(), clip, json!(0))).unwrap();
    let null = parse(&with(experiment(), clip, Value::Null)).unwrap();
    let absent = parse(&experiment()).unwrap();

    zero.validate("base").unwrap();

    assert_eq!(zero.resolved().training.gradient_clip_norm, None);
    assert_eq!(zero.training.clips_at(), None);
    assert_eq!(zero.fingerprint(), null.fingerprint());
    assert_eq!(absent.training.clips_at(), Some(100.0));
}

#[test]
fn defaults_spelled_out_change_nothing() {
    let scores: Vec<String> = domain::spec::defaults::scores().iter().map(ToString::to_string).collect();
    let spelled_out = json!({
        "evaluation": {"scores": scores, "noise_draws": 1, "out": ["mnist"]},
        "training": {
            "gradient_clip_norm": 100, "weight_decay": 0.00005, "batch_size": 32, "steps": 500,
            "optimiser": {"adam": {"epsilon": 1e-8, "beta2": 0.999, "beta1": 0.9, "learning_rate": 0.0005}},
        },
        "data": {"dataset": "fashion-mnist", "train_images": null},
        "model": {"realnvp": {
            "st_network": {"resnet": {"skip": true, "batch_norm": true, "blocks": 2, "width": 16}},
            "scales": 2, "mask": "checkerboard",
        }},
    });

    assert_eq!(parse(&spelled_out).unwrap().fingerprint(), parse(&experiment()).unwrap().fingerprint());
}

#[test]
fn couplings_and_scales_take_the_defaults_of_their_mask() {
    let shape = |changes: &[(&str, Value)]| {
        let document = changes.iter().fold(experiment(), |document, (field, value)| {
            with(document, &format!("{REALNVP}/{field}"), value.clone())
        });
        match parse(&document).unwrap().resolved().model {
            domain::spec::ModelSpec::RealNvp(realnvp) => (realnvp.scales, realnvp.couplings),
            other => panic!("another architecture: {other:?}"),
        }
    };

    assert_eq!(shape(&[]), (Some(2), None));
    assert_eq!(shape(&[("scales", json!(1))]), (Some(1), Some(8)));
    assert_eq!(shape(&[("mask", json!("horizontal"))]), (Some(1), Some(8)));
    assert_eq!(shape(&[("mask", json!("cycle")), ("couplings", json!(4))]), (Some(1), Some(4)));
}

#[test]
fn every_field_is_part_of_the_identity() {
    let single = with(experiment(), "/model/realnvp/scales", json!(1));
    let documents = [
        experiment(),
        single.clone(),
        with(single, "/model/realnvp/couplings", json!(6)),
        with(experiment(), "/model/realnvp/mask", json!("cycle")),
        with(experiment(), "/model/realnvp/mask", json!("horizontal")),
        with(experiment(), &format!("{RESNET}/width"), json!(17)),
        with(experiment(), &format!("{RESNET}/blocks"), json!(3)),
        with(experiment(), &format!("{RESNET}/batch_norm"), json!(false)),
        with(experiment(), &format!("{RESNET}/skip"), json!(false)),
        with(experiment(), "/data/dataset", json!("constant")),
        with(experiment(), "/data/train_images", json!(10)),
        with(experiment(), "/training/steps", json!(501)),
        with(experiment(), "/training/batch_size", json!(33)),
        with(experiment(), "/training/weight_decay", json!(0)),
        with(experiment(), "/training/gradient_clip_norm", json!(1)),
        with(experiment(), "/training/gradient_clip_norm", json!(0)),
        with(experiment(), "/training/optimiser/adam/learning_rate", json!(1e-3)),
        with(experiment(), "/training/optimiser/adam/beta1", json!(0.8)),
        with(experiment(), "/training/optimiser/adam/beta2", json!(0.99)),
        with(experiment(), "/training/optimiser/adam/epsilon", json!(1e-7)),
        with(experiment(), "/training/optimiser", json!({"rmsprop": {"learning_rate": 5e-4}})),
        with(experiment(), "/training/optimiser", json!({"rmsprop": {"learning_rate": 5e-4, "alpha": 0.9}})),
        with(experiment(), "/evaluation/out", json!(["mnist", "constant"])),
        with(experiment(), "/evaluation/images", json!(100)),
        with(experiment(), "/parity", json!("flows-ood")),
        with(experiment(), "/model/realnvp/transform", json!("additive")),
        with(experiment(), "/model/realnvp/squeeze", json!("haar")),
        with(experiment(), "/model/realnvp/split_prior", json!("learned")),
    ];

    let distinct: std::collections::BTreeSet<_> =
        documents.iter().map(|document| parse(document).unwrap().fingerprint()).collect();

    assert_eq!(distinct.len(), documents.len());
}

#[test]
fn canonical_document_parses_to_the_resolved_experiment() {
    let spec = parse(&experiment()).unwrap();
    let stored: Value = serde_json::from_str(&spec.to_canonical_json()).unwrap();

    let read = parse(&stored).unwrap();

    assert_eq!(read, spec.resolved());
    assert_eq!(read.to_canonical_json(), spec.to_canonical_json());
}

#[test]
fn names_in_documents_are_the_names_in_tables() {
    fn assert_same<T: Serialize + Copy>(all: &[T], name: fn(T) -> &'static str) {
        for &item in all {
            assert_eq!(serde_json::to_value(item).unwrap(), json!(name(item)));
        }
    }

    assert_same(&DatasetName::ALL, DatasetName::as_str);
    assert_same(&MaskScheme::ALL, MaskScheme::as_str);
    assert_same(&ParitySpec::ALL, ParitySpec::as_str);
    assert_same(&SqueezeSpec::ALL, SqueezeSpec::as_str);
    assert_same(&SplitPriorSpec::ALL, SplitPriorSpec::as_str);
    assert_same(&Metric::ALL, Metric::as_str);
    assert_same(&StateName::ALL, StateName::as_str);
    assert_same(&FailureKind::ALL, FailureKind::as_str);
    assert_same(&JobKind::ALL, JobKind::as_str);
    assert_same(&PartName::ALL, PartName::as_str);
    assert_same(&[MediaType::Png], MediaType::as_str);
    assert_same(&[DeviceKind::Cpu, DeviceKind::Cuda], DeviceKind::as_str);
    assert_same(&[DeviceRequirement::Any, DeviceRequirement::Cpu, DeviceRequirement::Cuda], DeviceRequirement::as_str);
    assert!(DatasetName::ALL.iter().all(|name| name.as_str().parse() == Ok(*name)));
    assert!(Metric::ALL.iter().all(|metric| metric.as_str().parse() == Ok(*metric)));
    assert!(StateName::ALL.iter().all(|state| state.as_str().parse() == Ok(*state)));
}

#[test]
fn unknown_names_list_the_known_ones() {
    let refusals = [
        "cifar".parse::<DatasetName>().unwrap_err().to_string(),
        "luck".parse::<ScoreName>().unwrap_err().to_string(),
        "mood".parse::<Metric>().unwrap_err().to_string(),
        "lost".parse::<StateName>().unwrap_err().to_string(),
        "dream".parse::<JobKind>().unwrap_err().to_string(),
        "tpu".parse::<DeviceKind>().unwrap_err().to_string(),
    ];

    let datasets = DatasetName::ALL.map(DatasetName::as_str).join(", ");
    assert_eq!(
        refusals,
        [
            &format!("unknown dataset `cifar`: one of {datasets} expected"),
            "unknown score `luck`: one of log-likelihood, latent-density, log-determinant, latent-norm, typicality, typicality-N, complexity-png, complexity-webp, complexity-brotli, per-scale, scale-K, dose, latent-ks-N, complexity-gmm, likelihood-ratio, waic, gradient-norm, score-test, local-dimension expected",
            "unknown metric `mood`: one of auroc, aupr-out, aupr-in, ap-out, ap-in, fpr-in-at-95-out, fpr-out-at-95-in, detection-error, detection-error-at-95-in, bits-per-dim-mean, bits-per-dim-median, bits-per-dim-trimmed, outliers, non-finite expected",
            "unknown job state `lost`: one of blocked, ready, running, succeeded, failed, cancelled, quarantined, stopped expected",
            "unknown job kind `dream`: one of train, evaluate, inspect, score, probe expected",
            "unknown device `tpu`: one of cpu, cuda expected",
        ]
    );
}
