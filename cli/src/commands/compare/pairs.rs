//! Numbers that belong together, seed by seed, and the test of their difference over seeds.

use std::collections::BTreeMap;

use ood::paired_t_test;
use proto::v1::TableRow;

use crate::commands::results::names::rank;

/// Probability with which the interval of a difference covers the true one.
pub const LEVEL: f64 = 0.95;

/// One number of both, at each seed that they share.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The in-distribution datasets of both.
    pub in_datasets: [String; 2],
    /// The OOD dataset.
    pub out_dataset: String,
    /// The scores of both.
    pub scores: [String; 2],
    /// The metric.
    pub metric: String,
    /// The numbers, by seed.
    pub both: Vec<Both>,
}

/// The numbers of two experiments of one seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Both {
    /// The seed.
    pub seed: u64,
    /// The experiments.
    pub experiments: [i64; 2],
    /// Their numbers.
    pub values: [f64; 2],
}

/// What a test says of first − second.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// First − second.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Which test.
    pub method: String,
}

/// What stands in both: rows of one such key are of different seeds.
type Shared = (String, String, String);

/// Pairs the numbers of two variants by OOD dataset, score, metric and seed.
pub fn pair_sides(first: &[TableRow], second: &[TableRow]) -> Vec<Pair> {
    let key = |row: &TableRow| (row.out_dataset.clone(), row.score.clone(), row.metric.clone());
    let (ours, theirs) = (gather(first.iter(), key), gather(second.iter(), key));
    let shared = ours.iter().filter_map(|(key, rows)| Some(Pair::of(rows, theirs.get(key)?)));
    in_order(shared.collect())
}

/// Pairs two scores of one variant by OOD dataset, metric and seed.
pub fn pair_scores(numbers: &[TableRow], one: &str, other: &str) -> Vec<Pair> {
    let key = |row: &TableRow| (row.out_dataset.clone(), String::new(), row.metric.clone());
    let of = |score: &str| gather(numbers.iter().filter(|row| row.score == score), key);
    let (ours, theirs) = (of(one), of(other));
    let shared = ours.iter().filter_map(|(key, rows)| Some(Pair::of(rows, theirs.get(key)?)));
    in_order(shared.collect())
}

fn gather<'a>(
    rows: impl Iterator<Item = &'a TableRow>,
    key: impl Fn(&TableRow) -> Shared,
) -> BTreeMap<Shared, BTreeMap<u64, &'a TableRow>> {
    let mut gathered: BTreeMap<Shared, BTreeMap<u64, &TableRow>> = BTreeMap::new();
    for row in rows {
        gathered.entry(key(row)).or_default().insert(row.seed.unwrap_or_default(), row);
    }
    gathered
}

fn in_order(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.sort_by(|one, other| {
        let key = |pair: &Pair| (pair.out_dataset.clone(), rank(&pair.scores[0]), pair.metric.clone());
        key(one).cmp(&key(other))
    });
    pairs
}

impl Pair {
    fn of(first: &BTreeMap<u64, &TableRow>, second: &BTreeMap<u64, &TableRow>) -> Self {
        let shared = first.iter().filter_map(|(&seed, &one)| Some((seed, one, *second.get(&seed)?)));
        let both = shared.filter_map(|(seed, one, other)| {
            let experiments = [one, other].map(|row| row.experiment_id.unwrap_or_default());
            Some(Both { seed, experiments, values: [one.mean?, other.mean?] })
        });
        let both = both.collect();
        // Each side has a row: without one there is no entry.
        let (one, other) = (first.values().next(), second.values().next());
        let text =
            |row: Option<&&TableRow>, of: fn(&TableRow) -> &String| row.map(|row| of(row).clone()).unwrap_or_default();
        Self {
            in_datasets: [text(one, |row| &row.in_dataset), text(other, |row| &row.in_dataset)],
            out_dataset: text(one, |row| &row.out_dataset),
            scores: [text(one, |row| &row.score), text(other, |row| &row.score)],
            metric: text(one, |row| &row.metric),
            both,
        }
    }

    /// The means over the seeds that both have; none when they share none.
    pub fn means(&self) -> Option<[f64; 2]> {
        let mean = |index: usize| self.both.iter().map(|both| both.values[index]).sum::<f64>() / self.both.len() as f64;
        (!self.both.is_empty()).then(|| [mean(0), mean(1)])
    }

    /// Student's paired t-test; none with fewer than two seeds.
    pub fn over_seeds(&self) -> Option<Test> {
        let differences: Vec<f64> = self.both.iter().map(|both| both.values[0] - both.values[1]).collect();
        let test = paired_t_test(&differences, LEVEL).ok()?;
        Some(Test {
            difference: test.difference,
            low: test.low,
            high: test.high,
            p_value: test.p_value,
            method: "paired t over seeds".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(score: &str, seed: u64, value: Option<f64>) -> TableRow {
        TableRow {
            out_dataset: "mnist".to_owned(),
            score: score.to_owned(),
            metric: "auroc".to_owned(),
            seed: Some(seed),
            mean: value,
            ..TableRow::default()
        }
    }

    #[test]
    fn only_seeds_that_both_have_are_compared() {
        let first =
            [row("dose", 1, Some(0.9)), row("dose", 2, Some(0.8)), row("dose", 3, None), row("waic", 1, Some(0.5))];
        let second = [row("dose", 2, Some(0.5)), row("dose", 1, Some(0.7)), row("dose", 3, Some(0.1))];

        let pairs = pair_sides(&first, &second);

        assert_eq!(pairs.len(), 1, "{pairs:?}");
        let means = pairs[0].means().unwrap_or_default();
        assert!((means[0] - 0.85).abs() < 1e-12 && (means[1] - 0.6).abs() < 1e-12, "{means:?}");
        assert_eq!(pairs[0].both.iter().map(|both| both.seed).collect::<Vec<_>>(), [1, 2]);
        assert!(pairs[0].over_seeds().is_some_and(|test| (test.difference - 0.25).abs() < 1e-12));
    }

    #[test]
    fn scores_of_one_variant_are_compared_seed_by_seed() {
        let numbers = [row("dose", 1, Some(0.9)), row("waic", 1, Some(0.5))];

        let pairs = pair_scores(&numbers, "waic", "dose");

        assert_eq!(pairs[0].scores, ["waic", "dose"]);
        assert_eq!(pairs[0].over_seeds(), None);
    }
}
