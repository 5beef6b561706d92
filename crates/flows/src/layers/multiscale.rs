//! A chain of bijections that may factor channels out on the way and ends in one flat latent vector.

use tch::{Kind, Tensor};

use crate::bijection::{Bijection, Mode, ScaleAndShift, Transformed, zero_log_det};

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
    /// Which stage of the chain it is; none for the logit layer in front of it.
    pub stage: Option<usize>,
    /// Its output `[b, c, h, w]` or `[b, d]`.
    pub output: &'a Tensor,
    /// Its own log-determinant, `[b]`.
    pub log_det: &'a Tensor,
    /// What it did to each value, if it is an affine or additive coupling layer.
    pub scale_and_shift: Option<&'a ScaleAndShift>,
    /// The parts that left before this layer, in order, `[b, c, h, w]` each.
    pub factored: &'a [Tensor],
}

/// What one scale of a chain made of a batch.
#[derive(Debug)]
pub struct ScalePart {
    /// The part of the latent that leaves at this scale, `[b, d_k]`.
    pub latent: Tensor,
    /// The log-determinants of the scale's layers, `[b]` in double precision: summing layers must not cost the digits by which
    /// two examples differ.
    pub log_det: Tensor,
}

/// Stages from an example `[b, c, h, w]` or `[b, d]` to the latents `[b, d]`: the parts factored out, in order, then what
/// is left, each flattened in c, h, w order (models.md 2.1).
pub struct MultiScale {
    stages: Vec<Stage>,
    /// The sizes before each stage and after the last one.
    shapes: Vec<Vec<i64>>,
}

impl MultiScale {
    /// Chains stages; `shapes` are the sizes before each of them and after the last one.
    ///
    /// # Panics
    /// If there is not one shape more than there are stages.
    pub fn new(stages: Vec<Stage>, shapes: Vec<Vec<i64>>) -> Self {
        assert_eq!(shapes.len(), stages.len() + 1, "a shape before each stage and one after the last");
        Self { stages, shapes }
    }

    /// The forward direction, showing each layer's result to `observe`.
    pub fn forward_observed(&self, x: &Tensor, mode: Mode, mut observe: impl FnMut(Traced<'_>)) -> Transformed {
        self.run(x, |bijection, x| bijection.forward_observed(x, mode), &mut observe)
    }

    /// The forward direction, scale by scale: a scale ends where channels leave, and its layers are those since the last one
    /// ended. The parts' latents, joined, are the latent of [`forward`](Bijection::forward), and their log-determinants add up
    /// to its.
    pub fn forward_by_scale(&self, x: &Tensor, mode: Mode) -> Vec<ScalePart> {
        let zero = || Tensor::zeros([x.size()[0]], (Kind::Double, x.device()));
        let (mut in_flight, mut log_det, mut parts) = (x.shallow_clone(), zero(), Vec::new());
        for stage in &self.stages {
            match stage {
                Stage::Layer { bijection, .. } => {
                    let step = bijection.forward(&in_flight, mode);
                    log_det += step.log_det.to_kind(Kind::Double);
                    in_flight = step.output;
                }
                Stage::Factor { keep } => {
                    let latent = in_flight.narrow(1, *keep, in_flight.size()[1] - keep).flatten(1, -1);
                    parts.push(ScalePart { latent, log_det: std::mem::replace(&mut log_det, zero()) });
                    in_flight = in_flight.narrow(1, 0, *keep);
                }
            }
        }
        parts.push(ScalePart { latent: in_flight.flatten(1, -1), log_det });
        parts
    }

    fn run(
        &self,
        x: &Tensor,
        forward: impl Fn(&dyn Bijection, &Tensor) -> (Transformed, Option<ScaleAndShift>),
        observe: &mut dyn FnMut(Traced<'_>),
    ) -> Transformed {
        let mut in_flight = x.shallow_clone();
        let mut log_det = None;
        let mut factored = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            match stage {
                Stage::Layer { name, bijection } => {
                    let (step, seen) = forward(bijection.as_ref(), &in_flight);
                    observe(Traced {
                        name,
                        stage: Some(index),
                        output: &step.output,
                        log_det: &step.log_det,
                        scale_and_shift: seen.as_ref(),
                        factored: &factored,
                    });
                    log_det = Some(add(log_det, step.log_det));
                    in_flight = step.output;
                }
                Stage::Factor { keep } => {
                    factored.push(in_flight.narrow(1, *keep, in_flight.size()[1] - keep));
                    in_flight = in_flight.narrow(1, 0, *keep);
                }
            }
        }
        let mut latents: Vec<Tensor> = factored.iter().map(|part| part.flatten(1, -1)).collect();
        latents.push(in_flight.flatten(1, -1));
        Transformed { output: Tensor::cat(&latents, 1), log_det: log_det.unwrap_or_else(|| zero_log_det(x)) }
    }

    /// Cuts the latents `[b, d]` into the parts factored out, in order, and what was left.
    fn cut(&self, z: &Tensor) -> Vec<Tensor> {
        let mut shapes: Vec<Vec<i64>> = Vec::new();
        for (stage, before) in self.stages.iter().zip(&self.shapes) {
            if let Stage::Factor { keep } = stage {
                let mut shape = before.clone();
                shape[0] -= keep;
                shapes.push(shape);
            }
        }
        shapes.extend(self.shapes.last().cloned());
        let mut start = 0;
        let mut parts = Vec::new();
        for shape in shapes {
            let length = shape.iter().product();
            let sizes: Vec<i64> = [-1].into_iter().chain(shape).collect();
            parts.push(z.narrow(1, start, length).reshape(sizes.as_slice()));
            start += length;
        }
        parts
    }

    /// Brings values at the output of stage `stage` back to the layout of the image `[b, c, h, w]`: only squeezes and
    /// factorings are undone (models.md 6.1 to 6.3). `factored` are the parts that left before, in order.
    ///
    /// Squeezes are undone as pixels also where the flow uses wavelets: then every value stands in its cell.
    pub fn to_image_layout(&self, stage: usize, in_flight: &Tensor, factored: &[Tensor]) -> Tensor {
        let mut image = in_flight.shallow_clone();
        let mut parts = factored.iter().rev();
        for index in (0..=stage).rev() {
            match &self.stages[index] {
                Stage::Factor { .. } => {
                    if let Some(part) = parts.next() {
                        image = Tensor::cat(&[&image, part], 1);
                    }
                }
                Stage::Layer { .. } if self.shapes[index] != self.shapes[index + 1] => image = image.pixel_shuffle(2),
                Stage::Layer { .. } => {}
            }
        }
        image
    }

    /// Brings latents `[b, d]` to the layout of the image (models.md 6.3).
    pub fn latents_to_image_layout(&self, z: &Tensor) -> Tensor {
        let mut parts = self.cut(z);
        let last = parts.pop().expect("the part that was never factored out is always there");
        self.to_image_layout(self.stages.len() - 1, &last, &parts)
    }
}

impl Bijection for MultiScale {
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        self.run(x, |bijection, x| (bijection.forward(x, mode), None), &mut |_| ())
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
