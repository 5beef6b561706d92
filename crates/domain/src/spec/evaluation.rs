//! What a trained flow is evaluated against.

use serde::{Deserialize, Serialize};

use super::{
    Dataset, ExperimentSpec, InputShape, ScoreChoice, ScoreName, Violations, data::check_mutation, defaults,
    score::Subject,
};

/// Most dequantisation draws per image.
const MAX_NOISE_DRAWS: u32 = 1000;
/// Subsamples allowed: a score is fitted to as many in-distribution examples, in two halves.
const SUBSAMPLE: std::ops::RangeInclusive<u32> = 8..=1_000_000;
/// Most scores that a document may list.
const MAX_SCORES: usize = 256;

/// The out-of-distribution side of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSpec {
    /// Out-of-distribution datasets; each becomes one evaluate job, over its test split.
    pub out: Vec<Dataset>,
    /// Evaluate the first so many examples (images or vectors) of each test split only; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u32>,
    /// Dequantisation draws per image, over which statistics are means (default 1).
    #[serde(default = "defaults::noise_draws", skip_serializing_if = "defaults::is_one")]
    pub noise_draws: u32,
    /// Examples of each side over which opt-in scores run the flow again; when absent, as many as the score can afford.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsample: Option<u32>,
    /// The background model of the likelihood ratio: the same experiment on mutated images, trained as a part of the sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<BackgroundSpec>,
    /// Scores to compute; when absent, all that need no job of their own and fit the experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Vec<ScoreChoice>>,
}

/// How the background model differs from the experiment's own (Ren et al. 2019, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundSpec {
    /// The probability with which each value of an image is replaced by a uniform one; the paper searches 0.1 to 0.3.
    pub mutation: f64,
    /// Its weight decay; the experiment's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
}

impl EvaluationSpec {
    /// The scores that are computed of `subject`: those asked for, or else of the default ones all that can be.
    pub(super) fn scores(&self, subject: Subject) -> Vec<ScoreName> {
        let names = |choice: &ScoreChoice| choice.names(subject);
        match &self.scores {
            Some(choices) => choices.iter().flat_map(names).collect(),
            None => {
                let fits = |name: &ScoreName| name.obstacle(subject).is_none();
                defaults::scores().iter().flat_map(names).filter(fits).collect()
            }
        }
    }

    pub(super) fn check(&self, at: &str, spec: &ExperimentSpec, found: &mut Violations) {
        let within = &spec.data.dataset;
        if self.out.is_empty() {
            found.add(format!("{at}.out"), "empty: name at least one out-of-distribution dataset");
        }
        for (index, dataset) in self.out.iter().enumerate() {
            let field = format!("{at}.out[{index}]");
            if dataset == within {
                found.add(&field, format!("`{dataset}` is the in-distribution dataset itself"));
            }
            if self.out[..index].contains(dataset) {
                found.add(&field, format!("`{dataset}` stands twice"));
            }
            if dataset.shape() != within.shape() {
                let (out, learned) = (dataset.shape(), within.shape());
                found.add(&field, format!("`{dataset}` has {out}, and `{within}`, which is learned, {learned}"));
            }
        }
        if let Some(images) = self.images {
            found.check_range(&format!("{at}.images"), images, 2..=100_000_000);
        }
        found.check_range(&format!("{at}.noise_draws"), self.noise_draws, 1..=MAX_NOISE_DRAWS);
        if self.noise_draws > 1 && matches!(within.shape(), InputShape::Vector { .. }) {
            let message = format!("{} draws: vectors have no noise: leave it out", self.noise_draws);
            found.add(format!("{at}.noise_draws"), message);
        }
        if let Some(subsample) = self.subsample {
            found.check_range(&format!("{at}.subsample"), subsample, SUBSAMPLE);
        }
        if let Some(background) = &self.background {
            self.check_background(background, at, spec, found);
        }
        self.check_scores(at, spec.subject(), found);
    }

    fn check_background(&self, background: &BackgroundSpec, at: &str, spec: &ExperimentSpec, found: &mut Violations) {
        let field = format!("{at}.background");
        check_mutation(background.mutation, &spec.data.dataset, &format!("{field}.mutation"), found);
        if let Some(decay) = background.weight_decay {
            found.check_range(&format!("{field}.weight_decay"), decay, 0.0..=1.0);
        }
        if !self.scores(spec.subject()).contains(&ScoreName::LikelihoodRatio) {
            let message = "a model that no score uses: name `likelihood-ratio` in evaluation.scores, or leave it out";
            found.add(&field, message);
        }
        if spec.data.mutation.is_some() {
            found.add(&field, "data.mutation makes this experiment a background model itself: leave one of them out");
        }
    }

    fn check_scores(&self, at: &str, subject: Subject, found: &mut Violations) {
        let Some(choices) = &self.scores else { return };
        if choices.is_empty() {
            let message = "empty: name at least one score, or leave the list out for the default ones";
            found.add(format!("{at}.scores"), message);
        }
        if choices.len() > MAX_SCORES {
            found.add(format!("{at}.scores"), format!("{} scores: at most {MAX_SCORES} allowed", choices.len()));
            return;
        }
        let mut earlier = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let field = format!("{at}.scores[{index}]");
            if let Some(obstacle) = choice.obstacle(subject) {
                found.add(&field, obstacle);
            }
            for name in choice.names(subject) {
                if earlier.contains(&name) {
                    found.add(&field, format!("`{name}` stands twice"));
                }
                earlier.push(name);
            }
        }
    }
}
