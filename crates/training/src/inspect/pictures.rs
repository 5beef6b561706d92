//! Which figures there are: from traced values to panels with their titles and captions.

use domain::spec::Dataset;

use super::capture::{CouplingTrace, ScaleAndShift};
use super::field::Field;
use super::panel::{Block, Panel, Row};
use super::view::View;

/// Latents of one draw are clipped to so much on each side of 0 (reference section 6.3).
const LATENT_SPAN: f32 = 3.0;
/// Means over draws are clipped to so much.
const AVERAGE_SPAN: f32 = 2.0;
/// The channel of colour images whose latents are shown alone (reference section 6.3: blue).
const LONE_CHANNEL: usize = 2;

/// Most pictures side by side: the reference's 16 (section 6.1).
const MAX_COLUMNS: usize = 16;
/// What the labels of coupling layers say.
const LABELS: &str = "Labels: the layer's number, the size in flight, and what it changes.";

/// How the family of a flow is shown (reference section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Per-image normalisation, all channels.
    Standardised,
    /// The first channel as it is, in colours that span each image's own range: Glow.
    Plain,
}

/// The images of one dataset that are shown.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The dataset.
    pub dataset: Dataset,
    /// The dataset that the flow learned.
    pub within: Dataset,
    /// Their places in the test split.
    pub indices: &'a [u32],
    /// The images in [0, 1].
    pub inputs: Vec<Field>,
}

impl Shown<'_> {
    /// `mnist (the flow learned fashion-mnist)`.
    fn whose(&self) -> String {
        let Self { dataset, within, .. } = self;
        if dataset == within {
            format!("{dataset}, which the flow learned")
        } else {
            format!("{dataset} (the flow learned {within})")
        }
    }
}

/// Inputs over their latents, of one draw and averaged, as far as they are given.
pub fn latents(shown: &Shown<'_>, one: Option<Vec<Field>>, average: Option<(Vec<Field>, u32)>) -> Panel {
    let mut rows = vec![Row { label: "input".to_owned(), view: View::Image, fields: shown.inputs.clone() }];
    let mut said = vec![format!("Test images of {} and their latents z in image layout.", shown.whose())];
    if let Some(fields) = one {
        said.push(format!("z: one dequantisation draw, clipped to \u{b1}{LATENT_SPAN}."));
        push_latents(&mut rows, "z", LATENT_SPAN, &fields);
    }
    if let Some((fields, draws)) = average {
        said.push(format!("mean z: mean over {draws} dequantisation draws, clipped to \u{b1}{AVERAGE_SPAN}."));
        push_latents(&mut rows, "mean z", AVERAGE_SPAN, &fields);
    }
    said.push("Blue is below 0, orange above; numbers give the range of the values.".to_owned());
    let columns: Vec<_> = shown.indices.iter().map(|index| [format!("#{index}"), String::new()]).collect();
    Panel {
        name: format!("latents-{}", shown.dataset.slug()),
        title: format!("Latents of {}", shown.dataset),
        caption: said.join(" "),
        blocks: in_blocks(&columns, &rows, &[]),
    }
}

/// One channel as it is; of colour images all channels together, and one of them alone.
fn push_latents(rows: &mut Vec<Row>, label: &str, span: f32, fields: &[Field]) {
    if fields.first().is_some_and(|field| field.channels() > LONE_CHANNEL) {
        rows.push(Row { label: format!("{label} RGB"), view: View::Standardised, fields: fields.to_vec() });
        let lone = fields.iter().map(|field| field.channel(LONE_CHANNEL)).collect();
        rows.push(Row { label: format!("{label} blue"), view: View::Clipped { span }, fields: lone });
    } else {
        rows.push(Row { label: label.to_owned(), view: View::Clipped { span }, fields: fields.to_vec() });
    }
}

/// exp(s) and t of every coupling layer that has them, for one image; none if no layer does.
pub fn scale_and_shift(shown: &Shown<'_>, place: usize, traces: &[CouplingTrace], style: Style) -> Option<Panel> {
    let index = shown.indices[place];
    let (traces, maps): (Vec<&CouplingTrace>, Vec<&ScaleAndShift>) =
        traces.iter().filter_map(|trace| Some((trace, trace.scale_and_shift.as_ref()?))).unzip();
    if traces.is_empty() {
        return None;
    }
    let row = |label: &str, neutral, values: fn(&ScaleAndShift) -> &[Field]| Row {
        label: label.to_owned(),
        view: match style {
            Style::Standardised => View::AboutNeutral { neutral },
            Style::Plain => View::OwnSpan { neutral },
        },
        fields: style.fields(maps.iter().map(|map| &values(map)[place])),
    };
    let normalisation = match style {
        Style::Standardised => "(v - neutral) / std(v) over all pixels and channels of each picture",
        Style::Plain => "the first channel as it is, in colours that span each picture's largest distance from neutral",
    };
    let rows = [row("exp(s)", 1.0, |map| &map.scale), row("t", 0.0, |map| &map.shift)];
    Some(Panel {
        name: format!("scale-and-shift-{}-{index}", shown.dataset.slug()),
        title: format!("Scale and shift of each coupling layer: {} #{index}", shown.dataset),
        caption: format!(
            "exp(s) and t of every coupling layer for test image {index} of {}, in image layout. {LABELS} White is neutral: \
             exp(s) = 1, t = 0, also where a layer changes nothing; blue is below, orange above. Normalisation: \
             {normalisation}; numbers give the range of the values themselves.",
            shown.whose()
        ),
        blocks: in_blocks(&labels(&traces), &rows, &style.breaks(&traces)),
    })
}

/// What is in flight after every coupling layer, for one image.
pub fn activations(shown: &Shown<'_>, place: usize, traces: &[CouplingTrace], style: Style) -> Panel {
    let index = shown.indices[place];
    let (view, normalisation) = match style {
        Style::Standardised => (View::Standardised, "(v - mean) / std over all pixels and channels of each picture"),
        Style::Plain => (
            View::OwnSpan { neutral: 0.0 },
            "the first channel as it is, in colours that span each picture's largest distance from 0",
        ),
    };
    let traces: Vec<&CouplingTrace> = traces.iter().collect();
    let fields = style.fields(traces.iter().map(|trace| &trace.activation[place]));
    Panel {
        name: format!("activations-{}-{index}", shown.dataset.slug()),
        title: format!("Activations after each coupling layer: {} #{index}", shown.dataset),
        caption: format!(
            "What is in flight after every coupling layer for test image {index} of {}, in image layout, with what was \
             factored out before put back in its place. {LABELS} Normalisation: {normalisation}; numbers give the range of the \
             values themselves.",
            shown.whose()
        ),
        blocks: in_blocks(&labels(&traces), &[Row { label: "x".to_owned(), view, fields }], &style.breaks(&traces)),
    }
}

/// Decoded draws from the base density, in a square.
pub fn samples(within: &Dataset, images: &[Field], convention: &str) -> Panel {
    let side = (1..).find(|side| side * side >= images.len()).unwrap_or(1).max(1);
    let row = |fields: &[Field]| Row { label: String::new(), view: View::Image, fields: fields.to_vec() };
    Panel {
        name: "samples".to_owned(),
        title: format!("Samples of the flow of {within}"),
        caption: format!(
            "{} images decoded from latents z drawn from N(0, I), batch normalisation in evaluation mode. {convention}",
            images.len()
        ),
        blocks: vec![Block { columns: Vec::new(), rows: images.chunks(side).map(row).collect() }],
    }
}

fn labels(traces: &[&CouplingTrace]) -> Vec<[String; 2]> {
    traces.iter().map(|trace| trace.label.clone()).collect()
}

/// Cuts a long grid into several, each at most [`MAX_COLUMNS`] wide; a new one also begins at each of `breaks`.
fn in_blocks(columns: &[[String; 2]], rows: &[Row], breaks: &[usize]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut start = 0;
    while start < columns.len() {
        let limit = breaks.iter().copied().find(|&at| at > start).unwrap_or(columns.len());
        let end = limit.min(start + MAX_COLUMNS);
        let cut = |row: &Row| Row { fields: row.fields[start..end].to_vec(), ..row.clone() };
        blocks.push(Block { columns: columns[start..end].to_vec(), rows: rows.iter().map(cut).collect() });
        start = end;
    }
    blocks
}

impl Style {
    /// Where a new grid begins: the reference gives each scale of a Glow rows of its own.
    fn breaks(self, traces: &[&CouplingTrace]) -> Vec<usize> {
        match self {
            Self::Standardised => Vec::new(),
            Self::Plain => (1..traces.len()).filter(|&at| traces[at].size != traces[at - 1].size).collect(),
        }
    }

    fn fields<'f>(self, fields: impl Iterator<Item = &'f Field>) -> Vec<Field> {
        match self {
            Self::Standardised => fields.cloned().collect(),
            Self::Plain => fields.map(|field| field.channel(0)).collect(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]
mod tests {
    use domain::spec::DatasetName;

    use super::*;

    fn field(channels: usize, value: f32) -> Field {
        Field::new([channels, 2, 2], vec![value; channels * 4])
    }

    fn shown(channels: usize) -> Shown<'static> {
        let (dataset, within) = (DatasetName::Mnist.into(), DatasetName::FashionMnist.into());
        Shown { dataset, within, indices: &[4, 10], inputs: vec![field(channels, 0.5); 2] }
    }

    fn trace(channels: usize) -> CouplingTrace {
        CouplingTrace {
            label: ["1: 2x2".to_owned(), "even pixels".to_owned()],
            size: [2, 2],
            scale_and_shift: Some(ScaleAndShift {
                scale: vec![field(channels, 1.0), field(channels, 2.0)],
                shift: vec![field(channels, 0.0), field(channels, 3.0)],
            }),
            activation: vec![field(channels, 5.0), field(channels, 6.0)],
        }
    }

    #[test]
    fn latents_have_the_rows_that_were_asked_for() {
        let labels = |panel: Panel| {
            panel.blocks.into_iter().flat_map(|block| block.rows).map(|row| row.label).collect::<Vec<_>>()
        };
        let z = |channels| vec![field(channels, 0.0); 2];

        assert_eq!(labels(latents(&shown(1), Some(z(1)), None)), ["input", "z"]);
        assert_eq!(labels(latents(&shown(1), None, Some((z(1), 40)))), ["input", "mean z"]);
        let colour = latents(&shown(3), Some(z(3)), Some((z(3), 40)));
        assert!(colour.caption.contains("mean over 40 dequantisation draws"), "{}", colour.caption);
        assert_eq!(labels(colour), ["input", "z RGB", "z blue", "mean z RGB", "mean z blue"]);
    }

    #[test]
    fn pictures_of_an_image_are_those_of_its_place_in_the_batch() {
        let panel = scale_and_shift(&shown(1), 1, &[trace(1)], Style::Standardised).unwrap();
        let first = activations(&shown(1), 0, &[trace(1)], Style::Standardised);

        assert_eq!(panel.name, "scale-and-shift-mnist-10");
        let rows = &panel.blocks[0].rows;
        assert_eq!((&rows[0].fields[0], &rows[1].fields[0]), (&field(1, 2.0), &field(1, 3.0)));
        assert_eq!(first.blocks[0].rows[0].fields, [field(1, 5.0)]);
    }

    #[test]
    fn spline_layers_have_activations_alone() {
        let spline = CouplingTrace { scale_and_shift: None, ..trace(1) };

        assert_eq!(scale_and_shift(&shown(1), 0, std::slice::from_ref(&spline), Style::Standardised), None);
        let mixed = scale_and_shift(&shown(1), 0, &[spline.clone(), trace(1)], Style::Standardised).unwrap();
        assert_eq!(mixed.blocks[0].columns.len(), 1);
        assert_eq!(activations(&shown(1), 0, &[spline], Style::Standardised).blocks[0].columns.len(), 1);
    }

    #[test]
    fn long_rows_are_cut_and_each_scale_of_a_glow_begins_anew() {
        let small = CouplingTrace { size: [1, 1], ..trace(1) };
        let traces = [vec![trace(1); 18], vec![small; 3]].concat();
        let widths = |style| {
            let panel = activations(&shown(1), 0, &traces, style);
            panel.blocks.iter().map(|block| block.columns.len()).collect::<Vec<_>>()
        };

        assert_eq!((widths(Style::Standardised), widths(Style::Plain)), (vec![16, 5], vec![16, 2, 3]));
    }

    #[test]
    fn glow_is_shown_by_its_first_channel_alone() {
        let panel = activations(&shown(3), 1, &[trace(3)], Style::Plain);

        assert_eq!(panel.blocks[0].rows[0].fields, [field(1, 6.0)]);
        assert_eq!(panel.blocks[0].rows[0].view, View::OwnSpan { neutral: 0.0 });
    }

    #[test]
    fn samples_stand_in_a_square() {
        let rows = |count: usize| {
            let panel = samples(&DatasetName::Mnist.into(), &vec![field(1, 0.0); count], "");
            panel.blocks[0].rows.iter().map(|row| row.fields.len()).collect::<Vec<_>>()
        };

        assert_eq!((rows(9), rows(7), rows(1)), (vec![3, 3, 3], vec![3, 3, 1], vec![1]));
    }

    #[test]
    fn every_text_is_latin_1_and_every_name_a_figures() {
        let panels = [
            latents(&shown(1), Some(vec![field(1, 0.0); 2]), Some((vec![field(1, 0.0); 2], 40))),
            scale_and_shift(&shown(1), 0, &[trace(1)], Style::Plain).unwrap(),
            activations(&shown(1), 0, &[trace(1)], Style::Standardised),
            samples(&DatasetName::Mnist.into(), &[field(1, 0.0)], ""),
        ];

        for Panel { name, title, caption, .. } in panels {
            assert!([&title, &caption].iter().all(|text| text.chars().all(|letter| u32::from(letter) < 256)));
            assert!(format!("{name}.png").parse::<domain::figure::FigureName>().is_ok(), "{name}");
            assert!(caption.len() < domain::figure::MAX_CAPTION_LEN);
        }
    }
}
