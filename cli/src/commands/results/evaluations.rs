//! Every number of a sweep, a row each.

use proto::v1::EvaluationRow;

use crate::output::{Cell, Column, Table};

/// Digits after the point of a number whose metric is not known beforehand.
const DECIMALS: usize = 5;

/// The columns of the SQL view.
pub fn table(rows: &[EvaluationRow]) -> Table {
    let columns = vec![
        Column::text("sweep", "sweep"),
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::text("in_dataset", "in"),
        Column::text("out_dataset", "out"),
        Column::text("score", "score"),
        Column::text("metric", "metric"),
        Column::text("dataset", "of"),
        Column::number("value", "value"),
        Column::number("ci_low", "interval from"),
        Column::number("ci_high", "to"),
        Column::text("ci_method", "by"),
        Column::number("n_in", "images in"),
        Column::number("n_out", "images out"),
    ];
    let mut table = Table::new("evaluations", columns);
    for row in rows {
        table.push(vec![
            Cell::text(&row.sweep),
            Cell::text(&row.variant),
            row.seed.into(),
            Cell::text(&row.in_dataset),
            Cell::text(&row.out_dataset),
            Cell::text(&row.score),
            Cell::text(&row.metric),
            Cell::text(&row.dataset),
            Cell::real(row.value, DECIMALS),
            Cell::real(row.ci_low, DECIMALS),
            Cell::real(row.ci_high, DECIMALS),
            Cell::text(&row.ci_method),
            row.n_in.into(),
            row.n_out.into(),
        ]);
    }
    table
}
