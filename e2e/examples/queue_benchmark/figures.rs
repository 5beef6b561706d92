//! The figures of all repetitions, their medians and ratios.

use std::collections::BTreeMap;

use serde_json::json;

/// The system that is ours.
pub const OURS: &str = "spillway";

/// The measures that peers have too.
pub struct Names;

impl Names {
    pub const SUBMIT_MANY: &str = "submit in bulk";
    pub const SUBMIT_ONE: &str = "submit one by one, 8 clients";
    pub const DRAIN: &str = "drain of a backlog";
    pub const DRAIN_OUTSIDE: &str = "drain: CPU outside PostgreSQL";
    pub const DRAIN_SERVER: &str = "drain: CPU of PostgreSQL";
    pub const LATENCY_SEND: &str = "enqueue to start";
    pub const LATENCY_ANSWER: &str = "enqueue answered to start";
    pub const IDLE: &str = "idle: statements";
    pub const IDLE_OUTSIDE: &str = "idle: CPU outside PostgreSQL";
    pub const IDLE_SERVER: &str = "idle: CPU of PostgreSQL";
    pub const FREE: &str = "long drain";
    pub const PINNED: &str = "long drain under a pinned snapshot";
    pub const PINNED_SHARE: &str = "pinned / free";
    pub const PINNED_SHARE_LAST: &str = "pinned / free, last 6 s";
}

/// Which way a figure is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

/// What one row of the table shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    measure: String,
    unit: String,
    better: Better,
}

/// All figures, in the order in which their rows first came.
#[derive(Debug, Default)]
pub struct Figures {
    rows: Vec<Row>,
    systems: Vec<String>,
    values: BTreeMap<(usize, usize), Vec<f64>>,
}

/// Median and range of the repetitions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Figures {
    /// Adds one repetition's figure.
    pub fn add(&mut self, system: &str, measure: &str, unit: &str, better: Better, value: f64) {
        eprintln!("    {system}: {measure}: {} {unit}", rounded(value));
        let row = Row { measure: measure.to_owned(), unit: unit.to_owned(), better };
        let row = position(&mut self.rows, row);
        let system = position(&mut self.systems, system.to_owned());
        self.values.entry((row, system)).or_default().push(value);
    }

    /// Adds median, 99th percentile and maximum of one repetition's waits in milliseconds.
    pub fn add_waits(&mut self, system: &str, measure: &str, waits: &[f64]) {
        for (share, name) in [(0.5, "p50"), (0.99, "p99"), (1.0, "max")] {
            self.add(system, &format!("{measure}, {name}"), "ms", Better::Lower, percentile(waits, share));
        }
    }

    /// The table in Markdown: one row for each measure, one column for each system, with ratios of ours to each peer.
    pub fn markdown(&self) -> String {
        let mut text = format!("| measure | unit | {} |\n", self.systems.join(" | "));
        text += &format!("|---|---|{}\n", "---|".repeat(self.systems.len()));
        for (index, row) in self.rows.iter().enumerate() {
            let arrow = match row.better {
                Better::Higher => "↑",
                Better::Lower => "↓",
            };
            let cells: Vec<String> = (0..self.systems.len()).map(|system| self.cell(index, system)).collect();
            text += &format!("| {} {arrow} | {} | {} |\n", row.measure, row.unit, cells.join(" | "));
        }
        text
    }

    /// The same for programs, with every repetition's value.
    pub fn json(&self) -> serde_json::Value {
        let figures = self.values.iter().map(|((row, system), values)| {
            let summary = summary(values);
            json!({
                "measure": self.rows[*row].measure,
                "unit": self.rows[*row].unit,
                "better": match self.rows[*row].better { Better::Higher => "higher", Better::Lower => "lower" },
                "system": self.systems[*system],
                "values": values,
                "median": summary.median,
                "min": summary.least,
                "max": summary.most,
                "ours_to_this": self.ratio(*row, *system),
            })
        });
        figures.collect()
    }

    fn cell(&self, row: usize, system: usize) -> String {
        let Some(values) = self.values.get(&(row, system)) else { return "–".to_owned() };
        let Summary { median, least, most } = summary(values);
        let mut text = format!("**{}** ({}–{})", rounded(median), rounded(least), rounded(most));
        if let Some(ratio) = self.ratio(row, system) {
            text += &format!(" ×{}", rounded(ratio));
        }
        text
    }

    /// Our median divided by a peer's.
    fn ratio(&self, row: usize, system: usize) -> Option<f64> {
        let ours = self.systems.iter().position(|name| name == OURS).filter(|ours| *ours != system)?;
        let median = |system| self.values.get(&(row, system)).map(|values| summary(values).median);
        let ratio = median(ours)? / median(system)?;
        ratio.is_finite().then_some(ratio)
    }
}

/// Median and range; there is at least one value.
pub fn summary(values: &[f64]) -> Summary {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median =
        if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] };
    Summary { median, least: sorted[0], most: sorted[sorted.len() - 1] }
}

/// The value below which `share` of all values lie (nearest rank); there is at least one value.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Three digits where they mean something.
fn rounded(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn position<T: PartialEq>(all: &mut Vec<T>, one: T) -> usize {
    all.iter().position(|known| *known == one).unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    })
}
