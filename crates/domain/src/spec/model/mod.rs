//! The flow of an experiment, and the one way from its document to what it is made of.

mod choice;
pub mod convolution;
pub mod glow;
pub mod mask;
pub mod parity;
pub mod realnvp;
pub mod scales;
pub mod st_network;
pub mod tabular;
pub mod transform;

use architecture::{Architecture, InputShape, Misfit, Parity, Place};
use serde::{Deserialize, Serialize};

use self::{glow::GlowSpec, realnvp::RealNvpSpec, tabular::TabularSpec};
use super::Violations;

/// Most scales of a model: 2⁵ divides no side of a smaller image.
const MAX_SCALES: u32 = 6;
/// Most coupling layers of a model.
const MAX_COUPLINGS: u32 = 256;
/// Most blocks of all its st-networks together: what a document describes is counted tensor by tensor.
const MAX_BLOCKS: u32 = 4096;

/// A flow architecture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelSpec {
    /// RealNVP (Dinh, Sohl-Dickstein and Bengio 2017) and its variants by mask (Kirichenko et al. 2020).
    RealNvp(RealNvpSpec),
    /// Glow (Kingma and Dhariwal 2018).
    Glow(GlowSpec),
    /// RealNVP over vectors.
    Tabular(TabularSpec),
}

impl ModelSpec {
    /// Every architecture's name in documents.
    pub const NAMES: [&str; 3] = ["realnvp", "glow", "tabular"];

    /// The name in documents.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::RealNvp(_) => "realnvp",
            Self::Glow(_) => "glow",
            Self::Tabular(_) => "tabular",
        }
    }

    /// Scales of the flow: parts of the latent, each of which leaves after layers of its own.
    #[must_use]
    pub fn scales(&self) -> u32 {
        match self {
            Self::RealNvp(realnvp) => realnvp.scales().max(1),
            Self::Glow(glow) if glow.multi_scale => glow.scales.max(1),
            Self::Glow(_) | Self::Tabular(_) => 1,
        }
    }

    /// The flow that this document describes over data of the shape `input`; `at` is the path of the experiment (`base`,
    /// say).
    ///
    /// This is the one way from documents to flows: what it lets through can be built, and what it refuses is refused
    /// before any job runs.
    ///
    /// # Errors
    /// Every value out of range, or else the first thing that does not fit together or does not fit the data, with the
    /// path of its field and the shapes.
    pub fn architecture(&self, at: &str, input: InputShape, parity: Parity) -> Result<Architecture, Violations> {
        let model = format!("{at}.model.{}", self.as_str());
        let mut found = Violations::default();
        match self {
            Self::RealNvp(realnvp) => realnvp.check(&model, &mut found),
            Self::Glow(glow) => glow.check(&model, &mut found),
            Self::Tabular(tabular) => tabular.check(&model, &mut found),
        }
        found.into_result()?;
        let composed = match self {
            Self::RealNvp(realnvp) => realnvp.compose(input, parity),
            Self::Glow(glow) => glow.compose(input, parity),
            Self::Tabular(tabular) => tabular.compose(input, parity),
        };
        composed.map_err(|Misfit { place, message }| match place {
            Place::Input => Violations::one(format!("{at}.data.dataset"), message),
            inner => Violations::one(format!("{model}.{}", self.field(inner)), message),
        })
    }

    pub(super) fn resolved(&self) -> Self {
        match self {
            Self::RealNvp(realnvp) => Self::RealNvp(realnvp.resolved()),
            Self::Glow(_) | Self::Tabular(_) => self.clone(),
        }
    }

    /// The path of a recipe's field inside the model's table.
    fn field(&self, place: Place) -> String {
        match (place, self) {
            (Place::StNetwork, Self::RealNvp(RealNvpSpec { st_network, .. }))
            | (Place::StNetwork, Self::Glow(GlowSpec { st_network, .. }))
            | (Place::StNetwork, Self::Tabular(TabularSpec { st_network, .. })) => {
                format!("st_network.{}", st_network.as_str())
            }
            (Place::Couplings, Self::Glow(_)) => "steps".to_owned(),
            (Place::Mask(Some(_)), Self::RealNvp(realnvp)) if !realnvp.mask.is_list() => "mask".to_owned(),
            (place, _) => place.to_string(),
        }
    }
}

/// Records a model whose st-networks have too many blocks in all.
fn check_blocks(at: &str, couplings: u32, st_network: &st_network::StNetworkSpec, found: &mut Violations) {
    let blocks = couplings.saturating_mul(st_network.blocks());
    if blocks > MAX_BLOCKS {
        let message = format!(
            "{couplings} coupling layers of {} blocks are {blocks} blocks: at most {MAX_BLOCKS} allowed in a model",
            st_network.blocks()
        );
        found.add(format!("{at}.st_network.{}", st_network.as_str()), message);
    }
}
