//! What a worker needs to run the jobs that were claimed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    JobId,
    job::JobKind,
    report::{Assignment, Attempt, CheckpointRef, Task},
    spec::{Dataset, ExperimentSpec, parse_document},
};
use sqlx::query_file;

use crate::{ClaimedJob, Store, StoreError, column, score_jobs::ScoreTasks, statistics::Learned};

/// Checkpoints offered to an attempt that resumes: the newest, and some to fall back on.
const MAX_RESUME: i64 = 5;
/// Documents that are kept parsed; at the limit all are forgotten.
const MAX_DOCUMENTS: usize = 4096;

/// Documents of experiments, parsed once: they never change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    parsed: Arc<Mutex<HashMap<Vec<u8>, Arc<ExperimentSpec>>>>,
}

impl Documents {
    fn get(&self, fingerprint: &[u8]) -> Option<Arc<ExperimentSpec>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    fn keep(&self, fingerprint: Vec<u8>, document: &Arc<ExperimentSpec>) {
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= MAX_DOCUMENTS {
            parsed.clear();
        }
        parsed.insert(fingerprint, Arc::clone(document));
    }
}

/// Earlier checkpoints of jobs, newest first.
type Resumes = HashMap<JobId, Vec<CheckpointRef>>;

impl Store {
    /// What workers need to run `jobs`, in their order. A job whose stored document is not understood has a
    /// [`StoreError::Corrupt`] of its own.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed.
    pub async fn assignments(
        &self,
        jobs: &[ClaimedJob],
    ) -> Result<Vec<(Attempt, Result<Assignment, StoreError>)>, StoreError> {
        let mut unread = self.read_documents(jobs).await?;
        let resumes = self.resumes(jobs).await?;
        let learned = self.learned(jobs).await?;
        let inputs = self.score_tasks(jobs).await?;
        let mut assignments = Vec::with_capacity(jobs.len());
        for job in jobs {
            let spec = match self.documents.get(&job.fingerprint) {
                Some(spec) => Ok(spec),
                None => Err(unread
                    .remove(&job.fingerprint)
                    .unwrap_or_else(|| StoreError::corrupt("a job", "its document is not stored"))),
            };
            let assignment = spec.and_then(|spec| job.assignment(&spec, &resumes, &learned, &inputs));
            assignments.push((job.attempt, assignment));
        }
        Ok(assignments)
    }

    /// Reads the documents that are not known yet; yields what is wrong with those that nobody understands.
    async fn read_documents(&self, jobs: &[ClaimedJob]) -> Result<HashMap<Vec<u8>, StoreError>, StoreError> {
        let unknown = jobs.iter().map(|job| &job.fingerprint).filter(|known| self.documents.get(known).is_none());
        let mut unknown: Vec<Vec<u8>> = unknown.cloned().collect();
        unknown.sort_unstable();
        unknown.dedup();
        let mut unread = HashMap::new();
        if unknown.is_empty() {
            return Ok(unread);
        }
        for row in query_file!("queries/experiment_spec/find.sql", &unknown).fetch_all(&self.pool).await? {
            match parse_document(&row.document, "spec") {
                Ok(document) => self.documents.keep(row.fingerprint, &Arc::new(document)),
                Err(violations) => drop(unread.insert(row.fingerprint, violations.into())),
            }
        }
        Ok(unread)
    }

    /// Only a job that was claimed before has checkpoints to go on from.
    async fn resumes(&self, jobs: &[ClaimedJob]) -> Result<Resumes, StoreError> {
        let again = jobs.iter().filter(|job| job.lane.kind == JobKind::Train && job.attempt.epoch.0 > 0);
        let again: Vec<i64> = again.map(|job| job.attempt.job.0).collect();
        let mut resumes = Resumes::new();
        if again.is_empty() {
            return Ok(resumes);
        }
        for row in query_file!("queries/checkpoint/newest.sql", &again, MAX_RESUME).fetch_all(&self.pool).await? {
            let checkpoint = CheckpointRef { digest: column::digest(&row.digest)?, step: column::count(row.step) };
            resumes.entry(JobId(row.job_id)).or_default().push(checkpoint);
        }
        Ok(resumes)
    }
}

impl ClaimedJob {
    fn assignment(
        &self,
        spec: &ExperimentSpec,
        resumes: &Resumes,
        learned: &Learned,
        inputs: &ScoreTasks,
    ) -> Result<Assignment, StoreError> {
        let task = match self.lane.kind {
            JobKind::Train => Task::Train {
                resume: resumes.get(&self.attempt.job).cloned().unwrap_or_default(),
                checkpoint_secs: u32::try_from(self.checkpoint_secs).unwrap_or(1),
            },
            JobKind::Evaluate => Task::Evaluate {
                checkpoint: self.trained()?,
                out: self.out()?,
                learned: learned.get(&self.attempt.job).cloned().unwrap_or_default(),
            },
            JobKind::Inspect => Task::Inspect { checkpoint: self.trained()? },
            JobKind::Score | JobKind::Probe => {
                let missing = || {
                    StoreError::corrupt(
                        "a job",
                        "no statistics are stored of what it is to compute scores of: an older version evaluated it, so submit the experiment under a new sweep name",
                    )
                };
                inputs.get(&self.attempt.job).cloned().ok_or_else(missing)?
            }
        };
        Ok(Assignment {
            attempt: self.attempt,
            sweep: self.lane.sweep,
            experiment: self.experiment,
            spec: spec.clone(),
            seed: column::count(self.seed),
            task,
        })
    }

    /// The checkpoint of the train job that this one waited for.
    fn trained(&self) -> Result<CheckpointRef, StoreError> {
        let kind = self.lane.kind;
        let missing = || StoreError::corrupt("a job", format!("it is to {kind} and has no trained checkpoint"));
        Ok(CheckpointRef {
            digest: column::digest(self.trained.as_deref().ok_or_else(missing)?)?,
            step: column::count(self.trained_step.unwrap_or_default()),
        })
    }

    fn out(&self) -> Result<Dataset, StoreError> {
        let missing = || StoreError::corrupt("an evaluate job", "it has no dataset");
        column::named("a job's dataset", self.out_dataset.as_deref().ok_or_else(missing)?)
    }
}
