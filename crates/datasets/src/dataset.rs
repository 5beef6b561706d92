//! Reads a dataset as documents name it: its source, then its steps.

use std::ops::Range;

use catalogue::{ClassList, Dataset, DatasetSource, Step};

use crate::catalogue::Catalogue;
use crate::error::LoadError;
use crate::examples::{Examples, Shape, Split, Values};
use crate::load::{load_entry, load_stepped};
use crate::location::DataDirectory;
use crate::own;
use crate::scaling::Scaling;
use crate::transform::{self, Pipeline};

/// By how much more is read when too few examples had a wanted label.
const READ_AHEAD: usize = 4;

/// Reads the first `limit` examples of a split of a dataset, or all of them, after all steps but a feature extractor's, which
/// needs a tensor library. The limit counts examples after the step `classes`.
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
    let name = match dataset.source() {
        DatasetSource::Named(name) => name,
        DatasetSource::Own(files) => return own::load(directory, dataset, files, split, limit, scaling),
    };
    let entry = Catalogue::lookup(name.as_str())?;
    let examples = if let Some(Step::Classes(classes)) = dataset.steps().first() {
        let read = |limit| load_entry(directory, entry, split, limit, scaling);
        of_classes(dataset, split, classes, limit, read)?
    } else {
        let steps = match entry.shape {
            Shape::Image(shape) => Some(Pipeline::new(dataset, split, shape)).filter(|steps| !steps.is_empty()),
            Shape::Vector(_) => None,
        };
        let (examples, are_stepped) = load_stepped(directory, entry, split, limit, scaling, steps.as_ref())?;
        if are_stepped {
            return Ok(examples);
        }
        examples
    };
    let bytes = examples.len().saturating_mul(examples.dimensions());
    transform::apply(dataset, split, examples).map_err(|_| LoadError::TooLarge {
        dataset: dataset.to_string(),
        split,
        bytes,
    })
}

/// Images of a dataset ahead of its steps, which are applied to a few of them at a time: a feature extractor's input is often too
/// large to be held whole.
#[derive(Debug)]
pub struct Unstepped {
    images: Examples,
    pipeline: Pipeline,
}

impl Unstepped {
    /// Reads the first `limit` images of a split, or all of them.
    ///
    /// # Errors
    /// [`LoadError`], naming the file and the remedy; [`LoadError::NoImages`] for a dataset of vectors.
    pub fn load(
        directory: &DataDirectory,
        dataset: &Dataset,
        split: Split,
        limit: Option<usize>,
    ) -> Result<Self, LoadError> {
        let images = load(directory, &dataset.before_steps(), split, limit, &Scaling::none())?;
        match (images.shape(), images.values()) {
            (Shape::Image(shape), Values::Bytes(_)) => {
                Ok(Self { pipeline: Pipeline::new(dataset, split, shape), images })
            }
            _ => Err(LoadError::NoImages { dataset: dataset.to_string() }),
        }
    }

    /// The images as they were read.
    #[must_use]
    pub fn images(&self) -> &Examples {
        &self.images
    }

    /// The shape of an image after the steps: channels, height, width.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.pipeline.shape()
    }

    /// The images of some indices after the steps, one after the other. Indices beyond the last one give none.
    pub fn batch(&mut self, indices: Range<usize>) -> Vec<u8> {
        let Values::Bytes(pixels) = self.images.values() else { return Vec::new() };
        let dimensions = self.images.dimensions();
        let mut batch = Vec::new();
        for index in indices.start..indices.end.min(self.images.len()) {
            let image = &pixels[index * dimensions..(index + 1) * dimensions];
            batch.extend_from_slice(self.pipeline.apply(index as u64, image));
        }
        batch
    }
}

/// How features are scaled in an experiment that learns a dataset. A user's own vectors are taken as they are.
///
/// # Errors
/// [`LoadError`] when the files that it follows from cannot be read.
pub fn scaling_of(directory: &DataDirectory, learned: &Dataset) -> Result<Scaling, LoadError> {
    match learned.source() {
        DatasetSource::Named(name) => Scaling::of(directory, Catalogue::lookup(name.as_str())?),
        DatasetSource::Own(_) => Ok(Scaling::none()),
    }
}

/// Reads on until there are enough examples of the wanted classes: a limit shall not cost the whole split.
fn of_classes(
    dataset: &Dataset,
    split: Split,
    classes: &ClassList,
    limit: Option<usize>,
    read: impl Fn(Option<usize>) -> Result<Examples, LoadError>,
) -> Result<Examples, LoadError> {
    let mut ahead = limit.map(|limit| limit.saturating_mul(READ_AHEAD));
    loop {
        let examples = read(ahead)?;
        let is_all = ahead.is_none_or(|ahead| examples.len() < ahead);
        let Some(labels) = examples.labels() else {
            return Err(LoadError::NoLabels { dataset: dataset.to_string(), split });
        };
        let found = labels.iter().filter(|&&label| classes.has(label)).count();
        if is_all && found == 0 {
            return Err(LoadError::empty_classes(dataset, split, labels));
        }
        if is_all || limit.is_some_and(|limit| found >= limit) {
            return Ok(transform::of_classes(examples, classes, limit).expect("there are labels, as was checked"));
        }
        ahead = ahead.map(|ahead| ahead.saturating_mul(READ_AHEAD));
    }
}
