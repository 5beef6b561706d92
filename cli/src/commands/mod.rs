//! The commands, one file or folder each.

pub mod cancel;
pub mod checkpoint;
pub mod compare;
pub mod data;
pub mod drain;
pub mod figures;
pub mod jobs;
pub mod list;
pub mod logs;
pub mod metrics;
pub mod plot;
pub mod report;
pub mod rescore;
pub mod results;
pub mod retry;
pub mod submit;
pub mod up;
pub mod validate;
pub mod watch;
pub mod why;
pub mod workers;

use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a cluster on this machine: PostgreSQL, a coordinator and workers, until Ctrl-C
    Up(up::Arguments),
    /// Check a sweep file and show what it expands to; needs no coordinator and stores nothing
    Validate(validate::Arguments),
    /// Store a sweep and start it
    Submit(submit::Arguments),
    /// List sweeps, newest first
    List(list::Arguments),
    /// Follow a sweep until it ends: progress of every running job, and the AUROC table as it fills
    Watch(watch::Arguments),
    /// Print a sweep's results: every number as a list or a grid, and the bits/dim of each dataset
    Results(results::Arguments),
    /// Write one page with everything that a sweep gave: tables, pictures, documents, versions
    Report(report::Arguments),
    /// Draw likelihoods, ROC curves, training curves or AUROCs of a sweep, as SVG or PNG
    Plot(plot::Arguments),
    /// Compare two variants, experiments or scores, with paired tests
    Compare(compare::Arguments),
    /// Print AUROC, AUPR, FPR and detection error of two files of scores; needs no coordinator
    Metrics(metrics::Arguments),
    /// Fetch the pictures of what a sweep's or an experiment's flows learned, and list them
    Figures(figures::Arguments),
    /// List a sweep's jobs with their states and reasons
    Jobs(jobs::Arguments),
    /// Say why a job does not run, or how it ended: every reason that holds, and its attempts
    Why(why::Arguments),
    /// Print what a job wrote, also while it runs
    Logs(logs::Arguments),
    /// Cancel the jobs of a sweep that have not ended
    Cancel(cancel::Arguments),
    /// Try the jobs of a sweep that ended without a result again
    Retry(retry::Arguments),
    /// Compute more scores of what a sweep evaluated, most of them without a GPU
    Rescore(rescore::Arguments),
    /// List workers: what each runs, and how late its heartbeat is
    Workers(workers::Arguments),
    /// Tell workers to give back what they run and to end
    Drain(drain::Arguments),
    /// Import, export and look into trained models
    Checkpoint(checkpoint::Arguments),
    /// List and check the datasets on this machine
    Data(data::Arguments),
}
