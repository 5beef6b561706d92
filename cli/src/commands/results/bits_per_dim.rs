//! The bits/dim table: a row for each variant and dataset, over seeds.

use proto::v1::BitsPerDimRow;

use super::long::mean_and_deviation;
use crate::output::{Audience, Cell, Column, Table};

/// Digits after the point of a bits/dim value.
const DECIMALS: usize = 3;

/// The table for its readers.
pub fn table(rows: &[BitsPerDimRow], audience: Audience) -> Table {
    match audience {
        Audience::People => for_people(rows),
        Audience::Machines => {
            let mut table = Table::new("bits_per_dim", columns());
            rows.iter().for_each(|row| table.push(cells(row)));
            table
        }
    }
}

fn for_people(rows: &[BitsPerDimRow]) -> Table {
    let columns = vec![
        Column::text("variant", "variant"),
        Column::text("dataset", "dataset"),
        Column::text("bits_per_dim_mean", "bits/dim, mean"),
        Column::text("bits_per_dim_median", "median"),
        Column::number("outliers", "outliers"),
        Column::number("non_finite", "not finite"),
        Column::text("seeds", "seeds"),
    ];
    let mut table = Table::new("bits_per_dim", columns);
    let shown = |mean: Option<f64>, sd| {
        Cell::text(mean.map_or_else(String::new, |mean| mean_and_deviation(mean, sd, DECIMALS)))
    };
    for row in rows {
        table.push(vec![
            Cell::text(&row.variant),
            Cell::text(&row.dataset),
            shown(row.mean, row.mean_sd),
            shown(row.median, row.median_sd),
            Cell::real(row.outliers, 0),
            Cell::real(row.non_finite, 0),
            Cell::text(format!("{}/{}", row.seeds, row.seeds_planned)),
        ]);
    }
    table.note("bits/dim: −log₂ p(x) / D of test images; mean ± standard deviation over seeds.");
    table.note("Outliers and images that are not finite are counted over all seeds.");
    table
}

/// The columns of the SQL view.
pub fn columns() -> Vec<Column> {
    vec![
        Column::text("variant", "variant"),
        Column::text("dataset", "dataset"),
        Column::flag("in_distribution", "in-distribution"),
        Column::whole("seeds", "seeds"),
        Column::whole("seeds_planned", "seeds planned"),
        Column::whole("images", "images"),
        Column::number("bits_per_dim_mean", "bits/dim, mean"),
        Column::number("bits_per_dim_mean_sd", "its standard deviation"),
        Column::number("bits_per_dim_median", "bits/dim, median"),
        Column::number("bits_per_dim_median_sd", "its standard deviation"),
        Column::number("bits_per_dim_trimmed", "bits/dim, trimmed"),
        Column::number("bits_per_dim_trimmed_sd", "its standard deviation"),
        Column::number("outliers", "outliers"),
        Column::number("non_finite", "not finite"),
    ]
}

/// A row under [`columns`].
pub fn cells(row: &BitsPerDimRow) -> Vec<Cell> {
    vec![
        Cell::text(&row.variant),
        Cell::text(&row.dataset),
        Cell::Flag(row.in_distribution),
        row.seeds.into(),
        row.seeds_planned.into(),
        row.images.into(),
        Cell::real(row.mean, DECIMALS),
        Cell::real(row.mean_sd, DECIMALS),
        Cell::real(row.median, DECIMALS),
        Cell::real(row.median_sd, DECIMALS),
        Cell::real(row.trimmed, DECIMALS),
        Cell::real(row.trimmed_sd, DECIMALS),
        Cell::real(row.outliers, 0),
        Cell::real(row.non_finite, 0),
    ]
}
