//! Read models: what clients are shown. Never a write, never a lock.

use domain::{ExperimentId, SweepId, Timestamp, job::StateName};
use sqlx::query_file_as;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Store, StoreError, column};

/// A sweep and its jobs, counted by state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepSummary {
    /// Its identity.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Free text for people.
    pub description: String,
    /// When it was submitted.
    pub created_at: OffsetDateTime,
    /// Its variants.
    pub variants: i64,
    /// Its experiments.
    pub experiments: i64,
    /// Jobs that wait for another.
    pub blocked: i64,
    /// Jobs that may be claimed.
    pub ready: i64,
    /// Jobs that run.
    pub running: i64,
    /// Jobs with a result.
    pub succeeded: i64,
    /// Jobs that ended without one.
    pub failed: i64,
    /// Jobs that were cancelled.
    pub cancelled: i64,
    /// Jobs that were taken out.
    pub quarantined: i64,
    /// Jobs that early stopping or a budget ended.
    pub stopped: i64,
}

impl SweepSummary {
    /// When it was submitted.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        column::timestamp(self.created_at)
    }

    /// Whether every job has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.blocked + self.ready + self.running == 0
    }
}

/// A cell of the AUROC table: the columns of the view `auroc`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct AurocRow {
    pub sweep: String,
    pub variant: String,
    pub in_dataset: String,
    pub out_dataset: String,
    pub score: String,
    pub seeds: i64,
    pub seeds_planned: i32,
    pub seeds_undefined: i64,
    pub auroc_mean: Option<f64>,
    pub auroc_sd: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub ci_method: Option<String>,
    pub n_in: i64,
    pub n_out: i64,
    pub seeds_stopped: i64,
    /// How many rows there are, with those beyond the limit.
    pub rows: i64,
}

/// One number: the columns of the view `evaluation`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct EvaluationRow {
    pub sweep: String,
    pub variant: String,
    pub seed: i64,
    pub in_dataset: String,
    pub out_dataset: String,
    pub score: String,
    pub metric: String,
    pub dataset: Option<String>,
    pub value: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub ci_method: Option<String>,
    pub n_in: i64,
    pub n_out: i64,
}

/// A job: the columns of the view `job_overview`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct JobRow {
    pub job_id: i64,
    pub experiment_id: i64,
    pub kind: String,
    pub variant: String,
    pub seed: i64,
    pub out_dataset: Option<String>,
    pub state: String,
    pub epoch: i32,
    pub attempts: i64,
    pub failures: i16,
    pub infrastructure_failures: i16,
    pub crashes: i16,
    pub worker: Option<String>,
    pub reason: Option<String>,
    pub started_at: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
    pub done: Option<i64>,
    pub total: Option<i64>,
    pub images_per_second: Option<f64>,
    pub bits_per_dim: Option<f64>,
}

impl JobRow {
    /// When its newest attempt began.
    #[must_use]
    pub fn started(&self) -> Option<Timestamp> {
        self.started_at.map(column::timestamp)
    }

    /// When its newest attempt ended.
    #[must_use]
    pub fn ended(&self) -> Option<Timestamp> {
        self.ended_at.map(column::timestamp)
    }
}

/// A point of a training curve: the columns of the view `training_curve`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct CurveRow {
    pub step: i64,
    pub loss_nats: f64,
    pub bits_per_dim: f64,
    pub gradient_norm: f64,
}

impl Store {
    /// One sweep.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_summary(&self, sweep: SweepId) -> Result<Option<SweepSummary>, StoreError> {
        let row = query_file_as!(SweepSummary, "queries/views/sweep_summary.sql", sweep.0);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// Sweeps, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_summaries(&self, limit: u32) -> Result<Vec<SweepSummary>, StoreError> {
        let rows = query_file_as!(SweepSummary, "queries/views/sweep_summaries.sql", i64::from(limit));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The AUROC table of a sweep, in table order: at most `limit` rows of these `scores`, or of all when there are none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn auroc_table(
        &self,
        sweep: SweepId,
        scores: &[String],
        limit: u32,
    ) -> Result<Vec<AurocRow>, StoreError> {
        let rows = query_file_as!(AurocRow, "queries/views/auroc.sql", sweep.0, scores, i64::from(limit));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Every number of a sweep, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn evaluations(&self, sweep: SweepId, limit: u32) -> Result<Vec<EvaluationRow>, StoreError> {
        let rows = query_file_as!(EvaluationRow, "queries/views/evaluations.sql", sweep.0, i64::from(limit));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// At most `limit` jobs of a sweep in one of `states`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn jobs(&self, sweep: SweepId, states: &[StateName], limit: u32) -> Result<Vec<JobRow>, StoreError> {
        let names: Vec<String> = states.iter().map(|state| state.as_str().to_owned()).collect();
        let rows = query_file_as!(JobRow, "queries/views/jobs.sql", sweep.0, &names, i64::from(limit));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The training curve of an experiment, by step.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn training_curve(&self, experiment: ExperimentId) -> Result<Vec<CurveRow>, StoreError> {
        Ok(query_file_as!(CurveRow, "queries/views/training_curve.sql", experiment.0).fetch_all(&self.pool).await?)
    }
}
