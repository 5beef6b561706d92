//! The experiment document: what users write, what Postgres stores as canonical JSON, and the one home of its types.

pub mod canonical;
pub mod data;
pub mod defaults;
pub mod evaluation;
pub mod inspection;
pub mod model;
pub mod parse;
pub mod training;
pub mod violation;

use serde::{Deserialize, Serialize};

pub use data::{DataSpec, DatasetName};
pub use evaluation::{EvaluationSpec, ScoreName};
pub use inspection::{InspectionSpec, PartName};
pub use model::{MaskScheme, ModelSpec, RealNvpSpec, ResnetSpec, StNetworkSpec};
pub use parse::parse_document;
pub use training::{AdamSpec, OptimiserSpec, RmsPropSpec, TrainingSpec};
pub use violation::{Violation, Violations};

use crate::Digest;

/// One experiment without its seed: the model, the data it learns, how it is trained and what it is evaluated against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// The flow.
    pub model: ModelSpec,
    /// The in-distribution data.
    pub data: DataSpec,
    /// The optimisation.
    pub training: TrainingSpec,
    /// The out-of-distribution datasets and scores.
    pub evaluation: EvaluationSpec,
    /// What is drawn of the trained flow; nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspection: Option<InspectionSpec>,
}

impl ExperimentSpec {
    /// Checks every field and what must hold between fields; `at` is the path of this document (`base`, say).
    ///
    /// # Errors
    /// Every violation found, each with its field path and what is allowed.
    pub fn validate(&self, at: &str) -> Result<(), Violations> {
        let mut found = Violations::default();
        self.data.check(&format!("{at}.data"), &mut found);
        self.model.check(&format!("{at}.model"), self.data.dataset.shape(), &mut found);
        self.training.check(&format!("{at}.training"), &mut found);
        self.evaluation.check(&format!("{at}.evaluation"), self.data.dataset, &mut found);
        if let Some(inspection) = &self.inspection {
            inspection.check(&format!("{at}.inspection"), self.data.dataset, &self.evaluation, &mut found);
        }
        found.into_result()
    }

    /// The same experiment with every value that a default decides written out, so that equal experiments have equal documents.
    #[must_use]
    pub fn resolved(&self) -> Self {
        let drawn = self.inspection.as_ref();
        let inspection = drawn.map(|inspection| inspection.resolved(self.data.dataset, &self.evaluation));
        Self { model: self.model.resolved(), training: self.training.resolved(), inspection, ..self.clone() }
    }

    /// The identity of this document: the SHA-256 of its resolved canonical JSON.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of(self.to_canonical_json().as_bytes())
    }

    /// The resolved document as canonical JSON: keys sorted, no white space.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        canonical::to_string(&self.resolved())
    }
}
