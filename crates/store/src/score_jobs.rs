//! Jobs that compute scores of what was evaluated: adding them to a sweep, and what workers need to run them.

use std::collections::{HashMap, hash_map::Entry};

use domain::{
    Digest, ExperimentId, JobId, SweepId,
    dispatch::LaneReady,
    job::{Dependency, JobKind, StateName},
    report::{CheckpointRef, Evaluated, Task},
    score_jobs::{Evaluation, Known, ScoreJob},
    spec::{Dataset, ExperimentSpec, ScoreName, parse_document},
    sweep::SweepSpec,
};
use sqlx::{query_file, query_file_as, query_file_scalar};

use crate::{
    ClaimedJob, Store, StoreError, Transaction, column,
    lane::{LaneRow, lanes},
    sweep::JobColumns,
    transition::each,
};

/// Between names in a column of scores; no name has it.
const SEPARATOR: &str = ",";

/// What jobs that compute scores need, as far as such jobs were asked about.
pub(crate) type ScoreTasks = HashMap<JobId, Task>;

/// A sweep to which jobs may be added.
#[derive(Debug)]
pub struct StoredTerms {
    /// Who submitted it; may be empty.
    pub submitted_by: String,
    /// Its document.
    pub spec: SweepSpec,
    /// Jobs that it has.
    pub jobs: u64,
}

/// What a sweep evaluates, and which scores it has already.
#[derive(Debug)]
pub struct Scored {
    /// Its evaluate jobs, in table order.
    pub evaluations: Vec<Evaluation>,
    /// The document of each variant.
    pub specs: HashMap<i64, ExperimentSpec>,
    /// From a variant to that of its background model.
    pub backgrounds: HashMap<i64, i64>,
    /// Scores that were measured, or have jobs.
    pub known: Known,
}

impl Store {
    /// Who submitted a sweep; nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stored_terms(&self, sweep: SweepId) -> Result<Option<StoredTerms>, StoreError> {
        let row = query_file!("queries/score/terms.sql", sweep.0).fetch_optional(&self.pool).await?;
        row.map(|row| {
            Ok(StoredTerms {
                submitted_by: row.submitted_by,
                spec: parse_document(&row.document, "sweep")?,
                jobs: column::count(row.jobs),
            })
        })
        .transpose()
    }

    /// What those of `jobs` need that compute scores.
    pub(crate) async fn score_tasks(&self, jobs: &[ClaimedJob]) -> Result<ScoreTasks, StoreError> {
        let of_scores = jobs.iter().filter(|job| job.lane.kind.may_wait_for_several());
        let kinds: HashMap<i64, JobKind> = of_scores.map(|job| (job.attempt.job.0, job.lane.kind)).collect();
        let mut tasks = ScoreTasks::new();
        if kinds.is_empty() {
            return Ok(tasks);
        }
        let ids: Vec<i64> = kinds.keys().copied().collect();
        for row in query_file!("queries/score/inputs.sql", &ids).fetch_all(&self.pool).await? {
            let one = Evaluated {
                seed: column::count(row.seed),
                reference: row.reference.as_deref().map(column::digest).transpose()?,
                inside: column::digest(&row.inside)?,
                outside: column::digest(&row.outside)?,
            };
            let runs_flow = kinds.get(&row.job_id) == Some(&JobKind::Probe);
            let trained = row.trained.as_deref().filter(|_| row.is_own && runs_flow);
            let trained = trained.map(|digest| {
                Ok::<_, StoreError>(CheckpointRef {
                    digest: column::digest(digest)?,
                    step: column::count(row.trained_step.unwrap_or_default()),
                })
            });
            let trained = trained.transpose()?;
            match tasks.entry(JobId(row.job_id)) {
                Entry::Vacant(place) => {
                    place.insert(Task::Score {
                        scores: names(&row.scores)?,
                        out: column::named("a job's dataset", &row.out_dataset)?,
                        evaluated: vec![one],
                        checkpoint: trained,
                    });
                }
                Entry::Occupied(mut place) => {
                    if let Task::Score { evaluated, .. } = place.get_mut() {
                        evaluated.push(one);
                    }
                }
            }
        }
        Ok(tasks)
    }
}

impl Transaction {
    /// Waits until nobody else adds jobs to the sweep, and keeps others waiting until this transaction ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_sweep(&mut self, sweep: SweepId) -> Result<(), StoreError> {
        query_file_scalar!("queries/sweep/lock.sql", sweep.0).fetch_optional(&mut *self.inner).await?;
        Ok(())
    }

    /// What a sweep evaluates, with the rows of its evaluate jobs locked: where they stand, they stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_evaluations(&mut self, sweep: SweepId) -> Result<Scored, StoreError> {
        let rows = query_file!("queries/score/evaluations.sql", sweep.0).fetch_all(&mut *self.inner).await?;
        let jobs: Vec<JobId> = rows.iter().map(|row| JobId(row.job_id)).collect();
        let states: HashMap<JobId, StateName> =
            self.lock_jobs(&jobs).await?.into_iter().map(|one| (one.job.id, one.job.state.name())).collect();
        let mut scored = Scored {
            evaluations: Vec::new(),
            specs: HashMap::new(),
            backgrounds: HashMap::new(),
            known: Known::default(),
        };
        for row in rows {
            let Some(state) = states.get(&JobId(row.job_id)) else { continue };
            let spec = match scored.specs.entry(row.variant_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(parse_document(&row.document, "spec")?),
            };
            let (experiment, out): (_, Dataset) =
                (ExperimentId(row.experiment_id), column::named("a job's dataset", &row.out_dataset)?);
            if !state.is_final() {
                // It will measure what its document says.
                let scores = spec.scores();
                scores.into_iter().for_each(|score| scored.known.add(experiment, row.variant_id, &out, score));
            }
            scored.evaluations.push(Evaluation {
                job: JobId(row.job_id),
                state: *state,
                experiment,
                variant: row.variant_id,
                seed: column::count(row.seed),
                out,
            });
        }
        let by_fingerprint: HashMap<Digest, i64> =
            scored.specs.iter().map(|(variant, spec)| (spec.fingerprint(), *variant)).collect();
        let background = |spec: &ExperimentSpec| by_fingerprint.get(&spec.background()?.fingerprint()).copied();
        scored.backgrounds =
            scored.specs.iter().filter_map(|(variant, spec)| Some((*variant, background(spec)?))).collect();
        self.read_known(sweep, &mut scored).await?;
        Ok(scored)
    }

    async fn read_known(&mut self, sweep: SweepId, scored: &mut Scored) -> Result<(), StoreError> {
        for row in query_file!("queries/score/planned.sql", sweep.0).fetch_all(&mut *self.inner).await? {
            let out: Dataset = column::named("a job's dataset", &row.out_dataset)?;
            for score in names(&row.scores)? {
                scored.known.add(ExperimentId(row.experiment_id), row.variant_id, &out, score);
            }
        }
        for row in query_file!("queries/score/measured.sql", sweep.0).fetch_all(&mut *self.inner).await? {
            let out: Dataset = column::named("a job's dataset", &row.out_dataset)?;
            // A name that this version does not know is asked for by nobody.
            if let Ok(score) = row.score.parse() {
                scored.known.add(ExperimentId(row.experiment_id), row.variant_id, &out, score);
            }
        }
        Ok(())
    }

    /// Adds jobs that compute scores. Those whose parents have all succeeded are ready, and their lanes are yielded; the others
    /// wait. The parents' rows must be locked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_score_jobs(
        &mut self,
        sweep: SweepId,
        spec: &SweepSpec,
        jobs: &[ScoreJob],
    ) -> Result<Vec<LaneReady>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let count = i32::try_from(jobs.len()).unwrap_or(i32::MAX);
        let ids = query_file_scalar!("queries/score/new_ids.sql", count).fetch_all(&mut *self.inner).await?;
        let row = JobColumns::of(&spec.execution);
        let first = |job: &ScoreJob| job.parents.first().map(|(parent, _)| parent.0);
        let further: Vec<(i64, i64)> = ids
            .iter()
            .zip(jobs)
            .flat_map(|(id, job)| job.parents.iter().skip(1).map(|(parent, _)| (*id, parent.0)))
            .collect();
        let ready = query_file_as!(
            LaneRow,
            "queries/score/insert.sql",
            sweep.0,
            &ids,
            &each(jobs, |job| job.experiment.0),
            &each(jobs, first) as &[Option<i64>],
            &each(jobs, |job| job.kind.as_str().to_owned()),
            &each(jobs, |job| initial_state(job).as_str().to_owned()),
            &each(jobs, |job| if job.kind.runs_flow() { row.device } else { "any" }.to_owned()),
            &each(jobs, |job| job.out.to_string()),
            &each(jobs, |job| joined(&job.scores)),
            row.priority,
            row.max_failures,
            row.max_infrastructure_failures,
            row.max_crashes,
            &each(&further, |(job, _)| *job),
            &each(&further, |(_, parent)| *parent),
        )
        .fetch_all(&mut *self.inner)
        .await?;
        lanes(ready)
    }
}

fn initial_state(job: &ScoreJob) -> StateName {
    match Dependency::of(job.parents.iter().map(|(_, state)| *state)) {
        Dependency::Met => StateName::Ready,
        Dependency::Pending | Dependency::Ended => StateName::Blocked,
    }
}

fn joined(scores: &[ScoreName]) -> String {
    scores.iter().map(ToString::to_string).collect::<Vec<_>>().join(SEPARATOR)
}

fn names(scores: &[String]) -> Result<Vec<ScoreName>, StoreError> {
    scores.iter().map(|score| column::named("a job's score", score)).collect()
}
