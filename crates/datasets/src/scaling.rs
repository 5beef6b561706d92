//! Standardisation of vectors: every dataset of an experiment is scaled as the one that is learned.

use std::convert::Infallible;

use crate::catalogue::{Entry, Source};
use crate::error::LoadError;
use crate::examples::{Shape, Split};
use crate::load::{find, in_table};
use crate::location::DataDirectory;
use crate::tables::hepmass::Survey;
use crate::tables::miniboone::ClassRows;
use crate::tables::{Moments, open};

/// How the features of an experiment's datasets are scaled: `(x - mean) / deviation`, with the moments of the training
/// part of the dataset that is learned, or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    learned: &'static str,
    moments: Option<Standard>,
    /// What the pass over HEPMASS's training file told beside the moments; it need not be read again.
    pub(crate) survey: Option<KeptColumns>,
}

/// Mean and deviation of each feature.
#[derive(Debug, Clone, PartialEq)]
struct Standard {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

/// Which columns of HEPMASS's training file are features of the dataset.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptColumns {
    /// Columns of the file, the label among them.
    pub columns: usize,
    /// Indices of the kept features.
    pub kept: Vec<usize>,
}

impl KeptColumns {
    /// Reads HEPMASS's training file once.
    pub fn read(directory: &DataDirectory, entry: &Entry) -> Result<Self, LoadError> {
        let survey = survey(directory, entry)?;
        Ok(Self { columns: survey.columns, kept: survey.kept })
    }
}

impl Scaling {
    /// Leaves all values as they are.
    #[must_use]
    pub fn none() -> Self {
        Self { learned: "", moments: None, survey: None }
    }

    /// The scaling of an experiment that learns the given dataset. Standardised datasets (the UCI tables and the built-in
    /// clusters) are read once, their whole training part; for all others nothing is read and nothing is scaled.
    ///
    /// Means and biased standard deviations are in double precision.
    ///
    /// # Errors
    /// [`LoadError`], [`LoadError::ConstantFeature`] among them.
    pub fn of(directory: &DataDirectory, learned: &Entry) -> Result<Self, LoadError> {
        let (moments, names, survey) = match learned.source {
            Source::Hepmass { class } => {
                let Survey { columns, kept, names, moments } = survey(directory, learned)?;
                let [background, signal] = moments;
                let moments = if class == 0 { background } else { signal };
                (moments, names, Some(KeptColumns { columns, kept }))
            }
            Source::Miniboone { class } => (miniboone_moments(directory, learned, class)?, Vec::new(), None),
            Source::ProceduralVectors(procedure) if learned.is_standardised() => {
                let features = learned.dimensions();
                let mut moments = Moments::new(features);
                let len = learned.size(Split::Train).known().unwrap_or_default();
                let drawn: Result<(), Infallible> = procedure.generate(features, Split::Train, len, &mut |row| {
                    moments.add(row);
                    Ok(())
                });
                let Ok(()) = drawn;
                (moments, Vec::new(), None)
            }
            Source::Idx { .. }
            | Source::Arrays { .. }
            | Source::Published { .. }
            | Source::Procedural(_)
            | Source::ProceduralVectors(_) => {
                return Ok(Self { learned: learned.name, ..Self::none() });
            }
        };
        let deviations = moments.deviations();
        // Also true for a class without rows, whose deviations are 0.
        if let Some(feature) = deviations.iter().position(|&deviation| deviation == 0.0) {
            let name = names.get(feature).cloned().unwrap_or_else(|| format!("feature {feature} (from 0)"));
            return Err(LoadError::ConstantFeature { dataset: learned.name, feature: name, rows: moments.rows() });
        }
        let standard = Standard { means: moments.means().to_vec(), deviations };
        Ok(Self { learned: learned.name, moments: Some(standard), survey })
    }

    /// Mean and standard deviation of each feature of the learned dataset; none if nothing is scaled.
    #[must_use]
    pub fn moments(&self) -> Option<(&[f64], &[f64])> {
        self.moments.as_ref().map(|standard| (&standard.means[..], &standard.deviations[..]))
    }

    /// Refuses a dataset that cannot be scaled as the learned one.
    pub(crate) fn check_fits(&self, entry: &Entry) -> Result<(), LoadError> {
        self.check_width(entry.name, entry.shape)
    }

    /// Refuses examples of a shape that cannot be scaled as the learned dataset.
    pub(crate) fn check_width(&self, dataset: &str, shape: Shape) -> Result<(), LoadError> {
        match &self.moments {
            Some(standard) if standard.means.len() != shape.dimensions() => Err(LoadError::OtherFeatures {
                dataset: dataset.to_owned(),
                shape,
                learned: self.learned,
                features: standard.means.len(),
            }),
            _ => Ok(()),
        }
    }

    /// Appends a row, scaled; refuses by the index of a column whose value single precision cannot hold.
    pub(crate) fn append(&self, row: &[f64], values: &mut Vec<f32>) -> Result<(), usize> {
        match &self.moments {
            None => append_finite(row.iter().copied(), values),
            Some(Standard { means, deviations }) => {
                let scaled = row.iter().zip(means).zip(deviations).map(|((x, mean), deviation)| (x - mean) / deviation);
                append_finite(scaled, values)
            }
        }
    }
}

fn append_finite(row: impl Iterator<Item = f64>, values: &mut Vec<f32>) -> Result<(), usize> {
    for (column, value) in row.enumerate() {
        let value = value as f32;
        if !value.is_finite() {
            return Err(column);
        }
        values.push(value);
    }
    Ok(())
}

fn survey(directory: &DataDirectory, entry: &Entry) -> Result<Survey, LoadError> {
    let path = find(directory, entry, &crate::catalogue::hepmass(Split::Train))?;
    let read = || Survey::read(open(&path)?, entry.dimensions());
    read().map_err(|problem| in_table(&path, problem))
}

fn miniboone_moments(directory: &DataDirectory, entry: &Entry, class: u8) -> Result<Moments, LoadError> {
    let path = find(directory, entry, &crate::catalogue::miniboone())?;
    let read = || ClassRows::read(open(&path)?, class, entry.dimensions());
    let rows = read().map_err(|problem| in_table(&path, problem))?;
    let mut moments = Moments::new(entry.dimensions());
    rows.of_split(Split::Train).for_each(|row| moments.add(row.values));
    Ok(moments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn datasets_that_are_not_standardised_are_left_as_they_are() {
        for name in ["fashion-mnist", "cifar10-embeddings", "synthetic-embeddings-0", "synthetic-shapes-rgb"] {
            let scaling = Scaling::of(&DataDirectory::at("nowhere"), Catalogue::lookup(name).unwrap()).unwrap();

            let mut values = Vec::new();
            scaling.append(&[3.5, -1.0], &mut values).unwrap();
            assert_eq!(values, [3.5, -1.0]);
        }
    }

    #[test]
    fn values_beyond_single_precision_are_refused_by_their_column() {
        assert_eq!(Scaling::none().append(&[1.0, 1e39], &mut Vec::new()), Err(1));
        assert_eq!(Scaling::none().append(&[f64::NAN], &mut Vec::new()), Err(0));
    }
}
