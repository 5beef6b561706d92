//! Training batches, made ahead of their step.

use std::ops::Range;

use super::plan::{Batch, TrainingPlan};
use super::prefetch::Prefetch;

/// The batches of a range of steps, in order, made by one thread. The same (seed, step) gives the same bytes wherever
/// the range starts.
pub struct TrainingBatches(Prefetch<Batch>);

impl TrainingBatches {
    /// Starts making the batches of `steps`.
    #[must_use]
    pub fn new(plan: TrainingPlan, steps: Range<u64>) -> Self {
        let mut current: Option<(u64, Vec<u32>)> = None;
        Self(Prefetch::start(steps.map(move |step| {
            let epoch = plan.epoch_of(step);
            let order = match current.take() {
                Some((of_epoch, order)) if of_epoch == epoch => order,
                _ => plan.order_of(step),
            };
            let batch = plan.batch_in_order(step, &order);
            current = Some((epoch, order));
            batch
        })))
    }
}

impl Iterator for TrainingBatches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::examples::{Examples, Shape, Values};

    #[test]
    fn same_step_gives_same_bytes_wherever_the_range_starts() {
        let bytes = Values::Bytes((0..28).collect());
        let examples = Examples::new(Shape::Image([1, 2, 2]), bytes).unwrap();
        let plan = TrainingPlan::new(Arc::new(examples), 3, 4).unwrap();

        let whole: Vec<Batch> = TrainingBatches::new(plan.clone(), 0..12).collect();

        assert_eq!(whole.len(), 12);
        for start in 0..12 {
            let rest: Vec<Batch> = TrainingBatches::new(plan.clone(), start as u64..12).collect();
            assert_eq!(rest, whole[start..]);
            assert_eq!(plan.batch(start as u64), whole[start]);
        }
    }
}
