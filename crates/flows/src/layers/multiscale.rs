//! A chain of bijections that may factor channels out on the way and ends in one flat latent vector.

use tch::Tensor;

use crate::bijection::{Bijection, Mode, Transformed, zero_log_det};

/// One step of a multi-scale chain.
pub enum Stage {
    /// Transforms what is still in flight.
    Layer {
        /// What a trace calls this layer.
        name: String,
        /// The layer.
        bijection: Box<dyn Bijection>,
    },
    /// Keeps the first channels in flight and sends the others straight to the latent vector.
    Factor {
        /// The number of channels kept.
        keep: i64,
    },
}

impl Stage {
    /// A layer with its name.
    pub fn layer(name: impl Into<String>, bijection: impl Bijection + 'static) -> Self {
        Self::Layer { name: name.into(), bijection: Box::new(bijection) }
    }
}

/// What a layer of a chain made of a batch, as seen by an observer of the forward direction.
#[derive(Debug)]
pub struct Traced<'a> {
    /// The layer's name.
    pub name: &'a str,
    /// Its output `[b, c, h, w]`.
    pub output: &'a Tensor,
    /// Its own log-determinant, `[b]`.
    pub log_det: &'a Tensor,
}

/// Stages from an image `[b, c, h, w]` to the latents `[b, d]`: the parts factored out, in order, then what is left,
/// each flattened in c, h, w order (reference section 2.1).
pub struct MultiScale {
    stages: Vec<Stage>,
    /// The shape before each stage and after the last one, known from the input's shape alone.
    shapes: Vec<[i64; 3]>,
}

impl MultiScale {
    /// Chains the stages for inputs of shape `[c, h, w]`.
    pub fn new(input: [i64; 3], stages: Vec<Stage>) -> Self {
        let mut shapes = vec![input];
        let mut shape = input;
        for stage in &stages {
            shape = match stage {
                Stage::Layer { bijection, .. } => bijection.output_shape(shape),
                Stage::Factor { keep } => [*keep, shape[1], shape[2]],
            };
            shapes.push(shape);
        }
        Self { stages, shapes }
    }

    /// The forward direction, showing each layer's result to `observe`.
    pub fn forward_observed(&self, x: &Tensor, mode: Mode, mut observe: impl FnMut(Traced<'_>)) -> Transformed {
        let mut in_flight = x.shallow_clone();
        let mut log_det = None;
        let mut latents = Vec::new();
        for stage in &self.stages {
            match stage {
                Stage::Layer { name, bijection } => {
                    let step = bijection.forward(&in_flight, mode);
                    observe(Traced { name, output: &step.output, log_det: &step.log_det });
                    log_det = Some(add(log_det, step.log_det));
                    in_flight = step.output;
                }
                Stage::Factor { keep } => {
                    let factored = in_flight.narrow(1, *keep, in_flight.size()[1] - keep);
                    latents.push(factored.flatten(1, -1));
                    in_flight = in_flight.narrow(1, 0, *keep);
                }
            }
        }
        latents.push(in_flight.flatten(1, -1));
        Transformed { output: Tensor::cat(&latents, 1), log_det: log_det.unwrap_or_else(|| zero_log_det(x)) }
    }

    /// Cuts the latents `[b, d]` into the parts factored out, in order, and what was left.
    fn cut(&self, z: &Tensor) -> Vec<Tensor> {
        let mut shapes: Vec<[i64; 3]> = Vec::new();
        for (stage, before) in self.stages.iter().zip(&self.shapes) {
            if let Stage::Factor { keep } = stage {
                shapes.push([before[0] - keep, before[1], before[2]]);
            }
        }
        shapes.extend(self.shapes.last());
        let mut start = 0;
        let mut parts = Vec::new();
        for [channels, height, width] in shapes {
            let length = channels * height * width;
            parts.push(z.narrow(1, start, length).reshape([-1, channels, height, width]));
            start += length;
        }
        parts
    }
}

impl Bijection for MultiScale {
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        self.forward_observed(x, mode, |_| ())
    }

    fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed {
        let mut parts = self.cut(z);
        let mut in_flight = parts.pop().expect("the part that was never factored out is always there");
        let mut log_det = None;
        for stage in self.stages.iter().rev() {
            match stage {
                Stage::Layer { bijection, .. } => {
                    let step = bijection.inverse(&in_flight, mode);
                    log_det = Some(add(log_det, step.log_det));
                    in_flight = step.output;
                }
                Stage::Factor { .. } => {
                    let factored = parts.pop().expect("one part was cut for each factoring stage");
                    in_flight = Tensor::cat(&[in_flight, factored], 1);
                }
            }
        }
        Transformed { output: in_flight, log_det: log_det.unwrap_or_else(|| zero_log_det(z)) }
    }
}

fn add(sum: Option<Tensor>, term: Tensor) -> Tensor {
    match sum {
        Some(sum) => sum + term,
        None => term,
    }
}
