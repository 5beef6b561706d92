//! Glow: steps of act norm, an invertible 1x1 convolution and a coupling layer.

use architecture::{Architecture, Glow, InputShape, Misfit, Parity};
use serde::{Deserialize, Serialize};

use super::{
    MAX_COUPLINGS, MAX_SCALES, check_blocks, convolution::ConvolutionSpec, scales::SplitPriorSpec, scales::SqueezeSpec,
    st_network::StNetworkSpec, transform::TransformSpec,
};
use crate::spec::{Violations, defaults};

/// Glow (Kingma and Dhariwal 2018) with the couplings of RealNVP, as in the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlowSpec {
    /// Number of scales, each of which begins with a squeeze (default 2).
    #[serde(default = "defaults::glow_scales")]
    pub scales: u32,
    /// Steps of each scale (default 8).
    #[serde(default = "defaults::glow_steps")]
    pub steps: u32,
    /// Half of the channels leave after every scale but the last (default true); otherwise all go on.
    #[serde(default = "defaults::multi_scale")]
    pub multi_scale: bool,
    /// The network inside each coupling layer, of the same width in all scales.
    pub st_network: StNetworkSpec,
    /// The matrix of each 1x1 convolution (default full).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub convolution: ConvolutionSpec,
    /// What each coupling layer does (default affine).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub transform: TransformSpec,
    /// How squeezes arrange values (default pixels).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub squeeze: SqueezeSpec,
    /// What the channels that leave are scored by (default standard).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub split_prior: SplitPriorSpec,
}

impl GlowSpec {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        found.check_range(&format!("{at}.scales"), self.scales, 1..=MAX_SCALES);
        found.check_range(&format!("{at}.steps"), self.steps, 1..=MAX_COUPLINGS);
        let couplings = self.scales.saturating_mul(self.steps);
        if self.scales <= MAX_SCALES && self.steps <= MAX_COUPLINGS && couplings > MAX_COUPLINGS {
            let message = format!(
                "{} scales of {} steps are {couplings} steps: at most {MAX_COUPLINGS} allowed in a model",
                self.scales, self.steps
            );
            found.add(format!("{at}.steps"), message);
        }
        if self.split_prior == SplitPriorSpec::Learned && (self.scales == 1 || !self.multi_scale) {
            let message = "no channels leave a model of one scale or with multi_scale = false: leave it out";
            found.add(format!("{at}.split_prior"), message);
        }
        self.convolution.check(&format!("{at}.convolution"), found);
        self.transform.check(&format!("{at}.transform"), found);
        self.st_network.check(&format!("{at}.st_network"), found);
        check_blocks(at, couplings.min(MAX_COUPLINGS), &self.st_network, found);
    }

    pub(super) fn compose(&self, input: InputShape, parity: Parity) -> Result<Architecture, Misfit> {
        let recipe = Glow {
            input,
            parity,
            scales: self.scales,
            steps: self.steps,
            multi_scale: self.multi_scale,
            network: self.st_network.network(),
            convolution: self.convolution.into(),
            transform: self.transform.into(),
            squeeze: self.squeeze.into(),
            split_prior: self.split_prior.into(),
        };
        recipe.compose()
    }
}
