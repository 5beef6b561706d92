//! The learned prior of factored-out channels: what stays predicts mean and scale of what leaves.

use tch::Tensor;

use crate::bijection::{Bijection, Mode, Transformed, sum_per_sample};
use crate::conditioners::convolution::Convolution;
use crate::parameters::Scope;

/// Scores channels `keep..` of `[b, c, h, w]` by `N(μ, σ²)` with `(μ, log σ) = conv(channels ..keep)` of a zero-initialised
/// 3x3 convolution, by mapping them to `(x - μ) / σ` under the standard normal (Kingma and Dhariwal 2018, section 3 and the
/// split prior of its published code). `log |det| = -sum log σ`.
#[derive(Debug)]
pub struct LearnedPrior {
    keep: i64,
    network: Convolution,
}

impl LearnedPrior {
    /// The prior of `channels - keep` channels given `keep`.
    pub fn new(scope: &mut Scope<'_>, channels: i64, keep: i64) -> Self {
        Self { keep, network: Convolution::zeros(scope, keep, 2 * (channels - keep), 3) }
    }

    /// What stays, what leaves, and its mean and log-deviation.
    fn parts(&self, x: &Tensor) -> [Tensor; 4] {
        let leaving = x.size()[1] - self.keep;
        let kept = x.narrow(1, 0, self.keep);
        let moments = self.network.forward(&kept);
        [kept, x.narrow(1, self.keep, leaving), moments.narrow(1, 0, leaving), moments.narrow(1, leaving, leaving)]
    }
}

impl Bijection for LearnedPrior {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Transformed {
        let [kept, leaving, mean, log_deviation] = self.parts(x);
        let scaled = (leaving - mean) * (-&log_deviation).exp();
        Transformed { output: Tensor::cat(&[kept, scaled], 1), log_det: -sum_per_sample(&log_deviation) }
    }

    fn inverse(&self, z: &Tensor, _mode: Mode) -> Transformed {
        let [kept, scaled, mean, log_deviation] = self.parts(z);
        let leaving = scaled * log_deviation.exp() + mean;
        Transformed { output: Tensor::cat(&[kept, leaving], 1), log_det: sum_per_sample(&log_deviation) }
    }
}
