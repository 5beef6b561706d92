//! Taylor tests: the remainder of the first-order expansion must shrink with the square of the step.

use flows::Mode;
use tch::{Kind, Tensor, no_grad};

use crate::subjects::{self, Subject, uniform};
use crate::table::{Worst, largest};

const MODES: [Mode; 2] = [Mode::Evaluate, Mode::Train];

/// A scalar that depends on every output and on the log-determinants.
fn probe(subject: &Subject, x: &Tensor, mode: Mode) -> Tensor {
    let forward = subject.forward(x, mode);
    let output = forward.output.reshape([x.size()[0], -1]);
    let weights = uniform("probe", &output.size(), 1.0);
    (output * weights).sum(Kind::Double) + forward.log_det.sum(Kind::Double)
}

/// What a Taylor test found.
struct Taylor {
    /// The remainder at a step over that at half of it: 4 where the slope is right and something is curved, 2 where the
    /// slope is wrong. Exactly 4 where everything is linear and the remainder is rounding alone.
    ratio: f64,
    /// The slope against a central difference, relative.
    slope_error: f64,
}

/// Expands `value_at` around zero. Steps are tried from small to large: small ones avoid the kinks of rectifiers and the
/// knots of splines, too small ones leave nothing but rounding.
fn taylor(value_at: impl Fn(f64) -> f64, slope: f64) -> Taylor {
    let start = value_at(0.0);
    let scale = 1.0 + start.abs() + slope.abs();
    let remainder = |step: f64| value_at(step) - start - step * slope;
    let central = |step: f64| (value_at(step) - value_at(-step)) / (2.0 * step);
    let slope_error =
        [1e-6, 1e-7].map(|step| (central(step) - slope).abs() / scale).into_iter().fold(f64::INFINITY, f64::min);
    let mut closest = f64::INFINITY;
    let mut is_linear = true;
    for step in [1e-6, 4e-6, 1.6e-5, 6.4e-5, 2.56e-4, 1e-3] {
        let (whole, half) = (remainder(step), remainder(step / 2.0));
        // Less than some roundings: no second-order term to be seen at this step.
        if half.abs() < 200.0 * f64::EPSILON * scale {
            continue;
        }
        is_linear = false;
        let ratio = whole / half;
        if (ratio - 4.0).abs() < (closest - 4.0).abs() {
            closest = ratio;
        }
        if (ratio - 4.0).abs() < 0.1 {
            break;
        }
    }
    Taylor { ratio: if is_linear { 4.0 } else { closest }, slope_error }
}

/// Most directions that are tried before a gradient is called wrong: some run into a kink or have almost no curvature, but
/// a wrong gradient fails along all of them.
const DIRECTIONS: u32 = 6;

/// Makes a Taylor test along one direction after another until one passes, and asserts that one did.
fn check(what: &str, along: impl Fn(u32) -> Taylor) -> Taylor {
    let mut found = along(0);
    for direction in 1..DIRECTIONS {
        if (found.ratio - 4.0).abs() < 0.3 && found.slope_error < 1e-7 {
            return found;
        }
        found = along(direction);
    }
    panic!(
        "{what}: along no direction is the gradient right; along the last the remainder shrinks by {:.3} instead of 4 and the slope is {:.1e} off",
        found.ratio, found.slope_error
    );
}

#[test]
fn input_gradients_leave_a_second_order_remainder() {
    let (mut ratios, mut slopes) = (Worst::default(), Worst::default());
    for subject in subjects::all() {
        for mode in MODES {
            let x = subject.inputs(2).set_requires_grad(true);

            let gradient = Tensor::run_backward(&[probe(&subject, &x, mode)], &[&x], false, false).remove(0);

            let found = check(&format!("{}, {mode:?}", subject.name), |direction| {
                let direction = uniform(&format!("direction {direction}"), &x.size(), 1.0);
                let slope = (&gradient * &direction).sum(Kind::Double).double_value(&[]);
                taylor(|step| no_grad(|| probe(&subject, &(&x + &direction * step), mode).double_value(&[])), slope)
            });
            ratios.see(&subject, (found.ratio - 4.0).abs());
            slopes.see(&subject, found.slope_error);
        }
    }
    ratios.print("|Taylor ratio - 4|, input");
    slopes.print("slope error, input");
}

/// Moves tensors along directions, evaluates, and moves them back to the same bits.
fn along(tensors: &[&Tensor], directions: &[Tensor], step: f64, value: impl Fn() -> f64) -> f64 {
    no_grad(|| {
        let before: Vec<Tensor> = tensors.iter().map(|tensor| tensor.copy()).collect();
        for (tensor, direction) in tensors.iter().zip(directions) {
            let mut tensor = tensor.shallow_clone();
            tensor += direction * step;
        }
        let value = value();
        for (tensor, before) in tensors.iter().zip(&before) {
            tensor.shallow_clone().copy_(before);
        }
        value
    })
}

fn slope_along(gradients: &[Tensor], directions: &[Tensor]) -> f64 {
    gradients.iter().zip(directions).map(|(g, d)| (g * d).sum(Kind::Double).double_value(&[])).sum()
}

#[test]
fn parameter_gradients_taken_together_leave_a_second_order_remainder() {
    let (mut ratios, mut slopes) = (Worst::default(), Worst::default());
    for subject in subjects::all() {
        let Some(parameters) = subject.parameters().filter(|parameters| !parameters.parameters().is_empty()) else {
            continue;
        };
        let x = subject.inputs(2);
        for mode in MODES {
            let leaves: Vec<&Tensor> = parameters.parameters().iter().map(|parameter| &parameter.tensor).collect();
            let gradients = Tensor::run_backward(&[probe(&subject, &x, mode)], &leaves, false, false);

            let found = check(&format!("{}, {mode:?}", subject.name), |direction| {
                let draw = |(index, leaf): (usize, &&Tensor)| {
                    uniform(&format!("direction {direction} of {index}"), &leaf.size(), 0.3)
                };
                let directions: Vec<Tensor> = leaves.iter().enumerate().map(draw).collect();
                let value_at = |step| along(&leaves, &directions, step, || probe(&subject, &x, mode).double_value(&[]));
                taylor(value_at, slope_along(&gradients, &directions))
            });
            ratios.see(&subject, (found.ratio - 4.0).abs());
            slopes.see(&subject, found.slope_error);
        }
    }
    ratios.print("|Taylor ratio - 4|, weights");
    slopes.print("slope error, weights");
}

/// One subject for each layer and each form of each st-network: every tensor moves alone.
#[test]
fn the_gradient_of_each_parameter_alone_leaves_a_second_order_remainder() {
    let mut seen = std::collections::HashSet::new();
    let mut subjects = subjects::layers();
    let networks = subjects::networks().into_iter().chain(subjects::autoencoders());
    subjects.extend(networks.filter(|subject| seen.insert(network_of(&subject.name))));
    let mut ratios = Worst::default();
    for subject in subjects {
        let Some(parameters) = subject.parameters() else { continue };
        let x = subject.inputs(2);
        let leaves: Vec<&Tensor> = parameters.parameters().iter().map(|parameter| &parameter.tensor).collect();
        if leaves.is_empty() {
            continue;
        }
        let value = || probe(&subject, &x, Mode::Train);
        let gradients = Tensor::run_backward(&[value()], &leaves, false, false);
        for (parameter, gradient) in parameters.parameters().iter().zip(gradients) {
            let found = check(&format!("{}, {}", subject.name, parameter.name), |direction| {
                let directions = [uniform(&format!("direction {direction}"), &gradient.size(), 1.0)];
                let value_at = |step| along(&[&parameter.tensor], &directions, step, || value().double_value(&[]));
                taylor(value_at, slope_along(std::slice::from_ref(&gradient), &directions))
            });
            ratios.see(&subject, (found.ratio - 4.0).abs());
        }
    }
    ratios.print("|Taylor ratio - 4|, each");
}

fn network_of(name: &str) -> String {
    name.split(" by ").last().unwrap_or_default().to_owned()
}

/// Directions of rescales are single values after weight normalisation: only their sign matters. Entries of LU factors
/// outside their triangle are never read.
#[test]
fn every_value_of_every_parameter_gets_a_gradient_but_those_that_cannot_matter() {
    let mut subjects = subjects::layers();
    subjects.extend(subjects::recipes().iter().map(Subject::chain));
    for subject in subjects {
        let Some(parameters) = subject.parameters().filter(|parameters| !parameters.parameters().is_empty()) else {
            continue;
        };
        let x = subject.inputs(16);
        let leaves: Vec<&Tensor> = parameters.parameters().iter().map(|parameter| &parameter.tensor).collect();

        let gradients = Tensor::run_backward(&[probe(&subject, &x, Mode::Evaluate)], &leaves, false, false);

        for (parameter, gradient) in parameters.parameters().iter().zip(gradients) {
            let what = format!("{}: {}", subject.name, parameter.name);
            let leaf = parameter.name.rsplit('.').next().unwrap_or_default();
            match leaf {
                _ if parameter.name.ends_with("rescale.direction") => {
                    assert!(largest(&gradient) == 0.0, "{what} has a gradient");
                }
                "lower" => check_entries(&what, &gradient, &gradient.ones_like().tril(-1)),
                "upper" => check_entries(&what, &gradient, &gradient.ones_like().triu(1)),
                _ => assert!(largest(&gradient) > 0.0, "{what} has no gradient"),
            }
        }
    }
}

/// Asserts that exactly the entries marked with ones have a gradient.
fn check_entries(what: &str, gradient: &Tensor, expected: &Tensor) {
    let found = gradient.ne(0.0).to_kind(Kind::Double);
    assert_eq!(&found, expected, "{what}: entries with a gradient");
}
