//! The experiment document.

use domain::spec::{BackgroundSpec, DataSpec, EvaluationSpec, ExperimentSpec, Violations, defaults};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn to_wire(&self) -> v1::ExperimentSpec {
        let Self { model, data, training, evaluation, inspection, parity } = self;
        v1::ExperimentSpec {
            model: Some(model.to_wire()),
            data: Some(data.to_wire()),
            training: Some(training.to_wire()),
            evaluation: Some(evaluation.to_wire()),
            inspection: inspection.as_ref().map(ToWire::to_wire),
            parity: parity.to_wire(),
        }
    }
}

impl FromWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn from_wire(wire: v1::ExperimentSpec, at: &str) -> Result<Self, Violations> {
        let v1::ExperimentSpec { model, data, training, evaluation, inspection, parity } = wire;
        let mut fields = Fields::at(at);
        let model = fields.required("model", model);
        let data = fields.required("data", data);
        let training = fields.required("training", training);
        let evaluation = fields.required("evaluation", evaluation);
        let inspection = fields.optional("inspection", inspection);
        let parity = fields.plain("parity", parity);
        fields.finish(|| {
            Some(Self {
                model: model?,
                data: data?,
                training: training?,
                evaluation: evaluation?,
                parity: parity?,
                inspection: inspection?,
            })
        })
    }
}

impl ToWire for DataSpec {
    type Wire = v1::DataSpec;

    fn to_wire(&self) -> v1::DataSpec {
        let Self { dataset, train_images, mutation } = self;
        v1::DataSpec { dataset: dataset.to_string(), train_images: *train_images, mutation: *mutation }
    }
}

impl FromWire for DataSpec {
    type Wire = v1::DataSpec;

    fn from_wire(wire: v1::DataSpec, at: &str) -> Result<Self, Violations> {
        let v1::DataSpec { dataset, train_images, mutation } = wire;
        let mut fields = Fields::at(at);
        let dataset = fields.named("dataset", &dataset);
        let mutation = fields.finite_or_absent("mutation", mutation);
        fields.finish(|| Some(Self { dataset: dataset?, train_images, mutation: mutation? }))
    }
}

impl ToWire for EvaluationSpec {
    type Wire = v1::EvaluationSpec;

    fn to_wire(&self) -> v1::EvaluationSpec {
        let Self { out, images, noise_draws, subsample, background, scores } = self;
        v1::EvaluationSpec {
            out: out.iter().map(ToString::to_string).collect(),
            images: *images,
            scores: scores.iter().flatten().map(ToString::to_string).collect(),
            noise_draws: Some(*noise_draws),
            subsample: *subsample,
            background: background.as_ref().map(ToWire::to_wire),
        }
    }
}

impl FromWire for EvaluationSpec {
    type Wire = v1::EvaluationSpec;

    fn from_wire(wire: v1::EvaluationSpec, at: &str) -> Result<Self, Violations> {
        let v1::EvaluationSpec { out, images, scores, noise_draws, subsample, background } = wire;
        let mut fields = Fields::at(at);
        let out = fields.repeated_named("out", &out);
        // The wire cannot tell an empty list from an absent one.
        let scores = match scores.as_slice() {
            [] => Some(None),
            names => fields.repeated_named("scores", names).map(Some),
        };
        let noise_draws = noise_draws.unwrap_or_else(defaults::noise_draws);
        let background = fields.optional("background", background);
        fields.finish(|| {
            Some(Self { out: out?, images, noise_draws, subsample, background: background?, scores: scores? })
        })
    }
}

impl ToWire for BackgroundSpec {
    type Wire = v1::Background;

    fn to_wire(&self) -> v1::Background {
        let Self { mutation, weight_decay } = *self;
        v1::Background { mutation, weight_decay }
    }
}

impl FromWire for BackgroundSpec {
    type Wire = v1::Background;

    fn from_wire(wire: v1::Background, at: &str) -> Result<Self, Violations> {
        let v1::Background { mutation, weight_decay } = wire;
        let mut fields = Fields::at(at);
        let mutation = fields.finite("mutation", mutation);
        let weight_decay = fields.finite_or_absent("weight_decay", weight_decay);
        fields.finish(|| Some(Self { mutation: mutation?, weight_decay: weight_decay? }))
    }
}
