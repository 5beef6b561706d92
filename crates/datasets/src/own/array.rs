//! Arrays of a user's own: `.npy`, `.npz` and `.safetensors`.

use std::path::Path;

use super::error::OwnError;
use super::gathering::{Gathering, Refusal};
use crate::arrays::{ArrayError, integers, read_images, read_rows, with_array};
use crate::error::LoadError;
use crate::examples::Shape;

/// Largest label.
const MAX_LABEL: u32 = 65_535;

/// Says whether a file holds an array of this name.
pub fn has(path: &Path, name: &str) -> Result<bool, LoadError> {
    match with_array(path, &[name], |_| Ok(())) {
        Ok(()) => Ok(true),
        Err(ArrayError::NoArray { .. }) => Ok(false),
        Err(problem) => Err(in_file(path, problem)),
    }
}

/// Reads the first array with one of the names, and the labels beside it.
pub fn read(path: &Path, names: &[&str], gathering: &mut Gathering<'_>) -> Result<(), LoadError> {
    let labels = labels_of(path, names)?;
    let examples = with_array(path, names, |array| Ok(array.header.dimensions.first().copied().unwrap_or(0)))
        .map_err(|problem| in_file(path, problem))?;
    if examples == 0 {
        return Err(OwnError::Empty { path: path.to_owned() }.into());
    }
    if let Some(labels) = labels.as_ref().filter(|labels| labels.len() != examples) {
        return Err(in_file(path, ArrayError::Labels { labels: labels.len(), examples }));
    }
    gathering.expect(examples)?;
    let needed = gathering.needed(labels.as_deref())?;
    let label = |index: usize| labels.as_ref().map(|labels| labels[index]);

    let mut index = 0;
    let mut refused = None;
    let read = with_array(path, names, |array| match gathering.shape() {
        Shape::Image(shape) => read_images(array, shape, None, needed, &mut |pixels| {
            if refused.is_none() {
                refused = gathering.add_image(label(index), pixels).err();
            }
            index += 1;
        }),
        Shape::Vector(features) => read_rows(array, features, None, needed, &mut |row| {
            let added = gathering.add_row(label(index), row);
            index += 1;
            match added {
                Err(Refusal::Value(wrong)) => Err(wrong.column),
                Err(Refusal::Load(problem)) => {
                    refused.get_or_insert(problem);
                    Ok(())
                }
                Ok(()) => Ok(()),
            }
        }),
    });
    read.map_err(|problem| in_file(path, problem))?;
    refused.map_or(Ok(()), Err)
}

/// The labels of a split: `train_labels`, say, or `labels` where the file has one split.
fn labels_of(path: &Path, names: &[&str]) -> Result<Option<Vec<u32>>, LoadError> {
    if path.extension().is_some_and(|ending| ending == "npy") {
        return Ok(None);
    }
    let of_split = names.first().map(|split| format!("{split}_labels")).unwrap_or_default();
    let wanted = [of_split.as_str(), "labels"];
    // Only the names of one split do without naming it.
    let wanted = if names.len() > 1 { &wanted[..] } else { &wanted[..1] };
    let read = with_array(path, wanted, |array| {
        let label = |(row, &number): (usize, &i64)| {
            let fits = u32::try_from(number).ok().filter(|&label| label <= MAX_LABEL);
            fits.ok_or(ArrayError::NoLabel { row, value: number })
        };
        integers(&array.header, array.elements, usize::MAX)?.iter().enumerate().map(label).collect()
    });
    match read {
        Ok(labels) => Ok(Some(labels)),
        Err(ArrayError::NoArray { .. }) => Ok(None),
        Err(problem) => Err(in_file(path, problem)),
    }
}

fn in_file(path: &Path, problem: ArrayError) -> LoadError {
    match problem {
        ArrayError::Io(source) => LoadError::Unreadable { path: path.to_owned(), source },
        source => LoadError::Array { path: path.to_owned(), source },
    }
}
