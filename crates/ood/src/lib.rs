//! Out-of-distribution scores and the metrics that judge them, over plain slices of `f64`.
//!
//! A score is higher for images that look more out-of-distribution; out-of-distribution is the positive class. No
//! tensors, no files and no randomness.

mod metrics;
mod scores;

pub use metrics::auroc::{Auroc, AurocError, auroc};
pub use metrics::bits_per_dimension::{BitsPerDimension, bits_per_dimension, summarise_bits_per_dimension};
pub use metrics::interval::{Interval, IntervalMethod};
pub use metrics::paired_t::{PairedT, PairedTError, holm, paired_t_test};
pub use scores::log_likelihood::log_likelihood;
