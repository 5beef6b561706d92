//! Results: what an attempt that succeeded leaves, saved with the job's transition.

use domain::{
    Digest,
    job::OutcomeKind,
    report::{Attempt, CheckpointRef, Completion, Measurement, Provenance},
};
use sqlx::query_file;

use crate::{Store, StoreError, Transaction, column};

/// How an attempt ended before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorOutcome {
    /// The ending.
    pub kind: OutcomeKind,
    /// What happened, for people.
    pub detail: String,
    /// SHA-256 of its result.
    pub result_digest: Option<Digest>,
}

/// What a row of `result` names: one of the three.
#[derive(Default)]
struct Artifacts {
    checkpoint: Option<Digest>,
    statistics: Option<Digest>,
    figures: Option<usize>,
}

impl Transaction {
    /// Keeps the result of `attempt`, whose success this transaction has just applied.
    ///
    /// # Errors
    /// [`StoreError::UnknownArtifact`].
    pub async fn add_result(&mut self, attempt: Attempt, completion: &Completion) -> Result<(), StoreError> {
        match completion {
            Completion::Train { checkpoint, provenance } => {
                let CheckpointRef { digest, .. } = checkpoint;
                self.add_final_checkpoint(attempt, *checkpoint).await?;
                let artifacts = Artifacts { checkpoint: Some(*digest), ..Artifacts::default() };
                self.insert_result(attempt, &artifacts, provenance).await
            }
            Completion::Evaluate { measurements, statistics, provenance } => {
                let artifacts = Artifacts { statistics: Some(*statistics), ..Artifacts::default() };
                self.insert_result(attempt, &artifacts, provenance).await?;
                self.insert_measurements(attempt, measurements).await
            }
            Completion::Inspect { figures, provenance } => {
                let artifacts = Artifacts { figures: Some(figures.len()), ..Artifacts::default() };
                self.insert_result(attempt, &artifacts, provenance).await?;
                self.insert_figures(attempt, figures).await
            }
        }
    }

    async fn insert_result(
        &mut self,
        attempt: Attempt,
        artifacts: &Artifacts,
        provenance: &Provenance,
    ) -> Result<(), StoreError> {
        let Provenance { worker_version, device, threads, precision, noise_draws } = provenance;
        query_file!(
            "queries/result/insert.sql",
            attempt.job.0,
            attempt.epoch.0,
            artifacts.checkpoint.as_ref().map(|digest| &digest.as_bytes()[..]),
            artifacts.statistics.as_ref().map(|digest| &digest.as_bytes()[..]),
            artifacts.figures.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            worker_version,
            device,
            column::integer(*threads),
            precision,
            column::integer(*noise_draws),
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    async fn insert_measurements(&mut self, attempt: Attempt, rows: &[Measurement]) -> Result<(), StoreError> {
        fn each<T>(rows: &[Measurement], column: impl Fn(&Measurement) -> T) -> Vec<T> {
            rows.iter().map(column).collect()
        }
        let interval = |row: &Measurement| row.interval.clone();
        query_file!(
            "queries/measurement/insert.sql",
            attempt.job.0,
            &each(rows, |row| row.score.as_str().to_owned()),
            &each(rows, |row| row.metric.as_str().to_owned()),
            &each(rows, |row| row.dataset.map(|dataset| dataset.as_str().to_owned()).unwrap_or_default()),
            &each(rows, |row| row.value) as &[Option<f64>],
            &each(rows, |row| interval(row).map(|interval| interval.low)) as &[Option<f64>],
            &each(rows, |row| interval(row).map(|interval| interval.high)) as &[Option<f64>],
            &each(rows, |row| interval(row).map(|interval| interval.method)) as &[Option<String>],
            &each(rows, |row| column::bigint(row.n_in)),
            &each(rows, |row| column::bigint(row.n_out)),
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}

impl Store {
    /// How `attempt` ended, if it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outcome_of(&self, attempt: Attempt) -> Result<Option<PriorOutcome>, StoreError> {
        let row = query_file!("queries/attempt_outcome/find.sql", attempt.job.0, attempt.epoch.0)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
            Ok(PriorOutcome {
                kind: kind.ok_or_else(|| StoreError::corrupt("an attempt's outcome", &row.kind))?,
                detail: row.detail,
                result_digest: row.result_digest.as_deref().map(column::digest).transpose()?,
            })
        })
        .transpose()
    }
}
