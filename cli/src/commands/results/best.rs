//! Which cells are marked as the best: only those that a paired test says are better than every other variant.

use std::collections::{BTreeMap, BTreeSet};

use ood::{holm, paired_t_test};
use proto::v1::TableRow;

use super::names::{Direction, direction};

/// The level of the tests.
pub const LEVEL: f64 = 0.05;

/// The cells that are marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Best {
    marked: BTreeSet<[String; 5]>,
    /// Groups of at least two variants.
    groups: usize,
    /// Those of them in which there was something to test.
    tested: usize,
}

/// What a number compares: variants with the same group compete.
type Group = [String; 4];

/// The numbers of a variant by seed.
type Variants<'a> = BTreeMap<&'a str, BTreeMap<u64, f64>>;

impl Best {
    /// Judges each group of `rows` by the numbers of single seeds.
    pub fn over_seeds(rows: &[TableRow], numbers: &[TableRow]) -> Self {
        let mut groups: BTreeMap<Group, Vec<&TableRow>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.mean.is_some()) {
            groups.entry(group(row)).or_default().push(row);
        }
        let mut by_seed: BTreeMap<Group, Variants<'_>> = BTreeMap::new();
        for row in numbers {
            if let (Some(seed), Some(value)) = (row.seed, row.mean) {
                by_seed.entry(group(row)).or_default().entry(&row.variant).or_default().insert(seed, value);
            }
        }
        let mut best = Self::default();
        for (group, variants) in groups.into_iter().filter(|(_, variants)| variants.len() > 1) {
            best.groups += 1;
            let Some(measured) = by_seed.get(&group) else { continue };
            let Some(first) = first_of(&variants) else { continue };
            match is_supported(first, &variants, measured) {
                None => {}
                Some(supported) => {
                    best.tested += 1;
                    if supported {
                        best.marked.insert(cell(first));
                    }
                }
            }
        }
        best
    }

    /// Whether a row is marked.
    pub fn holds(&self, row: &TableRow) -> bool {
        self.marked.contains(&cell(row))
    }

    /// Which test supports the marks, at which level; nothing when no variants compete. `mark` is how a marked cell looks.
    pub fn footnote(&self, mark: &str) -> Option<String> {
        let test = "a paired t-test over the seeds that both have (5 %, Holm's correction for the number of variants)";
        match (self.groups, self.tested, self.marked.len()) {
            (0, _, _) => None,
            (_, 0, _) => Some(
                "No cell is marked as the best: with one seed there is nothing to test over seeds; `spillway compare` tests two variants."
                    .to_owned(),
            ),
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

fn cell(row: &TableRow) -> [String; 5] {
    [&row.variant, &row.in_dataset, &row.out_dataset, &row.score, &row.metric].map(Clone::clone)
}

/// The variant with the best mean.
fn first_of<'a>(variants: &[&'a TableRow]) -> Option<&'a TableRow> {
    let worth = |row: &TableRow| signed(&row.metric, row.mean.unwrap_or(f64::NAN));
    variants.iter().copied().max_by(|one, other| worth(one).total_cmp(&worth(other)))
}

/// Higher is better.
fn signed(metric: &str, value: f64) -> f64 {
    match direction(metric) {
        Direction::Up => value,
        Direction::Down => -value,
    }
}

/// Whether tests against all the others say that `first` is better; none when one of them cannot be made.
fn is_supported(first: &TableRow, variants: &[&TableRow], measured: &Variants<'_>) -> Option<bool> {
    let ours = measured.get(first.variant.as_str())?;
    let mut p_values = Vec::new();
    let mut is_ahead = true;
    for other in variants.iter().filter(|row| row.variant != first.variant) {
        let theirs = measured.get(other.variant.as_str())?;
        let shared = ours.iter().filter_map(|(seed, value)| Some((value, theirs.get(seed)?)));
        let differences: Vec<f64> = shared.map(|(value, other)| signed(&first.metric, value - other)).collect();
        let test = paired_t_test(&differences, 1.0 - LEVEL).ok()?;
        is_ahead &= test.difference > 0.0;
        p_values.push(test.p_value);
    }
    Some(is_ahead && holm(&p_values).into_iter().all(|p_value| p_value <= LEVEL))
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
        assert!(best.footnote("*").is_some_and(|note| note.contains("spillway compare")));
        assert_eq!(judged("auroc", &[("a", &[0.9])]).0.footnote("*"), None);
    }
}
