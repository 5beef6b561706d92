//! Reads the examples of datasets as documents name them, feature extractors included.

use datasets::{DataDirectory, Examples, Scaling, Split};
use domain::spec::Dataset;

use crate::error::TrainingError;

/// The first `limit` examples of a split, or all of them, as a flow sees them.
pub(crate) fn load(
    data: &DataDirectory,
    dataset: &Dataset,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Examples, TrainingError> {
    Ok(datasets::load(data, dataset, split, limit, scaling)?)
}
