//! A sweep on a terminal: its state, a bar for each running job, and the table as it fills.

use std::{
    collections::{HashMap, HashSet},
    io,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use proto::v1::{RunningJob, WatchResponse};

use super::changes::{of_running, pace};
use crate::{
    commands::{list::describe, results::auroc_table},
    output::{Look, Table, render},
};

/// A job that counts its steps or images.
const COUNTING: &str = "{prefix}  {bar:24.cyan/dim} {pos:>6}/{len:<6} {eta:>4} left{msg}";
/// A job that has not counted yet.
const STARTING: &str = "{prefix}  starting";
/// Lines beside rows of the table and bars of jobs: the summary, the header, notes, and room for lines that wrap.
const OTHER_LINES: usize = 10;
/// Rows that are shown however low the terminal is.
const FEWEST_ROWS: usize = 4;
/// Text of one or several lines.
const TEXT: &str = "{msg}";

/// The drawing on standard error.
#[derive(Debug)]
pub struct Bars {
    drawing: MultiProgress,
    summary: ProgressBar,
    jobs: HashMap<i64, ProgressBar>,
    table: ProgressBar,
}

impl Bars {
    /// An empty drawing.
    pub fn new() -> Self {
        let drawing = MultiProgress::new();
        let text = || drawing.add(ProgressBar::no_length().with_style(style(TEXT)));
        let (summary, table) = (text(), text());
        Self { drawing, summary, jobs: HashMap::new(), table }
    }

    /// Draws a snapshot in the place of the one before.
    pub fn show(&mut self, snapshot: &WatchResponse) {
        if let Some(sweep) = &snapshot.sweep {
            let jobs = describe(&sweep.jobs.unwrap_or_default());
            self.summary.set_message(format!("{}: {jobs}", console::style(&sweep.name).for_stderr().bold()));
        }
        let running: HashSet<i64> = snapshot.running.iter().map(|job| job.job_id).collect();
        self.jobs.retain(|job, bar| {
            let stays = running.contains(job);
            if !stays {
                bar.finish_and_clear();
                self.drawing.remove(bar);
            }
            stays
        });
        let names: Vec<String> = snapshot.running.iter().map(of_running).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (job, name) in snapshot.running.iter().zip(names) {
            self.show_job(job, format!("{name:width$}"));
        }
        if !snapshot.auroc.is_empty() {
            let height = console::Term::stderr().size_checked().map_or(usize::MAX, |(rows, _)| usize::from(rows));
            let drawn = render(&fitting(snapshot, height), Look::of_stderr());
            self.table.set_message(format!("\n{drawn}"));
        }
    }

    fn show_job(&mut self, job: &RunningJob, name: String) {
        let bar = self.jobs.entry(job.job_id).or_insert_with(|| {
            let bar = ProgressBar::new(job.total).with_style(style(STARTING));
            let bar = self.drawing.insert_before(&self.table, bar);
            // Steps of an earlier attempt would count as done in no time.
            bar.set_position(job.done);
            bar.reset_eta();
            bar
        });
        if job.total > 0 {
            bar.set_style(style(COUNTING));
            bar.set_length(job.total);
            bar.set_position(job.done);
        }
        bar.set_prefix(name);
        bar.set_message(pace(job));
    }

    /// Puts a line above the drawing, where it stays.
    pub fn say(&self, text: &str) -> io::Result<()> {
        self.drawing.println(text)
    }

    /// Takes the drawing away.
    pub fn clear(&self) -> io::Result<()> {
        self.drawing.clear()
    }
}

/// The table's first rows, as many as a terminal of this height shows beside the bars: a drawing that is higher scrolls away with every
/// change.
fn fitting(snapshot: &WatchResponse, height: usize) -> Table {
    let mut table = auroc_table(&snapshot.auroc);
    let rows = height.saturating_sub(snapshot.running.len() + OTHER_LINES).max(FEWEST_ROWS);
    let shown = snapshot.auroc.len() - table.cut(rows);
    let hidden = snapshot.auroc_rows.saturating_sub(shown as u64);
    if hidden > 0 {
        let name = snapshot.sweep.as_ref().map_or("SWEEP", |sweep| sweep.name.as_str());
        table.note(format!("{hidden} more rows: `spillway results {name}` shows them."));
    }
    table
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are sound").progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_sound() {
        for template in [COUNTING, STARTING, TEXT] {
            style(template);
        }
    }

    #[test]
    fn table_keeps_to_the_height_of_the_terminal_and_says_what_is_hidden() {
        let rows = vec![proto::v1::AurocRow { auroc_mean: Some(0.5), ..Default::default() }; 30];
        let snapshot = WatchResponse {
            auroc: rows,
            auroc_rows: 40,
            running: vec![RunningJob::default(); 2],
            ..Default::default()
        };

        let low = render(&fitting(&snapshot, 24), Look::PLAIN);
        let high = render(&fitting(&snapshot, usize::MAX), Look::PLAIN);

        assert!(low.lines().count() < 24 && low.contains("28 more rows: `spillway results SWEEP`"), "{low}");
        assert!(high.contains("10 more rows"), "{high}");
    }

    #[test]
    fn bars_come_and_go_with_their_jobs() {
        let mut bars = Bars::new();
        let job = |job_id| RunningJob { job_id, kind: "train".to_owned(), total: 10, ..RunningJob::default() };

        bars.show(&WatchResponse { running: vec![job(1), job(2)], ..WatchResponse::default() });
        bars.show(&WatchResponse { running: vec![job(2)], ..WatchResponse::default() });

        assert_eq!(bars.jobs.keys().collect::<Vec<_>>(), [&2]);
    }
}
