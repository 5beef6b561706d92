//! Rational-quadratic splines: what zeros give, where they act, and that they rise.

use flows::Transformed;
use flows::layers::coupling::{ElementWise, Spline};
use tch::{Kind, Tensor};

use crate::subjects::{normal, uniform};
use crate::table::largest;

const BOUND: f64 = 2.5;

fn rows(count: i64, bins: i64, scale: f64) -> Tensor {
    normal(&format!("spline of {bins}"), &[1, 3 * bins - 1]).expand([count, 3 * bins - 1], false) * scale
}

/// Values from -1.4 to 1.4 bounds, in order, `[count, 1]`.
fn rising(count: i64) -> Tensor {
    let reach = 1.4 * BOUND;
    (Tensor::arange(count, (Kind::Double, tch::Device::Cpu)) * (2.0 * reach / (count - 1) as f64) - reach).unsqueeze(1)
}

#[test]
fn a_network_that_says_nothing_gives_the_identity() {
    for bins in [2, 3, 8, 64, 256] {
        let spline = Spline::new(bins, BOUND);
        let x = rising(501);
        let zeros = rows(501, bins, 0.0);

        for transformed in [spline.forward(&x, &zeros, None), spline.inverse(&x, &zeros, None)] {
            assert!(largest(&(transformed.output - &x)) < 1e-12, "{bins} bins");
            assert!(largest(&transformed.log_det) < 1e-12, "{bins} bins");
        }
    }
}

#[test]
fn splines_rise_and_are_the_identity_outside_their_bound() {
    for (bins, scale) in [(2, 1.0), (5, 3.0), (8, 1.0), (16, 10.0)] {
        let spline = Spline::new(bins, BOUND);
        let x = rising(2001);

        let forward = spline.forward(&x, &rows(2001, bins, scale), None);

        let steps = forward.output.diff(1, 0, None::<&Tensor>, None::<&Tensor>);
        assert!(steps.min().double_value(&[]) > 0.0, "{bins} bins, scale {scale}");
        let outside = x.abs().gt(BOUND);
        assert_eq!(forward.output.masked_select(&outside), x.masked_select(&outside));
        assert_eq!(largest(&forward.log_det.masked_select(&outside.squeeze_dim(1))), 0.0);
        assert!(largest(&forward.output.masked_select(&outside.logical_not())) <= BOUND);
    }
}

#[test]
fn ends_of_the_interval_stay_where_they_are() {
    let spline = Spline::new(6, BOUND);
    let ends = Tensor::from_slice(&[-BOUND, BOUND]).unsqueeze(1);
    let numbers = rows(2, 6, 2.0);

    let forward = spline.forward(&ends, &numbers, None);
    let back = spline.inverse(&ends, &numbers, None);

    assert!(largest(&(forward.output - &ends)) < 1e-14 && largest(&(back.output - &ends)) < 1e-14);
    // The slope is 1 at both ends, on both sides of each: the log-density has no step there.
    assert!(largest(&forward.log_det) < 1e-13 && largest(&back.log_det) < 1e-13);
}

#[test]
fn slopes_are_those_of_the_map_and_its_inverse() {
    for bins in [2, 5, 16] {
        let spline = Spline::new(bins, BOUND);
        let x = uniform("values", &[400, 1], 1.2 * BOUND).set_requires_grad(true);
        let numbers = rows(400, bins, 2.0);

        let forward = spline.forward(&x, &numbers, None);
        let slope = Tensor::run_backward(&[forward.output.sum(Kind::Double)], &[&x], true, false).remove(0);

        assert!(largest(&(slope.log().squeeze_dim(1) - &forward.log_det)) < 1e-12, "{bins} bins");
        let back = spline.inverse(&forward.output, &numbers, None);
        check_inverse(&format!("{bins} bins"), &x.detach(), &forward, &back);
    }
}

/// Networks say large things while they train badly: widths, heights and slopes stay above their minima, and the inverse
/// holds.
#[test]
fn extreme_numbers_keep_the_spline_invertible() {
    for scale in [30.0, 100.0, 1e4] {
        let spline = Spline::new(8, BOUND);
        let x = uniform("values", &[400, 1], BOUND);
        let numbers = normal("extremes", &[400, 23]) * scale;

        let forward = spline.forward(&x, &numbers, None);
        let back = spline.inverse(&forward.output, &numbers, None);

        check_inverse(&format!("scale {scale}"), &x, &forward, &back);
    }
}

/// Asserts that an inverse is as good as its problem: where the map is flat, a rounding of its output is a large step of its
/// input, so errors are measured at the output's side, and those of log-determinants relative to the map's steepness there.
fn check_inverse(what: &str, x: &Tensor, forward: &Transformed, back: &Transformed) {
    let slope = forward.log_det.detach().exp();
    let error = largest(&((&back.output - x).squeeze_dim(1) * slope.clamp_max(1.0)));
    let gap = largest(&((&back.log_det + &forward.log_det) * slope.clamp_max(1.0)));
    assert!(error < 1e-13, "{what}: {error:.1e} off at the output");
    assert!(gap < 1e-12, "{what}: log-determinants {gap:.1e} apart");
}
