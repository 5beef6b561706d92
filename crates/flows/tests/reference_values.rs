//! The reference's numbers in double precision, to the printed digits (models.md 8.1 and 8.2).
//!
//! G4, the parameter counts, are in the architecture crate; G7 and G8, which need no flow, beside the AUROC and the
//! objectives.

mod deterministic;
#[path = "reference_values/exact.rs"]
mod exact;
mod models;
#[path = "reference_values/parity.rs"]
mod parity;
#[path = "reference_values/rows.rs"]
mod rows;
#[path = "reference_values/traces.rs"]
mod traces;

use architecture::Architecture;
use flows::Flow;
use tch::{Device, Kind, Tensor};

fn filled_flow(architecture: &Architecture) -> Flow {
    let flow = Flow::build(architecture, 0, Kind::Double, Device::Cpu).expect("the reference builds it");
    deterministic::fill(&flow);
    flow
}

/// Half a unit in the eighth printed decimal, and a little for the order of summation.
#[track_caller]
fn assert_printed(what: &str, found: f64, printed: f64) {
    assert_within(what, found, printed, 5.1e-9 + 1e-12 * printed.abs());
}

#[track_caller]
fn assert_within(what: &str, found: f64, printed: f64, tolerance: f64) {
    assert!((found - printed).abs() <= tolerance, "{what}: found {found:.12}, the reference prints {printed}");
}

fn number(tensor: &Tensor) -> f64 {
    tensor.to_kind(Kind::Double).double_value(&[])
}

fn sum(tensor: &Tensor) -> f64 {
    number(&tensor.sum(Kind::Double))
}
