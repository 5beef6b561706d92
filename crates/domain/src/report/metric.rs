//! What a measurement measures.

use serde::{Deserialize, Serialize};

/// What a measurement measures: how well a score separates the two sides, or what the flow makes of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Area under the ROC curve, out-of-distribution positive: P(score out > score in) + ½ P(equal).
    Auroc,
    /// Area under the precision-recall curve, out-of-distribution positive, integrated by trapezoids.
    AuprOut,
    /// The same with in-distribution positive.
    AuprIn,
    /// Average precision (the step-wise sum), out-of-distribution positive.
    ApOut,
    /// The same with in-distribution positive.
    ApIn,
    /// The fraction of in-distribution examples flagged when at least 95 % of the OOD ones are caught.
    #[serde(rename = "fpr-in-at-95-out")]
    FprInAt95Out,
    /// The fraction of OOD examples accepted when at least 95 % of the in-distribution ones are kept.
    #[serde(rename = "fpr-out-at-95-in")]
    FprOutAt95In,
    /// The smallest mean of both error rates over all thresholds.
    DetectionError,
    /// The mean of both error rates where at least 95 % of the in-distribution examples are kept (ODIN).
    #[serde(rename = "detection-error-at-95-in")]
    DetectionErrorAt95In,
    /// Mean bits per dimension.
    BitsPerDimMean,
    /// Median bits per dimension.
    BitsPerDimMedian,
    /// Mean bits per dimension without the least likely twentieth of the images.
    BitsPerDimTrimmed,
    /// Number of images far beyond the median likelihood.
    Outliers,
    /// Number of examples whose score is NaN or infinite.
    NonFinite,
}

/// The name given is not a metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown metric `{given}`: one of {} expected", Metric::ALL.map(Metric::as_str).join(", "))]
pub struct UnknownMetric {
    given: String,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 14] = [
        Self::Auroc,
        Self::AuprOut,
        Self::AuprIn,
        Self::ApOut,
        Self::ApIn,
        Self::FprInAt95Out,
        Self::FprOutAt95In,
        Self::DetectionError,
        Self::DetectionErrorAt95In,
        Self::BitsPerDimMean,
        Self::BitsPerDimMedian,
        Self::BitsPerDimTrimmed,
        Self::Outliers,
        Self::NonFinite,
    ];

    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auroc => "auroc",
            Self::AuprOut => "aupr-out",
            Self::AuprIn => "aupr-in",
            Self::ApOut => "ap-out",
            Self::ApIn => "ap-in",
            Self::FprInAt95Out => "fpr-in-at-95-out",
            Self::FprOutAt95In => "fpr-out-at-95-in",
            Self::DetectionError => "detection-error",
            Self::DetectionErrorAt95In => "detection-error-at-95-in",
            Self::BitsPerDimMean => "bits-per-dim-mean",
            Self::BitsPerDimMedian => "bits-per-dim-median",
            Self::BitsPerDimTrimmed => "bits-per-dim-trimmed",
            Self::Outliers => "outliers",
            Self::NonFinite => "non-finite",
        }
    }

    /// Whether it compares both sides of an evaluation, as a rate or an area between 0 and 1; the others are about one
    /// dataset.
    #[must_use]
    pub fn compares_sides(self) -> bool {
        match self {
            Self::Auroc
            | Self::AuprOut
            | Self::AuprIn
            | Self::ApOut
            | Self::ApIn
            | Self::FprInAt95Out
            | Self::FprOutAt95In
            | Self::DetectionError
            | Self::DetectionErrorAt95In => true,
            Self::BitsPerDimMean
            | Self::BitsPerDimMedian
            | Self::BitsPerDimTrimmed
            | Self::Outliers
            | Self::NonFinite => false,
        }
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl std::str::FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(text: &str) -> Result<Self, UnknownMetric> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.as_str() == text)
            .ok_or_else(|| UnknownMetric { given: text.to_owned() })
    }
}
