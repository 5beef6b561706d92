//! Which jobs compute which scores of what a sweep evaluates, and what each of them waits for.

use std::collections::{BTreeMap, HashSet};

use crate::{
    ExperimentId, JobId,
    job::{JobKind, StateName},
    spec::{Dataset, ScoreName},
};

/// Fewest models over which a score is computed that rests on several.
pub const MIN_MODELS: usize = 2;

/// What a score rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Basis {
    /// The stored statistics of one evaluation.
    Statistics,
    /// Those of all seeds of a variant: the score belongs to the variant.
    Seeds,
    /// The trained flow, which runs again over some examples.
    Flow,
}

/// An evaluate job of a sweep, on which scores can rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The job.
    pub job: JobId,
    /// Where it stands.
    pub state: StateName,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// Its experiment's variant, by any number that tells variants apart.
    pub variant: i64,
    /// Its OOD dataset.
    pub out: Dataset,
}

/// A job that computes scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreJob {
    /// [`JobKind::Score`] or [`JobKind::Probe`].
    pub kind: JobKind,
    /// The experiment under which its numbers stand.
    pub experiment: ExperimentId,
    /// The OOD dataset.
    pub out: Dataset,
    /// The scores.
    pub scores: Vec<ScoreName>,
    /// What it waits for, in the order of ids; never empty.
    pub parents: Vec<(JobId, StateName)>,
}

/// Scores that a sweep has already, or has jobs for.
#[derive(Debug, Default)]
pub struct Known {
    of_experiments: HashSet<(ExperimentId, Dataset, ScoreName)>,
    of_variants: HashSet<(i64, Dataset, ScoreName)>,
}

impl Known {
    /// Takes in a score of an experiment of `variant`.
    pub fn add(&mut self, experiment: ExperimentId, variant: i64, out: &Dataset, score: ScoreName) {
        let out = out.clone();
        match Basis::of(score) {
            Basis::Statistics | Basis::Flow => drop(self.of_experiments.insert((experiment, out, score))),
            Basis::Seeds => drop(self.of_variants.insert((variant, out, score))),
        }
    }
}

impl Basis {
    /// What `score` rests on.
    #[must_use]
    pub fn of(score: ScoreName) -> Self {
        match score {
            ScoreName::LogLikelihood
            | ScoreName::LatentDensity
            | ScoreName::LogDeterminant
            | ScoreName::LatentNorm
            | ScoreName::Typicality { .. }
            | ScoreName::Complexity(_)
            | ScoreName::Scale(_)
            | ScoreName::Dose
            | ScoreName::LatentKs { .. }
            | ScoreName::ComplexityGmm
            | ScoreName::LikelihoodRatio => Self::Statistics,
            ScoreName::Waic => Self::Seeds,
            ScoreName::GradientNorm | ScoreName::ScoreTest | ScoreName::LocalDimension => Self::Flow,
        }
    }
}

/// The jobs that compute the `wanted` scores of `evaluations`, which stand in table order; nothing is planned twice, nor for an
/// evaluation that ended without success. A score over seeds is planned once for each variant and OOD dataset, under the first
/// experiment that it rests on, when there are [`MIN_MODELS`] of them.
#[must_use]
pub fn plan(
    evaluations: &[Evaluation],
    known: &Known,
    wanted: impl Fn(&Evaluation) -> Vec<ScoreName>,
) -> Vec<ScoreJob> {
    let mut jobs = Vec::new();
    let mut over_seeds: BTreeMap<usize, (Vec<ScoreName>, Vec<&Evaluation>)> = BTreeMap::new();
    let mut first_of: BTreeMap<(i64, Dataset), usize> = BTreeMap::new();
    let usable = |one: &&Evaluation| !one.state.is_final() || one.state == StateName::Succeeded;
    for (place, evaluation) in evaluations.iter().filter(usable).enumerate() {
        let Evaluation { experiment, variant, ref out, .. } = *evaluation;
        let (mut of_statistics, mut of_flow, mut of_seeds) = (Vec::new(), Vec::new(), Vec::new());
        for score in wanted(evaluation) {
            let known = match Basis::of(score) {
                Basis::Statistics | Basis::Flow => known.of_experiments.contains(&(experiment, out.clone(), score)),
                Basis::Seeds => known.of_variants.contains(&(variant, out.clone(), score)),
            };
            let scores = match Basis::of(score) {
                Basis::Statistics => &mut of_statistics,
                Basis::Flow => &mut of_flow,
                Basis::Seeds => &mut of_seeds,
            };
            if !known && !scores.contains(&score) {
                scores.push(score);
            }
        }
        for (kind, scores) in [(JobKind::Score, of_statistics), (JobKind::Probe, of_flow)] {
            if !scores.is_empty() {
                let parents = vec![(evaluation.job, evaluation.state)];
                jobs.push(ScoreJob { kind, experiment, out: out.clone(), scores, parents });
            }
        }
        if !of_seeds.is_empty() {
            let first = *first_of.entry((variant, out.clone())).or_insert(place);
            let (scores, models) = over_seeds.entry(first).or_default();
            models.push(evaluation);
            scores.extend(of_seeds.into_iter().filter(|score| !scores.contains(score)).collect::<Vec<_>>());
        }
    }
    for (scores, models) in over_seeds.into_values().filter(|(_, models)| models.len() >= MIN_MODELS) {
        let mut parents: Vec<_> = models.iter().map(|one| (one.job, one.state)).collect();
        parents.sort_unstable_by_key(|(job, _)| *job);
        let first = models[0];
        let (experiment, out) = (first.experiment, first.out.clone());
        jobs.push(ScoreJob { kind: JobKind::Score, experiment, out, scores, parents });
    }
    jobs
}

/// How many jobs of `kind` compute the `scores` of one experiment against one OOD dataset.
#[must_use]
pub fn jobs_of_experiment(kind: JobKind, scores: &[ScoreName]) -> usize {
    let basis = match kind {
        JobKind::Score => Basis::Statistics,
        JobKind::Probe => Basis::Flow,
        JobKind::Train | JobKind::Evaluate | JobKind::Inspect => return 0,
    };
    usize::from(scores.iter().any(|score| Basis::of(*score) == basis))
}

/// How many jobs of `kind` compute the `scores` of one variant, over its seeds, against one OOD dataset.
#[must_use]
pub fn jobs_of_variant(kind: JobKind, scores: &[ScoreName]) -> usize {
    usize::from(kind == JobKind::Score && scores.iter().any(|score| Basis::of(*score) == Basis::Seeds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::DatasetName;

    fn evaluation(job: i64, variant: i64, seed: i64, out: DatasetName) -> Evaluation {
        Evaluation {
            job: JobId(job),
            state: StateName::Succeeded,
            experiment: ExperimentId(10 * variant + seed),
            variant,
            out: out.into(),
        }
    }

    /// Two variants of three seeds, each against two datasets.
    fn evaluations() -> Vec<Evaluation> {
        let mut found = Vec::new();
        for variant in [1, 2] {
            for seed in 0..3 {
                for out in [DatasetName::Mnist, DatasetName::UniformNoise] {
                    found.push(evaluation(found.len() as i64 + 100, variant, seed, out));
                }
            }
        }
        found
    }

    fn known(jobs: &[ScoreJob]) -> Known {
        let mut known = Known::default();
        for job in jobs {
            for score in &job.scores {
                known.add(job.experiment, job.experiment.0 / 10, &job.out, *score);
            }
        }
        known
    }

    #[test]
    fn each_evaluation_has_one_job_for_its_statistics_and_one_for_its_flow() {
        let wanted = [ScoreName::Dose, ScoreName::GradientNorm, ScoreName::LatentNorm, ScoreName::Dose];

        let jobs = plan(&evaluations(), &Known::default(), |_| wanted.to_vec());

        assert_eq!(jobs.len(), 24);
        for job in &jobs {
            let expected = match job.kind {
                JobKind::Score => vec![ScoreName::Dose, ScoreName::LatentNorm],
                _ => vec![ScoreName::GradientNorm],
            };
            assert_eq!((&job.scores, job.parents.len()), (&expected, 1), "{job:?}");
        }
    }

    #[test]
    fn score_over_seeds_has_one_job_for_each_variant_and_dataset_that_waits_for_every_seed() {
        let jobs = plan(&evaluations(), &Known::default(), |_| vec![ScoreName::Waic]);

        let found: Vec<_> =
            jobs.iter().map(|job| (job.experiment.0, job.out.name().unwrap(), job.parents.len())).collect();
        let (mnist, noise) = (DatasetName::Mnist, DatasetName::UniformNoise);
        assert_eq!(found, [(10, mnist, 3), (10, noise, 3), (20, mnist, 3), (20, noise, 3)]);
        let parents: Vec<_> = jobs[0].parents.iter().map(|(job, _)| job.0).collect();
        assert_eq!(parents, [100, 102, 104]);
    }

    #[test]
    fn what_is_known_is_not_planned_again() {
        let wanted = |_: &Evaluation| vec![ScoreName::Dose, ScoreName::Waic, ScoreName::ScoreTest];
        let first = plan(&evaluations(), &Known::default(), wanted);

        assert_eq!(plan(&evaluations(), &known(&first), wanted), []);
        let more = plan(&evaluations(), &known(&first), |_| vec![ScoreName::Dose, ScoreName::LatentNorm]);
        assert!(more.iter().all(|job| job.scores == [ScoreName::LatentNorm]), "{more:?}");
    }

    #[test]
    fn seeds_that_ended_without_success_are_left_out_and_one_is_too_few() {
        let mut some = evaluations();
        some.iter_mut().filter(|one| one.experiment.0 % 10 == 0).for_each(|one| one.state = StateName::Stopped);
        let mut one = some.clone();
        one.iter_mut().filter(|one| one.experiment.0 % 10 == 1).for_each(|one| one.state = StateName::Failed);

        let of_two = plan(&some, &Known::default(), |_| vec![ScoreName::Waic, ScoreName::Dose]);
        let of_one = plan(&one, &Known::default(), |_| vec![ScoreName::Waic]);

        let over_seeds: Vec<_> = of_two.iter().filter(|job| job.scores == [ScoreName::Waic]).collect();
        assert!(over_seeds.iter().all(|job| job.experiment.0 % 10 == 1 && job.parents.len() == 2), "{of_two:?}");
        assert_eq!((over_seeds.len(), of_two.len(), of_one), (4, 12, vec![]));
    }
}
