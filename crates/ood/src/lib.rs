//! Out-of-distribution scores and the metrics that judge them, over plain slices of `f64`.
//!
//! A score is higher for images that look more out-of-distribution; out-of-distribution is the positive class. No
//! tensors, no files, no clocks; what is random is drawn from a counter-based generator under a given seed.

mod metrics;
mod randomness;
mod scores;

pub use metrics::auroc::{Auroc, AurocError, auroc};
pub use metrics::bits_per_dimension::{BitsPerDimension, bits_per_dimension, summarise_bits_per_dimension};
pub use metrics::bootstrap::{Bootstrap, DEFAULT_RESAMPLES, bootstrap, bootstrap_auroc};
pub use metrics::interval::{Interval, IntervalMethod};
pub use metrics::operating_point::OperatingPoint;
pub use metrics::paired::{PairedError, PairedMethod, PairedTest, Scores, delong_test};
pub use metrics::paired_t::{PairedT, PairedTError, holm, paired_t_test};
pub use metrics::roc::{BandPoint, RocCurve, RocPoint, roc_band, roc_curve};
pub use metrics::seeds::{OverSeeds, over_seeds};
pub use metrics::separation::{Separation, SeparationMetric, separation};
pub use scores::complexity_gmm::ComplexityGmm;
pub use scores::dose::Dose;
pub use scores::gradient_norm::GradientNorm;
pub use scores::groups::{Groups, groups};
pub use scores::input_complexity::input_complexity;
pub use scores::latent_density::{latent_density, log_determinant};
pub use scores::latent_ks::latent_ks;
pub use scores::latent_norm::latent_norm;
pub use scores::likelihood_ratio::likelihood_ratio;
pub use scores::local_dimension::{DualThreshold, dimension_above, dimension_at_scale, dimension_from_slope};
pub use scores::log_likelihood::log_likelihood;
pub use scores::per_scale::per_scale;
pub use scores::reference::FitError;
pub use scores::score_test::{ScoreTest, fisher, fisher_p};
pub use scores::typicality::{grouped_typicality, typical_up_to, typicality};
pub use scores::waic::waic;
