//! What flows make of each example: statistics artifacts, fetched when they are asked about.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use anyhow::{Context, anyhow};
use domain::{Digest, spec::ScoreName};
use proto::v1::{ListStatisticsRequest, StatisticsRow};
use scoring::{Scored, Sides, Statistics};

use super::{Evidence, MAX_VARIANTS};
use crate::{
    artifact,
    failure::Failure,
    output::{Cell, Column, Table},
};

/// Largest artifact that is read, in bytes: more than a million examples.
const MAX_ARTIFACT_BYTES: u64 = 1 << 30;
/// Most artifacts that are kept whole: the three that scores are computed from.
const MAX_KEPT: usize = 3;
/// The split that tables and pictures are about.
const TEST: &str = "test";
/// The split from which some scores learn what is usual.
const TRAIN: &str = "train";

/// Log-likelihoods of one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihoods {
    /// The dataset.
    pub dataset: String,
    /// One for each example, in nats.
    pub nats: Vec<f64>,
    /// Values of each example.
    pub dimensions: u64,
}

/// The statistics of a sweep.
#[derive(Debug)]
pub struct Examples<'a> {
    evidence: &'a Evidence<'a>,
    rows: Vec<StatisticsRow>,
    /// What was read before: the same test data stands in a histogram and in several ROC curves. A column of an artifact is a hundredth of it.
    read: BTreeMap<Digest, Likelihoods>,
    /// The artifacts that were asked for last, whole: several scores of one flow are of the same ones.
    kept: VecDeque<(Digest, Rc<Statistics>)>,
}

impl<'a> Examples<'a> {
    /// Lists what there is and fetches nothing.
    pub async fn list(evidence: &'a Evidence<'a>) -> Result<Self, Failure> {
        let request = ListStatisticsRequest { sweep: evidence.name().to_owned(), ..Default::default() };
        let answer = evidence.client().results().list_statistics(request).await;
        let rows = evidence.client().checked(answer)?.into_inner().statistics;
        Ok(Self { evidence, rows, read: BTreeMap::new(), kept: VecDeque::new() })
    }

    /// The first seed of a variant, or the one given, whose flow has seen its own test data and that of all of `outs`.
    pub fn first_seed(&self, variant: &str, seed: Option<u64>, outs: &[&str]) -> Option<u64> {
        let learned = self.evidence.in_dataset(variant);
        let experiments = self.evidence.experiments(variant, seed).into_iter().map(|experiment| experiment.seed);
        experiments.into_iter().find(|&seed| {
            outs.iter().chain([&learned]).all(|dataset| self.find(variant, seed, dataset, TEST).is_some())
        })
    }

    /// Log-likelihoods of a flow's own test data and of those of `outs` that it has seen.
    pub async fn likelihoods(&mut self, variant: &str, seed: u64, outs: &[&str]) -> Result<Vec<Likelihoods>, Failure> {
        let learned = self.evidence.in_dataset(variant);
        let mut found = Vec::new();
        for dataset in [&learned].into_iter().chain(outs) {
            if let Some(row) = self.find(variant, seed, dataset, TEST).cloned() {
                found.push(self.likelihoods_of(&row).await?);
            }
        }
        Ok(found)
    }

    /// The scores of a flow's own test data and of that of `out`.
    pub async fn scored(&mut self, variant: &str, seed: u64, out: &str, score: ScoreName) -> Result<Scored, Failure> {
        let learned = self.evidence.in_dataset(variant);
        let missing = |dataset: &str| anyhow!("`{variant}` with seed {seed} has no statistics of {dataset} yet");
        let inside = self.find(variant, seed, learned, TEST).cloned().ok_or_else(|| missing(learned))?;
        let outside = self.find(variant, seed, out, TEST).cloned().ok_or_else(|| missing(out))?;
        if score == ScoreName::LogLikelihood {
            let negative = |side: Likelihoods| side.nats.into_iter().map(|nats| -nats).collect();
            let inside = negative(self.likelihoods_of(&inside).await?);
            return Ok(Scored { inside, outside: negative(self.likelihoods_of(&outside).await?) });
        }
        let usual = self.find(variant, seed, learned, TRAIN).cloned().ok_or_else(|| missing(learned))?;
        let (usual, inside, outside) =
            (self.fetch(&usual).await?, self.fetch(&inside).await?, self.fetch(&outside).await?);
        let sides = Sides { reference: &usual, inside: &inside, outside: &outside };
        Ok(scoring::score(&sides, score).with_context(|| format!("`{variant}`, seed {seed}, against {out}"))?)
    }

    /// The scores of a variant that follow from statistics, the most wanted first and no more than can be told apart. With them, the others.
    pub async fn default_scores(&self, variant: &str) -> Result<(Vec<ScoreName>, Vec<ScoreName>), Failure> {
        let measured = self.evidence.measured_scores(variant).await?;
        let scores =
            measured.iter().filter_map(|name| name.parse().ok()).filter(|score: &ScoreName| !score.is_opt_in());
        let mut scores: Vec<ScoreName> = scores.collect();
        let others = scores.split_off(scores.len().min(MAX_VARIANTS));
        Ok((scores, others))
    }

    /// The artifacts.
    pub fn table(&self) -> Table {
        let columns = vec![
            Column::text("variant", "variant"),
            Column::whole("seed", "seed"),
            Column::text("dataset", "dataset"),
            Column::text("split", "split"),
            Column::whole("images", "examples"),
            Column::whole("bytes", "bytes"),
            Column::text("digest", "SHA-256"),
        ];
        let mut table = Table::new("statistics", columns);
        for row in &self.rows {
            table.push(vec![
                Cell::text(&row.variant),
                row.seed.into(),
                Cell::text(&row.dataset),
                Cell::text(&row.split),
                row.images.into(),
                row.bytes.into(),
                Cell::text(digest_of(row).map(|digest| digest.to_string()).unwrap_or_default()),
            ]);
        }
        table
    }

    /// The newest statistics of a dataset.
    fn find(&self, variant: &str, seed: u64, dataset: &str, split: &str) -> Option<&StatisticsRow> {
        let of = |row: &&StatisticsRow| {
            row.variant == variant && row.seed == seed && row.dataset == dataset && row.split == split
        };
        self.rows.iter().filter(of).max_by_key(|row| row.job_id)
    }

    async fn likelihoods_of(&mut self, row: &StatisticsRow) -> Result<Likelihoods, Failure> {
        let digest = digest_of(row)?;
        if let Some(known) = self.read.get(&digest) {
            return Ok(known.clone());
        }
        let statistics = self.fetch(row).await?;
        let likelihoods = Likelihoods {
            dataset: row.dataset.clone(),
            nats: statistics.log_likelihood().to_vec(),
            dimensions: statistics.header().dimensions,
        };
        self.read.insert(digest, likelihoods.clone());
        Ok(likelihoods)
    }

    async fn fetch(&mut self, row: &StatisticsRow) -> Result<Rc<Statistics>, Failure> {
        let digest = digest_of(row)?;
        if let Some((_, known)) = self.kept.iter().find(|(known, _)| *known == digest) {
            return Ok(Rc::clone(known));
        }
        let what = format!("the statistics of {} under `{}`, seed {}", row.dataset, row.variant, row.seed);
        let bytes = artifact::fetch_bytes(self.evidence.client(), digest, MAX_ARTIFACT_BYTES, &what).await?;
        // The digest was checked on the way.
        let statistics = Statistics::read(&bytes, None).with_context(|| format!("{what} cannot be read"))?;
        let statistics = Rc::new(statistics);
        self.kept.truncate(MAX_KEPT - 1);
        self.kept.push_front((digest, Rc::clone(&statistics)));
        Ok(statistics)
    }
}

fn digest_of(row: &StatisticsRow) -> Result<Digest, Failure> {
    Digest::try_from(row.digest.as_slice()).map_err(|error| Failure::Other(error.into()))
}
