//! The border to tensors: what a flow makes of a batch of images, as plain values in the layout of the images.

use flows::architecture::{Layer, LayerKind};
use flows::layers::multiscale::Traced;
use flows::{Flow, Mode};
use tch::{Kind, Tensor, no_grad};

use super::field::Field;
use super::label;

/// Latents of a batch `[b, d]` on the processor, in double so that means over draws lose nothing.
#[derive(Debug)]
pub struct Latents(Tensor);

/// One coupling layer over a batch, everything in the layout of the images.
#[derive(Debug, Clone, PartialEq)]
pub struct CouplingTrace {
    /// Its number and the size in flight, and what it changes, for people.
    pub label: [String; 2],
    /// Height and width of what is in flight.
    pub size: [i64; 2],
    /// What it does to each value, unless it is a spline.
    pub scale_and_shift: Option<ScaleAndShift>,
    /// What is in flight after the layer, with what was factored out before put back.
    pub activation: Vec<Field>,
}

/// What an affine coupling layer does to each value: `y = (x + t) exp(s)`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleAndShift {
    /// exp(s) of each image; 1 where the layer changes nothing.
    pub scale: Vec<Field>,
    /// t of each image; 0 where the layer changes nothing.
    pub shift: Vec<Field>,
}

/// Whether the flow is a Glow, which the reference shows in its own way (section 6.1).
pub fn is_glow(flow: &Flow) -> bool {
    flow.architecture().layers.iter().any(|layer| matches!(layer.kind, LayerKind::PointwiseConvolution(_)))
}

/// Encodes images `[b, c, h, w]` in [0, 1] with their noise, batch normalisation in evaluation mode.
pub fn encode(flow: &Flow, pixels: &[f32], noise: Option<&[f32]>) -> Latents {
    let (images, noise) = (batch(flow, pixels), noise.map(|noise| batch(flow, noise)));
    Latents::of(&no_grad(|| flow.encode(&images, noise.as_ref(), Mode::Evaluate)).output)
}

/// As [`encode`], with what each coupling layer did.
pub fn encode_traced(flow: &Flow, pixels: &[f32], noise: Option<&[f32]>) -> (Latents, Vec<CouplingTrace>) {
    let (images, noise) = (batch(flow, pixels), noise.map(|noise| batch(flow, noise)));
    let mut traces = Vec::new();
    let encoded = no_grad(|| {
        flow.encode_observed(&images, noise.as_ref(), Mode::Evaluate, |traced| {
            let layer = flow.architecture().layers.iter().find(|layer| layer.name == traced.name);
            traces.extend(layer.and_then(|layer| trace(flow, layer, traces.len() + 1, &traced)));
        })
    });
    (Latents::of(&encoded.output), traces)
}

/// Decodes latents `[b, d]` to images by the flow's own convention.
pub fn decode(flow: &Flow, latents: &[f32]) -> Vec<Field> {
    let z = Tensor::from_slice(latents).view([-1, flow.dimensions()]).to_device(flow.parameters().device());
    fields(&no_grad(|| flow.decode(&z)))
}

impl Latents {
    fn of(output: &Tensor) -> Self {
        Self(output.to_kind(Kind::Double).to_device(tch::Device::Cpu))
    }

    /// Adds those of another draw of the same images.
    pub fn add(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// Their values divided by `draws`, in the layout of the images: squeezes and factoring undone, every other layer left out
    /// (reference section 6.3).
    pub fn in_image_layout(&self, flow: &Flow, draws: u32) -> Vec<Field> {
        fields(&flow.chain().latents_to_image_layout(&(&self.0 / f64::from(draws))))
    }
}

/// What a layer did, if it is a coupling layer. Where it changes nothing, and in what was factored out before, s and t are 0
/// (the reference's fillers, section 6.1).
fn trace(flow: &Flow, layer: &Layer, number: usize, traced: &Traced<'_>) -> Option<CouplingTrace> {
    let (LayerKind::Coupling(coupling), Some(stage), &[_, height, width]) =
        (&layer.kind, traced.stage, layer.input.as_slice())
    else {
        return None;
    };
    let in_layout = |values: &Tensor, factored: &[Tensor]| flow.chain().to_image_layout(stage, values, factored);
    let fillers: Vec<Tensor> = traced.factored.iter().map(Tensor::zeros_like).collect();
    let scale_and_shift = traced.scale_and_shift.map(|seen| ScaleAndShift {
        scale: fields(&in_layout(&seen.log_scale, &fillers).exp()),
        shift: fields(&in_layout(&seen.shift, &fillers)),
    });
    Some(CouplingTrace {
        label: [format!("{number}: {height}x{width}"), label::changed_by(coupling.mask)],
        size: [height, width],
        scale_and_shift,
        activation: fields(&in_layout(traced.output, traced.factored)),
    })
}

fn batch(flow: &Flow, values: &[f32]) -> Tensor {
    let shape = [vec![-1], flow.input().sizes()].concat();
    Tensor::from_slice(values).view(shape.as_slice()).to_device(flow.parameters().device())
}

/// The images of a batch `[b, c, h, w]`.
fn fields(images: &Tensor) -> Vec<Field> {
    let shape: [usize; 3] = std::array::from_fn(|axis| images.size()[axis + 1] as usize);
    let values = images.to_kind(Kind::Float).to_device(tch::Device::Cpu).contiguous().flatten(0, -1);
    let values = Vec::<f32>::try_from(values).expect("it is a vector of floats on the processor");
    values.chunks_exact(shape.iter().product()).map(|image| Field::new(shape, image.to_vec())).collect()
}
