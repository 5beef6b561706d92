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

/// The first step, counted from 1, whose loss or gradient norm is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonFinite {
    pub step: u64,
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
    /// One vector `[loss, norm of each group...]` per step that was not read yet, on the device.
    pending: Vec<Tensor>,
}

impl Meter {
    /// Goes on after `step` steps of `total` with the sums of an unfinished window.
    pub fn resume(total: u64, dimensions: i64, step: u64, window: Window) -> Self {
        Self { total, dimensions, step, window, pending: Vec::new() }
    }

    /// Notes one step; waits for nothing.
    pub fn note(&mut self, loss: &Tensor, norms: &StepNorms) {
        let mut numbers = vec![loss.detach()];
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
    pub fn read(&mut self) -> Result<Reading, NonFinite> {
        let mut reading = Reading::default();
        if self.pending.is_empty() {
            return Ok(reading);
        }
        let numbers = Tensor::stack(&self.pending, 0).to_kind(Kind::Double).to_device(tch::Device::Cpu);
        self.pending.clear();
        let width = numbers.size()[1] as usize;
        let numbers = Vec::<f64>::try_from(numbers.reshape([-1])).expect("it is a vector of doubles on the processor");

        for step_numbers in numbers.chunks(width) {
            let (loss, norms) = (step_numbers[0], &step_numbers[1..]);
            let gradient_norm = norms.iter().map(|norm| norm * norm).sum::<f64>().sqrt();
            self.step += 1;
            if !loss.is_finite() || !gradient_norm.is_finite() {
                return Err(NonFinite { step: self.step });
            }
            reading.steps += 1;
            reading.loss_sum += loss;
            self.window.steps += 1;
            self.window.loss_nats += loss;
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
        meter.note(&Tensor::from(loss), &norms);
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

        assert_eq!(meter.read().unwrap_err(), NonFinite { step: 43 });
    }

    #[test]
    fn curves_have_a_bounded_number_of_points() {
        assert_eq!(steps_per_point(1), 10);
        assert_eq!(steps_per_point(5000), 10);
        assert_eq!(steps_per_point(5001), 11);
        assert!(1_000_000_000_u64.div_ceil(steps_per_point(1_000_000_000)) <= MAX_CURVE_POINTS);
    }
}
