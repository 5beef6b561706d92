//! What changed between two snapshots, as lines for a file or a pipe.

use std::collections::BTreeMap;

use proto::v1::{AurocRow, EndedJob, JobCounts, RunningJob, WatchResponse};

use crate::commands::{
    jobs::shorten,
    list::describe,
    results::{interval, mean, of_auroc, seeds},
};

/// A running job has a line for each of so many parts of its way.
const PARTS: u64 = 4;

/// Remembers what was said.
#[derive(Debug, Default)]
pub struct Changes {
    counts: Option<JobCounts>,
    /// The part of its way that each running job was last seen in.
    running: BTreeMap<i64, u64>,
    rows: Vec<AurocRow>,
    ended: Vec<EndedJob>,
}

impl Changes {
    /// Lines for what is new in `snapshot`.
    pub fn since_last(&mut self, snapshot: &WatchResponse) -> Vec<String> {
        let mut lines = Vec::new();
        self.say_counts(snapshot, &mut lines);
        self.say_running(&snapshot.running, &mut lines);
        let new = snapshot.ended.iter().filter(|job| !self.ended.contains(job));
        lines.extend(new.map(|job| format!("{:9} {}: {}", job.state, of_ended(job), shorten(&job.reason))));
        let new = snapshot.auroc.iter().filter(|row| !self.rows.contains(row));
        lines.extend(new.map(of_row));
        self.ended.clone_from(&snapshot.ended);
        self.rows.clone_from(&snapshot.auroc);
        lines
    }

    fn say_counts(&mut self, snapshot: &WatchResponse, lines: &mut Vec<String>) {
        let Some(summary) = &snapshot.sweep else { return };
        let counts = summary.jobs.unwrap_or_default();
        if self.counts.is_none() {
            let (variants, experiments) = (summary.variants, summary.experiments);
            lines.push(format!("sweep     {}: {variants} variants, {experiments} experiments", summary.name));
        }
        if self.counts != Some(counts) {
            lines.push(format!("jobs      {}", describe(&counts)));
        }
        self.counts = Some(counts);
    }

    fn say_running(&mut self, running: &[RunningJob], lines: &mut Vec<String>) {
        let mut parts = BTreeMap::new();
        for job in running {
            let part = (job.done.min(job.total) * PARTS).checked_div(job.total).unwrap_or(0);
            match self.running.get(&job.job_id) {
                None => lines.push(format!("running   {} on {}", of_running(job), job.worker)),
                Some(&before) if part > before => {
                    lines.push(format!("progress  {}: {}/{}{}", of_running(job), job.done, job.total, pace(job)));
                }
                Some(_) => {}
            }
            parts.insert(job.job_id, part);
        }
        self.running = parts;
    }
}

/// `train mask=cycle seed 1`.
pub fn of_running(job: &RunningJob) -> String {
    name(&job.kind, &job.variant, job.seed, &job.out_dataset)
}

/// `, 3.213 bits/dim, 812 images/s`, as far as it is known.
pub fn pace(job: &RunningJob) -> String {
    let bits = job.bits_per_dim.map(|bits| format!(", {bits:.3} bits/dim")).unwrap_or_default();
    let pace = Some(job.images_per_second).filter(|pace| *pace > 0.0);
    bits + &pace.map(|pace| format!(", {pace:.0} images/s")).unwrap_or_default()
}

fn of_ended(job: &EndedJob) -> String {
    name(&job.kind, &job.variant, job.seed, &job.out_dataset)
}

fn of_row(row: &AurocRow) -> String {
    let row = of_auroc(row);
    let value = mean(&row);
    let interval =
        Some(interval(&row)).filter(|text| !text.is_empty()).map(|text| format!(" {text}")).unwrap_or_default();
    format!(
        "result    {}: AUROC {value}{interval}, {} against {}, {}, seeds {}",
        row.variant,
        row.in_dataset,
        row.out_dataset,
        row.score,
        seeds(&row)
    )
}

fn name(kind: &str, variant: &str, seed: u64, out_dataset: &str) -> String {
    let against = if out_dataset.is_empty() { String::new() } else { format!(" against {out_dataset}") };
    format!("{kind} {variant} seed {seed}{against}")
}

#[cfg(test)]
mod tests {
    use proto::v1::SweepSummary;

    use super::*;

    fn running(done: u64) -> RunningJob {
        RunningJob {
            job_id: 7,
            kind: "train".to_owned(),
            variant: "mask=cycle".to_owned(),
            seed: 1,
            worker: "worker-1".to_owned(),
            done,
            total: 500,
            images_per_second: if done > 0 { 811.7 } else { 0.0 },
            bits_per_dim: (done > 0).then_some(3.2127),
            ..RunningJob::default()
        }
    }

    fn snapshot(jobs: JobCounts, running: Vec<RunningJob>) -> WatchResponse {
        let sweep = SweepSummary {
            name: "demo".to_owned(),
            variants: 3,
            experiments: 6,
            jobs: Some(jobs),
            ..SweepSummary::default()
        };
        WatchResponse { sweep: Some(sweep), running, ..WatchResponse::default() }
    }

    #[test]
    fn first_snapshot_introduces_the_sweep() {
        let jobs = JobCounts { ready: 6, blocked: 6, ..JobCounts::default() };

        let lines = Changes::default().since_last(&snapshot(jobs, vec![]));

        assert_eq!(lines, ["sweep     demo: 3 variants, 6 experiments", "jobs      6 blocked, 6 ready"]);
    }

    #[test]
    fn running_job_has_a_line_at_its_start_and_at_each_quarter() {
        let mut changes = Changes::default();
        let jobs = JobCounts { running: 1, ..JobCounts::default() };

        let said: Vec<Vec<String>> = [0, 124, 125, 130, 260]
            .map(|done| changes.since_last(&snapshot(jobs, vec![running(done)])))
            .into_iter()
            .collect();

        assert_eq!(said[0][2], "running   train mask=cycle seed 1 on worker-1");
        assert!(said[1].is_empty() && said[3].is_empty(), "{said:?}");
        assert_eq!(said[2], ["progress  train mask=cycle seed 1: 125/500, 3.213 bits/dim, 812 images/s"]);
        assert_eq!(said[4], ["progress  train mask=cycle seed 1: 260/500, 3.213 bits/dim, 812 images/s"]);
    }

    #[test]
    fn results_and_failures_are_said_once() {
        let mut changes = Changes::default();
        let row = AurocRow {
            variant: "mask=cycle".to_owned(),
            in_dataset: "fashion-mnist".to_owned(),
            out_dataset: "mnist".to_owned(),
            score: "log-likelihood".to_owned(),
            seeds: 1,
            seeds_planned: 2,
            auroc_mean: Some(0.27),
            seeds_undefined: 0,
            ..AurocRow::default()
        };
        let failed = EndedJob {
            kind: "evaluate".to_owned(),
            variant: "mask=horizontal".to_owned(),
            seed: 2,
            out_dataset: "mnist".to_owned(),
            state: "failed".to_owned(),
            reason: "mnist is missing\nlook elsewhere".to_owned(),
            ..EndedJob::default()
        };
        let now = WatchResponse { auroc: vec![row.clone()], ended: vec![failed], ..WatchResponse::default() };
        let later = WatchResponse { auroc: vec![AurocRow { seeds: 2, ..row }], ..now.clone() };

        assert_eq!(
            changes.since_last(&now),
            [
                "failed    evaluate mask=horizontal seed 2 against mnist: mnist is missing…",
                "result    mask=cycle: AUROC 0.2700, fashion-mnist against mnist, log-likelihood, seeds 1/2",
            ]
        );
        assert!(changes.since_last(&now).is_empty());
        assert_eq!(changes.since_last(&later).len(), 1);
    }
}
