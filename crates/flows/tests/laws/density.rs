//! Densities of two dimensions integrate to one.

use flows::architecture::Transform;
use flows::{Flow, Mode};
use tch::{Device, Kind, Tensor, no_grad};

use crate::adam::train;
use crate::subjects::{fresh_flow, normal, perturbed_flow, tabular};

const TRANSFORMS: [Transform; 3] = [Transform::Affine, Transform::Additive, Transform::Spline { bins: 6, bound: 3.0 }];

/// Points along each side of the grid.
const SIDE: i64 = 700;

#[test]
fn densities_of_two_dimensions_integrate_to_one() {
    for transform in TRANSFORMS {
        let flow = perturbed_flow(&tabular(2, transform));

        let mass = integral(&flow);

        println!("{transform:?}: mass {mass:.6}");
        assert!((mass - 1.0).abs() < 1e-3, "{transform:?}: {mass}");
    }
}

#[test]
fn densities_integrate_to_one_after_training() {
    for transform in TRANSFORMS {
        let flow = fresh_flow(&tabular(2, transform));

        let losses = train(&flow, 1e-2, 40, |step| (two_moons(step), None));

        let mass = integral(&flow);
        println!("{transform:?}, trained from {:.3} to {:.3} nats/dim: mass {mass:.6}", losses[0], losses[1]);
        assert!(losses[1] < losses[0], "{transform:?}: it learned nothing");
        assert!((mass - 1.0).abs() < 1e-3, "{transform:?}: {mass}");
    }
}

/// Two half circles with noise around them.
fn two_moons(step: i32) -> Tensor {
    let draws = normal(&format!("moons of step {step}"), &[200, 3]);
    let angle = draws.narrow(1, 0, 1).erf() * std::f64::consts::FRAC_PI_2 + std::f64::consts::FRAC_PI_2;
    let side = Tensor::arange(200, (Kind::Double, Device::Cpu)).remainder(2.0).unsqueeze(1);
    let sign: Tensor = 1.0 - &side * 2.0;
    let x = angle.cos() * 1.5 + &side * 1.5 - 0.75;
    let y = angle.sin() * 1.5 * sign + &side * 0.5 - 0.25;
    Tensor::cat(&[x, y], 1) + draws.narrow(1, 1, 2) * 0.15
}

/// The sum of the density over a grid that reaches half as far again as 20,000 samples of the flow.
fn integral(flow: &Flow) -> f64 {
    let samples = no_grad(|| flow.decode(&normal("samples", &[20_000, 2])));
    let axis = |dimension: i64| {
        let values = samples.select(1, dimension);
        let (low, high) = (values.min().double_value(&[]), values.max().double_value(&[]));
        let (middle, reach) = ((low + high) / 2.0, (high - low) * 0.75);
        let step = 2.0 * reach / SIDE as f64;
        // The middles of the cells.
        let points = (Tensor::arange(SIDE, (Kind::Double, Device::Cpu)) + 0.5) * step + (middle - reach);
        (points, step)
    };
    let ((first, height), (second, width)) = (axis(0), axis(1));
    let mut mass = 0.0;
    for rows in first.chunk(7, 0) {
        let count = rows.size()[0];
        let grid = [rows.unsqueeze(1).expand([count, SIDE], false), second.unsqueeze(0).expand([count, SIDE], false)];
        let points = Tensor::stack(&grid, -1).reshape([-1, 2]);
        let density = no_grad(|| flow.log_likelihood(&points, None, Mode::Evaluate).total.exp());
        mass += density.sum(Kind::Double).double_value(&[]);
    }
    mass * height * width
}
