//! Early stopping and budgets: the rules of sweeps, and the reports that decide, in their order.

use domain::{
    JobId, SweepId,
    report::Attempt,
    spec::parse_document,
    stopping::{EarlyStopping, Standing},
    sweep::SweepSpec,
};
use sqlx::query_file;

use crate::{Store, StoreError, Transaction, column, sweep::json};

/// The rule that judges a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoppingRule {
    /// The sweep whose trainings are compared.
    pub sweep: SweepId,
    /// The rule.
    pub rule: EarlyStopping,
    /// Steps of this training.
    pub steps: u32,
}

/// A report to keep: it takes the next place among those of its step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RungReport<'a> {
    /// The sweep.
    pub sweep: SweepId,
    /// Who reports.
    pub attempt: Attempt,
    /// Steps done.
    pub step: u64,
    /// How the experiment stands there.
    pub standing: Standing,
    /// Why it is stopped; none when it goes on.
    pub stop_reason: Option<&'a str>,
}

/// A sweep whose device hours are spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpentBudget {
    /// The sweep.
    pub sweep: SweepId,
    /// Hours allowed.
    pub limit: f64,
    /// Hours that attempts at trainings have taken, running ones included.
    pub spent: f64,
}

impl Store {
    /// The rule that judges `job`; none when it is no training or its sweep has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stopping_rule(&self, job: JobId) -> Result<Option<StoppingRule>, StoreError> {
        let row = query_file!("queries/rung_report/rule.sql", job.0).fetch_optional(&self.pool).await?;
        row.map(|row| {
            Ok(StoppingRule {
                sweep: SweepId(row.sweep_id),
                rule: parse_document(&row.rule, "early_stopping")?,
                steps: u32::try_from(row.steps).map_err(|error| StoreError::corrupt("an experiment's steps", error))?,
            })
        })
        .transpose()
    }

    /// At most `limit` sweeps that have spent their device hours and still have trainings to stop.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn spent_budgets(&self, limit: u32) -> Result<Vec<SpentBudget>, StoreError> {
        let rows = query_file!("queries/sweep/spent.sql", i64::from(limit)).fetch_all(&self.pool).await?;
        let budget = |(id, limit, spent)| SpentBudget { sweep: SweepId(id), limit, spent };
        Ok(rows.into_iter().map(|row| budget((row.id, row.limit, row.spent))).collect())
    }
}

impl Transaction {
    /// Waits for its turn to judge reports of `sweep`, and keeps it until the transaction ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_rung_reports(&mut self, sweep: SweepId) -> Result<(), StoreError> {
        query_file!("queries/rung_report/lock.sql", sweep.0).fetch_one(&mut *self.inner).await?;
        Ok(())
    }

    /// The values that `job` has reported up to `step`, by their steps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rung_values(&mut self, job: JobId, step: u64) -> Result<Vec<(u64, Option<f64>)>, StoreError> {
        let rows = query_file!("queries/rung_report/of_job.sql", job.0, column::bigint(step));
        let rows = rows.fetch_all(&mut *self.inner).await?;
        Ok(rows.into_iter().map(|row| (column::count(row.step), row.value)).collect())
    }

    /// How the experiments of `sweep` that have reported `step` stood there, in the order of their reports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rung_standings(&mut self, sweep: SweepId, step: u64) -> Result<Vec<Standing>, StoreError> {
        let rows = query_file!("queries/rung_report/of_step.sql", sweep.0, column::bigint(step));
        let rows = rows.fetch_all(&mut *self.inner).await?;
        Ok(rows.into_iter().map(|row| Standing { value: row.value, best: row.best, mean: row.mean }).collect())
    }

    /// Keeps a report, the first of its job at its step.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_rung_report(&mut self, report: RungReport<'_>) -> Result<(), StoreError> {
        let RungReport { sweep, attempt, step, standing: Standing { value, best, mean }, stop_reason } = report;
        query_file!(
            "queries/rung_report/insert.sql",
            sweep.0,
            attempt.job.0,
            attempt.epoch.0,
            column::bigint(step),
            value as Option<f64>,
            best as Option<f64>,
            mean as Option<f64>,
            stop_reason,
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Keeps what rules the sweep apart from its document.
    pub(crate) async fn set_rules(&mut self, sweep: SweepId, spec: &SweepSpec) -> Result<(), StoreError> {
        let device_hours = spec.budget.and_then(|budget| budget.device_hours);
        if spec.early_stopping.is_none() && device_hours.is_none() {
            return Ok(());
        }
        let rule = spec.early_stopping.as_ref().map(json).transpose()?;
        query_file!("queries/sweep/set_rules.sql", sweep.0, rule, device_hours).execute(&mut *self.inner).await?;
        Ok(())
    }
}
