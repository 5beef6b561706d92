//! Act norm's first batch, and the mark that it was seen.

use flows::architecture::LayerKind;
use flows::{Bijection, Flow, Mode};
use tch::{Kind, Tensor, no_grad};

use crate::subjects::{fresh_flow, normal, single};
use crate::table::largest;

const INPUT: [i64; 3] = [3, 4, 5];

fn act_norm() -> Flow {
    fresh_flow(&single(LayerKind::ActNorm, &INPUT))
}

/// Images whose channels have means and deviations of their own.
fn batch(name: &str) -> Tensor {
    let deviations = Tensor::from_slice(&[0.1, 2.0, 30.0]).view([1, 3, 1, 1]);
    normal(name, &[7, 3, 4, 5]) * &deviations + &deviations * 5.0
}

fn output(flow: &Flow, x: &Tensor, mode: Mode) -> Tensor {
    no_grad(|| flow.chain().forward(x, mode)).output.reshape([-1, 3, 4, 5])
}

fn state(flow: &Flow) -> Vec<(String, Tensor)> {
    flow.parameters().state().into_iter().map(|(name, tensor)| (name, tensor.copy())).collect()
}

/// How far channels are from mean 0 and deviation 1.
fn distance_from_normalised(output: &Tensor) -> f64 {
    let over = [0_i64, 2, 3];
    let mean = output.mean_dim(over.as_slice(), false, Kind::Double);
    let variance = output.square().mean_dim(over.as_slice(), false, Kind::Double) - mean.square();
    largest(&mean).max(largest(&(variance.sqrt() - 1.0)))
}

#[test]
fn the_first_batch_in_training_comes_out_normalised_and_later_ones_change_nothing() {
    let flow = act_norm();
    let (first, second) = (batch("first"), batch("second") * 3.0);

    let normalised = output(&flow, &first, Mode::Train);

    // 1e-6 is added to the deviation, the smallest of which is 0.1.
    let error = distance_from_normalised(&normalised);
    assert!(error < 2e-5, "{error:.1e} from mean 0 and deviation 1");
    let before = state(&flow);
    assert!(distance_from_normalised(&output(&flow, &second, Mode::Train)) > 1.0);
    assert_eq!(before, state(&flow));
    assert_eq!(normalised, output(&flow, &first, Mode::Evaluate));
}

#[test]
fn evaluation_takes_no_first_batch() {
    let flow = act_norm();
    let x = batch("first");

    assert_eq!(output(&flow, &x, Mode::Evaluate), x);

    assert!(distance_from_normalised(&output(&flow, &x, Mode::Train)) < 2e-5);
}

#[test]
fn the_mark_of_a_first_batch_is_saved_and_loaded() {
    let (flow, other) = (act_norm(), act_norm());
    let _ = output(&flow, &batch("first"), Mode::Train);

    other.parameters().load(&state(&flow)).unwrap();

    let second = batch("second") * 3.0;
    assert_eq!(output(&other, &second, Mode::Train), output(&flow, &second, Mode::Train));
    assert_eq!(state(&other), state(&flow), "a loaded act norm has had its first batch");
}

#[test]
fn loading_a_state_from_before_the_first_batch_waits_for_one_again() {
    let flow = act_norm();
    let waiting = state(&flow);
    let (first, second) = (batch("first"), batch("second") * 3.0);
    let _ = output(&flow, &first, Mode::Train);
    // The second call reads the mark and remembers it.
    let _ = output(&flow, &first, Mode::Train);

    flow.parameters().load(&waiting).unwrap();

    assert_eq!(output(&flow, &second, Mode::Evaluate), second);
    assert!(distance_from_normalised(&output(&flow, &second, Mode::Train)) < 2e-5);
}
