//! A dataset as documents name it: where its examples come from, and what is done to them.

use std::{fmt, str::FromStr};

use architecture::InputShape;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{
    name::{DatasetName, UnknownDataset},
    own::OwnFiles,
    resampling,
    step::{Embedding, Step},
};

/// What begins the name of a user's own files.
const OWN: &str = "own:";
/// Most steps of one dataset.
const MAX_STEPS: usize = 16;
/// Longest name, in bytes: it stands in tables and in file names.
const MAX_BYTES: usize = 500;

/// A dataset and the steps that its images go through, in one string: `svhn|gray|resize=28x28:bilinear`.
///
/// The string is the dataset's identity: two that differ in a filter are two datasets. Equal strings are equal datasets, and a
/// dataset is written in one way only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dataset {
    source: DatasetSource,
    steps: Vec<Step>,
}

/// Where the examples of a dataset come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DatasetSource {
    /// The catalogue.
    Named(DatasetName),
    /// A user's own files.
    Own(OwnFiles),
}

/// The name given is not one of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DatasetError {
    /// The catalogue has no such name.
    #[error(transparent)]
    Unknown(#[from] UnknownDataset),
    /// What stands after `own:` says no files or no shape.
    #[error("own files `{given}`: {problem}")]
    Own {
        /// What was given, without `own:`.
        given: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A step that nobody knows.
    #[error("unknown step `{given}`: one of {expected} expected")]
    Step {
        /// What was given.
        given: String,
        /// What is allowed.
        expected: String,
    },
    /// A step that does not fit what is there before it.
    #[error("step `{step}` does not fit {before}")]
    Misfit {
        /// The step.
        step: String,
        /// The shape before it.
        before: InputShape,
    },
    /// Too many steps, or too long a name.
    #[error("the dataset's name has {steps} steps and {bytes} bytes: at most {MAX_STEPS} and {MAX_BYTES} are allowed")]
    TooLong {
        /// Steps given.
        steps: usize,
        /// Bytes given.
        bytes: usize,
    },
    /// Examples of one label are picked before anything else is done.
    #[error("`classes` must be the first step, and stand once")]
    ClassesNotFirst,
}

impl Dataset {
    /// Where the examples come from.
    #[must_use]
    pub fn source(&self) -> &DatasetSource {
        &self.source
    }

    /// What is done to them, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The catalogue's name, steps or not; none for a user's own files.
    #[must_use]
    pub fn name(&self) -> Option<DatasetName> {
        match self.source {
            DatasetSource::Named(name) => Some(name),
            DatasetSource::Own(_) => None,
        }
    }

    /// The shape of one example after all steps.
    #[must_use]
    pub fn shape(&self) -> InputShape {
        let step = |shape, step: &Step| step.shape_after(shape).unwrap_or(shape);
        self.steps.iter().fold(self.source.shape(), step)
    }

    /// Whether there is a train split to learn from; a dataset without one can be out-of-distribution data only. Own files may
    /// have one: only their reader can tell.
    #[must_use]
    pub fn has_train_split(&self) -> bool {
        self.name().is_none_or(DatasetName::has_train_split)
    }

    /// The number of training examples, where the catalogue alone can tell.
    #[must_use]
    pub fn train_examples(&self) -> Option<u64> {
        let subset = self.steps.iter().any(|step| matches!(step, Step::Classes(_)));
        self.name().filter(|_| !subset).and_then(DatasetName::train_examples)
    }

    /// Which resampling made the pixels, of the publisher or of a step; `native` when none did. Likelihoods of images that were
    /// resampled differently differ for that reason alone.
    #[must_use]
    pub fn resampling(&self) -> String {
        resampling::of(self)
    }

    /// The feature extractor of the last step.
    #[must_use]
    pub fn embedding(&self) -> Option<&Embedding> {
        match self.steps.last() {
            Some(Step::Embed(embedding)) => Some(embedding),
            Some(_) | None => None,
        }
    }

    /// The same dataset before its feature extractor.
    #[must_use]
    pub fn before_embedding(&self) -> Self {
        let kept = self.steps.len() - usize::from(self.embedding().is_some());
        Self { source: self.source.clone(), steps: self.steps[..kept].to_vec() }
    }

    /// The same dataset with nothing done to its examples: of the steps, only the choice of classes stays.
    #[must_use]
    pub fn before_steps(&self) -> Self {
        let kept = usize::from(matches!(self.steps.first(), Some(Step::Classes(_))));
        Self { source: self.source.clone(), steps: self.steps[..kept].to_vec() }
    }

    /// The same dataset with one step more.
    ///
    /// # Errors
    /// The step does not fit.
    pub fn with(&self, step: Step) -> Result<Self, DatasetError> {
        format!("{self}|{step}").parse()
    }

    /// The name as a part of a file's name: other characters than lower-case letters, digits and `-` become `-`.
    #[must_use]
    pub fn slug(&self) -> String {
        let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
        self.to_string().to_ascii_lowercase().chars().map(plain).collect()
    }
}

impl DatasetSource {
    /// The shape of one example before any step.
    #[must_use]
    pub fn shape(&self) -> InputShape {
        match self {
            Self::Named(name) => name.shape(),
            Self::Own(files) => files.shape(),
        }
    }
}

impl From<DatasetName> for Dataset {
    fn from(name: DatasetName) -> Self {
        Self { source: DatasetSource::Named(name), steps: Vec::new() }
    }
}

impl PartialEq<DatasetName> for Dataset {
    fn eq(&self, name: &DatasetName) -> bool {
        self.steps.is_empty() && self.source == DatasetSource::Named(*name)
    }
}

impl FromStr for Dataset {
    type Err = DatasetError;

    fn from_str(text: &str) -> Result<Self, DatasetError> {
        let mut parts = text.split('|');
        let source = parts.next().unwrap_or_default();
        let source = match source.strip_prefix(OWN) {
            Some(files) => DatasetSource::Own(OwnFiles::parse(files)?),
            None => DatasetSource::Named(source.parse()?),
        };
        let given: Vec<&str> = parts.collect();
        if given.len() > MAX_STEPS || text.len() > MAX_BYTES {
            return Err(DatasetError::TooLong { steps: given.len(), bytes: text.len() });
        }
        let steps = given.into_iter().map(Step::parse).collect::<Result<Vec<_>, _>>()?;
        let mut shape = source.shape();
        for (place, step) in steps.iter().enumerate() {
            if place > 0 && matches!(step, Step::Classes(_)) {
                return Err(DatasetError::ClassesNotFirst);
            }
            let misfit = || DatasetError::Misfit { step: step.to_string(), before: shape };
            shape = step.shape_after(shape).ok_or_else(misfit)?;
        }
        Ok(Self { source, steps })
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            DatasetSource::Named(name) => formatter.write_str(name.as_str())?,
            DatasetSource::Own(files) => files.fmt(formatter)?,
        }
        self.steps.iter().try_for_each(|step| write!(formatter, "|{step}"))
    }
}

impl Serialize for Dataset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dataset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dataset(text: &str) -> Dataset {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        text.parse::<Dataset>().unwrap_err().to_string()
    }

    const IMAGES: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };

    #[test]
    fn names_are_written_as_they_are_read() {
        for text in [
            "mnist",
            "svhn|gray|resize=28x28:bilinear",
            "cifar10|classes=0,3,7|hflip",
            "own:cats/small@3x32x32|crop=28x28|gray",
            "own:tables/mine.parquet@50",
            "fashion-mnist|pad=32x32:0|rgb|rotate=90|invert|vflip",
            "fashion-mnist|mutate=0.2",
            "svhn|resize=224x224:bicubic|embed=effnet@1792",
        ] {
            assert_eq!(dataset(text).to_string(), text);
            let json = serde_json::to_string(&dataset(text)).unwrap();
            assert_eq!(serde_json::from_str::<Dataset>(&json).unwrap(), dataset(text));
        }
        assert_eq!(dataset("mnist|classes=3,1,3").to_string(), "mnist|classes=1,3");
        assert_eq!(dataset("mnist"), DatasetName::Mnist);
    }

    #[test]
    fn shapes_follow_from_the_steps() {
        assert_eq!(dataset("svhn|gray|resize=28x28:bilinear").shape(), IMAGES);
        assert_eq!(dataset("own:a@1x20x30|rotate=90").shape().to_string(), "1×30×20");
        assert_eq!(dataset("svhn|embed=x@12").shape(), InputShape::Vector { features: 12 });
        assert_eq!(dataset("svhn|gray|embed=x@12").before_embedding(), dataset("svhn|gray"));
        assert_eq!(dataset("svhn|classes=1|gray").before_steps(), dataset("svhn|classes=1"));
        assert_eq!(dataset("svhn|gray|hflip").before_steps(), dataset("svhn"));
        assert_eq!(dataset("own:t.csv@7").shape(), InputShape::Vector { features: 7 });
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_can() {
        assert!(refusal("imagenet").starts_with("unknown dataset `imagenet`: one of "));
        assert!(refusal("mnist|blur").contains("resize=HxW:nearest|box|bilinear|bicubic|lanczos"));
        assert_eq!(refusal("mnist|crop=32x32"), "step `crop=32x32` does not fit 1×28×28");
        assert!(refusal("svhn|rgb").contains("does not fit 3×32×32"));
        assert!(refusal("miniboone-0|gray").contains("does not fit"));
        assert!(refusal("mnist|hflip|classes=1").contains("must be the first step"));
        assert!(refusal("svhn|embed=x@12|hflip").contains("does not fit 12 features"));
        for own in
            ["own:cats", "own:/etc@3", "own:../x@3", "own:a//b@3", "own:a@0x2x2", "own:a@2x4x4", "own:a@3x99999x99999"]
        {
            assert!(refusal(own).starts_with("own files `"), "{own}");
        }
        for step in [
            "resize=28:bilinear",
            "resize=0x28:box",
            "mutate=0",
            "mutate=1.5",
            "mutate=0.0001",
            "classes=",
            "embed=a@0",
        ] {
            assert!(refusal(&format!("mnist|{step}")).starts_with("unknown step"), "{step}");
        }
        assert!(refusal(&format!("mnist{}", "|hflip".repeat(17))).contains("at most 16"));
    }

    #[test]
    fn slugs_are_parts_of_file_names() {
        assert_eq!(dataset("fashion-mnist").slug(), "fashion-mnist");
        assert_eq!(dataset("own:A.npz@3x4x4|hflip").slug(), "own-a-npz-3x4x4-hflip");
    }

    proptest! {
        #[test]
        fn any_text_is_a_dataset_or_a_refusal(text in "\\PC{0,80}") {
            if let Ok(dataset) = text.parse::<Dataset>() {
                prop_assert_eq!(dataset.to_string().parse::<Dataset>().unwrap(), dataset);
            }
        }

        #[test]
        fn any_steps_are_a_dataset_or_a_refusal(steps in proptest::collection::vec("(gray|rgb|hflip|crop=[0-9]{1,2}x[0-9]{1,2}|pad=40x[0-9]{1,2}:7|resize=[0-9]{1,3}x28:box|classes=[0-9,]{1,9}|mutate=0\\.[0-9]{1,3})", 0..6)) {
            let text = std::iter::once("svhn".to_owned()).chain(steps).collect::<Vec<_>>().join("|");
            if let Ok(dataset) = text.parse::<Dataset>() {
                prop_assert_eq!(dataset.to_string().parse::<Dataset>().unwrap(), dataset);
            }
        }
    }
}
