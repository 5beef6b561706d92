//! The AUROC table: a row for each variant, OOD dataset and score, over seeds.

use proto::v1::AurocRow;

use crate::output::{Audience, Cell, Column, Table};

/// Digits after the point of an AUROC: with ten thousand images each the interval begins at the third.
const DECIMALS: usize = 4;

/// The table for its readers.
pub fn auroc_table(rows: &[AurocRow], audience: Audience) -> Table {
    match audience {
        Audience::People => for_people(rows),
        Audience::Machines => for_machines(rows),
    }
}

fn for_people(rows: &[AurocRow]) -> Table {
    // What is the same in every row stands below the table: terminals are narrow.
    let score = only(rows.iter().map(|row| row.score.as_str()));
    let method = only(rows.iter().map(|row| row.ci_method.as_str()));
    let mut columns = vec![
        Column::text("variant", "variant"),
        Column::text("in_dataset", "in"),
        Column::text("out_dataset", "out"),
        Column::text("auroc", "AUROC"),
        Column::text("ci", "95 % interval"),
        Column::text("seeds", "seeds"),
        Column::text("images", "images in/out"),
    ];
    columns.extend(score.is_none().then_some(Column::text("score", "score")));
    columns.extend(method.is_none().then_some(Column::text("ci_method", "interval by")));
    let mut table = Table::new("auroc", columns);
    for row in rows {
        let mut cells = vec![
            Cell::text(&row.variant),
            Cell::text(&row.in_dataset),
            Cell::text(&row.out_dataset),
            Cell::text(mean(row)),
            Cell::text(interval(row)),
            Cell::text(seeds(row)),
            Cell::text(format!("{}/{}", row.n_in, row.n_out)),
        ];
        cells.extend(score.is_none().then(|| Cell::text(&row.score)));
        cells.extend(method.is_none().then(|| Cell::text(&row.ci_method)));
        table.push(cells);
    }
    table.note("AUROC: out-of-distribution is positive, 0.5 is chance; mean ± standard deviation over seeds.");
    let shared = [
        score.map(|score| format!("Score: {score}, higher = more out-of-distribution.")),
        method.map(|method| format!("Interval: {method}.")),
    ];
    if shared.iter().any(Option::is_some) {
        table.note(shared.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
    if rows.iter().any(|row| row.seeds_undefined > 0) {
        table.note(
            "An AUROC is undefined when a likelihood is NaN; the counts of images that are not finite say where.",
        );
    }
    if rows.iter().any(|row| row.seeds_stopped > 0) {
        table.note(
            "Stopped seeds were ended by early stopping or a budget: `spillway jobs SWEEP --state stopped` says why.",
        );
    }
    if rows.iter().any(|row| row.seeds + row.seeds_undefined + row.seeds_stopped < row.seeds_planned) {
        table.note("Rows with fewer seeds than planned will change.");
    }
    table
}

/// The value that all rows share.
fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The columns of the SQL view.
fn for_machines(rows: &[AurocRow]) -> Table {
    let columns = vec![
        Column::text("sweep", "sweep"),
        Column::text("variant", "variant"),
        Column::text("in_dataset", "in"),
        Column::text("out_dataset", "out"),
        Column::text("score", "score"),
        Column::number("seeds", "seeds"),
        Column::number("seeds_planned", "seeds planned"),
        Column::number("seeds_undefined", "seeds undefined"),
        Column::number("auroc_mean", "AUROC"),
        Column::number("auroc_sd", "standard deviation"),
        Column::number("ci_low", "interval from"),
        Column::number("ci_high", "to"),
        Column::text("ci_method", "by"),
        Column::number("n_in", "images in"),
        Column::number("n_out", "images out"),
        Column::number("seeds_stopped", "seeds stopped"),
    ];
    let mut table = Table::new("auroc", columns);
    for row in rows {
        table.push(vec![
            Cell::text(&row.sweep),
            Cell::text(&row.variant),
            Cell::text(&row.in_dataset),
            Cell::text(&row.out_dataset),
            Cell::text(&row.score),
            row.seeds.into(),
            row.seeds_planned.into(),
            row.seeds_undefined.into(),
            Cell::real(row.auroc_mean, DECIMALS),
            Cell::real(row.auroc_sd, DECIMALS),
            Cell::real(row.ci_low, DECIMALS),
            Cell::real(row.ci_high, DECIMALS),
            Cell::text(&row.ci_method),
            row.n_in.into(),
            row.n_out.into(),
            row.seeds_stopped.into(),
        ]);
    }
    table
}

/// The mean AUROC with its deviation, and how many seeds have none.
pub fn mean(row: &AurocRow) -> String {
    let defined = row.auroc_mean.map(|mean| mean_and_deviation(mean, row.auroc_sd, DECIMALS));
    match (defined, row.seeds_undefined) {
        (Some(defined), 0) => defined,
        (Some(defined), seeds) => format!("{defined} ({seeds} undefined)"),
        (None, 0) if row.seeds_stopped > 0 => "stopped".to_owned(),
        (None, _) => "undefined".to_owned(),
    }
}

/// `2/3`, or `1/3, 2 stopped`.
pub fn seeds(row: &AurocRow) -> String {
    let AurocRow { seeds, seeds_planned, seeds_stopped, .. } = row;
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
pub fn interval(row: &AurocRow) -> String {
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
        let text = render(&auroc_table(&[row(2)], Audience::People), Look::PLAIN);

        for part in ["0.2706 ± 0.0123", "[0.1597, 0.3815]", "student-t over seeds", "2/2", "10000/10000"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains("fewer seeds"), "{text}");
    }

    #[test]
    fn partial_row_has_no_deviation_and_says_that_it_will_change() {
        let text = render(&auroc_table(&[row(1)], Audience::People), Look::PLAIN);

        assert!(text.contains("0.2706  ") && text.contains("1/2") && text.contains("delong"), "{text}");
        assert!(text.contains("fewer seeds than planned"), "{text}");
    }

    #[test]
    fn stopped_seeds_are_marked_and_a_variant_of_them_alone_stays() {
        let none = AurocRow { auroc_mean: None, ci_low: None, ci_high: None, ci_method: String::new(), ..row(0) };
        let some = AurocRow { seeds_stopped: 1, ..row(1) };
        let text = render(&auroc_table(&[AurocRow { seeds_stopped: 2, ..none }, some], Audience::People), Look::PLAIN);

        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[2].contains("stopped  ") && lines[2].contains("0/2, 2 stopped"), "{text}");
        assert!(lines[3].contains("0.2706") && lines[3].contains("1/2, 1 stopped"), "{text}");
        assert!(text.contains("--state stopped") && !text.contains("fewer seeds"), "{text}");
    }

    #[test]
    fn methods_that_differ_have_a_column() {
        let text = render(&auroc_table(&[row(1), row(2)], Audience::People), Look::PLAIN);

        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("interval by"), "{text}");
        assert!(lines[2].ends_with("delong") && lines[3].ends_with("student-t over seeds"), "{text}");
    }
}
