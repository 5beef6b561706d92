//! The bits/dim table: a row for each variant and dataset, over seeds.

use std::collections::BTreeMap;

use domain::report::Metric;
use domain::spec::ScoreName;
use proto::v1::EvaluationRow;

use super::mean_and_deviation;
use crate::output::{Audience, Cell, Column, Table};

/// Digits after the point of a bits/dim value.
const DECIMALS: usize = 3;

/// The numbers of one variant on one dataset, by metric and seed.
#[derive(Debug, Default)]
struct Measured {
    by_metric: BTreeMap<&'static str, BTreeMap<u64, Option<f64>>>,
}

/// One row: a variant, a dataset and what was measured.
#[derive(Debug)]
struct Line<'a> {
    variant: &'a str,
    dataset: &'a str,
    measured: Measured,
}

/// The table for its readers.
pub fn table(rows: &[EvaluationRow], audience: Audience) -> Table {
    let lines = lines(rows);
    match audience {
        Audience::People => for_people(&lines),
        Audience::Machines => for_machines(&lines),
    }
}

/// Gathers rows in table order: variants as they come, the in-distribution dataset first.
fn lines(rows: &[EvaluationRow]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for row in rows {
        let metric = Metric::ALL.into_iter().find(|metric| metric.as_str() == row.metric);
        let of_likelihood = row.score == ScoreName::LogLikelihood.to_string() && !row.dataset.is_empty();
        let Some(metric) = metric.filter(|metric| of_likelihood && !metric.compares_sides()) else {
            continue;
        };
        let known = lines.iter().position(|line| line.variant == row.variant && line.dataset == row.dataset);
        let index = known.unwrap_or_else(|| {
            let at = place(&lines, row);
            lines.insert(at, Line { variant: &row.variant, dataset: &row.dataset, measured: Measured::default() });
            at
        });
        // Every evaluate job measures the in-distribution dataset again, with the same result: one of them counts.
        let seeds = lines[index].measured.by_metric.entry(metric.as_str()).or_default();
        seeds.entry(row.seed).or_insert(row.value);
    }
    lines
}

fn place(lines: &[Line<'_>], row: &EvaluationRow) -> usize {
    let of_variant = |line: &&Line<'_>| line.variant == row.variant;
    let first = lines.iter().position(|line| line.variant == row.variant).unwrap_or(lines.len());
    if row.dataset == row.in_dataset { first } else { first + lines.iter().filter(of_variant).count() }
}

impl Measured {
    fn values(&self, metric: Metric) -> Vec<Option<f64>> {
        self.by_metric.get(metric.as_str()).map(|seeds| seeds.values().copied().collect()).unwrap_or_default()
    }

    /// The mean over seeds; none when a seed's value could not be computed, lest the others speak for it.
    fn mean(&self, metric: Metric) -> Option<f64> {
        let values: Vec<f64> = self.values(metric).into_iter().collect::<Option<_>>()?;
        let count = values.len() as f64;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)
    }

    /// The sample standard deviation over seeds.
    fn deviation(&self, metric: Metric) -> Option<f64> {
        let mean = self.mean(metric)?;
        let values: Vec<f64> = self.values(metric).into_iter().flatten().collect();
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (values.len() > 1).then(|| (squares / (values.len() as f64 - 1.0)).sqrt())
    }

    /// Images counted over all seeds.
    fn total(&self, metric: Metric) -> Option<f64> {
        let values: Vec<f64> = self.values(metric).into_iter().collect::<Option<_>>()?;
        (!values.is_empty()).then(|| values.iter().sum())
    }

    fn seeds(&self) -> u64 {
        self.by_metric.values().map(|seeds| seeds.len() as u64).max().unwrap_or(0)
    }
}

fn for_people(lines: &[Line<'_>]) -> Table {
    let columns = vec![
        Column::text("variant", "variant"),
        Column::text("dataset", "dataset"),
        Column::text("bits_per_dim_mean", "bits/dim, mean"),
        Column::text("bits_per_dim_median", "median"),
        Column::number("outliers", "outliers"),
        Column::number("non_finite", "not finite"),
        Column::number("seeds", "seeds"),
    ];
    let mut table = Table::new("bits_per_dim", columns);
    for Line { variant, dataset, measured } in lines {
        let shown = |metric| {
            let mean = measured.mean(metric);
            Cell::text(
                mean.map_or_else(String::new, |mean| mean_and_deviation(mean, measured.deviation(metric), DECIMALS)),
            )
        };
        table.push(vec![
            Cell::text(*variant),
            Cell::text(*dataset),
            shown(Metric::BitsPerDimMean),
            shown(Metric::BitsPerDimMedian),
            Cell::real(measured.total(Metric::Outliers), 0),
            Cell::real(measured.total(Metric::NonFinite), 0),
            measured.seeds().into(),
        ]);
    }
    table.note("bits/dim: −log₂ p(x) / D of test images; mean ± standard deviation over seeds.");
    table.note("Outliers and images that are not finite are counted over all seeds.");
    table
}

fn for_machines(lines: &[Line<'_>]) -> Table {
    let columns = vec![
        Column::text("variant", "variant"),
        Column::text("dataset", "dataset"),
        Column::number("seeds", "seeds"),
        Column::number("bits_per_dim_mean", "bits/dim, mean"),
        Column::number("bits_per_dim_mean_sd", "its standard deviation"),
        Column::number("bits_per_dim_median", "bits/dim, median"),
        Column::number("bits_per_dim_median_sd", "its standard deviation"),
        Column::number("bits_per_dim_trimmed", "bits/dim, trimmed"),
        Column::number("bits_per_dim_trimmed_sd", "its standard deviation"),
        Column::number("outliers", "outliers"),
        Column::number("non_finite", "not finite"),
    ];
    let mut table = Table::new("bits_per_dim", columns);
    for Line { variant, dataset, measured } in lines {
        table.push(vec![
            Cell::text(*variant),
            Cell::text(*dataset),
            measured.seeds().into(),
            Cell::real(measured.mean(Metric::BitsPerDimMean), DECIMALS),
            Cell::real(measured.deviation(Metric::BitsPerDimMean), DECIMALS),
            Cell::real(measured.mean(Metric::BitsPerDimMedian), DECIMALS),
            Cell::real(measured.deviation(Metric::BitsPerDimMedian), DECIMALS),
            Cell::real(measured.mean(Metric::BitsPerDimTrimmed), DECIMALS),
            Cell::real(measured.deviation(Metric::BitsPerDimTrimmed), DECIMALS),
            Cell::real(measured.total(Metric::Outliers), 0),
            Cell::real(measured.total(Metric::NonFinite), 0),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Format, Look, write};

    fn row(seed: u64, out: &str, metric: Metric, dataset: &str, value: impl Into<Option<f64>>) -> EvaluationRow {
        EvaluationRow {
            variant: "base".to_owned(),
            seed,
            in_dataset: "fashion-mnist".to_owned(),
            out_dataset: out.to_owned(),
            score: ScoreName::LogLikelihood.to_string(),
            metric: metric.as_str().to_owned(),
            dataset: dataset.to_owned(),
            value: value.into(),
            ..EvaluationRow::default()
        }
    }

    fn csv(rows: &[EvaluationRow]) -> String {
        let mut out = Vec::new();
        write(&[table(rows, Audience::Machines)], Format::Csv, Look::PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn in_distribution_dataset_comes_first_and_counts_once() {
        let mean = Metric::BitsPerDimMean;
        let rows = [
            row(1, "mnist", mean, "mnist", 1.5),
            row(1, "mnist", mean, "fashion-mnist", 3.0),
            row(1, "constant", mean, "fashion-mnist", 3.0),
            row(2, "mnist", mean, "fashion-mnist", 4.0),
            row(1, "mnist", Metric::Outliers, "fashion-mnist", 2.0),
            row(2, "mnist", Metric::Outliers, "fashion-mnist", 5.0),
            row(1, "mnist", Metric::Auroc, "", 0.1),
        ];

        assert_eq!(
            csv(&rows).lines().skip(1).collect::<Vec<_>>(),
            ["base,fashion-mnist,2,3.5,0.7071067811865476,,,,,7,", "base,mnist,1,1.5,,,,,,,"]
        );
    }

    #[test]
    fn seed_without_a_value_leaves_no_mean_of_the_others() {
        let mean = Metric::BitsPerDimMean;
        let rows = [row(1, "mnist", mean, "mnist", 1.5), row(2, "mnist", mean, "mnist", None)];

        assert_eq!(csv(&rows).lines().nth(1), Some("base,mnist,2,,,,,,,,"));
    }
}
