//! Scores of every example of an experiment, computed here from the statistics that its jobs stored.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, anyhow};
use domain::{Digest, spec::ScoreName};
use proto::v1::{ListStatisticsRequest, StatisticsRow};
use scoring::{Scored, Sides, Statistics, score};
use tempfile::TempDir;

use crate::{artifact, client::Client, failure::Failure};

/// Statistics of experiments, fetched once each and checked.
pub struct Images<'a> {
    client: &'a Client,
    folder: TempDir,
    stored: BTreeMap<i64, Vec<StatisticsRow>>,
    fetched: BTreeMap<Digest, Statistics>,
}

/// What is scored: the flow of an experiment on both sides of an evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The experiment.
    pub experiment: i64,
    /// The dataset that it learned.
    pub in_dataset: &'a str,
    /// The OOD dataset.
    pub out_dataset: &'a str,
    /// The score.
    pub score: &'a str,
}

impl<'a> Images<'a> {
    /// Nothing is fetched yet.
    pub fn of(client: &'a Client) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().context("cannot make a folder for statistics")?;
        Ok(Self { client, folder, stored: BTreeMap::new(), fetched: BTreeMap::new() })
    }

    /// Forgets what was fetched: the statistics of an experiment take some megabytes for each dataset.
    pub fn forget(&mut self) {
        self.stored.clear();
        self.fetched.clear();
    }

    /// The scores of every example. The inner error says why there are none: the statistics are not there, or the score does not
    /// follow from them.
    pub async fn scores(&mut self, subject: Subject<'_>) -> Result<Result<Scored, String>, Failure> {
        let Subject { experiment, in_dataset, out_dataset, score: name } = subject;
        let Ok(name) = name.parse::<ScoreName>() else { return Ok(Err(format!("`{name}` is not known here"))) };
        let mut sides = Vec::new();
        for (dataset, split) in [(in_dataset, "train"), (in_dataset, "test"), (out_dataset, "test")] {
            match self.find(experiment, dataset, split).await? {
                Some(digest) => sides.push(digest),
                None => {
                    return Ok(Err(format!("experiment {experiment} has no statistics of {dataset}'s {split} split")));
                }
            }
        }
        for digest in &sides {
            self.fetch(*digest).await?;
        }
        let of = |index: usize| &self.fetched[&sides[index]];
        let sides = Sides { reference: of(0), inside: of(1), outside: of(2) };
        Ok(score(&sides, name).map_err(|error| error.to_string()))
    }

    async fn find(&mut self, experiment: i64, dataset: &str, split: &str) -> Result<Option<Digest>, Failure> {
        if !self.stored.contains_key(&experiment) {
            let request = ListStatisticsRequest { sweep: String::new(), experiment_id: experiment };
            self.stored.insert(experiment, self.client.statistics(request).await?);
        }
        let row = self.stored[&experiment].iter().find(|row| row.dataset == dataset && row.split == split);
        let digest = row.map(|row| <[u8; 32]>::try_from(row.digest.as_slice()).map(Digest::from));
        Ok(digest.transpose().map_err(|_| anyhow!("the coordinator sent a digest that is none"))?)
    }

    async fn fetch(&mut self, digest: Digest) -> Result<(), Failure> {
        if self.fetched.contains_key(&digest) {
            return Ok(());
        }
        let path = self.folder.path().join("statistics.safetensors");
        artifact::fetch(self.client, digest, &path, "the statistics").await?;
        let bytes = fs::read(&path).context("cannot read the statistics that were fetched")?;
        let statistics = Statistics::read(&bytes, Some(digest)).with_context(|| format!("statistics {digest}"))?;
        self.fetched.insert(digest, statistics);
        Ok(())
    }
}
