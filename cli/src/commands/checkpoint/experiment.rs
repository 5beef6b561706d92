//! Which experiment of a sweep file a model belongs to.

use std::path::Path;

use domain::spec::ExperimentSpec;

use crate::{commands::validate, document::read_sweep, failure::Failure};

/// The document of a sweep's only variant, or of the one that `label` names.
pub fn of_sweep(path: &Path, label: Option<&str>) -> Result<ExperimentSpec, Failure> {
    let sweep = read_sweep(path, None)?;
    let mut variants = validate::expand(&sweep, path)?.variants;
    let labels: Vec<String> = variants.iter().map(|variant| format!("`{}`", variant.label)).collect();
    let (file, known) = (path.display(), labels.join(", "));
    match label {
        None if variants.len() == 1 => Ok(variants.remove(0).spec),
        None => Err(Failure::NotFound(format!(
            "{file} has {} variants: say which one the model is with --variant, one of {known}",
            variants.len()
        ))),
        Some(label) => match variants.into_iter().find(|variant| variant.label == label) {
            Some(variant) => Ok(variant.spec),
            None => Err(Failure::NotFound(format!("{file} has no variant `{label}`: one of {known} expected"))),
        },
    }
}
