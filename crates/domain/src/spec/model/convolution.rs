//! The invertible 1x1 convolutions of a Glow.

use architecture::PointwiseConvolution;
use serde::{Deserialize, Deserializer, Serialize, de::MapAccess};

use super::choice::{self, Choice};
use crate::spec::Violations;

/// How the matrix of each 1x1 convolution is parametrised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConvolutionSpec {
    /// All its entries (the reference).
    #[default]
    Full,
    /// A fixed permutation and two triangular matrices (Kingma and Dhariwal 2018, equations 10 and 11).
    Lu,
    /// A product of Householder reflections, which preserves volume (Tomczak and Welling 2016, equation 11).
    Householder(HouseholderSpec),
}

/// A product of reflections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholderSpec {
    /// Number of reflections of each convolution; as many as it has channels when absent, which reaches every rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reflections: Option<u32>,
}

impl<'de> Choice<'de> for ConvolutionSpec {
    const EXPECTED: &'static str = "`full`, `lu`, `householder` or a table `householder` with `reflections`";

    fn of_name(name: &str) -> Option<Self> {
        match name {
            "full" => Some(Self::Full),
            "lu" => Some(Self::Lu),
            "householder" => Some(Self::Householder(HouseholderSpec::default())),
            _ => None,
        }
    }

    fn of_table<A: MapAccess<'de>>(name: &str, tables: &mut A) -> Result<Option<Self>, A::Error> {
        match name {
            "householder" => tables.next_value().map(Self::Householder).map(Some),
            _ => Ok(None),
        }
    }
}

impl<'de> Deserialize<'de> for ConvolutionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choice::deserialize(deserializer)
    }
}

impl ConvolutionSpec {
    pub(super) fn check(self, at: &str, found: &mut Violations) {
        if let Self::Householder(HouseholderSpec { reflections: Some(reflections) }) = self {
            found.check_range(&format!("{at}.householder.reflections"), reflections, 1..=65_536);
        }
    }
}

impl From<ConvolutionSpec> for PointwiseConvolution {
    fn from(convolution: ConvolutionSpec) -> Self {
        match convolution {
            ConvolutionSpec::Full => Self::Full,
            ConvolutionSpec::Lu => Self::Lu,
            ConvolutionSpec::Householder(HouseholderSpec { reflections }) => Self::Householder { reflections },
        }
    }
}
