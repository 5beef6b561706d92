//! Computing more scores of what a sweep evaluates: jobs that are added to a stored sweep.

use std::collections::{HashMap, HashSet};

use domain::{
    SweepId,
    job::Dependency,
    score_jobs::{self, Basis, Evaluation, MIN_MODELS, ScoreJob},
    spec::{ScoreChoice, ScoreName, Violations},
    sweep::{Expanded, MAX_JOBS, SweepSpec},
};
use store::{Scored, Transaction};
use tracing::info;

use super::{Lifecycle, LifecycleError};

/// What was added to a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rescored {
    /// Jobs.
    pub added: usize,
    /// Those of them that wait for evaluations.
    pub blocked: usize,
}

impl Lifecycle {
    /// Adds jobs that compute `scores` of everything that the sweep evaluates, but for scores that it has or has jobs for. The same
    /// call again adds nothing.
    ///
    /// # Errors
    /// [`LifecycleError::NoSuchSweep`]; [`LifecycleError::Invalid`] for scores that nothing of the sweep has; as for
    /// [`Lifecycle::submit`] [`LifecycleError::Crowded`] and [`LifecycleError::OverQuota`].
    pub async fn rescore(&self, sweep: SweepId, scores: &[ScoreChoice]) -> Result<Rescored, LifecycleError> {
        let _turn = self.turnstile.enter(self.telemetry.edge()).await?;
        let terms = self.store.stored_terms(sweep).await?;
        let terms = terms.ok_or_else(|| LifecycleError::NoSuchSweep(sweep.to_string()))?;
        let mut transaction = self.store.begin().await?;
        // The lock of the user's quota, the sweep's, then those of jobs: as everywhere.
        let open_jobs = match self.limits.open_jobs_per_user {
            Some(most) => Some((transaction.lock_open_jobs(&terms.submitted_by).await?, most)),
            None => None,
        };
        transaction.lock_sweep(sweep).await?;
        let scored = transaction.lock_evaluations(sweep).await?;
        check_scores(scores, &scored)?;
        let jobs = score_jobs::plan(&scored.evaluations, &scored.known, &scored.backgrounds, |one| {
            wanted_of(one, &scored, scores)
        });
        check_size(terms.jobs, &jobs)?;
        if let Some((open_jobs, most)) = open_jobs {
            self.require_room(&terms.submitted_by, open_jobs, jobs.len() as u64, most)?;
        }
        let ready = transaction.add_score_jobs(sweep, &terms.spec, &jobs).await?;
        if !jobs.is_empty() {
            let names: Vec<String> = scores.iter().map(ToString::to_string).collect();
            transaction.add_sweep_event(sweep, "rescored", &names.join(", ")).await?;
        }
        transaction.commit().await?;
        let rescored = Rescored { added: jobs.len(), blocked: jobs.iter().filter(|job| is_blocked(job)).count() };
        info!(sweep_id = %sweep, jobs = rescored.added, "jobs that compute scores were added");
        self.desk.open(&ready);
        self.wakeups.announce_ready(ready.iter().map(|lane| lane.lane.sweep));
        self.wakeups.announce_change();
        Ok(rescored)
    }
}

fn is_blocked(job: &ScoreJob) -> bool {
    Dependency::of(job.parents.iter().map(|(_, state)| *state)) != Dependency::Met
}

/// Adds the jobs of the scores that a sweep's own documents ask for, to a sweep that is being stored.
pub(super) async fn add_opt_in_scores(
    transaction: &mut Transaction,
    sweep: SweepId,
    spec: &SweepSpec,
    expanded: &Expanded,
) -> Result<(), LifecycleError> {
    if expanded.variants.iter().all(|variant| variant.spec.opt_in_scores().is_empty()) {
        return Ok(());
    }
    let scored = transaction.lock_evaluations(sweep).await?;
    let of_variants: HashMap<i64, Vec<ScoreName>> =
        scored.specs.iter().map(|(variant, spec)| (*variant, spec.opt_in_scores())).collect();
    let wanted = |one: &Evaluation| of_variants.get(&one.variant).cloned().unwrap_or_default();
    let jobs = score_jobs::plan(&scored.evaluations, &scored.known, &scored.backgrounds, wanted);
    transaction.add_score_jobs(sweep, spec, &jobs).await?;
    Ok(())
}

/// Those of the scores asked for that can be computed of an evaluation.
fn wanted_of(evaluation: &Evaluation, scored: &Scored, scores: &[ScoreChoice]) -> Vec<ScoreName> {
    let Some(spec) = scored.specs.get(&evaluation.variant) else { return Vec::new() };
    scores.iter().flat_map(|choice| spec.scores_of(*choice).unwrap_or_default()).collect()
}

/// Refuses scores that no experiment of the sweep can have, and says why.
fn check_scores(scores: &[ScoreChoice], scored: &Scored) -> Result<(), Violations> {
    let mut found = Violations::default();
    for (place, choice) in scores.iter().enumerate() {
        let field = format!("scores[{place}]");
        if scores[..place].contains(choice) {
            found.add(&field, format!("`{choice}` stands twice"));
        }
        let mut answers = scored.specs.values().map(|spec| spec.scores_of(*choice));
        if let Some(Err(obstacle)) = answers.next()
            && answers.all(|other| other.is_err())
        {
            found.add(&field, obstacle);
        }
        if let ScoreChoice::One(score) = choice
            && Basis::of(*score) == Basis::Seeds
            && !has_several_seeds(scored)
        {
            let needed = format!("`{score}` compares the models of {MIN_MODELS} seeds at least");
            found.add(&field, format!("{needed}, and no variant of this sweep has so many that did not fail"));
        }
    }
    found.into_result()
}

fn has_several_seeds(scored: &Scored) -> bool {
    let mut seeds: HashMap<i64, HashSet<i64>> = HashMap::new();
    for one in scored.evaluations.iter().filter(|one| Dependency::of([one.state]) != Dependency::Ended) {
        seeds.entry(one.variant).or_default().insert(one.experiment.0);
    }
    seeds.values().any(|seeds| seeds.len() >= MIN_MODELS)
}

/// A sweep never grows beyond what could have been submitted.
fn check_size(jobs: u64, added: &[ScoreJob]) -> Result<(), Violations> {
    let in_all = jobs + added.len() as u64;
    if in_all <= MAX_JOBS as u64 {
        return Ok(());
    }
    let message =
        format!("{} more jobs would make {in_all} jobs of the sweep: at most {MAX_JOBS} allowed", added.len());
    Err(Violations::one("scores", message))
}
