//! The training section of the experiment document.

use domain::spec::{
    AdamSpec, Decay, DivergencePolicy, FlowsOodAnnealSpec, NegativeSpec, ObjectiveSpec, OptimiserSpec, RestartSpec,
    RmsPropSpec, ScheduleSpec, TrainingSpec, Violations, WarmUpCosineSpec, defaults,
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for TrainingSpec {
    type Wire = v1::TrainingSpec;

    fn to_wire(&self) -> v1::TrainingSpec {
        let Self {
            steps,
            batch_size,
            optimiser,
            weight_decay,
            gradient_clip_norm,
            objective,
            decay,
            schedule,
            accumulate,
            on_divergence,
            initial_weights,
            validation,
        } = self;
        v1::TrainingSpec {
            steps: *steps,
            batch_size: *batch_size,
            optimiser: Some(optimiser.to_wire()),
            weight_decay: Some(*weight_decay),
            gradient_clip_norm: Some(gradient_clip_norm.unwrap_or(0.0)),
            objective: Some(objective.to_wire()),
            decay: decay_to_wire(*decay),
            schedule: Some(schedule.to_wire()),
            accumulate: Some(*accumulate),
            on_divergence: Some(on_divergence.to_wire()),
            initial_weights: initial_weights.map(|digest| digest.to_string()).unwrap_or_default(),
            validation: validation.as_ref().map(ToWire::to_wire),
        }
    }
}

impl FromWire for TrainingSpec {
    type Wire = v1::TrainingSpec;

    fn from_wire(wire: v1::TrainingSpec, at: &str) -> Result<Self, Violations> {
        let v1::TrainingSpec {
            steps,
            batch_size,
            optimiser,
            weight_decay,
            gradient_clip_norm,
            objective,
            decay,
            schedule,
            accumulate,
            on_divergence,
            initial_weights,
            validation,
        } = wire;
        let mut fields = Fields::at(at);
        let optimiser = fields.required("optimiser", optimiser);
        let weight_decay = fields.finite("weight_decay", weight_decay.unwrap_or_else(defaults::weight_decay));
        // The wire has no `null`: there, 0 alone means no clipping.
        let gradient_clip_norm = match gradient_clip_norm {
            None => Some(defaults::gradient_clip_norm()),
            Some(0.0) => Some(None),
            Some(norm) => fields.finite("gradient_clip_norm", norm).map(Some),
        };
        let objective = fields.optional("objective", objective);
        let decay = fields.keep(decay_from_wire(decay, &fields.path("decay")));
        let schedule = fields.optional("schedule", schedule);
        let on_divergence = fields.optional("on_divergence", on_divergence);
        let initial_weights = match initial_weights.as_str() {
            "" => Some(None),
            digest => fields.named("initial_weights", digest).map(Some),
        };
        let validation = fields.optional("validation", validation);
        fields.finish(|| {
            Some(Self {
                steps,
                batch_size,
                optimiser: optimiser?,
                weight_decay: weight_decay?,
                gradient_clip_norm: gradient_clip_norm?,
                objective: objective?.unwrap_or_default(),
                decay: decay?,
                schedule: schedule?.unwrap_or_default(),
                accumulate: accumulate.unwrap_or_else(defaults::accumulate),
                on_divergence: on_divergence?.unwrap_or_default(),
                initial_weights: initial_weights?,
                validation: validation?,
            })
        })
    }
}

fn decay_to_wire(decay: Option<Decay>) -> i32 {
    let decay = match decay {
        None => v1::Decay::Unspecified,
        Some(Decay::Gains) => v1::Decay::Gains,
        Some(Decay::All) => v1::Decay::All,
    };
    decay.into()
}

/// Unspecified means by architecture.
fn decay_from_wire(wire: i32, at: &str) -> Result<Option<Decay>, Violations> {
    match v1::Decay::try_from(wire) {
        Ok(v1::Decay::Unspecified) => Ok(None),
        Ok(v1::Decay::Gains) => Ok(Some(Decay::Gains)),
        Ok(v1::Decay::All) => Ok(Some(Decay::All)),
        Err(_) => {
            let known = Decay::ALL.map(Decay::as_str).join(", ");
            Err(Violations::one(at, format!("unknown decay {wire}: one of {known} expected, or none")))
        }
    }
}

impl ToWire for ObjectiveSpec {
    type Wire = v1::ObjectiveSpec;

    fn to_wire(&self) -> v1::ObjectiveSpec {
        let kind = match self {
            Self::MaximumLikelihood => v1::objective_spec::Kind::MaximumLikelihood(v1::MaximumLikelihoodSpec {}),
            Self::Negative(negative) => v1::objective_spec::Kind::Negative(negative.to_wire()),
        };
        v1::ObjectiveSpec { kind: Some(kind) }
    }
}

impl FromWire for ObjectiveSpec {
    type Wire = v1::ObjectiveSpec;

    fn from_wire(wire: v1::ObjectiveSpec, at: &str) -> Result<Self, Violations> {
        let v1::ObjectiveSpec { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of maximum_likelihood, negative expected")),
            Some(v1::objective_spec::Kind::MaximumLikelihood(v1::MaximumLikelihoodSpec {})) => {
                Ok(Self::MaximumLikelihood)
            }
            Some(v1::objective_spec::Kind::Negative(negative)) => {
                NegativeSpec::from_wire(negative, &Fields::at(at).path("negative")).map(Self::Negative)
            }
        }
    }
}

impl ToWire for NegativeSpec {
    type Wire = v1::NegativeSpec;

    fn to_wire(&self) -> v1::NegativeSpec {
        let Self { ref out, out_images, out_batch_size, threshold_nats } = *self;
        v1::NegativeSpec { out: out.to_string(), out_images, out_batch_size, threshold_nats }
    }
}

impl FromWire for NegativeSpec {
    type Wire = v1::NegativeSpec;

    fn from_wire(wire: v1::NegativeSpec, at: &str) -> Result<Self, Violations> {
        let v1::NegativeSpec { out, out_images, out_batch_size, threshold_nats } = wire;
        let mut fields = Fields::at(at);
        let out = fields.named("out", &out);
        let threshold_nats = fields.finite_or_absent("threshold_nats", threshold_nats);
        fields.finish(|| Some(Self { out: out?, out_images, out_batch_size, threshold_nats: threshold_nats? }))
    }
}

impl ToWire for ScheduleSpec {
    type Wire = v1::ScheduleSpec;

    fn to_wire(&self) -> v1::ScheduleSpec {
        use v1::schedule_spec::Kind;

        let kind = match *self {
            Self::Constant => Kind::Constant(v1::ConstantSpec {}),
            Self::FlowsOodAnneal(FlowsOodAnnealSpec { steps_per_epoch }) => {
                Kind::FlowsOodAnneal(v1::FlowsOodAnnealSpec { steps_per_epoch })
            }
            Self::WarmUpCosine(WarmUpCosineSpec { warm_up_steps, final_fraction }) => {
                Kind::WarmUpCosine(v1::WarmUpCosineSpec { warm_up_steps, final_fraction: Some(final_fraction) })
            }
        };
        v1::ScheduleSpec { kind: Some(kind) }
    }
}

impl FromWire for ScheduleSpec {
    type Wire = v1::ScheduleSpec;

    fn from_wire(wire: v1::ScheduleSpec, at: &str) -> Result<Self, Violations> {
        use v1::schedule_spec::Kind;

        let v1::ScheduleSpec { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of constant, flows_ood_anneal, warm_up_cosine expected")),
            Some(Kind::Constant(v1::ConstantSpec {})) => Ok(Self::Constant),
            Some(Kind::FlowsOodAnneal(v1::FlowsOodAnnealSpec { steps_per_epoch })) => {
                Ok(Self::FlowsOodAnneal(FlowsOodAnnealSpec { steps_per_epoch }))
            }
            Some(Kind::WarmUpCosine(v1::WarmUpCosineSpec { warm_up_steps, final_fraction })) => {
                let mut fields = Fields::at(&Fields::at(at).path("warm-up-cosine"));
                let final_fraction =
                    fields.finite("final_fraction", final_fraction.unwrap_or_else(defaults::final_fraction));
                let cosine =
                    fields.finish(|| Some(WarmUpCosineSpec { warm_up_steps, final_fraction: final_fraction? }));
                cosine.map(Self::WarmUpCosine)
            }
        }
    }
}

impl ToWire for DivergencePolicy {
    type Wire = v1::DivergencePolicy;

    fn to_wire(&self) -> v1::DivergencePolicy {
        let kind = match self {
            Self::Fail => v1::divergence_policy::Kind::Fail(v1::FailSpec {}),
            Self::Restart(restart) => v1::divergence_policy::Kind::Restart(restart.to_wire()),
        };
        v1::DivergencePolicy { kind: Some(kind) }
    }
}

impl FromWire for DivergencePolicy {
    type Wire = v1::DivergencePolicy;

    fn from_wire(wire: v1::DivergencePolicy, at: &str) -> Result<Self, Violations> {
        let v1::DivergencePolicy { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of fail, restart expected")),
            Some(v1::divergence_policy::Kind::Fail(v1::FailSpec {})) => Ok(Self::Fail),
            Some(v1::divergence_policy::Kind::Restart(restart)) => {
                RestartSpec::from_wire(restart, &Fields::at(at).path("restart")).map(Self::Restart)
            }
        }
    }
}

impl ToWire for RestartSpec {
    type Wire = v1::RestartSpec;

    fn to_wire(&self) -> v1::RestartSpec {
        let Self { at_most, learning_rate_factor, checkpoint_steps, loss_limit_nats } = *self;
        v1::RestartSpec {
            at_most: Some(at_most),
            learning_rate_factor: Some(learning_rate_factor),
            checkpoint_steps: Some(checkpoint_steps),
            loss_limit_nats,
        }
    }
}

impl FromWire for RestartSpec {
    type Wire = v1::RestartSpec;

    fn from_wire(wire: v1::RestartSpec, at: &str) -> Result<Self, Violations> {
        let v1::RestartSpec { at_most, learning_rate_factor, checkpoint_steps, loss_limit_nats } = wire;
        let mut fields = Fields::at(at);
        let learning_rate_factor = fields.finite(
            "learning_rate_factor",
            learning_rate_factor.unwrap_or_else(defaults::restart_learning_rate_factor),
        );
        let loss_limit_nats = fields.finite_or_absent("loss_limit_nats", loss_limit_nats);
        fields.finish(|| {
            Some(Self {
                at_most: at_most.unwrap_or_else(defaults::restarts_at_most),
                learning_rate_factor: learning_rate_factor?,
                checkpoint_steps: checkpoint_steps.unwrap_or_else(defaults::restart_checkpoint_steps),
                loss_limit_nats: loss_limit_nats?,
            })
        })
    }
}

impl ToWire for OptimiserSpec {
    type Wire = v1::OptimiserSpec;

    fn to_wire(&self) -> v1::OptimiserSpec {
        let kind = match self {
            Self::Adam(adam) => v1::optimiser_spec::Kind::Adam(adam.to_wire()),
            Self::RmsProp(rmsprop) => v1::optimiser_spec::Kind::Rmsprop(rmsprop.to_wire()),
            Self::AdamW(adam) => v1::optimiser_spec::Kind::Adamw(adam.to_wire()),
        };
        v1::OptimiserSpec { kind: Some(kind) }
    }
}

impl FromWire for OptimiserSpec {
    type Wire = v1::OptimiserSpec;

    fn from_wire(wire: v1::OptimiserSpec, at: &str) -> Result<Self, Violations> {
        let v1::OptimiserSpec { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of adam, rmsprop, adamw expected")),
            Some(v1::optimiser_spec::Kind::Adam(adam)) => {
                AdamSpec::from_wire(adam, &Fields::at(at).path("adam")).map(Self::Adam)
            }
            Some(v1::optimiser_spec::Kind::Rmsprop(rmsprop)) => {
                RmsPropSpec::from_wire(rmsprop, &Fields::at(at).path("rmsprop")).map(Self::RmsProp)
            }
            Some(v1::optimiser_spec::Kind::Adamw(adam)) => {
                AdamSpec::from_wire(adam, &Fields::at(at).path("adamw")).map(Self::AdamW)
            }
        }
    }
}

impl ToWire for AdamSpec {
    type Wire = v1::AdamSpec;

    fn to_wire(&self) -> v1::AdamSpec {
        let Self { learning_rate, beta1, beta2, epsilon } = *self;
        v1::AdamSpec { learning_rate, beta1: Some(beta1), beta2: Some(beta2), epsilon: Some(epsilon) }
    }
}

impl FromWire for AdamSpec {
    type Wire = v1::AdamSpec;

    fn from_wire(wire: v1::AdamSpec, at: &str) -> Result<Self, Violations> {
        let v1::AdamSpec { learning_rate, beta1, beta2, epsilon } = wire;
        let mut fields = Fields::at(at);
        let learning_rate = fields.finite("learning_rate", learning_rate);
        let beta1 = fields.finite("beta1", beta1.unwrap_or_else(defaults::beta1));
        let beta2 = fields.finite("beta2", beta2.unwrap_or_else(defaults::beta2));
        let epsilon = fields.finite("epsilon", epsilon.unwrap_or_else(defaults::epsilon));
        fields.finish(|| Some(Self { learning_rate: learning_rate?, beta1: beta1?, beta2: beta2?, epsilon: epsilon? }))
    }
}

impl ToWire for RmsPropSpec {
    type Wire = v1::RmsPropSpec;

    fn to_wire(&self) -> v1::RmsPropSpec {
        let Self { learning_rate, alpha, epsilon } = *self;
        v1::RmsPropSpec { learning_rate, alpha: Some(alpha), epsilon: Some(epsilon) }
    }
}

impl FromWire for RmsPropSpec {
    type Wire = v1::RmsPropSpec;

    fn from_wire(wire: v1::RmsPropSpec, at: &str) -> Result<Self, Violations> {
        let v1::RmsPropSpec { learning_rate, alpha, epsilon } = wire;
        let mut fields = Fields::at(at);
        let learning_rate = fields.finite("learning_rate", learning_rate);
        let alpha = fields.finite("alpha", alpha.unwrap_or_else(defaults::alpha));
        let epsilon = fields.finite("epsilon", epsilon.unwrap_or_else(defaults::epsilon));
        fields.finish(|| Some(Self { learning_rate: learning_rate?, alpha: alpha?, epsilon: epsilon? }))
    }
}
