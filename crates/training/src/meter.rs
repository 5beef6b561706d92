//! Losses and gradient norms on their way from the device to the training curve, read a few steps at a time: reading
//! each step would make the processor wait for the device.

use domain::report::CurvePoint;
use flows::bits_per_dimension;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::optimiser::StepNorms;

/// Most points that a training curve has.
const MAX_CURVE_POINTS: u64 = 500;
/// Fewest steps between two points of a curve.
const MIN_CURVE_STEPS: u64 = 10;
/// Steps after which the pending numbers are read.
const STEPS_PER_READING: usize = 10;

/// The sums of the curve's current window.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    steps: u64,
    loss_nats: f64,
    gradient_norm: f64,
}

/// The first step at which training diverged, and how that shows.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Divergence {
    /// The loss or a gradient norm is infinite or not a number.
    #[error("the loss or its gradient is not finite at step {step}")]
    NotFinite {
        /// The step, counted from 1.
        step: u64,
    },
    /// The mean negative log-likelihood is above the limit of the restart policy.
    #[error("the mean negative log-likelihood is {nats} nats at step {step}, above the limit of {limit}")]
    AboveLimit {
        /// The step, counted from 1.
        step: u64,
        /// The mean negative log-likelihood of its in-distribution images, in nats.
        nats: f64,
        /// `loss_limit_nats`.
        limit: f64,
    },
}

/// What the steps since the last reading were.
#[derive(Debug, Default)]
pub struct Reading {
    /// Points of the curve that are complete now.
    pub points: Vec<CurvePoint>,
    /// Number of steps read.
    pub steps: u64,
    /// Sum of their losses, in nats.
    pub loss_sum: f64,
}

/// Collects the numbers of each step and makes the curve of them. The curve depends on the steps alone, not on when the
/// numbers are read.
pub struct Meter {
    total: u64,
    dimensions: i64,
    /// Steps read.
    step: u64,
    window: Window,
    /// A larger mean negative log-likelihood is a divergence.
    limit: Option<f64>,
    /// One vector `[mean negative log-likelihood, loss, norm of each group...]` per step that was not read yet, on the
    /// device.
    pending: Vec<Tensor>,
}

impl Meter {
    /// Goes on after `step` steps of `total` with the sums of an unfinished window.
    pub fn resume(total: u64, dimensions: i64, step: u64, window: Window) -> Self {
        Self { total, dimensions, step, window, limit: None, pending: Vec::new() }
    }

    /// Takes a mean negative log-likelihood above `nats` for a divergence.
    pub fn with_limit(self, nats: Option<f64>) -> Self {
        Self { limit: nats, ..self }
    }

    /// Goes back to an earlier step; what is pending is forgotten.
    pub fn go_back(&mut self, step: u64, window: Window) {
        (self.step, self.window) = (step, window);
        self.pending.clear();
    }

    /// Notes the mean negative log-likelihood of one step, which makes the curve, its loss, and its gradient norms; waits
    /// for nothing.
    pub fn note(&mut self, likelihood: &Tensor, loss: &Tensor, norms: &StepNorms) {
        let mut numbers = vec![likelihood.detach(), loss.detach()];
        numbers.extend(norms.groups.iter().map(Tensor::detach));
        self.pending.push(Tensor::stack(&numbers, 0));
    }

    /// Says whether so many steps are pending that they should be read.
    pub fn is_due(&self) -> bool {
        self.pending.len() >= STEPS_PER_READING
    }

    /// The sums of the current window; everything pending must have been read.
    pub fn window(&self) -> Window {
        debug_assert!(self.pending.is_empty(), "sums are asked for after a reading");
        self.window
    }

    /// Waits for the device and reads the pending steps.
    pub fn read(&mut self) -> Result<Reading, Divergence> {
        let mut reading = Reading::default();
        if self.pending.is_empty() {
            return Ok(reading);
        }
        let numbers = Tensor::stack(&self.pending, 0).to_kind(Kind::Double).to_device(tch::Device::Cpu);
        self.pending.clear();
        let width = numbers.size()[1] as usize;
        let numbers = Vec::<f64>::try_from(numbers.reshape([-1])).expect("it is a vector of doubles on the processor");

        for step_numbers in numbers.chunks(width) {
            let (nats, norms) = (step_numbers[0], &step_numbers[2..]);
            let gradient_norm = norms.iter().map(|norm| norm * norm).sum::<f64>().sqrt();
            self.step += 1;
            if !step_numbers.iter().all(|number| number.is_finite()) || !gradient_norm.is_finite() {
                return Err(Divergence::NotFinite { step: self.step });
            }
            if let Some(limit) = self.limit.filter(|&limit| nats > limit) {
                return Err(Divergence::AboveLimit { step: self.step, nats, limit });
            }
            reading.steps += 1;
            reading.loss_sum += nats;
            self.window.steps += 1;
            self.window.loss_nats += nats;
            self.window.gradient_norm += gradient_norm;
            if self.step.is_multiple_of(steps_per_point(self.total)) || self.step == self.total {
                reading.points.push(self.close_window());
            }
        }
        Ok(reading)
    }

    fn close_window(&mut self) -> CurvePoint {
        let Window { steps, loss_nats, gradient_norm } = std::mem::take(&mut self.window);
        let loss_nats = loss_nats / steps as f64;
        CurvePoint {
            step: self.step,
            loss_nats,
            bits_per_dim: bits_per_dimension(-loss_nats, self.dimensions),
            gradient_norm: gradient_norm / steps as f64,
        }
    }
}

/// Steps between two points of the curve of a run of `total` steps.
fn steps_per_point(total: u64) -> u64 {
    total.div_ceil(MAX_CURVE_POINTS).max(MIN_CURVE_STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(meter: &mut Meter, loss: f64) {
        let norms = StepNorms { groups: vec![Tensor::from(3.0 * loss), Tensor::from(4.0 * loss)] };
        meter.note(&Tensor::from(loss), &Tensor::from(loss), &norms);
    }

    #[test]
    fn curve_is_the_same_whenever_it_is_read() {
        let curve = |read_every: usize| {
            let mut meter = Meter::resume(25, 1, 0, Window::default());
            let mut points = Vec::new();
            for step in 1..=25 {
                note(&mut meter, 0.1 * step as f64);
                if step % read_every == 0 || step == 25 {
                    points.extend(meter.read().unwrap().points);
                }
            }
            points
        };

        let points = curve(1);

        assert_eq!(points.iter().map(|point| point.step).collect::<Vec<_>>(), [10, 20, 25]);
        assert!((points[0].loss_nats - 0.55).abs() < 1e-12 && (points[0].gradient_norm - 2.75).abs() < 1e-12);
        for read_every in [2, 7, 25] {
            assert_eq!(curve(read_every), points);
        }
    }

    #[test]
    fn first_step_that_is_not_finite_is_named() {
        let mut meter = Meter::resume(100, 1, 40, Window::default());
        for loss in [1.0, 2.0, f64::INFINITY, f64::NAN] {
            note(&mut meter, loss);
        }

        assert_eq!(meter.read().unwrap_err(), Divergence::NotFinite { step: 43 });
    }

    #[test]
    fn first_step_above_the_limit_is_named() {
        let mut meter = Meter::resume(100, 1, 40, Window::default()).with_limit(Some(2.0));
        for loss in [1.0, 2.0, 2.5, f64::NAN] {
            note(&mut meter, loss);
        }

        assert_eq!(meter.read().unwrap_err(), Divergence::AboveLimit { step: 43, nats: 2.5, limit: 2.0 });
    }

    #[test]
    fn loss_that_is_not_finite_shows_beside_a_finite_likelihood() {
        let mut meter = Meter::resume(100, 1, 0, Window::default());
        let norms = StepNorms { groups: vec![Tensor::from(1.0)] };
        meter.note(&Tensor::from(1.0), &Tensor::from(f64::NAN), &norms);

        assert_eq!(meter.read().unwrap_err(), Divergence::NotFinite { step: 1 });
    }

    #[test]
    fn going_back_gives_the_same_curve_again() {
        let mut meter = Meter::resume(25, 1, 0, Window::default());
        (1..=5).for_each(|step| note(&mut meter, f64::from(step)));
        meter.read().unwrap();
        let window = meter.window();
        let go_on = |meter: &mut Meter| {
            (6..=10).for_each(|step| note(meter, f64::from(step)));
            meter.read().unwrap().points
        };
        let first = go_on(&mut meter);
        note(&mut meter, 11.0);

        meter.go_back(5, window);

        assert_eq!(go_on(&mut meter), first);
    }

    #[test]
    fn curves_have_a_bounded_number_of_points() {
        assert_eq!(steps_per_point(1), 10);
        assert_eq!(steps_per_point(5000), 10);
        assert_eq!(steps_per_point(5001), 11);
        assert!(1_000_000_000_u64.div_ceil(steps_per_point(1_000_000_000)) <= MAX_CURVE_POINTS);
    }
}
