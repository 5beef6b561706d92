//! What a coupling layer does to the part of its input that it changes.

use architecture::Transform;
use serde::{Deserialize, Deserializer, Serialize, de::MapAccess};

use super::choice::{self, Choice};
use crate::spec::{Violations, defaults};

/// The map of every coupling layer of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransformSpec {
    /// Shift and scale: `y = (x + t) exp(s)` (RealNVP: Dinh, Sohl-Dickstein and Bengio 2017, equation 4).
    #[default]
    Affine,
    /// Shift alone, which preserves volume (NICE: Dinh, Krueger and Bengio 2015, equation 8).
    Additive,
    /// Monotone rational-quadratic splines (Durkan, Bekasov, Murray and Papamakarios 2019, section 3.1).
    Spline(SplineSpec),
}

/// Rational-quadratic splines with linear tails.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplineSpec {
    /// Bins of each spline (default 8).
    #[serde(default = "defaults::spline_bins")]
    pub bins: u32,
    /// The splines act on [-bound, bound], and are the identity outside (default 3).
    #[serde(default = "defaults::spline_bound")]
    pub bound: f64,
}

impl Default for SplineSpec {
    fn default() -> Self {
        Self { bins: defaults::spline_bins(), bound: defaults::spline_bound() }
    }
}

impl<'de> Choice<'de> for TransformSpec {
    const EXPECTED: &'static str = "`affine`, `additive`, `spline` or a table `spline` with `bins` and `bound`";

    fn of_name(name: &str) -> Option<Self> {
        match name {
            "affine" => Some(Self::Affine),
            "additive" => Some(Self::Additive),
            "spline" => Some(Self::Spline(SplineSpec::default())),
            _ => None,
        }
    }

    fn of_table<A: MapAccess<'de>>(name: &str, tables: &mut A) -> Result<Option<Self>, A::Error> {
        match name {
            "spline" => tables.next_value().map(Self::Spline).map(Some),
            _ => Ok(None),
        }
    }
}

impl<'de> Deserialize<'de> for TransformSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choice::deserialize(deserializer)
    }
}

impl TransformSpec {
    pub(super) fn check(self, at: &str, found: &mut Violations) {
        match self {
            Self::Affine | Self::Additive => {}
            Self::Spline(SplineSpec { bins, bound }) => {
                found.check_range(&format!("{at}.spline.bins"), bins, 2..=256);
                found.check_range(&format!("{at}.spline.bound"), bound, 1e-3..=1e3);
            }
        }
    }
}

impl From<TransformSpec> for Transform {
    fn from(transform: TransformSpec) -> Self {
        match transform {
            TransformSpec::Affine => Self::Affine,
            TransformSpec::Additive => Self::Additive,
            TransformSpec::Spline(SplineSpec { bins, bound }) => Self::Spline { bins, bound },
        }
    }
}
