//! What is drawn of a trained flow.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Dataset, EvaluationSpec, InputShape, Violations, defaults};

/// Most images that are drawn of each dataset.
const MAX_IMAGES: usize = 64;
/// Most images of all datasets together: each has figures of its own, and all of them share one contact sheet.
const MAX_IMAGES_IN_ALL: usize = 256;
/// Largest index of an image: beyond every test split.
const MAX_INDEX: u32 = 99_999_999;

/// The pictures of an experiment: one inspect job draws them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InspectionSpec {
    /// Datasets whose test images are drawn; the in-distribution dataset and every out-of-distribution one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets: Option<Vec<Dataset>>,
    /// Indices into the unshuffled test split of each dataset (default: the first eight).
    #[serde(default = "defaults::inspected_images")]
    pub images: Vec<u32>,
    /// Dequantisation draws over which latents are averaged (default: the reference's 40).
    #[serde(default = "defaults::inspection_draws")]
    pub draws: u32,
    /// Images that are sampled from the flow (default 9).
    #[serde(default = "defaults::inspection_samples")]
    pub samples: u32,
    /// The pictures (default: all).
    #[serde(default = "defaults::inspection_parts")]
    pub parts: Vec<PartName>,
}

/// A kind of picture (reference section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    /// Each image and its latent of one dequantisation draw, in the layout of the image.
    Latents,
    /// The mean of the latents over many draws.
    AveragedLatents,
    /// The scale exp(s) and the shift t of each coupling layer.
    ScaleAndShift,
    /// What is in flight after each coupling layer, what was factored out before put back in its place.
    Activations,
    /// Images decoded from latents drawn from the base density.
    Samples,
}

/// The name given is not a kind of picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown part `{given}`: one of {} expected", PartName::known())]
pub struct UnknownPart {
    given: String,
}

impl PartName {
    /// Every kind of picture.
    pub const ALL: [Self; 5] =
        [Self::Latents, Self::AveragedLatents, Self::ScaleAndShift, Self::Activations, Self::Samples];

    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latents => "latents",
            Self::AveragedLatents => "averaged-latents",
            Self::ScaleAndShift => "scale-and-shift",
            Self::Activations => "activations",
            Self::Samples => "samples",
        }
    }

    fn known() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for PartName {
    type Err = UnknownPart;

    fn from_str(text: &str) -> Result<Self, UnknownPart> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| UnknownPart { given: text.to_owned() })
    }
}

impl InspectionSpec {
    /// The datasets that are drawn in an experiment that learns `within`.
    #[must_use]
    pub fn datasets(&self, within: &Dataset, evaluation: &EvaluationSpec) -> Vec<Dataset> {
        match &self.datasets {
            Some(datasets) => datasets.clone(),
            None => std::iter::once(within).chain(&evaluation.out).cloned().collect(),
        }
    }

    /// Whether pictures of this kind are drawn.
    #[must_use]
    pub fn shows(&self, part: PartName) -> bool {
        self.parts.contains(&part)
    }

    /// The same with its datasets written out.
    pub(super) fn resolved(&self, within: &Dataset, evaluation: &EvaluationSpec) -> Self {
        Self { datasets: Some(self.datasets(within, evaluation)), ..self.clone() }
    }

    pub(super) fn check(&self, at: &str, within: &Dataset, evaluation: &EvaluationSpec, found: &mut Violations) {
        if let shape @ InputShape::Vector { .. } = within.shape() {
            let message = format!("`{within}` has {shape}, and only images can be drawn: leave the inspection out");
            found.add(at, message);
        }
        self.check_datasets(&format!("{at}.datasets"), within, found);
        self.check_images(&format!("{at}.images"), found);
        let (images, datasets) = (self.images.len(), self.datasets(within, evaluation).len());
        if images <= MAX_IMAGES && images * datasets > MAX_IMAGES_IN_ALL {
            let all = images * datasets;
            let limit = format!("at most {MAX_IMAGES_IN_ALL} allowed; name fewer of either");
            found.add(at, format!("{images} images of {datasets} datasets are {all}: {limit}"));
        }
        found.check_range(&format!("{at}.draws"), self.draws, 1..=1000);
        found.check_range(&format!("{at}.samples"), self.samples, 1..=100);
        if self.parts.is_empty() {
            found.add(format!("{at}.parts"), format!("empty: name at least one of {}", PartName::known()));
        }
        refuse_doubles(&format!("{at}.parts"), &self.parts, found);
    }

    fn check_datasets(&self, at: &str, within: &Dataset, found: &mut Violations) {
        let Some(datasets) = &self.datasets else { return };
        if datasets.is_empty() {
            found.add(at, "empty: name at least one dataset, or leave the field out");
        }
        refuse_doubles(at, datasets, found);
        for (index, dataset) in datasets.iter().enumerate() {
            if dataset.shape() != within.shape() {
                let (shape, learned) = (dataset.shape(), within.shape());
                let field = format!("{at}[{index}]");
                found.add(field, format!("`{dataset}` has {shape}, and `{within}`, which is learned, {learned}"));
            }
        }
    }

    fn check_images(&self, at: &str, found: &mut Violations) {
        if self.images.is_empty() {
            found.add(at, "empty: give at least one index, or leave the field out");
        }
        if self.images.len() > MAX_IMAGES {
            found.add(at, format!("{} images: at most {MAX_IMAGES} allowed", self.images.len()));
            return;
        }
        refuse_doubles(at, &self.images, found);
        for (index, &image) in self.images.iter().enumerate() {
            found.check_range(&format!("{at}[{index}]"), image, 0..=MAX_INDEX);
        }
    }
}

fn refuse_doubles<T: PartialEq + fmt::Display>(at: &str, items: &[T], found: &mut Violations) {
    for (index, item) in items.iter().enumerate() {
        if items[..index].contains(item) {
            found.add(format!("{at}[{index}]"), format!("`{item}` stands twice"));
        }
    }
}
