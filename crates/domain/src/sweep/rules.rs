//! What a sweep's early stopping needs of its experiments, and its scores of the seeds.

use super::{SweepSpec, Variant};
use crate::{
    score_jobs::{Basis, MIN_MODELS},
    spec::Violations,
    stopping::{Asha, EarlyStopping, MedianRule, StoppingMetric},
};

/// Checks every variant against the rule; of variants that break it in the same way, the first is named.
pub(super) fn check(sweep: &SweepSpec, variants: &[Variant]) -> Violations {
    let mut found = check_seeds(sweep, variants);
    found.extend(check_backgrounds(sweep, variants));
    let Some(rule) = &sweep.early_stopping else { return found };
    let mut said: Vec<(String, String)> = Vec::new();
    for variant in variants {
        let Some((field, message)) = missing(rule, variant) else { continue };
        if !said.iter().any(|(earlier, text)| (earlier, text) == (&field, &message)) {
            let of = if variants.len() == 1 { String::new() } else { format!(" (in variant `{}`)", variant.label) };
            found.add(&field, format!("{message}{of}"));
            said.push((field, message));
        }
    }
    found
}

/// A score over seeds needs some.
fn check_seeds(sweep: &SweepSpec, variants: &[Variant]) -> Violations {
    let mut found = Violations::default();
    let over_seeds =
        |variant: &Variant| variant.spec.opt_in_scores().into_iter().find(|score| Basis::of(*score) == Basis::Seeds);
    if sweep.seeds.len() < MIN_MODELS
        && let Some(score) = variants.iter().find_map(over_seeds)
    {
        let message =
            format!("`{score}` compares the models of {MIN_MODELS} seeds at least: name more, or leave it out");
        found.add("seeds", message);
    }
    found
}

/// A rule that compares all experiments would compare background models with the others.
fn check_backgrounds(sweep: &SweepSpec, variants: &[Variant]) -> Violations {
    let mut found = Violations::default();
    if sweep.early_stopping.is_some() && variants.iter().any(|variant| variant.spec.evaluation.background.is_some()) {
        let message = "background models learn mutated images, and would be judged by the others' numbers: leave out \
                       early_stopping or evaluation.background";
        found.add("early_stopping", message);
    }
    found
}

/// The first thing that a variant lacks.
fn missing(rule: &EarlyStopping, variant: &Variant) -> Option<(String, String)> {
    let training = &variant.spec.training;
    let say = |field: &str, message: String| Some((field.to_owned(), message));
    let Some(validation) = &training.validation else {
        let message = "missing: early_stopping compares what validation measures; give every_steps and examples";
        return say("base.training.validation", message.to_owned());
    };
    if rule.metric() == StoppingMetric::Auroc && validation.out.is_none() {
        let message = "missing: early_stopping compares AUROCs; name the dataset that they are against";
        return say("base.training.validation.out", message.to_owned());
    }
    let (field, steps, first) = match rule {
        EarlyStopping::Asha(Asha { min_steps, .. }) => ("early_stopping.asha.min_steps", *min_steps, *min_steps),
        EarlyStopping::Median(MedianRule { after_steps, every_steps, .. }) => {
            let first = after_steps.div_ceil((*every_steps).max(1)).saturating_mul(*every_steps);
            ("early_stopping.median.every_steps", *every_steps, first)
        }
    };
    if !steps.is_multiple_of(validation.every_steps) {
        let every = validation.every_steps;
        return say(field, format!("{steps} is no multiple of base.training.validation.every_steps, {every}"));
    }
    if first >= training.steps {
        let all = training.steps;
        return say(field, format!("an experiment of {all} steps is never judged: the first time is at {first} steps"));
    }
    None
}
