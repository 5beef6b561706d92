//! The experiment document: what users write, what Postgres stores as canonical JSON, and the one home of its types.

pub mod canonical;
pub mod data;
pub mod defaults;
pub mod divergence;
pub mod evaluation;
pub mod inspection;
pub mod model;
pub mod objective;
pub mod optimiser;
pub mod parse;
pub mod schedule;
pub mod score;
pub mod training;
pub mod validation;
pub mod violation;
pub mod workload;

use serde::{Deserialize, Serialize};

pub use architecture::{Architecture, InputShape, Order as MaskOrder};
pub use catalogue::{Dataset, DatasetError, DatasetName, DatasetSource};
pub use data::DataSpec;
pub use divergence::{DivergencePolicy, RestartSpec};
pub use evaluation::{BackgroundSpec, EvaluationSpec};
pub use inspection::{InspectionSpec, PartName};
pub use model::{
    ModelSpec,
    convolution::{ConvolutionSpec, HouseholderSpec},
    glow::GlowSpec,
    mask::{CentreSpec, CouplingMask, MaskScheme, MaskSpec, QuadrantPair, SubQuadrantSpec},
    parity::ParitySpec,
    realnvp::RealNvpSpec,
    scales::{SplitPriorSpec, SqueezeSpec},
    st_network::{
        AutoencoderSpec, ConvnetSpec, GlowConvnetSpec, HighwaySpec, MlpSpec, ResnetAutoencoderSpec, ResnetSpec,
        StNetworkSpec,
    },
    tabular::TabularSpec,
    transform::{SplineSpec, TransformSpec},
};
pub use objective::{NegativeSpec, ObjectiveSpec};
pub use optimiser::{AdamSpec, OptimiserSpec, RmsPropSpec};
pub use parse::parse_document;
pub use schedule::{FlowsOodAnnealSpec, ScheduleSpec, WarmUpCosineSpec};
pub use score::{Codec, ScoreChoice, ScoreName, Subject};
pub use training::{Decay, TrainingSpec};
pub use validation::ValidationSpec;
pub use violation::{Violation, Violations};
pub use workload::Workload;

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
    /// Whose numbers the flow gives (default corrected).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub parity: ParitySpec,
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
        if let Err(violations) = self.architecture(at) {
            found.extend(violations);
        }
        self.training.check(&format!("{at}.training"), &self.data.dataset, &mut found);
        if let Some(validation) = &self.training.validation {
            validation.check(&format!("{at}.training.validation"), self, &mut found);
        }
        self.evaluation.check(&format!("{at}.evaluation"), self, &mut found);
        if let Some(inspection) = &self.inspection {
            inspection.check(&format!("{at}.inspection"), &self.data.dataset, &self.evaluation, &mut found);
        }
        found.into_result()
    }

    /// The flow over the data that it learns; `at` is the path of this document.
    ///
    /// # Errors
    /// What does not fit, as for [`ModelSpec::architecture`].
    pub fn architecture(&self, at: &str) -> Result<Architecture, Violations> {
        self.model.architecture(at, self.data.dataset.shape(), self.parity.into())
    }

    /// The same experiment with every value that a default decides written out, so that equal experiments have equal documents.
    #[must_use]
    pub fn resolved(&self) -> Self {
        let training = self.training.resolved(&self.model, &self.data.dataset);
        let drawn = self.inspection.as_ref();
        let inspection = drawn.map(|inspection| inspection.resolved(&self.data.dataset, &self.evaluation));
        let scores = self.evaluation.scores(self.subject()).into_iter().map(ScoreChoice::One).collect();
        let evaluation = EvaluationSpec { scores: Some(scores), ..self.evaluation.clone() };
        Self { model: self.model.resolved(), training, evaluation, inspection, ..self.clone() }
    }

    /// The scores that an evaluation computes, in table order.
    #[must_use]
    pub fn scores(&self) -> Vec<ScoreName> {
        self.evaluation.scores(self.subject()).into_iter().filter(|score| !score.is_opt_in()).collect()
    }

    /// The scores that jobs of their own compute, in table order.
    #[must_use]
    pub fn opt_in_scores(&self) -> Vec<ScoreName> {
        self.evaluation.scores(self.subject()).into_iter().filter(|score| score.is_opt_in()).collect()
    }

    /// The scores that `choice` stands for with this experiment.
    ///
    /// # Errors
    /// Why they cannot be computed of it, and what to do about it.
    pub fn scores_of(&self, choice: ScoreChoice) -> Result<Vec<ScoreName>, String> {
        let subject = self.subject();
        choice.obstacle(subject).map_or_else(|| Ok(choice.names(subject)), Err)
    }

    /// What decides which scores can be computed.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            images: matches!(self.data.dataset.shape(), InputShape::Image { .. }),
            scales: self.model.scales(),
            examples: self.evaluation.images,
            dimensions: u32::try_from(self.data.dataset.shape().dimensions()).unwrap_or(u32::MAX),
            background: self.evaluation.background.is_some(),
        }
    }

    /// The background model of the likelihood ratio: this experiment on mutated images, evaluated for its likelihoods alone.
    #[must_use]
    pub fn background(&self) -> Option<Self> {
        let BackgroundSpec { mutation, weight_decay } = self.evaluation.background?;
        let training = &self.training;
        let training = TrainingSpec { weight_decay: weight_decay.unwrap_or(training.weight_decay), ..training.clone() };
        let scores = Some(vec![ScoreChoice::One(ScoreName::LogLikelihood)]);
        let evaluation = EvaluationSpec { scores, subsample: None, background: None, ..self.evaluation.clone() };
        let data = DataSpec { mutation: Some(mutation), ..self.data.clone() };
        Some(Self { data, training, evaluation, inspection: None, ..self.clone() }.resolved())
    }

    /// Examples of each side over which `score` runs the flow again.
    #[must_use]
    pub fn subsample_of(&self, score: ScoreName) -> u32 {
        let default = match score {
            ScoreName::LocalDimension => defaults::LOCAL_DIMENSION_SUBSAMPLE,
            _ => defaults::SUBSAMPLE,
        };
        let most = self.evaluation.images.unwrap_or(u32::MAX);
        self.evaluation.subsample.unwrap_or(default).min(most)
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
