//! What flows make of each example: statistics artifacts, fetched once and kept as long as they are asked about.

use domain::spec::ScoreName;

use super::Evidence;
use crate::{
    failure::Failure,
    output::{Column, Table},
};

/// Log-likelihoods of one dataset.
#[derive(Debug, Clone)]
pub struct Likelihoods {
    /// The dataset.
    pub dataset: String,
    /// One for each example, in nats.
    pub nats: Vec<f64>,
    /// Values of each example.
    pub dimensions: u64,
}

/// Scores of both sides, higher = more out-of-distribution.
#[derive(Debug, Clone)]
pub struct Scored {
    /// In-distribution.
    pub inside: Vec<f64>,
    /// Out-of-distribution.
    pub outside: Vec<f64>,
}

/// The statistics of a sweep.
#[derive(Debug)]
pub struct Examples<'a> {
    evidence: &'a Evidence<'a>,
}

impl<'a> Examples<'a> {
    pub async fn list(evidence: &'a Evidence<'a>) -> Result<Self, Failure> {
        Ok(Self { evidence })
    }
    pub fn first_seed(&self, _variant: &str, _seed: Option<u64>, _outs: &[&str]) -> Option<u64> {
        let _ = self.evidence;
        None
    }
    pub async fn default_scores(&mut self, _variant: &str, _seed: u64) -> Result<Vec<ScoreName>, Failure> {
        Ok(Vec::new())
    }
    /// The artifacts.
    pub fn table(&self) -> Table {
        Table::new("statistics", vec![Column::text("digest", "SHA-256")])
    }
    pub async fn likelihoods(
        &mut self,
        _variant: &str,
        _seed: u64,
        _outs: &[&str],
    ) -> Result<Vec<Likelihoods>, Failure> {
        Ok(Vec::new())
    }
    pub async fn scored(
        &mut self,
        _variant: &str,
        _seed: u64,
        _out: &str,
        _score: ScoreName,
    ) -> Result<Scored, Failure> {
        Ok(Scored { inside: Vec::new(), outside: Vec::new() })
    }
}
