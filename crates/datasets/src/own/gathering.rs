//! Gathers the examples of a split as a reader meets them: those of the wanted classes, after their steps, up to a limit.

use std::collections::BTreeSet;

use catalogue::{ClassList, Dataset, Step};

use crate::error::LoadError;
use crate::examples::{Examples, Shape, Split, Values};
use crate::scaling::Scaling;
use crate::transform::Pipeline;

/// What a reader passes examples to.
pub struct Gathering<'a> {
    dataset: &'a Dataset,
    split: Split,
    classes: Option<&'a ClassList>,
    limit: usize,
    scaling: &'a Scaling,
    before: Shape,
    pipeline: Option<Pipeline>,
    values: Values,
    taken: usize,
    labels: Option<Vec<u32>>,
    /// Labels that there are, for a message when none of them is wanted.
    seen: BTreeSet<u32>,
    /// One image, as levels.
    levels: Vec<u8>,
}

/// A value of a row that an example cannot have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WrongValue {
    /// Its place in the row.
    pub column: usize,
    /// What would be right.
    pub expected: &'static str,
}

/// Why a row was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// One of its values.
    Value(WrongValue),
    /// Anything else.
    Load(LoadError),
}

impl<'a> Gathering<'a> {
    /// Gathers at most `limit` examples, which have the shape `before` ahead of all steps.
    pub fn new(dataset: &'a Dataset, before: Shape, split: Split, limit: Option<usize>, scaling: &'a Scaling) -> Self {
        let classes = match dataset.steps().first() {
            Some(Step::Classes(classes)) => Some(classes),
            Some(_) | None => None,
        };
        let (pipeline, values) = match before {
            Shape::Image(shape) => (Some(Pipeline::new(dataset, split, shape)), Values::Bytes(Vec::new())),
            Shape::Vector(_) => (None, Values::Floats(Vec::new())),
        };
        Self {
            dataset,
            split,
            classes,
            limit: limit.unwrap_or(usize::MAX),
            scaling,
            before,
            pipeline,
            values,
            taken: 0,
            labels: Some(Vec::new()),
            seen: BTreeSet::new(),
            levels: Vec::new(),
        }
    }

    /// The shape that an example must have.
    pub fn shape(&self) -> Shape {
        self.before
    }

    /// Says whether no more examples are wanted.
    pub fn is_full(&self) -> bool {
        self.taken >= self.limit
    }

    /// Makes room for as many examples as there are, at once.
    pub fn expect(&mut self, examples: usize) -> Result<(), LoadError> {
        // Classes keep some of them, nobody knows how many.
        let expected = if self.classes.is_some() { 0 } else { examples.min(self.limit) };
        let values = expected.saturating_mul(self.shape_after().dimensions());
        self.reserve(values, true)
    }

    /// How many examples must be read to gather those that are wanted, where their labels are known.
    pub fn needed(&self, labels: Option<&[u32]>) -> Result<Option<usize>, LoadError> {
        let Some(classes) = self.classes else { return Ok((self.limit < usize::MAX).then_some(self.limit)) };
        let Some(labels) = labels else {
            return Err(LoadError::NoLabels { dataset: self.dataset.to_string(), split: self.split });
        };
        let mut wanted = labels.iter().enumerate().filter(|(_, label)| classes.has(**label));
        Ok(wanted.nth(self.limit.saturating_sub(1)).map(|(index, _)| index + 1))
    }

    /// Says whether an example with this label is wanted, ahead of decoding it.
    pub fn wants(&mut self, label: Option<u32>) -> Result<bool, LoadError> {
        let Some(classes) = self.classes else { return Ok(!self.is_full()) };
        let no_labels = || LoadError::NoLabels { dataset: self.dataset.to_string(), split: self.split };
        let label = label.ok_or_else(no_labels)?;
        self.seen.insert(label);
        Ok(classes.has(label) && !self.is_full())
    }

    /// Takes an image, planar, if it is wanted.
    pub fn add_image(&mut self, label: Option<u32>, pixels: &[u8]) -> Result<(), LoadError> {
        if !self.wants(label)? {
            return Ok(());
        }
        self.reserve(self.shape_after().dimensions(), false)?;
        if let (Some(pipeline), Values::Bytes(values)) = (&mut self.pipeline, &mut self.values) {
            values.extend_from_slice(pipeline.apply(self.taken as u64, pixels));
        }
        self.count(label);
        Ok(())
    }

    /// Takes a row of numbers, if it is wanted: a vector, or the levels of an image.
    pub fn add_row(&mut self, label: Option<u32>, row: &[f64]) -> Result<(), Refusal> {
        if let Shape::Image(_) = self.before {
            let mut levels = std::mem::take(&mut self.levels);
            levels.clear();
            for (column, &value) in row.iter().enumerate() {
                let level = value as u8;
                if f64::from(level) != value {
                    return Err(Refusal::Value(WrongValue { column, expected: "a whole level from 0 to 255" }));
                }
                levels.push(level);
            }
            let added = self.add_image(label, &levels).map_err(Refusal::Load);
            self.levels = levels;
            return added;
        }
        if !self.wants(label).map_err(Refusal::Load)? {
            return Ok(());
        }
        self.reserve(row.len(), false).map_err(Refusal::Load)?;
        if let Values::Floats(values) = &mut self.values {
            let not_finite =
                |column| Refusal::Value(WrongValue { column, expected: "a number within single precision" });
            self.scaling.append(row, values).map_err(not_finite)?;
        }
        self.count(label);
        Ok(())
    }

    /// The examples, all of them.
    pub fn finish(self) -> Result<Examples, LoadError> {
        let shape = self.shape_after();
        if self.taken == 0 && self.classes.is_some() && self.limit > 0 {
            let seen: Vec<u32> = self.seen.into_iter().collect();
            return Err(LoadError::empty_classes(self.dataset, self.split, &seen));
        }
        let mut values = self.values;
        match &mut values {
            Values::Bytes(values) => values.shrink_to_fit(),
            Values::Floats(values) => values.shrink_to_fit(),
        }
        let examples = Examples::new(shape, values).expect("each example was taken whole");
        match self.labels {
            Some(labels) if self.taken > 0 => Ok(examples.with_labels(labels).expect("each example has a label")),
            Some(_) | None => Ok(examples),
        }
    }

    fn shape_after(&self) -> Shape {
        self.pipeline.as_ref().map_or(self.before, |pipeline| Shape::Image(pipeline.shape()))
    }

    fn count(&mut self, label: Option<u32>) {
        self.taken += 1;
        match (&mut self.labels, label) {
            (Some(labels), Some(label)) => labels.push(label),
            (labels, None) => *labels = None,
            (None, Some(_)) => {}
        }
    }

    fn reserve(&mut self, more: usize, exactly: bool) -> Result<(), LoadError> {
        let reserved = match (&mut self.values, exactly) {
            (Values::Bytes(values), true) => values.try_reserve_exact(more),
            (Values::Bytes(values), false) => values.try_reserve(more),
            (Values::Floats(values), true) => values.try_reserve_exact(more),
            (Values::Floats(values), false) => values.try_reserve(more),
        };
        let bytes = self.taken.saturating_mul(self.before.dimensions()).saturating_add(more);
        reserved.map_err(|_| LoadError::TooLarge { dataset: self.dataset.to_string(), split: self.split, bytes })
    }
}
