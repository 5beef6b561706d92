//! Reads a dataset as documents name it: its source, then its steps.

use catalogue::{Dataset, DatasetSource};

use crate::catalogue::{Catalogue, Entry};
use crate::error::LoadError;
use crate::examples::{Examples, Split};
use crate::load::load_entry;
use crate::location::DataDirectory;
use crate::scaling::Scaling;

/// Reads the first `limit` examples of a split of a dataset, or all of them, after all steps but a feature extractor's, which
/// needs a tensor library.
///
/// `scaling` is that of the experiment: [`scaling_of`] the dataset that is learned, also for the others.
///
/// # Errors
/// [`LoadError`], naming the file and the remedy.
pub fn load(
    directory: &DataDirectory,
    dataset: &Dataset,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Examples, LoadError> {
    load_entry(directory, entry(dataset)?, split, limit, scaling)
}

/// How features are scaled in an experiment that learns a dataset.
///
/// # Errors
/// [`LoadError`] when the files that it follows from cannot be read.
pub fn scaling_of(directory: &DataDirectory, learned: &Dataset) -> Result<Scaling, LoadError> {
    Scaling::of(directory, entry(learned)?)
}

fn entry(dataset: &Dataset) -> Result<&'static Entry, LoadError> {
    match dataset.source() {
        DatasetSource::Named(name) if dataset.steps().is_empty() => Ok(Catalogue::lookup(name.as_str())?),
        DatasetSource::Named(_) | DatasetSource::Own(_) => Err(LoadError::Steps { dataset: dataset.to_string() }),
    }
}
