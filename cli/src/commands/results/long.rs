//! The table with a row for each number: over seeds, or of each seed.

use proto::v1::{AurocRow, TableRow};

use super::{
    names::{FIRST_METRIC, meaning, title},
    provenance::warnings,
};
use crate::output::{Audience, Cell, Column, Table};

/// Digits after the point: with ten thousand images each the interval of an AUROC begins at the third.
pub const DECIMALS: usize = 4;

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Over seeds.
    OverSeeds,
    /// Of single seeds.
    OfSeeds,
}

/// The AUROC table of a snapshot for people.
pub fn auroc_table(rows: &[AurocRow]) -> Table {
    let rows: Vec<TableRow> = rows.iter().map(of_auroc).collect();
    for_people(&rows, Rows::OverSeeds)
}

/// A row of the AUROC table as one of the table of every metric.
pub fn of_auroc(row: &AurocRow) -> TableRow {
    TableRow {
        sweep: row.sweep.clone(),
        variant: row.variant.clone(),
        in_dataset: row.in_dataset.clone(),
        out_dataset: row.out_dataset.clone(),
        score: row.score.clone(),
        metric: FIRST_METRIC.to_owned(),
        seeds: row.seeds,
        seeds_planned: row.seeds_planned,
        seeds_undefined: row.seeds_undefined,
        seeds_stopped: row.seeds_stopped,
        partial: row.seeds < row.seeds_planned,
        mean: row.auroc_mean,
        sd: row.auroc_sd,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        ci_method: row.ci_method.clone(),
        n_in: row.n_in,
        n_out: row.n_out,
        ..TableRow::default()
    }
}

/// The table for its readers.
pub fn table(rows: &[TableRow], kind: Rows, audience: Audience) -> Table {
    match audience {
        Audience::People => for_people(rows, kind),
        Audience::Machines => {
            let mut table = Table::new("results", columns(kind));
            rows.iter().for_each(|row| table.push(cells(row, kind)));
            table
        }
    }
}

fn for_people(rows: &[TableRow], kind: Rows) -> Table {
    // What is the same in every row stands below the table: terminals are narrow.
    let metric = only(rows.iter().map(|row| row.metric.as_str()));
    let score = only(rows.iter().map(|row| row.score.as_str()));
    let method = only(rows.iter().map(|row| row.ci_method.as_str()));
    let inside = only(rows.iter().map(|row| row.in_dataset.as_str()));
    let counts: Vec<String> = rows.iter().map(images).collect();
    let images = only(counts.iter().map(String::as_str));
    let mut columns = vec![Column::text("variant", "variant")];
    columns.extend(inside.is_none().then(|| Column::text("in_dataset", "in")));
    columns.push(Column::text("out_dataset", "out"));
    columns.extend(score.is_none().then(|| Column::text("score", "score")));
    columns.extend(metric.is_none().then(|| Column::text("metric", "metric")));
    columns.extend((kind == Rows::OfSeeds).then(|| Column::whole("seed", "seed")));
    columns.push(Column::named("mean".to_owned(), vec![metric.map_or_else(|| "value".to_owned(), title)]));
    columns.push(Column::text("ci", "95 % interval"));
    columns.extend((kind == Rows::OverSeeds).then(|| Column::text("seeds", "seeds")));
    columns.extend(images.is_none().then(|| Column::text("images", "images in/out")));
    columns.extend(method.is_none().then(|| Column::text("ci_method", "interval by")));
    let mut table = Table::new("results", columns);
    for (row, count) in rows.iter().zip(&counts) {
        let mut cells = vec![Cell::text(&row.variant)];
        cells.extend(inside.is_none().then(|| Cell::text(&row.in_dataset)));
        cells.push(Cell::text(&row.out_dataset));
        cells.extend(score.is_none().then(|| Cell::text(&row.score)));
        cells.extend(metric.is_none().then(|| Cell::text(&row.metric)));
        cells.extend((kind == Rows::OfSeeds).then(|| row.seed.map_or(Cell::Absent, Cell::from)));
        cells.push(Cell::text(mean(row)));
        cells.push(Cell::text(interval(row)));
        cells.extend((kind == Rows::OverSeeds).then(|| Cell::text(seeds(row))));
        cells.extend(images.is_none().then(|| Cell::text(count)));
        cells.extend(method.is_none().then(|| Cell::text(&row.ci_method)));
        table.push(cells);
    }
    table.note(metric.map_or_else(|| "Values: mean ± standard deviation over seeds.".to_owned(), meaning));
    let shared = [
        inside.map(|inside| format!("In-distribution: {inside}.")),
        images.filter(|images| !images.is_empty()).map(|images| format!("Images in/out: {images}.")),
        score.map(|score| format!("Score: {score}, higher = more out-of-distribution.")),
        method.filter(|method| !method.is_empty()).map(|method| format!("Interval: {method}.")),
    ];
    let shared: Vec<String> = shared.into_iter().flatten().collect();
    if !shared.is_empty() {
        table.note(shared.join(" "));
    }
    warn(rows, &mut table);
    table
}

/// Notes on rows whose numbers are not all there, or not of the kind that they seem.
pub fn warn(rows: &[TableRow], table: &mut Table) {
    warnings(rows).into_iter().for_each(|warning| table.note(warning));
    if rows.iter().any(|row| row.seeds_undefined > 0) {
        table.note(
            "A number is undefined when a likelihood is NaN; the counts of images that are not finite say where.",
        );
    }
    if rows.iter().any(|row| row.seeds_stopped > 0) {
        table.note(
            "Stopped seeds were ended by early stopping or a budget: `spillway jobs SWEEP --state stopped` says why.",
        );
    }
    if rows.iter().any(|row| row.seeds + row.seeds_undefined + row.seeds_stopped < row.seeds_planned) {
        table.note("Numbers over fewer seeds than planned are partial: they change when more seeds have a result.");
    }
}

/// `10000/10000`, or nothing when there are none.
fn images(row: &TableRow) -> String {
    if row.n_in + row.n_out == 0 { String::new() } else { format!("{}/{}", row.n_in, row.n_out) }
}

/// The value that all rows share.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The columns of the SQL view, and a seed where there is one.
pub fn columns(kind: Rows) -> Vec<Column> {
    let mut columns = vec![
        Column::text("sweep", "sweep"),
        Column::text("variant", "variant"),
        Column::text("in_dataset", "in"),
        Column::text("out_dataset", "out"),
        Column::text("score", "score"),
        Column::text("metric", "metric"),
    ];
    match kind {
        Rows::OfSeeds => columns.extend([
            Column::text("dataset", "of"),
            Column::whole("seed", "seed"),
            Column::whole("experiment_id", "experiment"),
            Column::number("value", "value"),
        ]),
        Rows::OverSeeds => columns.extend([
            Column::whole("seeds", "seeds"),
            Column::whole("seeds_planned", "seeds planned"),
            Column::whole("seeds_undefined", "seeds undefined"),
            Column::whole("seeds_stopped", "seeds stopped"),
            Column::flag("partial", "partial"),
            Column::number("mean", "mean"),
            Column::number("sd", "standard deviation"),
        ]),
    }
    columns.extend([
        Column::number("ci_low", "interval from"),
        Column::number("ci_high", "to"),
        Column::text("ci_method", "by"),
        Column::whole("n_in", "images in"),
        Column::whole("n_out", "images out"),
        Column::text("device", "device"),
        Column::text("precision", "precision"),
        Column::whole("noise_draws", "noise draws"),
        Column::text("worker_version", "worker version"),
    ]);
    columns
}

/// A row under [`columns`].
pub fn cells(row: &TableRow, kind: Rows) -> Vec<Cell> {
    let mut cells = vec![
        Cell::text(&row.sweep),
        Cell::text(&row.variant),
        Cell::text(&row.in_dataset),
        Cell::text(&row.out_dataset),
        Cell::text(&row.score),
        Cell::text(&row.metric),
    ];
    match kind {
        Rows::OfSeeds => cells.extend([
            Cell::text(&row.dataset),
            row.seed.map_or(Cell::Absent, Cell::from),
            row.experiment_id.map_or(Cell::Absent, Cell::from),
            Cell::real(row.mean, DECIMALS),
        ]),
        Rows::OverSeeds => cells.extend([
            row.seeds.into(),
            row.seeds_planned.into(),
            row.seeds_undefined.into(),
            row.seeds_stopped.into(),
            Cell::Flag(row.partial),
            Cell::real(row.mean, DECIMALS),
            Cell::real(row.sd, DECIMALS),
        ]),
    }
    cells.extend([
        Cell::real(row.ci_low, DECIMALS),
        Cell::real(row.ci_high, DECIMALS),
        Cell::text(&row.ci_method),
        row.n_in.into(),
        row.n_out.into(),
        Cell::text(&row.device),
        Cell::text(&row.precision),
        row.noise_draws.into(),
        Cell::text(&row.worker_version),
    ]);
    cells
}

/// The number with its deviation, and how many seeds have none.
pub fn mean(row: &TableRow) -> String {
    let defined = row.mean.map(|mean| mean_and_deviation(mean, row.sd, DECIMALS));
    match (defined, row.seeds_undefined) {
        (Some(defined), 0) => defined,
        (Some(defined), seeds) => format!("{defined} ({seeds} undefined)"),
        (None, _) => without_number(row).to_owned(),
    }
}

/// What stands in the place of a number that there is none of.
pub fn without_number(row: &TableRow) -> &'static str {
    if row.seeds_undefined == 0 && row.seeds_stopped > 0 { "stopped" } else { "undefined" }
}

/// `2/3`, or `1/3, 2 stopped`.
pub fn seeds(row: &TableRow) -> String {
    let TableRow { seeds, seeds_planned, seeds_stopped, .. } = row;
    match seeds_stopped {
        0 => format!("{seeds}/{seeds_planned}"),
        _ => format!("{seeds}/{seeds_planned}, {seeds_stopped} stopped"),
    }
}

/// `0.2706 ± 0.0123`, or the mean alone when there is no deviation.
pub fn mean_and_deviation(mean: f64, deviation: Option<f64>, decimals: usize) -> String {
    match deviation {
        Some(deviation) => format!("{mean:.decimals$} ± {deviation:.decimals$}"),
        None => format!("{mean:.decimals$}"),
    }
}

/// `[0.2506, 0.2906]`, or nothing when there is none.
pub fn interval(row: &TableRow) -> String {
    match (row.ci_low, row.ci_high) {
        (Some(low), Some(high)) => format!("[{low:.DECIMALS$}, {high:.DECIMALS$}]"),
        (None, _) | (_, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Look, render};

    fn row(seeds: u32) -> AurocRow {
        AurocRow {
            sweep: "demo".to_owned(),
            variant: "mask=cycle".to_owned(),
            in_dataset: "fashion-mnist".to_owned(),
            out_dataset: "mnist".to_owned(),
            score: "log-likelihood".to_owned(),
            seeds,
            seeds_planned: 2,
            auroc_mean: Some(0.27061),
            seeds_undefined: 0,
            auroc_sd: (seeds > 1).then_some(0.01234),
            ci_low: Some(0.15974),
            ci_high: Some(0.38148),
            ci_method: if seeds > 1 { "student-t over seeds" } else { "delong" }.to_owned(),
            n_in: 10_000,
            n_out: 10_000,
            seeds_stopped: 0,
        }
    }

    #[test]
    fn full_row_shows_mean_deviation_interval_seeds_and_images() {
        let text = render(&auroc_table(&[row(2)]), Look::PLAIN);

        for part in ["0.2706 ± 0.0123", "[0.1597, 0.3815]", "student-t over seeds", "2/2", "10000/10000"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains("fewer seeds"), "{text}");
    }

    #[test]
    fn partial_row_has_no_deviation_and_says_that_it_will_change() {
        let text = render(&auroc_table(&[row(1)]), Look::PLAIN);

        assert!(text.contains("0.2706  ") && text.contains("1/2") && text.contains("delong"), "{text}");
        assert!(text.contains("fewer seeds than planned"), "{text}");
    }

    #[test]
    fn stopped_seeds_are_marked_and_a_variant_of_them_alone_stays() {
        let none = AurocRow { auroc_mean: None, ci_low: None, ci_high: None, ci_method: String::new(), ..row(0) };
        let some = AurocRow { seeds_stopped: 1, ..row(1) };
        let text = render(&auroc_table(&[AurocRow { seeds_stopped: 2, ..none }, some]), Look::PLAIN);

        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[2].contains("stopped  ") && lines[2].contains("0/2, 2 stopped"), "{text}");
        assert!(lines[3].contains("0.2706") && lines[3].contains("1/2, 1 stopped"), "{text}");
        assert!(text.contains("--state stopped") && !text.contains("fewer seeds"), "{text}");
    }

    #[test]
    fn methods_that_differ_have_a_column() {
        let text = render(&auroc_table(&[row(1), row(2)]), Look::PLAIN);

        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("interval by"), "{text}");
        assert!(lines[2].ends_with("delong") && lines[3].ends_with("student-t over seeds"), "{text}");
    }
}
