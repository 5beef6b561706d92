//! The flow of an experiment: its couplings, masks and st-network.

use serde::{Deserialize, Serialize};

use super::{Violations, defaults};

/// Most scales a model may have: 2⁵ divides no side of a smaller image.
const MAX_SCALES: u32 = 6;
/// Most couplings in a single-scale stack.
const MAX_COUPLINGS: u32 = 256;
/// Couplings of a single-scale stack when the document does not say (Kirichenko et al. 2020, section 7).
const DEFAULT_COUPLINGS: u32 = 8;
/// Scales of a checkerboard model when the document does not say (the reference's Fashion-MNIST model).
const DEFAULT_SCALES: u32 = 2;

/// A flow architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelSpec {
    /// RealNVP (Dinh, Sohl-Dickstein and Bengio 2017) and its variants by mask (Kirichenko et al. 2020).
    RealNvp(RealNvpSpec),
}

/// RealNVP: affine coupling layers under a scheme of masks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealNvpSpec {
    /// Which part of the input each coupling layer keeps.
    pub mask: MaskScheme,
    /// Number of scales; more than one only with the checkerboard scheme, where squeezes and channel-wise couplings join
    /// them. Default 2 for checkerboard, 1 otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scales: Option<u32>,
    /// Number of coupling layers of a single-scale model (default 8); with several scales the scheme fixes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub couplings: Option<u32>,
    /// The network that computes s and t of each coupling layer.
    pub st_network: StNetworkSpec,
}

/// A scheme of masks over the coupling layers of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskScheme {
    /// Alternating checkerboards; with several scales, channel-wise masks after each squeeze.
    Checkerboard,
    /// Alternating top and bottom half.
    Horizontal,
    /// Each coupling layer reads one quadrant and transforms the next one clockwise.
    Cycle,
}

/// The network inside a coupling layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StNetworkSpec {
    /// Residual network with weight normalisation.
    Resnet(ResnetSpec),
}

/// A residual st-network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResnetSpec {
    /// Hidden channels at the first scale; they double at every squeeze.
    pub width: u32,
    /// Number of residual blocks.
    pub blocks: u32,
    /// Batch normalisation (default true).
    #[serde(default = "defaults::batch_norm")]
    pub batch_norm: bool,
    /// Skip connections from every block to the output (default true).
    #[serde(default = "defaults::skip")]
    pub skip: bool,
}

impl MaskScheme {
    /// Every scheme.
    pub const ALL: [Self; 3] = [Self::Checkerboard, Self::Horizontal, Self::Cycle];

    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkerboard => "checkerboard",
            Self::Horizontal => "horizontal",
            Self::Cycle => "cycle",
        }
    }
}

impl ModelSpec {
    pub(super) fn check(&self, at: &str, shape: [u32; 3], found: &mut Violations) {
        match self {
            Self::RealNvp(realnvp) => realnvp.check(&format!("{at}.realnvp"), shape, found),
        }
    }

    pub(super) fn resolved(&self) -> Self {
        match self {
            Self::RealNvp(realnvp) => Self::RealNvp(realnvp.resolved()),
        }
    }
}

impl RealNvpSpec {
    /// The number of scales, the default filled in.
    #[must_use]
    pub fn scales(&self) -> u32 {
        self.scales.unwrap_or(match self.mask {
            MaskScheme::Checkerboard => DEFAULT_SCALES,
            MaskScheme::Horizontal | MaskScheme::Cycle => 1,
        })
    }

    /// The number of coupling layers: six per squeezed scale and four at the last, or what a single-scale model was given.
    #[must_use]
    pub fn couplings(&self) -> u32 {
        match self.scales() {
            1 => self.couplings.unwrap_or(DEFAULT_COUPLINGS),
            scales => 6 * (scales - 1) + 4,
        }
    }

    fn resolved(&self) -> Self {
        let couplings = (self.scales() == 1).then(|| self.couplings());
        Self { scales: Some(self.scales()), couplings, ..self.clone() }
    }

    fn check(&self, at: &str, [_, height, width]: [u32; 3], found: &mut Violations) {
        let scales = self.scales();
        found.check_range(&format!("{at}.scales"), scales, 1..=MAX_SCALES);
        if scales > 1 && self.mask != MaskScheme::Checkerboard {
            found.add(
                format!("{at}.scales"),
                format!("{scales} scales need mask = \"checkerboard\"; other masks allow 1"),
            );
        }
        if scales > 1 && self.couplings.is_some() {
            found.add(
                format!("{at}.couplings"),
                "only a single-scale model takes this: leave it out, or set scales = 1",
            );
        }
        if let Some(couplings) = self.couplings {
            found.check_range(&format!("{at}.couplings"), couplings, 1..=MAX_COUPLINGS);
        }
        if (2..=MAX_SCALES).contains(&scales) {
            let divisor = 1 << (scales - 1);
            if height % divisor != 0 || width % divisor != 0 {
                found.add(
                    format!("{at}.scales"),
                    format!("{scales} scales need sides divisible by {divisor}, and the images are {height}×{width}"),
                );
            }
        }
        self.st_network.check(&format!("{at}.st_network"), found);
    }
}

impl StNetworkSpec {
    fn check(&self, at: &str, found: &mut Violations) {
        match self {
            Self::Resnet(resnet) => {
                found.check_range(&format!("{at}.resnet.width"), resnet.width, 1..=4096);
                found.check_range(&format!("{at}.resnet.blocks"), resnet.blocks, 1..=64);
            }
        }
    }
}
