//! A sweep as a report sees it: its documents, its experiments and how far they are.

use domain::report::Metric;
use proto::v1::{
    DescribeSweepRequest, DescribeSweepResponse, JobRow, QueryTableRequest, SweepSummary, TableRow,
    TrainingCurveRequest, TrainingCurveResponse,
};

use crate::{client::Client, commands::results::names::rank, failure::Failure};

/// Most variants whose documents are asked for: a sweep has no more experiments than jobs, and few have as many variants.
const MAX_DOCUMENTS: u32 = 1_000;

/// A sweep and what it is asked about.
#[derive(Debug)]
pub struct Evidence<'a> {
    client: &'a Client,
    description: DescribeSweepResponse,
    jobs: Vec<JobRow>,
}

/// AUROCs against one dataset under one score.
#[derive(Debug, Clone, Default)]
pub struct Aurocs {
    /// Over seeds.
    pub cells: Vec<TableRow>,
    /// Of single experiments.
    pub seeds: Vec<TableRow>,
}

/// Numbers over seeds.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// The first ones.
    pub rows: Vec<TableRow>,
    /// How many more there are.
    pub left_out: usize,
}

/// One experiment of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Experiment {
    /// Its number.
    pub id: i64,
    /// Its seed.
    pub seed: u64,
}

impl<'a> Evidence<'a> {
    /// Reads the sweep's documents and jobs.
    pub async fn read(client: &'a Client, sweep: &str) -> Result<Self, Failure> {
        let request = DescribeSweepRequest { sweep: sweep.to_owned(), max_variants: MAX_DOCUMENTS };
        let answer = client.sweeps().describe(request).await;
        let description = client.checked(answer)?.into_inner();
        let jobs = client.jobs(sweep, "").await?;
        Ok(Self { client, description, jobs })
    }

    /// Whom to ask.
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// The sweep's name.
    pub fn name(&self) -> &str {
        self.description.sweep.as_ref().map_or("", |summary| summary.name.as_str())
    }

    /// The sweep's counts.
    pub fn summary(&self) -> SweepSummary {
        self.description.sweep.clone().unwrap_or_default()
    }

    /// Its documents, and how its results were computed.
    pub fn description(&self) -> &DescribeSweepResponse {
        &self.description
    }

    /// Its jobs.
    pub fn jobs(&self) -> &[JobRow] {
        &self.jobs
    }

    /// The labels of its variants, in table order.
    pub fn variants(&self) -> Vec<&str> {
        self.description.variants.iter().map(|variant| variant.label.as_str()).collect()
    }

    /// The dataset that the flows of a variant learn.
    pub fn in_dataset(&self, variant: &str) -> &str {
        let found = self.description.variants.iter().find(|known| known.label == variant);
        found.map_or("", |variant| variant.in_dataset.as_str())
    }

    /// The OOD datasets of its evaluate jobs, in the order in which they first stand.
    pub fn out_datasets(&self) -> Vec<&str> {
        let mut datasets: Vec<&str> = Vec::new();
        for job in &self.jobs {
            if !job.out_dataset.is_empty() && !datasets.contains(&job.out_dataset.as_str()) {
                datasets.push(&job.out_dataset);
            }
        }
        datasets
    }

    /// The experiments of a variant by seed; only one of them if a seed is given.
    pub fn experiments(&self, variant: &str, seed: Option<u64>) -> Vec<Experiment> {
        let trainings = self.jobs.iter().filter(|job| job.kind == "train" && job.variant == variant);
        let wanted = trainings.filter(|job| seed.is_none_or(|seed| job.seed == seed));
        let mut experiments: Vec<_> = wanted.map(|job| Experiment { id: job.experiment_id, seed: job.seed }).collect();
        experiments.sort_unstable_by_key(|experiment| experiment.seed);
        experiments
    }

    /// Numbers over seeds of these scores and metrics, or of every one when none is named; the first `most` rows are kept.
    pub async fn numbers(&self, scores: &[&str], metrics: &[&str], most: usize) -> Result<Numbers, Failure> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let request = QueryTableRequest {
            sweep: self.name().to_owned(),
            scores: owned(scores),
            metrics: owned(metrics),
            ..QueryTableRequest::default()
        };
        let mut numbers = Numbers::default();
        let keep = |row| {
            if numbers.rows.len() < most {
                numbers.rows.push(row);
            } else {
                numbers.left_out += 1;
            }
            Ok(())
        };
        self.client.table(request, keep).await?;
        Ok(numbers)
    }

    /// The AUROCs against one dataset under one score: a row for each variant, and one for each experiment.
    pub async fn aurocs(&self, out: &str, score: &str) -> Result<Aurocs, Failure> {
        let request = |per_seed| QueryTableRequest {
            sweep: self.name().to_owned(),
            out_datasets: vec![out.to_owned()],
            scores: vec![score.to_owned()],
            metrics: vec![Metric::Auroc.as_str().to_owned()],
            per_seed,
            ..QueryTableRequest::default()
        };
        Ok(Aurocs { cells: self.rows(request(false)).await?, seeds: self.rows(request(true)).await? })
    }

    /// The scores under which a variant has an AUROC, in the order in which people want them.
    pub async fn measured_scores(&self, variant: &str) -> Result<Vec<String>, Failure> {
        let request = QueryTableRequest {
            sweep: self.name().to_owned(),
            variants: vec![variant.to_owned()],
            metrics: vec![Metric::Auroc.as_str().to_owned()],
            ..QueryTableRequest::default()
        };
        let mut scores: Vec<String> = self.rows(request).await?.into_iter().map(|row| row.score).collect();
        scores.sort_by_key(|score| rank(score));
        scores.dedup();
        Ok(scores)
    }

    async fn rows(&self, request: QueryTableRequest) -> Result<Vec<TableRow>, Failure> {
        let mut rows = Vec::new();
        let keep = |row| {
            rows.push(row);
            Ok(())
        };
        self.client.table(request, keep).await?;
        Ok(rows)
    }

    /// What a training and its held-out examples said, by step.
    pub async fn curve(&self, experiment: Experiment) -> Result<TrainingCurveResponse, Failure> {
        let request = TrainingCurveRequest { experiment_id: experiment.id };
        let answer = self.client.results().training_curve(request).await;
        Ok(self.client.checked(answer)?.into_inner())
    }
}
