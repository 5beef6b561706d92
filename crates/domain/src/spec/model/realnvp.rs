//! RealNVP over images: several scales, or a stack of any masks on one scale.

use architecture::{Architecture, InputShape, Mask, Misfit, Parity, Place, RealNvp, recipes::Body};
use serde::{Deserialize, Serialize};

use super::{
    MAX_COUPLINGS, MAX_SCALES, check_blocks,
    mask::{CouplingMask, MaskScheme, MaskSpec},
    scales::{SplitPriorSpec, SqueezeSpec},
    st_network::StNetworkSpec,
    transform::TransformSpec,
};
use crate::spec::{Violations, defaults};

/// Scales of a checkerboard model when the document does not say (the reference's Fashion-MNIST model).
const DEFAULT_SCALES: u32 = 2;

/// RealNVP: coupling layers under a scheme of masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealNvpSpec {
    /// Which part of the input each coupling layer reads and which it changes.
    pub mask: MaskSpec,
    /// Number of scales; more than one only with the checkerboard scheme, where squeezes and channel-wise couplings join
    /// them. Default 2 for checkerboard, 1 otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scales: Option<u32>,
    /// Number of coupling layers of a single-scale model (default 8, and 6 for the centre scheme); several scales, or a
    /// list of masks, fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub couplings: Option<u32>,
    /// The network inside each coupling layer.
    pub st_network: StNetworkSpec,
    /// What each coupling layer does (default affine).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub transform: TransformSpec,
    /// How squeezes arrange values (default pixels); for several scales only.
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub squeeze: SqueezeSpec,
    /// What the channels that leave after a scale are scored by (default standard); for several scales only.
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub split_prior: SplitPriorSpec,
}

impl RealNvpSpec {
    /// The number of scales, the default filled in.
    #[must_use]
    pub fn scales(&self) -> u32 {
        self.scales.unwrap_or(match self.mask {
            MaskSpec::Scheme(MaskScheme::Checkerboard) => DEFAULT_SCALES,
            MaskSpec::Scheme(_) | MaskSpec::List(_) => 1,
        })
    }

    /// The number of coupling layers: six per squeezed scale and four at the last, or those of a single-scale model.
    #[must_use]
    pub fn couplings(&self) -> u32 {
        match (self.scales(), &self.mask) {
            (1, MaskSpec::Scheme(scheme)) => self.couplings.unwrap_or_else(|| scheme.default_couplings()),
            (1, MaskSpec::List(masks)) => u32::try_from(masks.len()).unwrap_or(u32::MAX),
            (scales, _) => scales.saturating_sub(1).saturating_mul(6).saturating_add(4),
        }
    }

    pub(super) fn resolved(&self) -> Self {
        let is_counted = self.scales() == 1 && !self.mask.is_list();
        let couplings = is_counted.then(|| self.couplings());
        Self { scales: Some(self.scales()), couplings, ..self.clone() }
    }

    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        let scales = self.scales();
        found.check_range(&format!("{at}.scales"), scales, 1..=MAX_SCALES);
        match &self.mask {
            MaskSpec::Scheme(scheme) => {
                if scales > 1 && *scheme != MaskScheme::Checkerboard {
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
            }
            MaskSpec::List(masks) => self.check_list(masks, at, found),
        }
        self.check_scales(at, found);
        self.transform.check(&format!("{at}.transform"), found);
        self.st_network.check(&format!("{at}.st_network"), found);
        check_blocks(at, self.couplings().min(MAX_COUPLINGS), &self.st_network, found);
    }

    fn check_list(&self, masks: &[CouplingMask], at: &str, found: &mut Violations) {
        if self.scales() > 1 {
            found.add(format!("{at}.scales"), "a list of masks stands on one scale: leave it out, or name a scheme");
        }
        if self.couplings.is_some() {
            found.add(format!("{at}.couplings"), "a list of masks has one for each coupling layer: leave this out");
        }
        if masks.is_empty() || masks.len() > MAX_COUPLINGS as usize {
            found.add(format!("{at}.mask"), format!("{} masks: 1 to {MAX_COUPLINGS} allowed", masks.len()));
            return;
        }
        for (index, mask) in masks.iter().enumerate() {
            mask.check(&format!("{at}.mask[{index}]"), found);
        }
    }

    /// Refuses what would change nothing on one scale.
    fn check_scales(&self, at: &str, found: &mut Violations) {
        if self.scales() > 1 {
            return;
        }
        if self.squeeze != SqueezeSpec::default() {
            found.add(
                format!("{at}.squeeze"),
                "a model of one scale squeezes nothing: leave it out, or use more scales",
            );
        }
        if self.split_prior != SplitPriorSpec::default() {
            let message = "no channels leave a model of one scale: leave it out, or use more scales";
            found.add(format!("{at}.split_prior"), message);
        }
    }

    pub(super) fn compose(&self, input: InputShape, parity: Parity) -> Result<Architecture, Misfit> {
        let body = match (self.scales(), &self.mask) {
            (1, MaskSpec::Scheme(scheme)) => Body::Stack(scheme.masks(self.couplings())),
            (1, MaskSpec::List(masks)) => {
                let masks = masks.iter().enumerate().map(|(index, mask)| {
                    mask.mask().map_err(|message| Misfit { place: Place::Mask(Some(index)), message })
                });
                Body::Stack(masks.collect::<Result<Vec<Mask>, _>>()?)
            }
            (scales, _) => Body::Scales(scales),
        };
        let recipe = RealNvp {
            input,
            parity,
            body,
            network: self.st_network.network(),
            transform: self.transform.into(),
            squeeze: self.squeeze.into(),
            split_prior: self.split_prior.into(),
        };
        recipe.compose()
    }
}
