//! How a flow is judged while it trains.

use serde::{Deserialize, Serialize};

use super::{Dataset, ExperimentSpec, ObjectiveSpec, Violations};

/// Examples of the train split that are held out, and when the flow is judged on them. Test data is never touched.
///
/// The last `examples` of those that training would take otherwise (of the first `data.train_images`, or of the whole
/// train split) are held out. They pass the flow in evaluation mode under noise of their own, so that training goes on in
/// the same bits whenever it is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationSpec {
    /// The flow is judged at the multiples of so many steps.
    pub every_steps: u32,
    /// Examples that are held out.
    pub examples: u32,
    /// Measure the AUROC against the first `examples` examples of this dataset's train split too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<Dataset>,
}

impl ValidationSpec {
    pub(super) fn check(&self, at: &str, spec: &ExperimentSpec, found: &mut Violations) {
        found.check_range(&format!("{at}.every_steps"), self.every_steps, 1..=1_000_000_000);
        found.check_range(&format!("{at}.examples"), self.examples, 2..=1_000_000);
        if let Some(all) = spec.data.train_examples()
            && u64::from(self.examples) >= all
        {
            let message = format!("{} held out of {all} examples leave none to learn from", self.examples);
            found.add(format!("{at}.examples"), message);
        }
        let Some(out) = &self.out else { return };
        let (field, within) = (format!("{at}.out"), &spec.data.dataset);
        if out == within {
            found.add(&field, format!("`{out}` is the in-distribution dataset itself"));
        }
        if out.shape() != within.shape() {
            let (shape, learned) = (out.shape(), within.shape());
            found.add(&field, format!("`{out}` has {shape}, and `{within}`, which is learned, {learned}"));
        }
        if !out.has_train_split() {
            found.add(&field, format!("`{out}` has a test split only, which validation never touches"));
        }
        if let ObjectiveSpec::Negative(negative) = &spec.training.objective
            && negative.out == *out
        {
            found.add(&field, format!("training makes `{out}` unlikely, so that its AUROC would tell little"));
        }
    }
}
