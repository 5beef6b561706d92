//! The border to tensors: what a flow makes of a batch of images, as plain values in the layout of the images.

use flows::{Flow, Mode};
use tch::{Kind, Tensor, no_grad};

use super::field::Field;

/// Latents of a batch `[b, d]` on the processor, in double so that means over draws lose nothing.
#[derive(Debug)]
pub struct Latents(Tensor);

/// One coupling layer over a batch, everything in the layout of the images.
#[derive(Debug, Clone, PartialEq)]
pub struct CouplingTrace {
    /// Its place and its mask, for people.
    pub label: [String; 2],
    /// exp(s) of each image; 1 where the layer changes nothing.
    pub scale: Vec<Field>,
    /// t of each image; 0 where the layer changes nothing.
    pub shift: Vec<Field>,
    /// What is in flight after the layer, with what was factored out before put back.
    pub activation: Vec<Field>,
}

/// Encodes images `[b, c, h, w]` in [0, 1] with their noise.
pub fn encode(flow: &Flow, pixels: &[f32], noise: &[f32]) -> Latents {
    let encoded = no_grad(|| flow.encode(&batch(flow, pixels), &batch(flow, noise), Mode::Evaluate));
    Latents(encoded.output.to_kind(Kind::Double).to_device(tch::Device::Cpu))
}

/// Decodes latents `[b, d]` to images.
pub fn decode(flow: &Flow, latents: &[f32]) -> Vec<Field> {
    let z = Tensor::from_slice(latents).view([-1, flow.dimensions()]).to_device(flow.parameters().device());
    fields(&no_grad(|| flow.decode(&z)))
}

impl Latents {
    /// Adds those of another draw of the same images.
    pub fn add(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// Their values divided by `draws`, in the layout of the images: squeezes and factoring undone, every other layer left out
    /// (reference section 6.3).
    pub fn in_image_layout(&self, flow: &Flow, draws: u32) -> Vec<Field> {
        let [channels, height, width] = flow.input_shape();
        let mean = &self.0 / f64::from(draws);
        fields(&mean.view([-1, channels, height, width]))
    }
}

fn batch(flow: &Flow, values: &[f32]) -> Tensor {
    let [channels, height, width] = flow.input_shape();
    Tensor::from_slice(values).view([-1, channels, height, width]).to_device(flow.parameters().device())
}

/// The images of a batch `[b, c, h, w]`.
fn fields(images: &Tensor) -> Vec<Field> {
    let shape: [usize; 3] = std::array::from_fn(|axis| images.size()[axis + 1] as usize);
    let values = images.to_kind(Kind::Float).to_device(tch::Device::Cpu).contiguous().flatten(0, -1);
    let values = Vec::<f32>::try_from(values).expect("it is a vector of floats on the processor");
    values.chunks_exact(shape.iter().product()).map(|image| Field::new(shape, image.to_vec())).collect()
}
