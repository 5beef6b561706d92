//! A user's own files: a folder of pictures, or arrays and tables, read example by example.
//!
//! What lies there decides how it is read. Sizes that a file states are compared with what there is before anything is allocated,
//! and every refusal names the file, the place in it, and the remedy.

mod array;
mod contents;
mod csv_table;
mod error;
mod folder;
mod gathering;
mod parquet;
mod picture;
mod place;

use catalogue::{Dataset, OwnFiles};

use crate::error::LoadError;
use crate::examples::{Examples, Split};
use crate::location::DataDirectory;
use crate::scaling::Scaling;

pub use contents::{OwnContents, OwnPart, own_contents};
pub use error::OwnError;
use gathering::Gathering;
use place::{Format, Part, Place};

/// Reads the first `limit` examples of a split of a user's own files, or all of them, after their steps.
pub(crate) fn load(
    directory: &DataDirectory,
    dataset: &Dataset,
    files: &OwnFiles,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Examples, LoadError> {
    scaling.check_width(&dataset.to_string(), files.shape().into())?;
    let place = Place::find(directory, files)?;
    let mut gathering = Gathering::new(dataset, files.shape().into(), split, limit, scaling);
    match place.part(split)? {
        Part::Pictures(pictures) => folder::read(&pictures, &mut gathering)?,
        Part::File { path, format: Format::Array, names } => array::read(&path, &names, &mut gathering)?,
        Part::File { path, format: Format::Csv, .. } => csv_table::read(&path, &mut gathering)?,
        Part::File { path, format: Format::Parquet, .. } => parquet::read(&path, &mut gathering)?,
    }
    gathering.finish()
}
