//! Reads the examples of datasets as documents name them, feature extractors included.

use datasets::{DataDirectory, Examples, Scaling, Split};
use domain::spec::Dataset;

use crate::embedding;
use crate::error::TrainingError;

/// The first `limit` examples of a split, or all of them, as a flow sees them. The outputs of a feature extractor are taken as
/// they are: `scaling` is for tables.
pub(crate) fn load(
    data: &DataDirectory,
    dataset: &Dataset,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Examples, TrainingError> {
    match dataset.embedding() {
        Some(embedding) => embedding::load(data, dataset, embedding, split, limit),
        None => Ok(datasets::load(data, dataset, split, limit, scaling)?),
    }
}
