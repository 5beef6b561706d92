//! What a comparison found, as a table.

use std::collections::BTreeSet;

use ood::holm;

use super::{Compared, lines::Line};
use crate::{
    commands::results::names::{Direction, direction, title},
    output::{Audience, Cell, Column, Table},
};

/// Digits after the point of a mean and a difference.
const DECIMALS: usize = 4;
/// Below this a p-value is no longer shown in digits.
const SMALLEST_P: f64 = 0.0001;
/// Reasons that are listed for what is not tested.
const REASONS: usize = 5;
/// The level at which a difference is said to be one.
const LEVEL: f64 = 0.05;

/// The table for its readers.
pub fn table(compared: &Compared, audience: Audience) -> Table {
    let p_values: Vec<f64> =
        compared.found.lines.iter().map(|line| line.test.as_ref().map_or(f64::NAN, |test| test.p_value)).collect();
    let adjusted = holm(&p_values);
    match audience {
        Audience::People => for_people(compared, &adjusted),
        Audience::Machines => for_machines(compared, &adjusted),
    }
}

fn for_people(compared: &Compared, adjusted: &[f64]) -> Table {
    let Compared { first, second, found } = compared;
    let lines = &found.lines;
    let metrics_differ = lines.iter().any(|line| line.pair.metric != lines[0].pair.metric);
    let has_score = lines.iter().any(|line| line.pair.scores[0] == line.pair.scores[1]);
    // What is the same in every row stands below the table: terminals are narrow.
    let common = lines.first().map(seeds).filter(|first| lines.iter().all(|line| seeds(line) == *first));
    let mut columns = vec![Column::text("out_dataset", "out")];
    columns.extend(has_score.then(|| Column::text("score", "score")));
    columns.extend(metrics_differ.then(|| Column::text("metric", "metric")));
    columns.extend([
        Column::number("first", "A"),
        Column::number("second", "B"),
        Column::number("difference", "A − B"),
        Column::text("ci", "95 % interval"),
        Column::number("p_holm", "p (Holm)"),
        Column::text("better", "better"),
    ]);
    columns.extend(common.is_none().then(|| Column::text("seeds", "seeds")));
    let mut table = Table::new("comparison", columns);
    for (line, &adjusted) in lines.iter().zip(adjusted) {
        let mut cells = vec![Cell::text(&line.pair.out_dataset)];
        cells.extend(has_score.then(|| Cell::text(&line.pair.scores[0])));
        cells.extend(metrics_differ.then(|| Cell::text(&line.pair.metric)));
        let test = line.test.as_ref();
        let interval = test.map(|test| format!("[{:.DECIMALS$}, {:.DECIMALS$}]", test.low, test.high));
        cells.extend([
            Cell::real(line.values.map(|values| values[0]), DECIMALS),
            Cell::real(line.values.map(|values| values[1]), DECIMALS),
            Cell::real(line.values.map(|values| values[0] - values[1]), DECIMALS),
            Cell::text(interval.unwrap_or_default()),
            Cell::text(test.map(|_| p_shown(adjusted)).unwrap_or_default()),
            Cell::text(better(line, adjusted)),
        ]);
        cells.extend(common.is_none().then(|| Cell::text(seeds(line))));
        table.push(cells);
    }
    table.set_caption(format!("{first} (A) and {second} (B)."));
    table.note(format!("A: {first}. B: {second}."));
    let metric = if metrics_differ { "Numbers".to_owned() } else { title(&lines[0].pair.metric) };
    table.note(match &common {
        Some(seeds) if seeds.ends_with("shared") => format!("{metric}: means over {seeds} seeds."),
        Some(seed) => format!("{metric} of {seed}."),
        None => format!("{metric}: means over the seeds that both have, or of the one seed named."),
    });
    let methods: BTreeSet<&str> =
        lines.iter().filter_map(|line| line.test.as_ref()).map(|test| test.method.as_str()).collect();
    if !methods.is_empty() {
        let methods: Vec<&str> = methods.into_iter().collect();
        table.note(format!(
            "Test: {}, two-sided; adjusted for all rows (Holm), and the better one named, at 5 %.",
            methods.join("; ")
        ));
    }
    if lines.iter().any(|line| line.test.is_none() && line.seed.is_none()) {
        table.note("Without two seeds in common there is no test over seeds.");
    }
    found.untested.iter().take(REASONS).for_each(|reason| table.note(format!("Not tested over images: {reason}.")));
    if lines.iter().any(|line| line.pair.in_datasets[0] != line.pair.in_datasets[1]) {
        table.note("A and B learned different datasets: what they are asked to tell apart is not the same.");
    }
    table
}

fn for_machines(compared: &Compared, adjusted: &[f64]) -> Table {
    let columns = vec![
        Column::text("first", "first"),
        Column::text("second", "second"),
        Column::text("out_dataset", "out"),
        Column::text("first_score", "score of the first"),
        Column::text("second_score", "score of the second"),
        Column::text("metric", "metric"),
        Column::whole("seed", "seed"),
        Column::whole("seeds", "seeds"),
        Column::number("first_mean", "mean of the first"),
        Column::number("second_mean", "mean of the second"),
        Column::number("difference", "difference"),
        Column::number("ci_low", "interval from"),
        Column::number("ci_high", "to"),
        Column::number("p_value", "p"),
        Column::number("p_holm", "p, adjusted"),
        Column::text("test", "test"),
    ];
    let mut table = Table::new("comparison", columns);
    for (line, &adjusted) in compared.found.lines.iter().zip(adjusted) {
        let Line { pair, seed, values, test } = line;
        let test = test.as_ref();
        let real = |value: Option<f64>| Cell::real(value, DECIMALS);
        table.push(vec![
            Cell::text(&compared.first),
            Cell::text(&compared.second),
            Cell::text(&pair.out_dataset),
            Cell::text(&pair.scores[0]),
            Cell::text(&pair.scores[1]),
            Cell::text(&pair.metric),
            seed.map_or(Cell::Absent, Cell::from),
            Cell::Whole(i64::try_from(seed.map_or(pair.both.len(), |_| 1)).unwrap_or(i64::MAX)),
            real(values.map(|values| values[0])),
            real(values.map(|values| values[1])),
            real(values.map(|values| values[0] - values[1])),
            real(test.map(|test| test.low)),
            real(test.map(|test| test.high)),
            real(test.map(|test| test.p_value)),
            real(test.map(|_| adjusted)),
            Cell::text(test.map(|test| test.method.as_str()).unwrap_or_default()),
        ]);
    }
    table
}

/// How many seeds, or which one.
fn seeds(line: &Line) -> String {
    line.seed.map_or_else(|| format!("{} shared", line.pair.both.len()), |seed| format!("seed {seed}"))
}

/// Three digits, or that it is smaller than they show.
fn p_shown(p_value: f64) -> String {
    if p_value < SMALLEST_P { format!("< {SMALLEST_P}") } else { format!("{p_value:.4}") }
}

/// Which one is better, where the test says that they differ.
fn better(line: &Line, adjusted: f64) -> &'static str {
    match &line.test {
        Some(test) if adjusted <= LEVEL => match (direction(&line.pair.metric), test.difference > 0.0) {
            (Direction::Up, true) | (Direction::Down, false) => "A",
            (Direction::Up, false) | (Direction::Down, true) => "B",
        },
        Some(_) => "neither",
        None => "",
    }
}
