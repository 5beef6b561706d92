//! Which cells are marked as the best: only those that a paired test says are better than every other variant.

use std::collections::{BTreeMap, BTreeSet};

use ood::{holm, paired_t_test};
use proto::v1::TableRow;

use super::names::{Direction, direction};

/// The level of the tests.
const LEVEL: f64 = 0.05;

/// The cells that are marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Best {
    test: Test,
    marked: BTreeSet<Cell>,
    /// Groups of at least two variants.
    groups: usize,
    /// Those of them in which there was something to test.
    tested: usize,
}

/// What supports a mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Test {
    /// The paired t-test over seeds.
    #[default]
    Seeds,
    /// The paired DeLong test over images.
    Images,
}

/// The variant with the best number of a group, and those that it must beat.
#[derive(Debug, Clone, PartialEq)]
pub struct Contest<'a> {
    /// The leader.
    pub first: &'a TableRow,
    /// The others.
    pub others: Vec<&'a TableRow>,
}

/// How far the leader is ahead of one other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// By how much, in the direction of the metric.
    pub by: f64,
    /// Of the two-sided test.
    pub p_value: f64,
}

/// A variant's number: what it is, and which group it stands in.
pub type Cell = [String; 5];

/// What a number compares: variants with the same group compete.
type Group = [String; 4];

/// Every group of `rows` in which variants compete.
pub fn contests(rows: &[TableRow]) -> Vec<Contest<'_>> {
    let mut groups: BTreeMap<Group, Vec<&TableRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.mean.is_some()) {
        groups.entry(group(row)).or_default().push(row);
    }
    groups.into_values().filter_map(contest).collect()
}

fn contest(variants: Vec<&TableRow>) -> Option<Contest<'_>> {
    let worth = |row: &TableRow| signed(&row.metric, row.mean.unwrap_or(f64::NAN));
    let first = variants.iter().copied().max_by(|one, other| worth(one).total_cmp(&worth(other)))?;
    let others: Vec<&TableRow> = variants.into_iter().filter(|row| row.variant != first.variant).collect();
    (!others.is_empty()).then_some(Contest { first, others })
}

impl Best {
    /// Nothing is judged yet.
    pub fn by(test: Test) -> Self {
        Self { test, ..Self::default() }
    }

    /// Judges each group of `rows` by the numbers of single seeds.
    pub fn over_seeds(rows: &[TableRow], numbers: &[TableRow]) -> Self {
        let mut by_seed: BTreeMap<Cell, BTreeMap<u64, f64>> = BTreeMap::new();
        for row in numbers {
            if let (Some(seed), Some(value)) = (row.seed, row.mean) {
                by_seed.entry(cell(row)).or_default().insert(seed, value);
            }
        }
        let mut best = Self::by(Test::Seeds);
        for contest in contests(rows) {
            let lead = |other: &TableRow| {
                let (ours, theirs) = (by_seed.get(&cell(contest.first))?, by_seed.get(&cell(other))?);
                let shared = ours.iter().filter_map(|(seed, value)| Some(value - theirs.get(seed)?));
                let differences: Vec<f64> = shared.map(|value| signed(&contest.first.metric, value)).collect();
                let test = paired_t_test(&differences, 1.0 - LEVEL).ok()?;
                Some(Lead { by: test.difference, p_value: test.p_value })
            };
            let leads: Option<Vec<Lead>> = contest.others.iter().map(|other| lead(other)).collect();
            best.settle(&contest, leads.as_deref());
        }
        best
    }

    /// Marks the leader if it is ahead of every other one; `leads` are none when one of them cannot be tested.
    pub fn settle(&mut self, contest: &Contest<'_>, leads: Option<&[Lead]>) {
        self.groups += 1;
        let Some(leads) = leads else { return };
        self.tested += 1;
        let p_values: Vec<f64> = leads.iter().map(|lead| lead.p_value).collect();
        let is_ahead = leads.iter().all(|lead| lead.by > 0.0);
        if is_ahead && holm(&p_values).into_iter().all(|p_value| p_value <= LEVEL) {
            self.marked.insert(cell(contest.first));
        }
    }

    /// Whether a row is marked.
    pub fn holds(&self, row: &TableRow) -> bool {
        self.marked.contains(&cell(row))
    }

    /// Which test supports the marks, at which level; nothing when no variants compete. `mark` is how a marked cell looks.
    pub fn footnote(&self, mark: &str) -> Option<String> {
        let over = match self.test {
            Test::Seeds => "a paired t-test over the seeds that both have",
            Test::Images => "a paired DeLong test over the same images, of this one seed",
        };
        let test = format!("{over} (5 %, Holm's correction for the number of variants)");
        match (self.groups, self.tested, self.marked.len()) {
            (0, _, _) => None,
            (_, 0, _) if self.test == Test::Seeds => Some(
                "No cell is marked as the best: with one seed there is nothing to test over seeds; --images tests over images."
                    .to_owned(),
            ),
            (_, 0, _) => Some("No cell is marked as the best: none could be tested over images.".to_owned()),
            (_, _, 0) => Some(format!("No cell is marked as the best: {test} supports none.")),
            (_, _, _) => Some(format!(
                "{mark}: better than every other variant on the same OOD dataset, score and metric by {test}."
            )),
        }
    }
}

fn group(row: &TableRow) -> Group {
    [&row.in_dataset, &row.out_dataset, &row.score, &row.metric].map(Clone::clone)
}

/// Which number a row is.
pub fn cell(row: &TableRow) -> Cell {
    [&row.variant, &row.in_dataset, &row.out_dataset, &row.score, &row.metric].map(Clone::clone)
}

/// The number in the direction in which higher is better.
fn signed(metric: &str, value: f64) -> f64 {
    match direction(metric) {
        Direction::Up => value,
        Direction::Down => -value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(variant: &str, metric: &str, values: &[f64]) -> (TableRow, Vec<TableRow>) {
        let row = TableRow {
            variant: variant.to_owned(),
            metric: metric.to_owned(),
            mean: Some(values.iter().sum::<f64>() / values.len() as f64),
            ..TableRow::default()
        };
        let single = values.iter().zip(1..);
        let single = single.map(|(&value, seed)| TableRow { seed: Some(seed), mean: Some(value), ..row.clone() });
        let single = single.collect();
        (row, single)
    }

    fn judged(metric: &str, variants: &[(&str, &[f64])]) -> (Best, Vec<bool>) {
        let all: Vec<_> = variants.iter().map(|(variant, values)| rows(variant, metric, values)).collect();
        let (rows, numbers): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let best = Best::over_seeds(&rows, &numbers.concat());
        let marks = rows.iter().map(|row| best.holds(row)).collect();
        (best, marks)
    }

    #[test]
    fn clear_lead_over_seeds_is_marked_in_the_direction_of_the_metric() {
        let variants: [(&str, &[f64]); 2] = [("a", &[0.90, 0.91, 0.92]), ("b", &[0.10, 0.12, 0.11])];

        let (best, up) = judged("auroc", &variants);
        let (_, down) = judged("fpr-in-at-95-out", &variants);

        assert_eq!((up, down), (vec![true, false], vec![false, true]));
        assert!(best.footnote("*").is_some_and(|note| note.starts_with("*: better") && note.contains("5 %")));
    }

    #[test]
    fn lead_within_the_spread_of_seeds_is_not_marked() {
        let (best, marks) = judged("auroc", &[("a", &[0.50, 0.90, 0.60]), ("b", &[0.60, 0.50, 0.70])]);

        assert_eq!(marks, [false, false]);
        assert!(best.footnote("*").is_some_and(|note| note.contains("supports none")));
    }

    /// p = 0.04 against one other is enough; with a second such rival, Holm asks for half of the level.
    #[test]
    fn more_rivals_ask_for_more() {
        let a: &[f64] = &[0.90, 0.92, 0.94];
        let b: &[f64] = &[0.80, 0.87, 0.84];

        assert_eq!(judged("auroc", &[("a", a), ("b", b)]).1, [true, false]);
        assert_eq!(judged("auroc", &[("a", a), ("b", b), ("c", b)]).1, [false; 3]);
    }

    #[test]
    fn one_seed_marks_nothing_and_says_so() {
        let (best, marks) = judged("auroc", &[("a", &[0.9]), ("b", &[0.1])]);

        assert_eq!(marks, [false, false]);
        assert!(best.footnote("*").is_some_and(|note| note.contains("--images")));
        assert_eq!(judged("auroc", &[("a", &[0.9])]).0.footnote("*"), None);
    }
}
