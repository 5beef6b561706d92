//! What a flow makes of each example, summed over noise draws and scale by scale: tensors in, columns of doubles out.

use std::f64::consts::TAU;

use datasets::{EvaluationBatch, EvaluationBatches, EvaluationPlan};
use flows::layers::multiscale::ScalePart;
use flows::{Flow, Mode};
use scoring::{Columns, PROJECTIONS, column, directions};
use tch::{Kind, Tensor, no_grad};

/// Sums over noise draws of what one scale makes of each example.
struct ScaleSums {
    /// Dimensions that leave at the scale.
    dimensions: i64,
    norm_squared: Vec<f64>,
    log_det: Vec<f64>,
}

/// What a flow makes of each of some examples.
pub(crate) struct Encoding<'a> {
    flow: &'a Flow,
    examples: usize,
    /// One for each scale, as soon as there was a batch.
    scales: Vec<ScaleSums>,
    /// The directions `[d, 64]` in double precision on the flow's device, and the latents on them, `[n, 64]`; where they are
    /// wanted.
    projections: Option<(Tensor, Vec<f32>)>,
}

impl<'a> Encoding<'a> {
    /// Of `examples` examples, none of which has been seen.
    pub(crate) fn new(flow: &'a Flow, examples: usize) -> Self {
        Self { flow, examples, scales: Vec::new(), projections: None }
    }

    /// Takes the latents' projections on the fixed directions too.
    pub(crate) fn with_projections(self) -> Self {
        let dimensions = self.flow.dimensions();
        let directions = Tensor::from_slice(&directions(dimensions as usize)).view([PROJECTIONS as i64, dimensions]);
        let directions = directions.transpose(0, 1).to_device(self.flow.parameters().device());
        Self { projections: Some((directions, vec![0.0; self.examples * PROJECTIONS])), ..self }
    }

    /// Adds one draw of a batch.
    pub(crate) fn add(&mut self, batch: &EvaluationBatch, draw: u32) {
        let shape = [vec![batch.len as i64], self.flow.input().sizes()].concat();
        let device = self.flow.parameters().device();
        let tensor = |values: &[f32]| Tensor::from_slice(values).view(shape.as_slice()).to_device(device);
        let noise = batch.noise.as_deref().map(tensor);
        no_grad(|| {
            let parts = self.flow.encode_by_scale(&tensor(&batch.values), noise.as_ref(), Mode::Evaluate);
            self.sum(&parts, batch.first);
            if let Some((directions, projections)) = self.projections.as_mut().filter(|_| draw == 0) {
                let latents: Vec<&Tensor> = parts.iter().map(|part| &part.latent).collect();
                let projected = Tensor::cat(&latents, 1).to_kind(Kind::Double).matmul(directions);
                let values = read(&projected.flatten(0, -1));
                let rows = projections[batch.first * PROJECTIONS..].iter_mut();
                rows.zip(values).for_each(|(row, value)| *row = value as f32);
            }
        });
    }

    fn sum(&mut self, parts: &[ScalePart], first: usize) {
        if self.scales.is_empty() {
            let zeros = || vec![0.0; self.examples];
            let sums = |part: &ScalePart| ScaleSums {
                dimensions: part.latent.size()[1],
                norm_squared: zeros(),
                log_det: zeros(),
            };
            self.scales = parts.iter().map(sums).collect();
        }
        for (sums, part) in self.scales.iter_mut().zip(parts) {
            // The sum over the latent's dimensions is taken in double: near 10⁴ nats single precision steps by 10⁻³, which
            // would tie scores that differ.
            let norm_squared = part.latent.to_kind(Kind::Double).square().sum_dim_intlist(1, false, Kind::Double);
            for (sums, values) in [(&mut sums.norm_squared, &norm_squared), (&mut sums.log_det, &part.log_det)] {
                sums[first..].iter_mut().zip(read(values)).for_each(|(sum, value)| *sum += value);
            }
        }
    }

    /// The columns of statistics, code lengths apart: means over `draws` draws.
    pub(crate) fn into_columns(self, draws: u32) -> Columns {
        let mut columns = Columns::default();
        let mut totals = [column::LATENT_LOG_DENSITY, column::LOG_DETERMINANT, column::LATENT_NORM_SQUARED]
            .map(|name| (name, vec![0.0; self.examples]));
        for (scale, sums) in (0..).zip(self.scales) {
            let mean = |sums: Vec<f64>| sums.into_iter().map(|sum| sum / f64::from(draws)).collect::<Vec<f64>>();
            let (norm_squared, log_det) = (mean(sums.norm_squared), mean(sums.log_det));
            // log N(z; 0, I) is linear in ‖z‖², so that its mean over draws follows from the other's.
            let constant = 0.5 * sums.dimensions as f64 * TAU.ln();
            let density: Vec<f64> = norm_squared.iter().map(|norm_squared| -0.5 * norm_squared - constant).collect();
            let names = [
                column::scale_latent_log_density(scale),
                column::scale_log_determinant(scale),
                column::scale_latent_norm_squared(scale),
            ];
            for ((name, values), (_, total)) in names.into_iter().zip([density, log_det, norm_squared]).zip(&mut totals)
            {
                total.iter_mut().zip(&values).for_each(|(total, value)| *total += value);
                columns.values.insert(name, values);
            }
        }
        let discretisation = self.flow.discretisation_nats();
        let [(_, density), (_, log_det), _] = &totals;
        let log_likelihood = density.iter().zip(log_det).map(|(density, log_det)| density + log_det - discretisation);
        columns.values.insert(column::LOG_LIKELIHOOD.to_owned(), log_likelihood.collect());
        columns.values.extend(totals.map(|(name, values)| (name.to_owned(), values)));
        columns.projections = self.projections.map(|(_, projections)| projections);
        columns
    }
}

/// The log-likelihood of each of a plan's examples under its one draw, in nats, in evaluation mode.
pub(crate) fn log_likelihoods(flow: &Flow, plan: &EvaluationPlan, examples: usize) -> Vec<f64> {
    let mut encoding = Encoding::new(flow, examples);
    EvaluationBatches::new(plan.clone()).for_each(|batch| encoding.add(&batch, 0));
    encoding.into_columns(1).values.remove(column::LOG_LIKELIHOOD).unwrap_or_default()
}

fn read(values: &Tensor) -> Vec<f64> {
    let values = values.to_kind(Kind::Double).to_device(tch::Device::Cpu).contiguous();
    Vec::<f64>::try_from(values).expect("it is a vector of doubles on the processor")
}
