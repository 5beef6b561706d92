//! Which jobs compute which scores of what a sweep evaluates, and what each of them waits for.

use std::collections::{BTreeMap, HashMap, HashSet};

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
    /// Those of one evaluation, and of the evaluation of its background model under the same seed.
    Background,
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
    /// Its experiment's seed.
    pub seed: u64,
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
            Basis::Statistics | Basis::Background | Basis::Flow => {
                self.of_experiments.insert((experiment, out, score));
            }
            Basis::Seeds => {
                self.of_variants.insert((variant, out, score));
            }
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
            | ScoreName::ComplexityGmm => Self::Statistics,
            ScoreName::LikelihoodRatio => Self::Background,
            ScoreName::Waic => Self::Seeds,
            ScoreName::GradientNorm | ScoreName::ScoreTest | ScoreName::LocalDimension => Self::Flow,
        }
    }
}

impl Known {
    fn has(&self, evaluation: &Evaluation, score: ScoreName) -> bool {
        let Evaluation { experiment, variant, ref out, .. } = *evaluation;
        match Basis::of(score) {
            Basis::Statistics | Basis::Background | Basis::Flow => {
                self.of_experiments.contains(&(experiment, out.clone(), score))
            }
            Basis::Seeds => self.of_variants.contains(&(variant, out.clone(), score)),
        }
    }
}

/// The jobs that compute the `wanted` scores of `evaluations`, which stand in table order; nothing is planned twice, nor for an
/// evaluation that ended without success. A score over seeds is planned once for each variant and OOD dataset, under the first
/// experiment that it rests on, when there are [`MIN_MODELS`] of them. `backgrounds` leads from a variant to that of its background
/// model.
#[must_use]
pub fn plan(
    evaluations: &[Evaluation],
    known: &Known,
    backgrounds: &HashMap<i64, i64>,
    wanted: impl Fn(&Evaluation) -> Vec<ScoreName>,
) -> Vec<ScoreJob> {
    let usable: Vec<&Evaluation> = evaluations.iter().filter(|one| is_usable(one)).collect();
    let place_of = |one: &Evaluation| (one.variant, one.seed, one.out.clone());
    let by_place: HashMap<_, &Evaluation> = usable.iter().map(|one| (place_of(one), *one)).collect();
    let mut jobs = Vec::new();
    let mut over_seeds: BTreeMap<usize, (Vec<ScoreName>, Vec<&Evaluation>)> = BTreeMap::new();
    let mut first_of: BTreeMap<(i64, &Dataset), usize> = BTreeMap::new();
    for (place, evaluation) in usable.iter().copied().enumerate() {
        let mut missing: BTreeMap<Basis, Vec<ScoreName>> = BTreeMap::new();
        for score in wanted(evaluation).into_iter().filter(|score| !known.has(evaluation, *score)) {
            let scores = missing.entry(Basis::of(score)).or_default();
            if !scores.contains(&score) {
                scores.push(score);
            }
        }
        for (basis, scores) in missing {
            let (kind, parents) = match basis {
                Basis::Statistics => (JobKind::Score, vec![evaluation]),
                Basis::Flow => (JobKind::Probe, vec![evaluation]),
                Basis::Background => {
                    let variant = backgrounds.get(&evaluation.variant);
                    let key = |variant: &i64| (*variant, evaluation.seed, evaluation.out.clone());
                    let Some(background) = variant.and_then(|variant| by_place.get(&key(variant))) else { continue };
                    (JobKind::Score, vec![evaluation, background])
                }
                Basis::Seeds => {
                    let first = *first_of.entry((evaluation.variant, &evaluation.out)).or_insert(place);
                    let (all, models) = over_seeds.entry(first).or_default();
                    models.push(evaluation);
                    let more: Vec<ScoreName> = scores.into_iter().filter(|score| !all.contains(score)).collect();
                    all.extend(more);
                    continue;
                }
            };
            jobs.push(job(kind, scores, &parents));
        }
    }
    let enough = over_seeds.into_values().filter(|(_, models)| models.len() >= MIN_MODELS);
    jobs.extend(enough.map(|(scores, models)| job(JobKind::Score, scores, &models)));
    jobs
}

/// Whether an evaluation has, or may still have, what scores rest on.
fn is_usable(evaluation: &Evaluation) -> bool {
    !evaluation.state.is_final() || evaluation.state == StateName::Succeeded
}

/// A job under the experiment of the first of its parents.
fn job(kind: JobKind, scores: Vec<ScoreName>, parents: &[&Evaluation]) -> ScoreJob {
    let first = parents[0];
    let mut of_parents: Vec<_> = parents.iter().map(|one| (one.job, one.state)).collect();
    of_parents.sort_unstable_by_key(|(job, _)| *job);
    ScoreJob { kind, experiment: first.experiment, out: first.out.clone(), scores, parents: of_parents }
}

/// How many jobs of `kind` compute the `scores` of one experiment against one OOD dataset.
#[must_use]
pub fn jobs_of_experiment(kind: JobKind, scores: &[ScoreName]) -> usize {
    let some = |basis: Basis| usize::from(scores.iter().any(|score| Basis::of(*score) == basis));
    match kind {
        JobKind::Score => some(Basis::Statistics) + some(Basis::Background),
        JobKind::Probe => some(Basis::Flow),
        JobKind::Train | JobKind::Evaluate | JobKind::Inspect => 0,
    }
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
            seed: seed.unsigned_abs(),
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

        let jobs = plan(&evaluations(), &Known::default(), &HashMap::new(), |_| wanted.to_vec());

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
        let jobs = plan(&evaluations(), &Known::default(), &HashMap::new(), |_| vec![ScoreName::Waic]);

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
        let first = plan(&evaluations(), &Known::default(), &HashMap::new(), wanted);

        assert_eq!(plan(&evaluations(), &known(&first), &HashMap::new(), wanted), []);
        let more =
            plan(&evaluations(), &known(&first), &HashMap::new(), |_| vec![ScoreName::Dose, ScoreName::LatentNorm]);
        assert!(more.iter().all(|job| job.scores == [ScoreName::LatentNorm]), "{more:?}");
    }

    #[test]
    fn seeds_that_ended_without_success_are_left_out_and_one_is_too_few() {
        let mut some = evaluations();
        some.iter_mut().filter(|one| one.experiment.0 % 10 == 0).for_each(|one| one.state = StateName::Stopped);
        let mut one = some.clone();
        one.iter_mut().filter(|one| one.experiment.0 % 10 == 1).for_each(|one| one.state = StateName::Failed);

        let of_two = plan(&some, &Known::default(), &HashMap::new(), |_| vec![ScoreName::Waic, ScoreName::Dose]);
        let of_one = plan(&one, &Known::default(), &HashMap::new(), |_| vec![ScoreName::Waic]);

        let over_seeds: Vec<_> = of_two.iter().filter(|job| job.scores == [ScoreName::Waic]).collect();
        assert!(over_seeds.iter().all(|job| job.experiment.0 % 10 == 1 && job.parents.len() == 2), "{of_two:?}");
        assert_eq!((over_seeds.len(), of_two.len(), of_one), (4, 12, vec![]));
    }

    #[test]
    fn likelihood_ratio_waits_for_its_own_evaluation_and_the_background_s_of_the_same_seed() {
        let backgrounds = HashMap::from([(1, 2)]);
        let of_first = |one: &Evaluation| if one.variant == 1 { vec![ScoreName::LikelihoodRatio] } else { Vec::new() };
        let mut some = evaluations();
        some.iter_mut().filter(|one| one.experiment.0 == 22).for_each(|one| one.state = StateName::Failed);

        let jobs = plan(&some, &Known::default(), &backgrounds, of_first);

        let found: Vec<_> = jobs.iter().map(|job| (job.experiment.0, job.parents[0].0.0, job.parents[1].0.0)).collect();
        assert_eq!(found, [(10, 100, 106), (10, 101, 107), (11, 102, 108), (11, 103, 109)], "seed 2 has no background");
        assert_eq!(plan(&some, &known(&jobs), &backgrounds, of_first), []);
    }
}
