//! What breaks a rule in the training section is refused, by the path of its field.

use domain::{
    report::ValidationPoint,
    spec::{DivergencePolicy, NegativeSpec, ObjectiveSpec, ScheduleSpec, TrainingSpec, ValidationSpec},
    stopping::EarlyStopping,
    sweep::{Budget, Range},
};

use super::{documents, refusals_of};
use crate::{convert::ToWire, v1};

const NOT_FINITE: &str = "is not a number that can be kept: finite ones allowed";

#[test]
fn absent_choices_list_what_is_allowed() {
    assert_eq!(
        refusals_of::<ObjectiveSpec>(v1::ObjectiveSpec::default(), "o"),
        ["o: missing: one of maximum_likelihood, negative expected"]
    );
    assert_eq!(
        refusals_of::<ScheduleSpec>(v1::ScheduleSpec::default(), "s"),
        ["s: missing: one of constant, flows_ood_anneal, warm_up_cosine expected"]
    );
    assert_eq!(
        refusals_of::<DivergencePolicy>(v1::DivergencePolicy::default(), "d"),
        ["d: missing: one of fail, restart expected"]
    );
}

#[test]
fn bad_fields_of_stopping_and_validation_are_named() {
    use v1::early_stopping::Kind;

    let asha = Kind::Asha(v1::Asha { metric: "loss".to_owned(), ..Default::default() });
    let point = v1::ValidationPoint { step: 0, bits_per_dim: Some(f64::NAN), auroc: Some(1.5) };
    let range = v1::Range { low: f64::NAN, high: 1.0, scale: "cubic".to_owned(), integer: false };
    let validation = v1::ValidationSpec { out: "cifar".to_owned(), ..Default::default() };
    let budget = v1::Budget { device_hours: Some(f64::INFINITY), ..Default::default() };

    let absent = refusals_of::<EarlyStopping>(v1::EarlyStopping::default(), "e");
    assert_eq!(absent, ["e: missing: one of asha, median expected"]);
    assert_eq!(
        refusals_of::<EarlyStopping>(v1::EarlyStopping { kind: Some(asha) }, "e"),
        ["e.asha.metric: unknown metric `loss`: one of bits-per-dim, auroc expected"]
    );
    assert_eq!(
        refusals_of::<ValidationPoint>(point, "v"),
        [
            "v.step: 0 is out of range: 1 to 9223372036854775807 allowed".to_owned(),
            format!("v.bits_per_dim: NaN {NOT_FINITE}"),
            "v.auroc: 1.5 is out of range: 0 to 1 allowed".to_owned(),
        ]
    );
    assert_eq!(
        refusals_of::<Range>(range, "r"),
        [format!("r.low: NaN {NOT_FINITE}"), "r.scale: unknown scale `cubic`: one of linear, log expected".to_owned()]
    );
    assert!(refusals_of::<ValidationSpec>(validation, "v")[0].starts_with("v.out: unknown dataset `cifar`"));
    assert_eq!(refusals_of::<Budget>(budget, "b"), [format!("b.device_hours: inf {NOT_FINITE}")]);
}

#[test]
fn unknown_decay_lists_what_is_allowed() {
    let wire = v1::TrainingSpec { decay: 9, ..documents::experiment().training.to_wire() };

    assert_eq!(
        refusals_of::<TrainingSpec>(wire, "t"),
        ["t.decay: unknown decay 9: one of gains, all expected, or none"]
    );
}

#[test]
fn bad_fields_of_negative_training_are_named() {
    let wire =
        v1::NegativeSpec { out: "cifar".to_owned(), threshold_nats: Some(f64::NEG_INFINITY), ..Default::default() };

    let refusals = refusals_of::<NegativeSpec>(wire, "n");

    assert_eq!(refusals.len(), 2);
    assert!(refusals[0].starts_with("n.out: unknown dataset `cifar`: one of "), "{refusals:?}");
    assert_eq!(refusals[1], format!("n.threshold_nats: -inf {NOT_FINITE}"));
}

#[test]
fn numbers_that_are_not_finite_are_refused_in_every_choice() {
    let restart = v1::RestartSpec {
        learning_rate_factor: Some(f64::NAN),
        loss_limit_nats: Some(f64::INFINITY),
        ..Default::default()
    };
    let cosine = v1::WarmUpCosineSpec { warm_up_steps: 1, final_fraction: Some(f64::NAN) };
    let wire = v1::TrainingSpec {
        schedule: Some(v1::ScheduleSpec { kind: Some(v1::schedule_spec::Kind::WarmUpCosine(cosine)) }),
        on_divergence: Some(v1::DivergencePolicy { kind: Some(v1::divergence_policy::Kind::Restart(restart)) }),
        ..documents::experiment().training.to_wire()
    };

    assert_eq!(
        refusals_of::<TrainingSpec>(wire, "t"),
        [
            format!("t.schedule.warm-up-cosine.final_fraction: NaN {NOT_FINITE}"),
            format!("t.on_divergence.restart.learning_rate_factor: NaN {NOT_FINITE}"),
            format!("t.on_divergence.restart.loss_limit_nats: inf {NOT_FINITE}"),
        ]
    );
}
