//! What a comparison found, as a table.

use ood::holm;

use super::{Compared, pairs::Pair};
use crate::{
    commands::results::names::{Direction, direction, title},
    output::{Audience, Cell, Column, Table},
};

/// Digits after the point of a mean and a difference.
const DECIMALS: usize = 4;
/// Below this a p-value is no longer shown in digits.
const SMALLEST_P: f64 = 0.0001;
/// The level at which a difference is said to be one.
const LEVEL: f64 = 0.05;

/// The table for its readers.
pub fn table(compared: &Compared, audience: Audience) -> Table {
    let p_values: Vec<f64> =
        compared.pairs.iter().map(|pair| pair.test.map_or(f64::NAN, |test| test.p_value)).collect();
    let adjusted = holm(&p_values);
    match audience {
        Audience::People => for_people(compared, &adjusted),
        Audience::Machines => for_machines(compared, &adjusted),
    }
}

fn for_people(compared: &Compared, adjusted: &[f64]) -> Table {
    let Compared { first, second, pairs } = compared;
    let metrics_differ = pairs.iter().any(|pair| pair.metric != pairs[0].metric);
    let has_score = pairs.iter().any(|pair| pair.scores[0] == pair.scores[1]);
    let mut columns = vec![Column::text("out_dataset", "out")];
    columns.extend(has_score.then(|| Column::text("score", "score")));
    columns.extend(metrics_differ.then(|| Column::text("metric", "metric")));
    columns.extend([
        Column::number("first", "A"),
        Column::number("second", "B"),
        Column::number("difference", "A − B"),
        Column::text("ci", "95 % interval"),
        Column::number("p_value", "p"),
        Column::number("p_holm", "p (Holm)"),
        Column::text("better", "better"),
        Column::whole("seeds", "seeds"),
    ]);
    let mut table = Table::new("comparison", columns);
    for (pair, &adjusted) in pairs.iter().zip(adjusted) {
        let mut cells = vec![Cell::text(&pair.out_dataset)];
        cells.extend(has_score.then(|| Cell::text(&pair.scores[0])));
        cells.extend(metrics_differ.then(|| Cell::text(&pair.metric)));
        let test = pair.test.ok();
        let interval = test.map(|test| format!("[{:.DECIMALS$}, {:.DECIMALS$}]", test.low, test.high));
        cells.extend([
            Cell::real(pair.means.map(|means| means[0]), DECIMALS),
            Cell::real(pair.means.map(|means| means[1]), DECIMALS),
            Cell::real(pair.means.map(|means| means[0] - means[1]), DECIMALS),
            Cell::text(interval.unwrap_or_default()),
            Cell::text(test.map(|test| p_shown(test.p_value)).unwrap_or_default()),
            Cell::text(test.map(|_| p_shown(adjusted)).unwrap_or_default()),
            Cell::text(better(pair, adjusted)),
            Cell::Whole(i64::try_from(pair.seeds).unwrap_or(i64::MAX)),
        ]);
        table.push(cells);
    }
    table.set_caption(format!("{first} (A) and {second} (B)."));
    table.note(format!("A: {first}. B: {second}."));
    let metric = if metrics_differ { "numbers".to_owned() } else { title(&pairs[0].metric) };
    table.note(format!("Means of {metric} over the seeds that both have. Test: paired t-test over seeds, two-sided, adjusted for all rows (Holm); better at 5 %."));
    if pairs.iter().any(|pair| pair.test.is_err()) {
        table.note("Where both have fewer than two seeds in common there is no test over seeds.");
    }
    if pairs.iter().any(|pair| pair.in_datasets[0] != pair.in_datasets[1]) {
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
    for (pair, &adjusted) in compared.pairs.iter().zip(adjusted) {
        let test = pair.test.ok();
        let real = |value: Option<f64>| Cell::real(value, DECIMALS);
        table.push(vec![
            Cell::text(&compared.first),
            Cell::text(&compared.second),
            Cell::text(&pair.out_dataset),
            Cell::text(&pair.scores[0]),
            Cell::text(&pair.scores[1]),
            Cell::text(&pair.metric),
            Cell::Whole(i64::try_from(pair.seeds).unwrap_or(i64::MAX)),
            real(pair.means.map(|means| means[0])),
            real(pair.means.map(|means| means[1])),
            real(pair.means.map(|means| means[0] - means[1])),
            real(test.map(|test| test.low)),
            real(test.map(|test| test.high)),
            real(test.map(|test| test.p_value)),
            real(test.map(|_| adjusted)),
            Cell::text(test.map_or("", |_| "paired t over seeds")),
        ]);
    }
    table
}

/// Three digits, or that it is smaller than they show.
fn p_shown(p_value: f64) -> String {
    if p_value < SMALLEST_P { format!("< {SMALLEST_P}") } else { format!("{p_value:.4}") }
}

/// Which one is better, where the test says that they differ.
fn better(pair: &Pair, adjusted: f64) -> &'static str {
    match pair.test {
        Ok(test) if adjusted <= LEVEL => match (direction(&pair.metric), test.difference > 0.0) {
            (Direction::Up, true) | (Direction::Down, false) => "A",
            (Direction::Up, false) | (Direction::Down, true) => "B",
        },
        Ok(_) => "neither",
        Err(_) => "",
    }
}
