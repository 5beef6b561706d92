//! The pictures of accepted results: kept with the result, and read by experiment or by sweep.

use domain::{ExperimentId, SweepId, figure::Figure, report::Attempt};
use sqlx::{query_file, query_file_as, query_file_scalar};

use crate::{Store, StoreError, Transaction, column};

/// A figure: the columns of the view `figure_overview`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the view's columns are documented in the database")]
pub struct FigureRow {
    pub sweep: String,
    pub variant: String,
    pub seed: i64,
    pub experiment_id: i64,
    pub job_id: i64,
    pub name: String,
    pub caption: String,
    /// Hexadecimal.
    pub digest: String,
    pub media_type: String,
    pub width: i32,
    pub height: i32,
    pub bytes: i64,
    pub device: String,
    pub precision: String,
    pub noise_draws: i32,
    pub threads: i32,
    pub worker_version: String,
}

impl Store {
    /// The figures of a sweep in table order; of one variant or seed alone, if one is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn figures_of_sweep(
        &self,
        sweep: SweepId,
        variant: Option<&str>,
        seed: Option<u64>,
    ) -> Result<Vec<FigureRow>, StoreError> {
        let seed = seed.map(column::bigint);
        let rows = query_file_as!(FigureRow, "queries/views/figures_of_sweep.sql", sweep.0, variant, seed);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The figures of an experiment in their order; nothing when there is no such experiment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn figures_of_experiment(&self, experiment: ExperimentId) -> Result<Option<Vec<FigureRow>>, StoreError> {
        let rows = query_file_as!(FigureRow, "queries/views/figures_of_experiment.sql", experiment.0);
        let figures = rows.fetch_all(&self.pool).await?;
        let known = !figures.is_empty()
            || query_file_scalar!("queries/experiment/exists.sql", experiment.0).fetch_one(&self.pool).await?;
        Ok(known.then_some(figures))
    }
}

impl Transaction {
    /// Keeps the figures of a result that this transaction has just written.
    pub(crate) async fn insert_figures(&mut self, attempt: Attempt, figures: &[Figure]) -> Result<(), StoreError> {
        fn each<T>(figures: &[Figure], column: impl Fn(&Figure) -> T) -> Vec<T> {
            figures.iter().map(column).collect()
        }
        query_file!(
            "queries/figure/insert.sql",
            attempt.job.0,
            &each(figures, |figure| figure.name.to_string()),
            &each(figures, |figure| figure.caption.clone()),
            &each(figures, |figure| figure.digest.as_bytes().to_vec()),
            &each(figures, |figure| figure.media_type.as_str().to_owned()),
            &each(figures, |figure| column::integer(figure.width)),
            &each(figures, |figure| column::integer(figure.height)),
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
