//! From a step's batch to its gradients, in parts that need less memory than the whole.

use std::ops::Range;

use flows::Flow;
use tch::Tensor;

use super::likelihood::{BatchTensors, log_likelihood};
use super::objective::{Objective, TooLikely, Weights, negative_loss};
use crate::optimiser::{Gradients, Optimiser};

/// The images of a step on the device.
pub struct StepTensors {
    /// In-distribution images.
    pub inside: BatchTensors,
    /// Out-of-distribution images, with negative training.
    pub outside: Option<BatchTensors>,
}

/// What a step found out, before any update.
pub struct Found {
    /// The gradients of the loss.
    pub gradients: Gradients,
    /// The loss, a scalar.
    pub loss: Tensor,
    /// `mean_i(−LL_i)` of the in-distribution images in nats, a scalar: the loss itself with maximum likelihood.
    pub inside: Tensor,
}

/// Computes the loss of a whole batch and its gradients in at most `parts` parts. But for rounding, and for batch
/// statistics, which are those of a part, the number of parts changes nothing.
pub fn differentiate(
    flow: &Flow,
    optimiser: &Optimiser,
    objective: Objective,
    batch: &StepTensors,
    parts: i64,
) -> Found {
    let parts = parts.clamp(1, batch.inside.len());
    match (objective, &batch.outside) {
        (Objective::Negative { threshold }, Some(outside)) if parts == 1 => {
            negative_whole(flow, optimiser, threshold, [&batch.inside, outside])
        }
        (Objective::Negative { threshold }, Some(outside)) => {
            negative_in_parts(flow, optimiser, threshold, [&batch.inside, outside], parts)
        }
        (Objective::MaximumLikelihood, _) | (Objective::Negative { .. }, None) => {
            maximum_likelihood(flow, optimiser, &batch.inside, parts)
        }
    }
}

fn maximum_likelihood(flow: &Flow, optimiser: &Optimiser, batch: &BatchTensors, parts: i64) -> Found {
    let of_part = |range: Range<i64>| {
        let loss = mean_of_part(&-log_likelihood(flow, &batch.part(&range)), batch.len());
        (optimiser.gradients(&loss), loss.detach())
    };
    let summed = ranges(batch.len(), parts).map(of_part).reduce(|(mut gradients, loss), (others, other)| {
        gradients.add(&others);
        (gradients, loss + other)
    });
    let (gradients, loss) = summed.expect("there is at least one part");
    Found { gradients, inside: loss.shallow_clone(), loss }
}

fn negative_whole(flow: &Flow, optimiser: &Optimiser, threshold: f64, batches: [&BatchTensors; 2]) -> Found {
    let (inside, outside) = negative_terms(flow, threshold, batches, batches[0].len());
    let loss = negative_loss(&inside, &outside);
    Found { gradients: optimiser.gradients(&loss), loss: loss.detach(), inside: inside.detach() }
}

/// The weights of the two terms are known only after the last part, so that each part's terms are differentiated apart.
fn negative_in_parts(
    flow: &Flow,
    optimiser: &Optimiser,
    threshold: f64,
    [inside, outside]: [&BatchTensors; 2],
    parts: i64,
) -> Found {
    let of_part = |(within, beyond): (Range<i64>, Range<i64>)| {
        let both = [&inside.part(&within), &outside.part(&beyond)];
        let (mean, too_likely) = negative_terms(flow, threshold, both, inside.len());
        Terms {
            inside_gradients: optimiser.gradients_of_shared(&mean),
            outside_gradients: optimiser.gradients(&too_likely.sum),
            inside: mean.detach(),
            outside: too_likely.sum.detach(),
            count: too_likely.count,
        }
    };
    let pairs = ranges(inside.len(), parts).zip(ranges(outside.len(), parts));
    let terms = pairs.map(of_part).reduce(Terms::plus).expect("there is at least one part");

    let weights = Weights::when_too_likely(&terms.count);
    let (mut gradients, mut outside_gradients) = (terms.inside_gradients, terms.outside_gradients);
    gradients.scale(&weights.inside);
    outside_gradients.scale(&weights.outside);
    gradients.add(&outside_gradients);
    let loss = &terms.inside * weights.inside + terms.outside * weights.outside;
    Found { gradients, loss, inside: terms.inside }
}

/// The terms of the negative loss over some parts of a batch.
struct Terms {
    inside_gradients: Gradients,
    outside_gradients: Gradients,
    inside: Tensor,
    outside: Tensor,
    count: Tensor,
}

impl Terms {
    fn plus(mut self, others: Self) -> Self {
        self.inside_gradients.add(&others.inside_gradients);
        self.outside_gradients.add(&others.outside_gradients);
        Self {
            inside: self.inside + others.inside,
            outside: self.outside + others.outside,
            count: self.count + others.count,
            ..self
        }
    }
}

/// The share of `mean_i(−LL_i)` over `of` images, and the sum over J, that these images contribute; both batches go
/// through the flow together.
fn negative_terms(flow: &Flow, threshold: f64, [inside, outside]: [&BatchTensors; 2], of: i64) -> (Tensor, TooLikely) {
    let likelihoods = log_likelihood(flow, &inside.followed_by(outside));
    let mean = mean_of_part(&-likelihoods.narrow(0, 0, inside.len()), of);
    (mean, TooLikely::among(&likelihoods.narrow(0, inside.len(), outside.len()), threshold))
}

/// What some values contribute to the mean over `of` values.
fn mean_of_part(values: &Tensor, of: i64) -> Tensor {
    let mean = values.mean(values.kind());
    let count = values.size()[0];
    if count == of { mean } else { mean * (count as f64 / of as f64) }
}

/// Splits `len` images into `parts` runs whose lengths differ by one at most, the longer ones first.
fn ranges(len: i64, parts: i64) -> impl Iterator<Item = Range<i64>> {
    let (length, longer) = (len / parts, len % parts);
    (0..parts).map(move |part| {
        let start = part * length + part.min(longer);
        start..start + length + i64::from(part < longer)
    })
}

#[cfg(test)]
mod tests;
