//! What training minimises.

use serde::{Deserialize, Serialize};

use super::{Dataset, Violations};

/// Threshold of negative training on images of at most [`SMALL_IMAGE`] values (the reference's for Fashion-MNIST and
/// MNIST).
const SMALL_IMAGE_THRESHOLD_NATS: f64 = -30_000.0;
/// Threshold of negative training on larger images (the reference's for CIFAR-10, CelebA and SVHN).
const LARGE_IMAGE_THRESHOLD_NATS: f64 = -100_000.0;
/// Values of a 1×28×28 image.
const SMALL_IMAGE: i64 = 28 * 28;

/// The objective of training.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectiveSpec {
    /// The mean negative log-likelihood of the in-distribution images.
    #[default]
    MaximumLikelihood,
    /// Maximum likelihood of the in-distribution images, and minimum likelihood of out-of-distribution ones above a
    /// threshold (Kirichenko et al. 2020, appendix B).
    Negative(NegativeSpec),
}

/// Negative training. Each step passes one in-distribution and one out-of-distribution batch through the flow together,
/// so that batch statistics mix both. With J the out-of-distribution images whose log-likelihood is above the threshold,
/// the loss is `½ [mean_i(−LL_i) + mean_J(LL_j)]`, and `mean_i(−LL_i)` when J is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeSpec {
    /// The out-of-distribution dataset whose train split is made unlikely. Both datasets are visited in shuffled epochs
    /// of their own, however many images they have.
    pub out: Dataset,
    /// Learn from the first so many images of its train split only; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_images: Option<u32>,
    /// Out-of-distribution images per step; default the in-distribution batch size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_batch_size: Option<u32>,
    /// Log-likelihood, in nats per image, below which an out-of-distribution image is left alone. Default −30000 for
    /// images of at most 784 values, −100000 for larger ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_nats: Option<f64>,
}

impl ObjectiveSpec {
    pub(super) fn resolved(&self, within: &Dataset, batch_size: u32) -> Self {
        match self {
            Self::MaximumLikelihood => Self::MaximumLikelihood,
            Self::Negative(negative) => Self::Negative(NegativeSpec {
                out_batch_size: Some(negative.out_batch_size(batch_size)),
                threshold_nats: Some(negative.threshold_nats(within)),
                ..negative.clone()
            }),
        }
    }

    pub(super) fn check(&self, at: &str, within: &Dataset, found: &mut Violations) {
        match self {
            Self::MaximumLikelihood => {}
            Self::Negative(negative) => negative.check(&format!("{at}.negative"), within, found),
        }
    }
}

impl NegativeSpec {
    /// Out-of-distribution images per step, given the in-distribution batch size.
    #[must_use]
    pub fn out_batch_size(&self, batch_size: u32) -> u32 {
        self.out_batch_size.unwrap_or(batch_size)
    }

    /// The threshold in nats per image, given the in-distribution dataset.
    #[must_use]
    pub fn threshold_nats(&self, within: &Dataset) -> f64 {
        let by_size = || {
            if within.shape().dimensions() <= SMALL_IMAGE {
                SMALL_IMAGE_THRESHOLD_NATS
            } else {
                LARGE_IMAGE_THRESHOLD_NATS
            }
        };
        self.threshold_nats.unwrap_or_else(by_size)
    }

    fn check(&self, at: &str, within: &Dataset, found: &mut Violations) {
        let field = format!("{at}.out");
        if self.out == *within {
            found.add(&field, format!("`{within}` is the in-distribution dataset itself"));
        }
        if !self.out.has_train_split() {
            found.add(&field, format!("`{}` has no train split to learn from", self.out));
        }
        if self.out.shape() != within.shape() {
            let (shape, expected) = (self.out.shape(), within.shape());
            found.add(&field, format!("an example of `{}` is {shape} and one of `{within}` {expected}", self.out));
        }
        if let Some(images) = self.out_images {
            found.check_range(&format!("{at}.out_images"), images, 1..=100_000_000);
        }
        if let Some(batch_size) = self.out_batch_size {
            found.check_range(&format!("{at}.out_batch_size"), batch_size, 1..=65_536);
        }
        if let Some(threshold) = self.threshold_nats {
            found.check_range(&format!("{at}.threshold_nats"), threshold, -1e12..=1e12);
        }
    }
}
