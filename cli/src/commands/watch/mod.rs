//! `watch`: follows a sweep until every job has ended, also across a restart of the coordinator.

mod bars;
mod changes;
mod snapshots;

use std::io::{IsTerminal, Write, stderr, stdout};

use anyhow::anyhow;
use clap::Args;
use proto::v1::WatchResponse;

pub use self::snapshots::{Patience, may_pass};
use self::{
    bars::Bars,
    changes::Changes,
    snapshots::{News, Snapshots},
};
use super::results::{ALL, auroc_table, names::FIRST_SCORES};
use crate::{
    client::Client,
    failure::Failure,
    output::{Look, render},
};

const EXAMPLES: &str = "\
Examples:
  spillway watch demo
  spillway watch demo > demo.log       one line for each change
  spillway watch demo --scores all

On a terminal: a bar for each running job and the table as it fills. Unless --scores names others, the table has the scores
log-likelihood, typicality, complexity-png and dose. Ctrl-C stops watching; the sweep goes on.
Exit code 6: the sweep ended, but not every job succeeded.";

/// Which sweep.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// Show these scores; `all` shows every one
    #[arg(long, value_name = "SCORE", value_delimiter = ',', default_values_t = FIRST_SCORES.map(str::to_owned), hide_default_value = true)]
    scores: Vec<String>,
}

/// Where what happens is shown.
enum Display {
    /// Bars on standard error: it and standard output are terminals.
    Bars(Bars),
    /// Lines on standard output, which somebody keeps or reads.
    Lines(Changes),
}

/// Follows the sweep.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    follow_scores(client, &arguments.sweep, &arguments.scores).await
}

/// Shows what happens to a sweep until it ends; then its table.
pub async fn follow(client: &Client, sweep: &str) -> Result<(), Failure> {
    follow_scores(client, sweep, &FIRST_SCORES.map(str::to_owned)).await
}

async fn follow_scores(client: &Client, sweep: &str, scores: &[String]) -> Result<(), Failure> {
    let mut display = Display::choose();
    let scores = if scores.iter().any(|score| score == ALL) { &[] } else { scores };
    let mut snapshots = Snapshots::of(client, sweep, scores, Patience::default());
    let last = loop {
        match snapshots.next().await? {
            News::Snapshot(snapshot) => {
                display.show(&snapshot)?;
                if snapshot.finished {
                    break *snapshot;
                }
            }
            News::Lost { cause, delay } => {
                display
                    .say(&format!("lost the coordinator ({cause}): trying again in {:.1} s", delay.as_secs_f64()))?;
            }
            News::Back => display.say("the coordinator is back")?,
        }
    };
    display.end()?;
    conclude(&last)
}

impl Display {
    fn choose() -> Self {
        if stdout().is_terminal() && stderr().is_terminal() {
            Self::Bars(Bars::new())
        } else {
            Self::Lines(Changes::default())
        }
    }

    fn show(&mut self, snapshot: &WatchResponse) -> Result<(), Failure> {
        match self {
            Self::Bars(bars) => bars.show(snapshot),
            Self::Lines(changes) => {
                let mut out = stdout().lock();
                for line in changes.since_last(snapshot) {
                    writeln!(out, "{line}")?;
                }
                out.flush()?;
            }
        }
        Ok(())
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Bars(bars) => bars.say(text)?,
            Self::Lines(_) => eprintln!("{text}"),
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Failure> {
        match self {
            Self::Bars(bars) => bars.clear()?,
            Self::Lines(_) => writeln!(stdout())?,
        }
        Ok(())
    }
}

/// Prints the final table and what failed.
fn conclude(last: &WatchResponse) -> Result<(), Failure> {
    let summary = last.sweep.as_ref().ok_or_else(|| anyhow!("the coordinator's answer lacks the sweep"))?;
    let mut table = auroc_table(&last.auroc);
    if !table.is_empty() {
        table.note(format!("More scores, metrics and bits/dim: `spillway results {}`.", summary.name));
        writeln!(stdout(), "{}", render(&table, Look::of_stdout()))?;
    }
    let jobs = summary.jobs.unwrap_or_default();
    match jobs.failed + jobs.cancelled + jobs.quarantined {
        0 => Ok(()),
        failed => Err(Failure::Incomplete { sweep: summary.name.clone(), failed }),
    }
}
