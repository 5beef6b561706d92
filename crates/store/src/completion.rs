//! Results: what an attempt that succeeded leaves, saved with the job's transition.

use std::collections::HashMap;

use domain::{
    Digest, Epoch, JobId,
    job::OutcomeKind,
    report::{Attempt, CheckpointRef, Completion, Measurement, Provenance},
};
use sqlx::query_file;

use crate::{Store, StoreError, Transaction, column, transition::each};

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

/// One accepted result, taken apart into columns.
struct ResultRow<'a> {
    attempt: Attempt,
    checkpoint: Option<CheckpointRef>,
    statistics: Option<Digest>,
    figures: Option<usize>,
    measurements: &'a [Measurement],
    provenance: &'a Provenance,
}

impl<'a> ResultRow<'a> {
    fn of(attempt: Attempt, completion: &'a Completion) -> Self {
        let none: &'static [Measurement] = &[];
        let (checkpoint, statistics, figures, measurements, provenance) = match completion {
            Completion::Train { checkpoint, provenance, .. } => (Some(*checkpoint), None, None, none, provenance),
            Completion::Evaluate { measurements, statistics, provenance, .. } => {
                (None, Some(statistics.digest), None, measurements.as_slice(), provenance)
            }
            Completion::Inspect { figures, provenance } => (None, None, Some(figures.len()), none, provenance),
            Completion::Score { measurements, scores, provenance } => {
                (None, Some(*scores), None, measurements.as_slice(), provenance)
            }
        };
        Self { attempt, checkpoint, statistics, figures, measurements, provenance }
    }
}

impl Transaction {
    /// Keeps the results of attempts whose success this transaction has just applied.
    ///
    /// # Errors
    /// [`StoreError::UnknownArtifact`].
    pub async fn add_results(&mut self, results: &[(Attempt, &Completion)]) -> Result<(), StoreError> {
        if results.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = results.iter().map(|(attempt, completion)| ResultRow::of(*attempt, completion)).collect();
        let numbers: Vec<(Attempt, &Measurement)> =
            rows.iter().flat_map(|row| row.measurements.iter().map(|number| (row.attempt, number))).collect();
        self.insert_results(&rows, &numbers).await?;
        self.insert_statistics(results).await?;
        for (attempt, completion) in results {
            if let Completion::Inspect { figures, .. } = completion {
                self.insert_figures(*attempt, figures).await?;
            }
        }
        Ok(())
    }

    async fn insert_results(
        &mut self,
        rows: &[ResultRow<'_>],
        numbers: &[(Attempt, &Measurement)],
    ) -> Result<(), StoreError> {
        let bytes = |digest: Option<Digest>| digest.map(|digest| digest.as_bytes().to_vec());
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        query_file!(
            "queries/result/accept.sql",
            &each(rows, |row| row.attempt.job.0),
            &each(rows, |row| row.attempt.epoch.0),
            &each(rows, |row| bytes(row.checkpoint.map(|checkpoint| checkpoint.digest))) as &[Option<Vec<u8>>],
            &each(rows, |row| bytes(row.statistics)) as &[Option<Vec<u8>>],
            &each(rows, |row| row.figures.map(count)) as &[Option<i32>],
            &each(rows, |row| row.provenance.worker_version.clone()),
            &each(rows, |row| row.provenance.device.clone()),
            &each(rows, |row| column::integer(row.provenance.threads)),
            &each(rows, |row| row.provenance.precision.clone()),
            &each(rows, |row| column::integer(row.provenance.noise_draws)),
            &each(rows, |row| row.checkpoint.map(|checkpoint| column::bigint(checkpoint.step))) as &[Option<i64>],
            &each(numbers, |(attempt, _)| attempt.job.0),
            &each(numbers, |(_, number)| number.score.to_string()),
            &each(numbers, |(_, number)| number.metric.as_str().to_owned()),
            &each(numbers, |(_, number)| number.dataset.as_ref().map(ToString::to_string).unwrap_or_default()),
            &each(numbers, |(_, number)| number.value) as &[Option<f64>],
            &each(numbers, |(_, number)| number.interval.as_ref().map(|interval| interval.low)) as &[Option<f64>],
            &each(numbers, |(_, number)| number.interval.as_ref().map(|interval| interval.high)) as &[Option<f64>],
            &each(numbers, |(_, number)| number.interval.as_ref().map(|interval| interval.method.clone()))
                as &[Option<String>],
            &each(numbers, |(_, number)| column::bigint(number.n_in)),
            &each(numbers, |(_, number)| column::bigint(number.n_out)),
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}

impl Store {
    /// How `attempts` ended, as far as they did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outcomes_of(&self, attempts: &[Attempt]) -> Result<HashMap<Attempt, PriorOutcome>, StoreError> {
        let rows = query_file!(
            "queries/attempt_outcome/find.sql",
            &each(attempts, |attempt| attempt.job.0),
            &each(attempts, |attempt| attempt.epoch.0),
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
                let outcome = PriorOutcome {
                    kind: kind.ok_or_else(|| StoreError::corrupt("an attempt's outcome", &row.kind))?,
                    detail: row.detail,
                    result_digest: row.result_digest.as_deref().map(column::digest).transpose()?,
                };
                Ok((Attempt { job: JobId(row.job_id), epoch: Epoch(row.epoch) }, outcome))
            })
            .collect()
    }

    /// How `attempt` ended, if it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outcome_of(&self, attempt: Attempt) -> Result<Option<PriorOutcome>, StoreError> {
        Ok(self.outcomes_of(&[attempt]).await?.remove(&attempt))
    }
}
