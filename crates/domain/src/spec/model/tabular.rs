//! RealNVP over vectors of features.

use architecture::{Architecture, InputShape, Misfit, Parity, Tabular};
use serde::{Deserialize, Serialize};

use super::{MAX_COUPLINGS, check_blocks, st_network::StNetworkSpec, transform::TransformSpec};
use crate::spec::{Violations, defaults};

/// RealNVP over vectors, without preprocessing: halves of the features take turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TabularSpec {
    /// Number of coupling layers (default 8).
    #[serde(default = "defaults::couplings")]
    pub couplings: u32,
    /// What each coupling layer does (default affine).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub transform: TransformSpec,
    /// The network inside each coupling layer: an mlp.
    pub st_network: StNetworkSpec,
}

impl TabularSpec {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        found.check_range(&format!("{at}.couplings"), self.couplings, 1..=MAX_COUPLINGS);
        self.transform.check(&format!("{at}.transform"), found);
        self.st_network.check(&format!("{at}.st_network"), found);
        check_blocks(at, self.couplings.min(MAX_COUPLINGS), &self.st_network, found);
    }

    pub(super) fn compose(&self, input: InputShape, parity: Parity) -> Result<Architecture, Misfit> {
        let recipe = Tabular {
            input,
            parity,
            couplings: self.couplings,
            network: self.st_network.network(),
            transform: self.transform.into(),
        };
        recipe.compose()
    }
}
