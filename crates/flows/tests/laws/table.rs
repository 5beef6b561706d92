//! The worst error of each kind of subject, for people who read a test's output.

use std::collections::BTreeMap;

use tch::Tensor;

use crate::subjects::Subject;

/// The largest value seen of each row.
#[derive(Default)]
pub struct Worst(BTreeMap<String, f64>);

impl Worst {
    pub fn see(&mut self, subject: &Subject, value: f64) {
        for kind in &subject.kinds {
            self.see_kind(kind, value);
        }
    }

    pub fn see_kind(&mut self, kind: &str, value: f64) {
        let row = self.0.entry(kind.to_owned()).or_insert(value);
        *row = row.max(value);
    }

    /// Prints one row for each kind.
    #[expect(clippy::print_stdout, reason = "the table is for people")]
    pub fn print(&self, what: &str) {
        for (kind, value) in &self.0 {
            println!("{what:<28} | {kind:<28} | {value:.1e}");
        }
    }
}

/// The largest absolute value of a tensor; NaN counts as infinite.
pub fn largest(tensor: &Tensor) -> f64 {
    let value = tensor.detach().abs().max().double_value(&[]);
    if value.is_nan() { f64::INFINITY } else { value }
}
