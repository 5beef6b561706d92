//! Per-example statistics: kept with the result that names them, given to the evaluations of the same flow, and listed.

use std::collections::HashMap;

use domain::{
    ExperimentId, JobId, SweepId,
    job::JobKind,
    report::{Attempt, Completion, StatisticsRef},
};
use sqlx::{query_file, query_file_as, query_file_scalar};

use crate::{ClaimedJob, Store, StoreError, Transaction, column, transition::each};

/// An artifact of statistics: the columns of the view `statistics`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct StatisticsRow {
    pub sweep: String,
    pub variant: String,
    pub seed: i64,
    pub experiment_id: i64,
    pub job_id: i64,
    pub dataset: String,
    pub split: String,
    pub images: i64,
    pub noise_draws: i32,
    /// Hexadecimal.
    pub digest: String,
    pub bytes: i64,
}

/// What training recorded for jobs that waited for it.
pub(crate) type Learned = HashMap<JobId, Vec<StatisticsRef>>;

impl Store {
    /// The statistics of a sweep, experiment by experiment in table order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statistics_of_sweep(&self, sweep: SweepId) -> Result<Vec<StatisticsRow>, StoreError> {
        let rows = query_file_as!(StatisticsRow, "queries/views/statistics_of_sweep.sql", sweep.0);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The statistics of an experiment; nothing when there is no such experiment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statistics_of_experiment(
        &self,
        experiment: ExperimentId,
    ) -> Result<Option<Vec<StatisticsRow>>, StoreError> {
        let rows = query_file_as!(StatisticsRow, "queries/views/statistics_of_experiment.sql", experiment.0);
        let statistics = rows.fetch_all(&self.pool).await?;
        let known = !statistics.is_empty()
            || query_file_scalar!("queries/experiment/exists.sql", experiment.0).fetch_one(&self.pool).await?;
        Ok(known.then_some(statistics))
    }

    /// What training recorded for those of `jobs` that evaluate.
    pub(crate) async fn learned(&self, jobs: &[ClaimedJob]) -> Result<Learned, StoreError> {
        let evaluations = jobs.iter().filter(|job| job.lane.kind == JobKind::Evaluate);
        let evaluations: Vec<i64> = evaluations.map(|job| job.attempt.job.0).collect();
        let mut learned = Learned::new();
        if evaluations.is_empty() {
            return Ok(learned);
        }
        for row in query_file!("queries/recorded_statistics/of_trained.sql", &evaluations).fetch_all(&self.pool).await?
        {
            let statistics = StatisticsRef {
                dataset: column::named("a dataset of statistics", &row.dataset)?,
                split: column::named("a split of statistics", &row.split)?,
                images: column::count(row.images),
                noise_draws: u32::try_from(row.noise_draws).unwrap_or(1),
                digest: column::digest(&row.digest)?,
            };
            learned.entry(JobId(row.job_id)).or_default().push(statistics);
        }
        Ok(learned)
    }
}

impl Transaction {
    /// Keeps the statistics of results that this transaction has just written.
    pub(crate) async fn insert_statistics(&mut self, results: &[(Attempt, &Completion)]) -> Result<(), StoreError> {
        let rows: Vec<(Attempt, &StatisticsRef)> = results
            .iter()
            .flat_map(|(attempt, completion)| recorded(completion).into_iter().map(|statistics| (*attempt, statistics)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        query_file!(
            "queries/recorded_statistics/insert.sql",
            &each(&rows, |(attempt, _)| attempt.job.0),
            &each(&rows, |(_, one)| one.dataset.to_string()),
            &each(&rows, |(_, one)| one.split.as_str().to_owned()),
            &each(&rows, |(_, one)| column::bigint(one.images)),
            &each(&rows, |(_, one)| column::integer(one.noise_draws)),
            &each(&rows, |(_, one)| one.digest.as_bytes().to_vec()),
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}

/// Every artifact of statistics that a result names.
fn recorded(completion: &Completion) -> Vec<&StatisticsRef> {
    match completion {
        Completion::Train { statistics, .. } => statistics.iter().collect(),
        Completion::Evaluate { statistics, learned, .. } => learned.iter().chain([statistics]).collect(),
        Completion::Inspect { .. } | Completion::Score { .. } => Vec::new(),
    }
}
