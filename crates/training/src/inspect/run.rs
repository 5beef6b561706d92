//! One inspection: passes the chosen images through a trained flow and leaves the pictures in a folder.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use datasets::{BatchError, DataDirectory, EvaluationPlan, Examples, PickedExamples, Scaling, Split};
use domain::Digest;
use domain::figure::FigureName;
use domain::spec::{Dataset, ExperimentSpec, InspectionSpec, PartName};
use flows::Flow;
use flows::architecture::Parity;

use super::canvas::Canvas;
use super::capture::{self, CouplingTrace, Latents};
use super::field::Field;
use super::panel::{Drawing, Panel};
use super::pictures::{self, Shown, Style};
use super::{encode, sampling, sheet};
use crate::Device;
use crate::checkpoint::CheckpointFile;
use crate::error::TrainingError;
use crate::evaluate::load_flow;
use crate::examples;
use crate::observer::Observer;
use crate::pace::Pace;
use crate::recording::shape_of;
use crate::tensor_file::SavedFile;

/// Name of the figure with all others.
const SHEET: &str = "contact-sheet";

/// What to draw and where to leave it.
#[derive(Debug, Clone)]
pub struct InspectRequest<'a> {
    /// The document that the checkpoint was trained by; it must have passed its validation.
    pub spec: &'a ExperimentSpec,
    /// What to draw.
    pub inspection: &'a InspectionSpec,
    /// The seed that the checkpoint was trained with; it keys the noise and the samples.
    pub seed: u64,
    /// The trained flow.
    pub checkpoint: CheckpointFile,
    /// Where to compute.
    pub device: Device,
    /// Where the datasets are.
    pub data: &'a DataDirectory,
    /// An existing folder for the pictures.
    pub folder: PathBuf,
}

/// A picture that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPicture {
    /// The file, a PNG.
    pub file: SavedFile,
    /// Its name, unique within the inspection.
    pub name: FigureName,
    /// What it shows, for people.
    pub caption: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// How an inspection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InspectOutcome {
    /// Every picture is there, the contact sheet first.
    Finished(Vec<SavedPicture>),
    /// The observer stopped it; nothing was written.
    Stopped,
}

/// Draws what a checkpoint learned (reference section 6). The same request gives the same bytes on the same kind of device with
/// the same number of threads.
///
/// # Errors
/// [`TrainingError`]; its `kind` says whose fault it is.
pub fn inspect(request: &InspectRequest<'_>, observer: &mut dyn Observer) -> Result<InspectOutcome, TrainingError> {
    let InspectRequest { spec, inspection, seed, .. } = request;
    let datasets = inspection.datasets(&spec.data.dataset, &spec.evaluation);
    let selections =
        datasets.into_iter().map(|dataset| Selection::load(request, dataset)).collect::<Result<Vec<_>, _>>()?;
    let flow = load_flow(spec, *seed, &request.checkpoint, request.device)?;
    let style = if capture::is_glow(&flow) { Style::Plain } else { Style::Standardised };
    let samples = if inspection.shows(PartName::Samples) { inspection.samples } else { 0 };
    let passes = selections.len() as u64 * inspection.images.len() as u64 * u64::from(draws(inspection));
    let mut pace = Pace::new(observer, passes + u64::from(samples));

    let mut panels = Vec::new();
    for selection in &selections {
        match selection.pass(request, &flow, &mut pace)? {
            Some(found) => panels.extend(found.panels(inspection, &spec.data.dataset, style)),
            None => return Ok(InspectOutcome::Stopped),
        }
    }
    if samples > 0 {
        if !pace.goes_on() {
            return Ok(InspectOutcome::Stopped);
        }
        let latents = sampling::standard_normal(*seed, samples, flow.dimensions() as usize);
        let images = capture::decode(&flow, &latents);
        panels.push(pictures::samples(&spec.data.dataset, &images, convention(&flow)));
        pace.count(u64::from(samples));
    }
    save_all(request, &panels).map(InspectOutcome::Finished)
}

/// How the flow decodes, for people (reference section 2.2).
fn convention(flow: &Flow) -> &'static str {
    match flow.architecture().parity {
        Parity::Corrected => "Decoding undoes encoding: images y in [0, 1].",
        Parity::FlowsOod => "As the reference decodes: p = 0.05 + 0.9 y, an image of low contrast.",
    }
}

/// Dequantisation draws that are needed.
fn draws(inspection: &InspectionSpec) -> u32 {
    let part = |name| inspection.shows(name);
    if part(PartName::AveragedLatents) {
        return inspection.draws;
    }
    let needs_one = part(PartName::Latents) || part(PartName::ScaleAndShift) || part(PartName::Activations);
    u32::from(needs_one)
}

/// The chosen images of one dataset.
struct Selection<'a> {
    dataset: Dataset,
    name: String,
    indices: &'a [u32],
    images: Arc<Examples>,
}

/// What the flow makes of them.
struct Found<'a> {
    selection: &'a Selection<'a>,
    inputs: Vec<Field>,
    one: Option<Vec<Field>>,
    average: Option<Vec<Field>>,
    traces: Vec<CouplingTrace>,
}

impl<'a> Selection<'a> {
    fn load(request: &InspectRequest<'a>, dataset: Dataset) -> Result<Self, TrainingError> {
        let indices = request.inspection.images.as_slice();
        let last = indices.iter().copied().max().unwrap_or(0);
        let images = examples::load(request.data, &dataset, Split::Test, Some(last as usize + 1), &Scaling::none())?;
        if images.len() <= last as usize {
            return Err(TrainingError::NoSuchImage { dataset: dataset.to_string(), index: last, found: images.len() });
        }
        Ok(Self { name: dataset.to_string(), dataset, indices, images: Arc::new(images) })
    }

    /// Images and noise of one dequantisation draw: the noise that an evaluation's draw of this number gives them.
    fn pick(&self, seed: u64, draw: u32) -> Result<PickedExamples, BatchError> {
        let plan = EvaluationPlan::new(self.images.clone(), self.indices.len(), seed, &self.name, Split::Test, draw)?;
        Ok(plan.pick(&self.indices.iter().map(|&index| index as usize).collect::<Vec<_>>()))
    }

    /// Encodes the images with every draw; none if the observer stopped it.
    fn pass(
        &self,
        request: &InspectRequest<'_>,
        flow: &Flow,
        pace: &mut Pace<'_>,
    ) -> Result<Option<Found<'_>>, TrainingError> {
        let (expected, shape) = (shape_of(flow.input()), self.images.shape());
        if expected != shape {
            return Err(TrainingError::Shape { dataset: self.name.clone(), expected, found: shape });
        }
        let pick = |draw| {
            self.pick(request.seed, draw).map_err(|source| TrainingError::Batch { dataset: self.name.clone(), source })
        };
        let first = pick(0)?;
        let dimensions = self.images.dimensions();
        let input = |image: &[f32]| Field::new(shape.as_image(), image.to_vec());
        let inputs = first.values.chunks_exact(dimensions).map(input).collect();
        let mut found = Found { selection: self, inputs, one: None, average: None, traces: Vec::new() };
        let draws = draws(request.inspection);
        let mut sum: Option<Latents> = None;
        for draw in 0..draws {
            if !pace.goes_on() {
                return Ok(None);
            }
            let picked = if draw == 0 { first.clone() } else { pick(draw)? };
            let latents = if draw == 0 {
                let (latents, traces) = capture::encode_traced(flow, &picked.values, picked.noise.as_deref());
                found.traces = traces;
                found.one = request.inspection.shows(PartName::Latents).then(|| latents.in_image_layout(flow, 1));
                latents
            } else {
                capture::encode(flow, &picked.values, picked.noise.as_deref())
            };
            match &mut sum {
                Some(sum) => sum.add(&latents),
                None => sum = Some(latents),
            }
            pace.count(self.indices.len() as u64);
        }
        let is_averaged = request.inspection.shows(PartName::AveragedLatents);
        found.average = sum.filter(|_| is_averaged).map(|sum| sum.in_image_layout(flow, draws));
        Ok(Some(found))
    }
}

impl Found<'_> {
    fn panels(self, inspection: &InspectionSpec, within: &Dataset, style: Style) -> Vec<Panel> {
        let Self { selection, inputs, one, average, traces } = self;
        let shown =
            Shown { dataset: selection.dataset.clone(), within: within.clone(), indices: selection.indices, inputs };
        let mut panels = Vec::new();
        if one.is_some() || average.is_some() {
            panels.push(pictures::latents(&shown, one, average.map(|fields| (fields, inspection.draws))));
        }
        if traces.is_empty() {
            return panels;
        }
        for place in 0..selection.indices.len() {
            if inspection.shows(PartName::Activations) {
                panels.push(pictures::activations(&shown, place, &traces, style));
            }
            if inspection.shows(PartName::ScaleAndShift) {
                panels.extend(pictures::scale_and_shift(&shown, place, &traces, style));
            }
        }
        panels
    }
}

/// Writes every panel and the sheet of them all, which comes first.
fn save_all(request: &InspectRequest<'_>, panels: &[Panel]) -> Result<Vec<SavedPicture>, TrainingError> {
    let title = format!("What the flow of {} learned, seed {}", request.spec.data.dataset, request.seed);
    let caption = format!("Every figure of this experiment on one page, seed {}.", request.seed);
    let mut saved = vec![save(request, SHEET, &sheet::draw(&title, panels), &title, &caption)?];
    for panel in panels {
        saved.push(save(request, &panel.name, &panel.draw(Drawing::Large), &panel.title, &panel.caption)?);
    }
    Ok(saved)
}

fn save(
    request: &InspectRequest<'_>,
    stem: &str,
    canvas: &Canvas,
    title: &str,
    caption: &str,
) -> Result<SavedPicture, TrainingError> {
    let file_name = format!("{stem}.png");
    let name: FigureName = file_name.parse().expect("names of panels are those of figures");
    let source = format!(
        "experiment {} (model, data, training), seed {}, checkpoint {}",
        request.spec.fingerprint(),
        request.seed,
        request.checkpoint.digest
    );
    let texts = [
        ("Title", title.to_owned()),
        ("Description", caption.to_owned()),
        ("Software", concat!("spillway ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("Source", source),
    ];
    let bytes = encode::png(canvas, &texts).map_err(|source| TrainingError::Picture { name: file_name, source })?;
    let path = request.folder.join(name.as_str());
    fs::write(&path, &bytes).map_err(|source| TrainingError::Write { path: path.clone(), source: source.into() })?;
    let file = SavedFile { path, digest: Digest::of(&bytes), bytes: bytes.len() as u64 };
    let (width, height) = (canvas.width() as u32, canvas.height() as u32);
    Ok(SavedPicture { file, name, caption: caption.to_owned(), width, height })
}
