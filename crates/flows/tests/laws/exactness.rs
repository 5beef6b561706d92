//! Inverses, and log-determinants against each other and against the Jacobian of automatic differentiation.

use flows::Mode;
use tch::{Kind, Tensor, no_grad};

use crate::subjects::{self, Subject, normal};
use crate::table::{Worst, largest};

const MODES: [Mode; 2] = [Mode::Evaluate, Mode::Train];

#[test]
fn inverse_undoes_forward_and_cancels_its_log_determinant() {
    let (mut errors, mut gaps) = (Worst::default(), Worst::default());
    for subject in subjects::all().into_iter().chain(subjects::autoencoders()) {
        for mode in MODES {
            let x = subject.inputs(3);

            let (forward, back) = no_grad(|| {
                let forward = subject.forward(&x, mode);
                let back = subject.inverse(&forward.output, mode);
                (forward, back)
            });

            let error = largest(&(back.output - &x));
            let gap = largest(&(&back.log_det + &forward.log_det)) / (1.0 + largest(&forward.log_det));
            assert!(error < 1e-10, "{}, {mode:?}: the input is {error:.1e} off", subject.name);
            assert!(gap < 1e-11, "{}, {mode:?}: the log-determinants are {gap:.1e} apart", subject.name);
            errors.see(&subject, error);
            gaps.see(&subject, gap);
        }
    }
    errors.print("inverse error");
    gaps.print("cancellation gap");
}

#[test]
fn forward_undoes_inverse_of_any_latents() {
    let mut errors = Worst::default();
    for subject in subjects::all() {
        let z = normal(&format!("latents of {}", subject.name), &[3, subject.dimensions()]);
        let x = no_grad(|| subject.inverse(&shaped(&subject, &z), Mode::Evaluate)).output;

        let again = no_grad(|| subject.forward(&x, Mode::Evaluate)).output.reshape([3, -1]);

        let error = largest(&(again - &z)) / (1.0 + largest(&x));
        assert!(error < 1e-10, "{}: the latents are {error:.1e} off", subject.name);
        errors.see(&subject, error);
    }
    errors.print("latent error");
}

/// Chains take flat latents; the logit layer alone keeps the image's shape.
fn shaped(subject: &Subject, z: &Tensor) -> Tensor {
    match subject.parameters() {
        Some(_) => z.shallow_clone(),
        None => z.reshape([3, 2, 3, 3]),
    }
}

#[test]
fn log_determinant_is_that_of_the_jacobian() {
    let mut errors = Worst::default();
    for subject in subjects::all() {
        let dimensions = subject.dimensions();
        assert!(dimensions <= 64, "{} has {dimensions} dimensions", subject.name);
        let every: Vec<i64> = (0..dimensions).collect();

        let error = jacobian_error(&subject, &every);

        assert!(error < 1e-11, "{}: the log-determinant is {error:.1e} off", subject.name);
        errors.see(&subject, error);
    }
    errors.print("Jacobian error");
}

/// The Jacobian of a coupling is block triangular with the identity as its other block, so the block of the changed values
/// alone has its determinant.
#[test]
fn log_determinants_of_large_couplings_are_those_of_the_changed_block() {
    let mut errors = Worst::default();
    let mut checked = 0;
    for subject in subjects::autoencoders() {
        let x = subject.inputs(1);
        let output = no_grad(|| subject.forward(&x, Mode::Evaluate)).output;
        let flat = (output - x.reshape([1, -1])).ne(0.0).get(0);
        let changed = Vec::<i64>::try_from(flat.nonzero().squeeze_dim(1)).unwrap();
        // Tiles do not see each other: one tile's block would do, but the mask is checked on whole images already.
        if changed.len() > 64 {
            continue;
        }

        let error = jacobian_error(&subject, &changed);

        assert!(error < 1e-11, "{}: the log-determinant is {error:.1e} off", subject.name);
        errors.see(&subject, error);
        checked += 1;
    }
    assert!(checked >= 9, "{checked} couplings change few enough values");
    errors.print("Jacobian error, large");
}

/// The relative error of the log-determinant against the determinant of the Jacobian's rows and columns `chosen`.
fn jacobian_error(subject: &Subject, chosen: &[i64]) -> f64 {
    let count = chosen.len() as i64;
    let chosen = Tensor::from_slice(chosen);
    // One copy of the example for each output: its gradient is that output's row of the Jacobian.
    let example = subject.inputs(1);
    let copies: Vec<Tensor> = (0..count).map(|_| example.shallow_clone()).collect();
    let copies = Tensor::cat(&copies, 0).set_requires_grad(true);

    let forward = subject.forward(&copies, Mode::Evaluate);
    let outputs = forward.output.reshape([count, -1]).index_select(1, &chosen);
    let diagonal = outputs.diagonal(0, 0, 1).sum(Kind::Double);
    let gradient = Tensor::run_backward(&[diagonal], &[&copies], false, false).remove(0);
    let jacobian = gradient.reshape([count, -1]).index_select(1, &chosen);

    let (sign, log_det) = Tensor::linalg_slogdet(&jacobian);
    assert!(sign.double_value(&[]) != 0.0, "{}: the Jacobian is singular", subject.name);
    let expected = log_det.double_value(&[]);
    (forward.log_det.double_value(&[0]) - expected).abs() / (1.0 + expected.abs())
}
