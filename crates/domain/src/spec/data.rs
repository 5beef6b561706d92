//! The data of an experiment.

use serde::{Deserialize, Serialize};

use super::{Dataset, InputShape, Violations};

/// What the flow learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The in-distribution dataset: its train split is learned, its test split evaluated.
    pub dataset: Dataset,
    /// Learn from the first so many examples (images or vectors) of the train split only; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_images: Option<u32>,
    /// Learn images of which each value is replaced by a uniform one with this probability, drawn anew at every step: what a
    /// background model learns (Ren et al. 2019).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutation: Option<f64>,
}

impl DataSpec {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        if !self.dataset.has_train_split() {
            let message = format!(
                "`{}` has a test split only: name it in evaluation.out, and learn a dataset with a train split",
                self.dataset
            );
            found.add(format!("{at}.dataset"), message);
        }
        if let Some(images) = self.train_images {
            found.check_range(&format!("{at}.train_images"), images, 1..=100_000_000);
        }
        if let Some(mutation) = self.mutation {
            check_mutation(mutation, &self.dataset, &format!("{at}.mutation"), found);
        }
    }
}

/// A probability with which values of images are replaced; at 1 nothing of an image would be left.
pub(super) fn check_mutation(mutation: f64, dataset: &Dataset, field: &str, found: &mut Violations) {
    if !(mutation > 0.0 && mutation < 1.0) {
        found.add(field, format!("{mutation} is out of range: a probability above 0 and below 1 expected"));
    }
    if matches!(dataset.shape(), InputShape::Vector { .. }) {
        found.add(field, format!("`{dataset}` has vectors, whose values have no range to draw from: leave it out"));
    }
}
