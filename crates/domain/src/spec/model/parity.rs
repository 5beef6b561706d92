//! Whose numbers a flow gives.

use serde::{Deserialize, Serialize};

/// Whether an experiment's numbers are the textbook's or the reference implementation's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParitySpec {
    /// The discrete bound in its textbook form, decoding that undoes encoding, densities of continuous data as they are.
    #[default]
    Corrected,
    /// Kirichenko, Izmailov and Wilson's code (`flows_ood`) with its quirks: bits/dim of images are log₂(256/255) =
    /// 0.005647 larger, sampled pictures keep the range 0.05 to 0.95, and vectors pay 8 bits/dim as if they were 8-bit
    /// images.
    FlowsOod,
}

impl ParitySpec {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Corrected, Self::FlowsOod];

    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::FlowsOod => "flows-ood",
        }
    }
}

impl From<ParitySpec> for architecture::Parity {
    fn from(parity: ParitySpec) -> Self {
        match parity {
            ParitySpec::Corrected => Self::Corrected,
            ParitySpec::FlowsOod => Self::FlowsOod,
        }
    }
}
