//! What is drawn of a trained flow, and the figures that come of it.

use std::collections::BTreeSet;

use domain::{
    figure::{Figure, MAX_CAPTION_LEN, MAX_FIGURE_SIDE, MAX_FIGURES},
    spec::{InspectionSpec, Violations, defaults},
};

use super::{Fields, FromWire, ToWire, text_from_wire};
use crate::v1;

impl ToWire for InspectionSpec {
    type Wire = v1::InspectionSpec;

    fn to_wire(&self) -> v1::InspectionSpec {
        let Self { datasets, images, draws, samples, parts } = self;
        v1::InspectionSpec {
            datasets: datasets.iter().flatten().map(ToString::to_string).collect(),
            images: images.clone(),
            draws: Some(*draws),
            samples: Some(*samples),
            parts: parts.iter().map(ToString::to_string).collect(),
        }
    }
}

impl FromWire for InspectionSpec {
    type Wire = v1::InspectionSpec;

    /// The wire cannot tell an empty list from an absent one, which takes its default.
    fn from_wire(wire: v1::InspectionSpec, at: &str) -> Result<Self, Violations> {
        let v1::InspectionSpec { datasets, images, draws, samples, parts } = wire;
        let mut fields = Fields::at(at);
        let datasets = match datasets.as_slice() {
            [] => Some(None),
            names => fields.repeated_named("datasets", names).map(Some),
        };
        let parts = match parts.as_slice() {
            [] => Some(defaults::inspection_parts()),
            names => fields.repeated_named("parts", names),
        };
        let images = if images.is_empty() { defaults::inspected_images() } else { images };
        fields.finish(|| {
            Some(Self {
                datasets: datasets?,
                images,
                draws: draws.unwrap_or_else(defaults::inspection_draws),
                samples: samples.unwrap_or_else(defaults::inspection_samples),
                parts: parts?,
            })
        })
    }
}

impl ToWire for Figure {
    type Wire = v1::Figure;

    fn to_wire(&self) -> v1::Figure {
        let Self { name, caption, digest, media_type, width, height } = self;
        v1::Figure {
            name: name.to_string(),
            caption: caption.clone(),
            digest: digest.to_wire(),
            media_type: media_type.to_string(),
            width: *width,
            height: *height,
        }
    }
}

impl FromWire for Figure {
    type Wire = v1::Figure;

    fn from_wire(wire: v1::Figure, at: &str) -> Result<Self, Violations> {
        let v1::Figure { name, caption, digest, media_type, width, height } = wire;
        let mut fields = Fields::at(at);
        let name = fields.named("name", &name);
        let caption = fields.keep(text_from_wire(caption, &fields.path("caption"), &(1..=MAX_CAPTION_LEN)));
        let digest = fields.plain("digest", digest);
        let media_type = fields.named("media_type", &media_type);
        let width = fields.within("width", width, &(1..=MAX_FIGURE_SIDE));
        let height = fields.within("height", height, &(1..=MAX_FIGURE_SIDE));
        fields.finish(|| {
            Some(Self {
                name: name?,
                caption: caption?,
                digest: digest?,
                media_type: media_type?,
                width: width?,
                height: height?,
            })
        })
    }
}

/// The figures of a result: some, not too many, each under a name of its own.
pub(super) fn figures_from_wire(figures: Vec<v1::Figure>, at: &str) -> Result<Vec<Figure>, Violations> {
    let mut fields = Fields::at(at);
    // Refused before parsing: violations of a million figures would be no smaller than they.
    if figures.is_empty() || figures.len() > MAX_FIGURES {
        let message = format!("{} figures: 1 to {MAX_FIGURES} allowed", figures.len());
        return Err(Violations::one(fields.path("figures"), message));
    }
    let parsed: Option<Vec<Figure>> = fields.repeated("figures", figures);
    let mut seen = BTreeSet::new();
    for (index, Figure { name, .. }) in parsed.iter().flatten().enumerate() {
        if !seen.insert(name) {
            fields.refuse(&format!("figures[{index}].name"), format!("`{name}` stands twice"));
        }
    }
    fields.finish(|| parsed)
}
