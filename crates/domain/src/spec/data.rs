//! The data of an experiment.

use serde::{Deserialize, Serialize};

use super::{Dataset, Violations};

/// What the flow learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The in-distribution dataset: its train split is learned, its test split evaluated.
    pub dataset: Dataset,
    /// Learn from the first so many examples (images or vectors) of the train split only; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_images: Option<u32>,
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
    }
}
