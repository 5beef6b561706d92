//! Halves of the channels, apart and together again.

use architecture::Order;
use tch::Tensor;

/// The seen and the changed half of the channels of `[b, c, ...]`.
pub(super) fn halves(x: &Tensor, order: Order) -> (Tensor, Tensor) {
    let half = x.size()[1] / 2;
    let (first, second) = (x.narrow(1, 0, half), x.narrow(1, half, half));
    match order {
        Order::Plain => (second, first),
        Order::Reversed => (first, second),
    }
}

/// The inverse of [`halves`].
pub(super) fn join(seen: &Tensor, changed: &Tensor, order: Order) -> Tensor {
    match order {
        Order::Plain => Tensor::cat(&[changed, seen], 1),
        Order::Reversed => Tensor::cat(&[seen, changed], 1),
    }
}
