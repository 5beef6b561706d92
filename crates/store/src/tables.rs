//! What users ask of results: numbers over seeds or of each, bits per dimension, experiments. Read a few variants at a time.

use domain::{ExperimentId, SweepId};
use sqlx::{query_file, query_file_as};

use crate::{Store, StoreError, column};

/// A number: the columns of the view `score_table`, or those of `evaluation` that say the same of one seed.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the views' columns are documented in the database")]
pub struct TableRow {
    pub sweep: String,
    pub variant: String,
    pub in_dataset: String,
    pub out_dataset: String,
    pub score: String,
    pub metric: String,
    pub dataset: Option<String>,
    pub seed: Option<i64>,
    pub experiment_id: Option<i64>,
    pub seeds: i64,
    pub seeds_planned: i32,
    pub seeds_undefined: i64,
    pub seeds_stopped: i64,
    pub partial: bool,
    pub mean: Option<f64>,
    pub sd: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub ci_method: Option<String>,
    pub n_in: i64,
    pub n_out: i64,
    pub device: Option<String>,
    pub precision: Option<String>,
    pub noise_draws: Option<i32>,
    pub worker_version: Option<String>,
}

/// A row of the view `bits_per_dim`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct BitsPerDimRow {
    pub sweep: String,
    pub variant: String,
    pub dataset: String,
    pub in_distribution: bool,
    pub seeds: i64,
    pub seeds_planned: i32,
    pub images: i64,
    pub mean: Option<f64>,
    pub mean_sd: Option<f64>,
    pub median: Option<f64>,
    pub median_sd: Option<f64>,
    pub trimmed: Option<f64>,
    pub trimmed_sd: Option<f64>,
    pub outliers: Option<f64>,
    pub non_finite: Option<f64>,
}

/// A row of the view `experiment_overview`, with the settings that were asked for in the order in which they were.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct ExperimentRow {
    pub sweep: String,
    pub variant: String,
    pub seed: i64,
    pub experiment_id: i64,
    pub state: String,
    pub in_dataset: String,
    /// Hexadecimal.
    pub checkpoint: Option<String>,
    pub jobs_done: i64,
    pub jobs_total: i64,
    pub settings: Vec<Option<String>>,
}

/// A variant's place in its sweep's tables, and its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantName {
    /// Its place, from 0.
    pub ordinal: i32,
    /// What tells it apart.
    pub label: String,
}

/// Which numbers are wanted; an empty list wants them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFilter {
    /// In-distribution datasets.
    pub in_datasets: Vec<String>,
    /// OOD datasets.
    pub out_datasets: Vec<String>,
    /// Scores.
    pub scores: Vec<String>,
    /// Metrics.
    pub metrics: Vec<String>,
}

impl Store {
    /// The variants of a sweep with one of `labels`, in table order; all of them when `labels` is empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn variant_names(&self, sweep: SweepId, labels: &[String]) -> Result<Vec<VariantName>, StoreError> {
        let rows = query_file_as!(VariantName, "queries/variant/ordinals.sql", sweep.0, labels);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Numbers over seeds of the variants at `ordinals`, in table order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn score_table(
        &self,
        sweep: SweepId,
        ordinals: &[i32],
        filter: &TableFilter,
    ) -> Result<Vec<TableRow>, StoreError> {
        let TableFilter { in_datasets, out_datasets, scores, metrics } = filter;
        let rows = query_file_as!(
            TableRow,
            "queries/views/score_table.sql",
            sweep.0,
            ordinals,
            in_datasets,
            out_datasets,
            scores,
            metrics
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Numbers of single experiments of the variants at `ordinals`, in table order; of these `seeds` alone, if there are any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn numbers(
        &self,
        sweep: SweepId,
        ordinals: &[i32],
        filter: &TableFilter,
        seeds: &[u64],
    ) -> Result<Vec<TableRow>, StoreError> {
        let TableFilter { in_datasets, out_datasets, scores, metrics } = filter;
        let seeds: Vec<i64> = seeds.iter().copied().map(column::bigint).collect();
        let rows = query_file_as!(
            TableRow,
            "queries/views/numbers.sql",
            sweep.0,
            ordinals,
            in_datasets,
            out_datasets,
            scores,
            metrics,
            &seeds
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Bits per dimension of the variants at `ordinals`, in table order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bits_per_dim(&self, sweep: SweepId, ordinals: &[i32]) -> Result<Vec<BitsPerDimRow>, StoreError> {
        let rows = query_file_as!(BitsPerDimRow, "queries/views/bits_per_dim.sql", sweep.0, ordinals);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The experiments of the variants at `ordinals`, in table order, with these settings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn experiments(
        &self,
        sweep: SweepId,
        settings: &[String],
        ordinals: &[i32],
    ) -> Result<Vec<ExperimentRow>, StoreError> {
        let rows = query_file_as!(ExperimentRow, "queries/views/experiments.sql", sweep.0, settings, ordinals);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// One experiment with these settings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn experiment(
        &self,
        experiment: ExperimentId,
        settings: &[String],
    ) -> Result<Option<ExperimentRow>, StoreError> {
        let row = query_file_as!(ExperimentRow, "queries/views/experiment.sql", experiment.0, settings);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// Lets the role `spillway_reader` read what views it cannot read yet, and counts them; none when there is no such role.
    pub(crate) async fn grant_views(&self) -> Result<i64, StoreError> {
        let granted = query_file!("queries/role/grant_views.sql").fetch_one(&self.pool).await?.granted;
        Ok(granted)
    }
}
