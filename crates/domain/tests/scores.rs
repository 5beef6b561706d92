//! Which scores an experiment computes, and which it is told that it cannot.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod documents;

use architecture::LayerKind;
use documents::{experiment, glow, lines, parse, realnvp, tabular, with};
use domain::spec::{ScoreName, defaults};
use serde_json::{Value, json};

const VECTORS: [&str; 2] = ["hepmass-0", "hepmass-1"];

fn of_vectors() -> Value {
    let document = with(experiment(), "/model", tabular(json!({})));
    let document = with(document, "/data/dataset", json!(VECTORS[0]));
    with(document, "/evaluation/out", json!([VECTORS[1]]))
}

fn names(document: &Value) -> Vec<String> {
    let spec = parse(document).unwrap();
    assert_eq!(spec.validate("base"), Ok(()));
    spec.scores().iter().map(ScoreName::to_string).collect()
}

#[track_caller]
fn assert_refused(document: Value, scores: Value, refusals: &[&str]) {
    let spec = parse(&with(document, "/evaluation/scores", scores)).expect("it parses");

    let found = spec.validate("base").expect_err("a rule is broken");

    assert_eq!(lines(&found), refusals);
}

#[test]
fn images_on_two_scales_have_every_default_score() {
    assert_eq!(
        names(&experiment()),
        [
            "log-likelihood",
            "latent-density",
            "log-determinant",
            "latent-norm",
            "typicality",
            "typicality-2",
            "typicality-5",
            "typicality-10",
            "typicality-25",
            "complexity-png",
            "complexity-webp",
            "complexity-brotli",
            "scale-0",
            "scale-1",
            "dose",
            "latent-ks-5",
            "latent-ks-10",
            "latent-ks-25",
            "complexity-gmm",
        ]
    );
    let opt_in =
        |choice: &domain::spec::ScoreChoice| choice.to_string().parse::<ScoreName>().is_ok_and(|name| name.is_opt_in());
    assert!(!defaults::scores().iter().any(opt_in));
}

#[test]
fn what_does_not_fit_is_left_out_of_the_defaults() {
    let found = names(&of_vectors());
    assert!(!found.iter().any(|name| name.starts_with("complexity") || name.starts_with("scale")), "{found:?}");
    assert!(found.contains(&"dose".to_owned()) && found.contains(&"latent-ks-25".to_owned()), "{found:?}");

    let few = names(&with(experiment(), "/evaluation/images", json!(19)));
    let grouped: Vec<&String> =
        few.iter().filter(|name| name.contains("typicality-") || name.contains("ks-")).collect();
    assert_eq!(grouped, ["typicality-2", "typicality-5", "latent-ks-5"]);
}

#[test]
fn scores_of_a_document_stand_in_its_order_and_per_scale_asks_for_all() {
    let document = with(experiment(), "/evaluation/scores", json!(["dose", "per-scale", "log-likelihood"]));

    assert_eq!(names(&document), ["dose", "scale-0", "scale-1", "log-likelihood"]);
    let resolved = parse(&document).unwrap().resolved();
    assert_eq!(
        serde_json::to_value(&resolved.evaluation).unwrap()["scores"],
        json!(["dose", "scale-0", "scale-1", "log-likelihood"])
    );
    assert_eq!(resolved.resolved(), resolved);
}

#[test]
fn scores_that_cannot_be_computed_are_refused_with_the_remedy() {
    assert_refused(
        of_vectors(),
        json!(["complexity-png", "complexity-gmm", "per-scale", "scale-0"]),
        &[
            "base.evaluation.scores[0]: `complexity-png` needs the code length of an image, and vectors have none: leave it out",
            "base.evaluation.scores[1]: `complexity-gmm` needs the code length of an image, and vectors have none: leave it out",
            "base.evaluation.scores[2]: `per-scale`: a flow of one scale has the whole log-likelihood there: leave it out",
            "base.evaluation.scores[3]: `scale-0` is the whole log-likelihood of a flow of one scale: leave it out",
            "base.evaluation.scores[3]: `scale-0` stands twice",
        ],
    );
    assert_refused(
        with(experiment(), "/evaluation/images", json!(49)),
        json!(["typicality-25", "latent-ks-24", "scale-2", "waic", "likelihood-ratio"]),
        &[
            "base.evaluation.scores[0]: `typicality-25` needs 50 examples of each side, and evaluation.images is 49: raise that, or leave the score out",
            "base.evaluation.scores[2]: `scale-2`: the flow has 2 scales, scale-0 to scale-1",
            "base.evaluation.scores[4]: `likelihood-ratio` compares with a background model, which is trained with the sweep: give evaluation.background its mutation, or leave the score out",
        ],
    );
}

#[test]
fn vectors_take_one_draw() {
    let found = parse(&with(of_vectors(), "/evaluation/noise_draws", json!(2))).unwrap().validate("base").unwrap_err();

    assert_eq!(lines(&found), ["base.evaluation.noise_draws: 2 draws: vectors have no noise: leave it out"]);
}

#[test]
fn a_flow_has_a_scale_for_each_part_of_its_latent() {
    let models = [
        realnvp(json!({})),
        realnvp(json!({"scales": 3})),
        realnvp(json!({"mask": "horizontal"})),
        glow(json!({"scales": 2, "steps": 1})),
        glow(json!({"scales": 2, "steps": 1, "multi_scale": false})),
    ];
    for model in models {
        let spec = parse(&with(experiment(), "/model", model)).unwrap();
        let layers = spec.architecture("base").unwrap().layers;

        let parts = 1 + layers.iter().filter(|layer| matches!(layer.kind, LayerKind::Factor { .. })).count();

        assert_eq!(spec.model.scales() as usize, parts, "{:?}", spec.model);
    }
    assert_eq!(parse(&of_vectors()).unwrap().model.scales(), 1);
}
