//! What training an experiment takes: a model's size and arithmetic, and how often it sees its data.

use super::{DataSpec, ExperimentSpec, ObjectiveSpec, TrainingSpec, Violations};

/// The size of one experiment, known before it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workload {
    /// Coupling layers of the flow.
    pub couplings: u64,
    /// Trained values of the flow.
    pub parameters: u64,
    /// Those of them that are gains: lengths of weight-normalised directions, and scales of log-scales.
    pub gains: u64,
    /// Examples of the train split that training sees in one epoch; `None` where only the file can tell.
    pub examples_per_epoch: Option<u64>,
    /// Steps that visit every example once, the last batch a partial one.
    pub steps_per_epoch: Option<u64>,
    /// Epochs of the whole training.
    pub epochs: Option<f64>,
    /// FLOPs of one training step in convolutions and matrix products, forward and backward, a multiplication and an
    /// addition each counting one.
    pub flops_per_step: u64,
    /// FLOPs of the whole training; evaluations are not in it.
    pub flops: u64,
}

impl ExperimentSpec {
    /// What training this experiment takes; `at` is the path of this document.
    ///
    /// # Errors
    /// What does not fit, as for [`ExperimentSpec::architecture`].
    pub fn workload(&self, at: &str) -> Result<Workload, Violations> {
        let flow = self.architecture(at)?;
        let count = flow.count();
        let examples_per_epoch = self.learned_examples();
        let steps_per_epoch = examples_per_epoch.map(|examples| self.training.steps_per_epoch(examples));
        let flops_per_step = flow.step_flops(self.training.examples_per_step());
        Ok(Workload {
            couplings: flow.couplings() as u64,
            parameters: count.parameters,
            gains: count.gains,
            examples_per_epoch,
            steps_per_epoch,
            epochs: steps_per_epoch.map(|steps| f64::from(self.training.steps) / steps as f64),
            flops_per_step,
            flops: flops_per_step.saturating_mul(self.training.steps.into()),
        })
    }
}

impl ExperimentSpec {
    /// Examples that training sees in one epoch; `None` where only the file can tell.
    fn learned_examples(&self) -> Option<u64> {
        let held_out = self.training.validation.as_ref().map_or(0, |validation| u64::from(validation.examples));
        self.data.train_examples().map(|examples| examples.saturating_sub(held_out))
    }
}

impl DataSpec {
    /// Examples of the train split that an experiment takes; `None` where only the file can tell.
    #[must_use]
    pub fn train_examples(&self) -> Option<u64> {
        let limit = self.train_images.map(u64::from);
        match (self.dataset.train_examples(), limit) {
            (Some(size), Some(limit)) => Some(size.min(limit)),
            (Some(size), None) => Some(size),
            (None, _) => None,
        }
    }
}

impl TrainingSpec {
    /// Examples that pass the flow in one optimiser step, those of negative training included.
    #[must_use]
    pub fn examples_per_step(&self) -> u64 {
        let outside = match &self.objective {
            ObjectiveSpec::MaximumLikelihood => 0,
            ObjectiveSpec::Negative(negative) => negative.out_batch_size(self.batch_size),
        };
        u64::from(self.batch_size) + u64::from(outside)
    }

    /// Steps that visit every one of `examples` in-distribution examples once, the last batch a partial one.
    #[must_use]
    pub fn steps_per_epoch(&self, examples: u64) -> u64 {
        examples.div_ceil(u64::from(self.batch_size.max(1))).max(1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workload(data: serde_json::Value, steps: u32, batch_size: u32) -> Workload {
        let document = json!({
            "model": {"realnvp": {"mask": "checkerboard", "st_network": {"resnet": {"width": 64, "blocks": 6}}}},
            "data": data,
            "training": {"steps": steps, "batch_size": batch_size, "optimiser": {"adam": {"learning_rate": 5e-5}}},
            "evaluation": {"out": ["mnist"]},
        });
        let spec: ExperimentSpec = serde_json::from_value(document).unwrap();
        spec.workload("base").unwrap()
    }

    #[test]
    fn reference_s_model_has_its_counts_and_epochs() {
        let found = workload(json!({"dataset": "fashion-mnist"}), 153_750, 32);

        assert_eq!((found.couplings, found.parameters, found.gains), (10, 14_707_336, 21_811));
        assert_eq!(
            (found.examples_per_epoch, found.steps_per_epoch, found.epochs),
            (Some(60_000), Some(1875), Some(82.0))
        );
        assert_eq!(found.flops, 153_750 * found.flops_per_step);
    }

    #[test]
    fn limits_shorten_an_epoch_and_never_lengthen_it() {
        let short = workload(json!({"dataset": "mnist", "train_images": 100}), 7, 32);
        let long = workload(json!({"dataset": "mnist", "train_images": 70_000}), 7, 32);

        assert_eq!((short.examples_per_epoch, short.steps_per_epoch, short.epochs), (Some(100), Some(4), Some(1.75)));
        assert_eq!(long.examples_per_epoch, Some(60_000));
        assert_eq!(short.flops_per_step, long.flops_per_step);
    }

    #[test]
    fn flops_grow_with_the_batch_and_never_overflow() {
        let one = workload(json!({"dataset": "mnist"}), 1, 2);
        let two = workload(json!({"dataset": "mnist"}), 1_000_000_000, 4);

        assert_eq!(two.flops_per_step, 2 * one.flops_per_step);
        assert_eq!(two.flops, two.flops_per_step.saturating_mul(1_000_000_000));
    }
}
