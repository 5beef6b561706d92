//! What a client asks of a cluster, and what a test waits for.

use anyhow::Context;
use domain::sweep::SweepSpec;
use proto::{
    convert::ToWire,
    v1::{
        EvaluationRow, GetSweepRequest, JobRow, ListJobsRequest, QueryEvaluationsRequest, SubmitRequest, SweepSummary,
    },
};

use super::Cluster;
use crate::eventually;

impl Cluster {
    /// Submits a sweep.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn submit(&self, sweep: &SweepSpec) -> anyhow::Result<()> {
        let request = SubmitRequest { sweep: Some(sweep.to_wire()), ..SubmitRequest::default() };
        self.sweeps()?.submit(request).await?;
        Ok(())
    }

    /// A sweep's summary.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn summary(&self, sweep: &str) -> anyhow::Result<SweepSummary> {
        Ok(self.sweeps()?.get(GetSweepRequest { sweep: sweep.to_owned() }).await?.into_inner())
    }

    /// The jobs of a sweep, by id.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn jobs(&self, sweep: &str) -> anyhow::Result<Vec<JobRow>> {
        let request = ListJobsRequest { sweep: sweep.to_owned(), state: String::new(), limit: 0 };
        Ok(self.results()?.list_jobs(request).await?.into_inner().jobs)
    }

    /// Waits until every job of a sweep has succeeded; a job that ends otherwise is an error at once.
    ///
    /// # Errors
    /// When a job failed, or the deadline passed.
    pub async fn await_success(&self, sweep: &str) -> anyhow::Result<()> {
        let what = format!("the end of sweep {sweep}");
        let ended = eventually(&what, || async {
            let jobs = self.jobs(sweep).await?;
            let open = jobs.iter().filter(|job| ["blocked", "ready", "running"].contains(&job.state.as_str())).count();
            Ok((open == 0).then_some(jobs))
        });
        let jobs = ended.await.with_context(|| self.logs())?;
        let failed: Vec<_> = jobs.iter().filter(|job| job.state != "succeeded").collect();
        anyhow::ensure!(failed.is_empty(), "jobs failed: {failed:#?}\n{}", self.logs());
        Ok(())
    }

    /// Waits until the train job of a sweep runs, has stored a checkpoint and has steps left; returns the job.
    ///
    /// # Errors
    /// When the deadline passed, or training ended first.
    pub async fn await_mid_training(&self, sweep: &str) -> anyhow::Result<JobRow> {
        let checkpoints = format!(
            "select count(*) from checkpoint join job on job.id = job_id join sweep on sweep.id = sweep_id \
             where sweep.name = '{sweep}' and job.state = 'running' and checkpoint.epoch = job.epoch"
        );
        eventually(&format!("a checkpoint of sweep {sweep} in mid-training"), || async {
            let train = self.jobs(sweep).await?.into_iter().find(|job| job.kind == "train");
            let train = train.context("the sweep has no train job")?;
            anyhow::ensure!(train.state != "succeeded", "training ended before the fault: give the sweep more steps");
            let stored = self.sql(&checkpoints)?.trim() != "0";
            Ok((train.state == "running" && stored).then_some(train))
        })
        .await
        .with_context(|| self.logs())
    }

    /// Every number of a sweep without its name, in a fixed order: equal sweeps must have equal ones.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn numbers(&self, sweep: &str) -> anyhow::Result<Vec<EvaluationRow>> {
        let request = QueryEvaluationsRequest { sweep: sweep.to_owned() };
        let rows = self.results()?.query_evaluations(request).await?.into_inner().rows;
        let mut rows: Vec<_> = rows.into_iter().map(|row| EvaluationRow { sweep: String::new(), ..row }).collect();
        let key = |row: &EvaluationRow| [&row.variant, &row.score, &row.metric, &row.dataset].map(String::clone);
        rows.sort_by_key(|row| (row.seed, key(row)));
        Ok(rows)
    }

    /// Digests of the trained flows and of all statistics of a sweep: equal only when every bit is.
    ///
    /// # Errors
    /// When psql fails.
    pub fn artifacts(&self, sweep: &str) -> anyhow::Result<String> {
        self.sql(&format!(
            "select job.kind, variant.ordinal, experiment.seed, encode(coalesce(checkpoint, statistics), 'hex') \
             from result join job on job.id = job_id join experiment on experiment.id = experiment_id \
             join variant on variant.id = variant_id join sweep on sweep.id = job.sweep_id \
             where sweep.name = '{sweep}' union all \
             select dataset || ' ' || split, variant.ordinal, experiment.seed, encode(digest, 'hex') \
             from recorded_statistics join job on job.id = job_id join experiment on experiment.id = experiment_id \
             join variant on variant.id = variant_id join sweep on sweep.id = job.sweep_id \
             where sweep.name = '{sweep}' order by 1, 2, 3"
        ))
    }
}
