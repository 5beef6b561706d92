//! What a sweep asked for and how its results were computed, for people and reports. Never a write, never a lock.

use domain::{ExperimentId, SweepId, Timestamp};
use sqlx::{query_file_as, query_file_scalar};
use time::OffsetDateTime;

use crate::{Store, StoreError, column};

/// A variant's document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantDocument {
    /// The settings that tell the variant apart.
    pub label: String,
    /// SHA-256 of its canonical document.
    pub fingerprint: Vec<u8>,
    /// The dataset that its flows learn.
    pub in_dataset: String,
    /// The document as JSON.
    pub document: String,
}

/// How an accepted result was computed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `result`, which are documented in the database")]
pub struct ProvenanceRow {
    pub job_id: i64,
    pub experiment_id: i64,
    pub kind: String,
    pub variant: String,
    pub seed: i64,
    pub out_dataset: Option<String>,
    /// SHA-256 of the trained flow; of a train job only.
    pub checkpoint: Option<Vec<u8>>,
    pub worker_version: String,
    pub device: String,
    pub threads: i32,
    pub precision: String,
    pub noise_draws: i32,
    pub accepted_at: OffsetDateTime,
}

impl ProvenanceRow {
    /// When the result was accepted.
    #[must_use]
    pub fn accepted(&self) -> Timestamp {
        column::timestamp(self.accepted_at)
    }
}

/// A point of a validation curve: the columns of the view `validation_curve`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct ValidationRow {
    pub step: i64,
    pub bits_per_dim: Option<f64>,
    pub auroc: Option<f64>,
}

impl Store {
    /// The document of a sweep as JSON, as it was stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_document(&self, sweep: SweepId) -> Result<Option<String>, StoreError> {
        let document = query_file_scalar!("queries/views/sweep_document.sql", sweep.0);
        Ok(document.fetch_optional(&self.pool).await?)
    }

    /// The documents of the first `limit` variants of a sweep, in table order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn variant_documents(&self, sweep: SweepId, limit: u32) -> Result<Vec<VariantDocument>, StoreError> {
        let rows = query_file_as!(VariantDocument, "queries/views/variant_documents.sql", sweep.0, i64::from(limit));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// How the first `limit` results of a sweep were computed, in table order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn provenance(&self, sweep: SweepId, limit: u32) -> Result<Vec<ProvenanceRow>, StoreError> {
        let rows = query_file_as!(ProvenanceRow, "queries/views/provenance.sql", sweep.0, i64::from(limit));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// What the held-out examples said of an experiment, by step.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn validation_curve(&self, experiment: ExperimentId) -> Result<Vec<ValidationRow>, StoreError> {
        let rows = query_file_as!(ValidationRow, "queries/views/validation_curve.sql", experiment.0);
        Ok(rows.fetch_all(&self.pool).await?)
    }
}
