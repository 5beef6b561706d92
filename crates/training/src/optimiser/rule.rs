//! The update rules, applied to vectors of values.

use tch::{Device, Tensor};

/// The number of values updated at a time on a CPU: few enough that the temporaries of one piece stay in its cache.
const CPU_PIECE: i64 = 1 << 15;

/// An update rule with its hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptimiserKind {
    /// Kingma and Ba 2015, algorithm 1.
    Adam {
        /// The step size.
        learning_rate: f64,
        /// The decay rate of the mean gradient.
        beta1: f64,
        /// The decay rate of the mean squared gradient.
        beta2: f64,
        /// Added to the root in the denominator.
        epsilon: f64,
    },
    /// Loshchilov and Hutter 2019, algorithm 2, in the form of `torch.optim.AdamW`: weight decay shrinks the values by
    /// `learning_rate · weight_decay` before Adam's step, and is no part of the gradient.
    AdamW {
        /// The step size.
        learning_rate: f64,
        /// The decay rate of the mean gradient.
        beta1: f64,
        /// The decay rate of the mean squared gradient.
        beta2: f64,
        /// Added to the root in the denominator.
        epsilon: f64,
    },
    /// Tieleman and Hinton 2012, without momentum, not centred.
    RmsProp {
        /// The step size.
        learning_rate: f64,
        /// The decay rate of the mean squared gradient.
        alpha: f64,
        /// Added to the root in the denominator.
        epsilon: f64,
    },
}

/// The running averages of a vector of values.
#[derive(Debug)]
pub(super) struct Moments {
    /// The mean gradient; RMSprop has none.
    pub(super) first: Option<Tensor>,
    /// The mean squared gradient.
    pub(super) second: Tensor,
}

impl Moments {
    pub(super) fn zeros(kind: &OptimiserKind, values: &Tensor) -> Self {
        let first = match kind {
            OptimiserKind::Adam { .. } | OptimiserKind::AdamW { .. } => Some(values.zeros_like()),
            OptimiserKind::RmsProp { .. } => None,
        };
        Self { first, second: values.zeros_like() }
    }

    fn narrow(&self, start: i64, length: i64) -> Self {
        let first = self.first.as_ref().map(|first| first.narrow(0, start, length));
        Self { first, second: self.second.narrow(0, start, length) }
    }
}

impl OptimiserKind {
    /// Adam with the usual decay rates 0.9 and 0.999 and epsilon 1e-8.
    pub fn adam(learning_rate: f64) -> Self {
        Self::Adam { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// AdamW with the usual decay rates 0.9 and 0.999 and epsilon 1e-8.
    pub fn adam_w(learning_rate: f64) -> Self {
        Self::AdamW { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// RMSprop with the usual decay rate 0.99 and epsilon 1e-8.
    pub fn rms_prop(learning_rate: f64) -> Self {
        Self::RmsProp { learning_rate, alpha: 0.99, epsilon: 1e-8 }
    }

    pub(super) fn set_learning_rate(&mut self, new: f64) {
        match self {
            Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. } => *learning_rate = new,
        }
    }

    /// Applies weight decay to the values, or to their gradient where the rule couples them.
    pub(super) fn decay(&self, values: &mut Tensor, gradient: &mut Tensor, weight_decay: f64) {
        if weight_decay == 0.0 {
            return;
        }
        match self {
            Self::AdamW { learning_rate, .. } => *values *= 1.0 - learning_rate * weight_decay,
            Self::Adam { .. } | Self::RmsProp { .. } => *gradient += &*values * weight_decay,
        }
    }

    /// Updates values and moments in place with the gradient of step number `step`, counted from 1.
    pub(super) fn update(&self, values: &mut Tensor, gradient: &Tensor, moments: &mut Moments, step: i64) {
        let length = values.size()[0];
        let piece = if values.device() == Device::Cpu { CPU_PIECE } else { length.max(1) };
        let mut start = 0;
        while start < length {
            let count = piece.min(length - start);
            let piece_moments = moments.narrow(start, count);
            self.update_piece(values.narrow(0, start, count), &gradient.narrow(0, start, count), piece_moments, step);
            start += count;
        }
    }

    fn update_piece(&self, mut values: Tensor, gradient: &Tensor, moments: Moments, step: i64) {
        let mut second = moments.second;
        match (self, moments.first) {
            (
                Self::Adam { learning_rate, beta1, beta2, epsilon }
                | Self::AdamW { learning_rate, beta1, beta2, epsilon },
                Some(mut first),
            ) => {
                let step = step as f64;
                let _ = first.lerp_(gradient, 1.0 - beta1);
                second *= *beta2;
                let _ = second.addcmul_(&(gradient * (1.0 - beta2)), gradient);
                let root_correction = (1.0 - beta2.powf(step)).sqrt();
                let mut denominator = second.sqrt();
                denominator /= root_correction;
                denominator += *epsilon;
                let _ = values.addcdiv_(&(first * (-learning_rate / (1.0 - beta1.powf(step)))), &denominator);
            }
            (Self::Adam { .. } | Self::AdamW { .. }, None) => {
                unreachable!("Adam's moments are made with a first moment")
            }
            (Self::RmsProp { learning_rate, alpha, epsilon }, _) => {
                second *= *alpha;
                let _ = second.addcmul_(&(gradient * (1.0 - alpha)), gradient);
                let mut denominator = second.sqrt();
                denominator += *epsilon;
                let _ = values.addcdiv_(&(gradient * -learning_rate), &denominator);
            }
        }
    }
}
