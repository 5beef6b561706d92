//! `cargo xtask`: the workspace's own commands. The first thing compiled on a fresh machine, so it has few dependencies.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a program; its output is its purpose")]

mod bench;
mod chaos;
mod check;
mod demo;
mod python;
mod setup;
mod sqlx;
mod test;
mod tidy;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The workspace's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks what this machine has, fetches libtorch and links it at `.spillway/libtorch`
    Setup {
        /// Where to put the link to libtorch, instead of `.spillway/libtorch`
        #[arg(long, value_name = "PATH")]
        link: Option<PathBuf>,
    },
    /// Sets up, builds, runs a small real sweep on this machine and prints its AUROC table
    Demo(demo::DemoArguments),
    /// Sets up and runs all tests on a private PostgreSQL; arguments go to `cargo test`
    Test {
        /// Arguments for `cargo test`; `-p PACKAGE` narrows it to a package
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Runs what CI runs: formatting, lints, tidy, query metadata, documentation, tests
    Check,
    /// Checks the rules that the compiler does not know: import borders, file length, what must not be in a file
    Tidy,
    /// Rewrites `.sqlx/`, the query metadata that the build checks queries against, from the migrations
    Sqlx {
        /// Change nothing; fail when `.sqlx/` is out of date
        #[arg(long)]
        check: bool,
    },
    /// Checks the Python package: generated code, style, types, and the tests that need no cluster
    Python {
        /// Write the code that comes from the protos first
        #[arg(long)]
        generate: bool,
    },
    /// Runs a whole cluster under faults that a seed fixes, and proves that nothing was lost, doubled or changed by a bit
    Chaos(chaos::ChaosArguments),
    /// Runs a benchmark in release mode
    Bench {
        /// Which one
        benchmark: bench::Benchmark,
        /// Arguments for the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            error.downcast_ref::<workspace::Failed>().map_or(ExitCode::FAILURE, |failed| failed.exit_code())
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Setup { link } => setup::run(&workspace, link.as_deref()),
        Command::Demo(arguments) => demo::run(&workspace, &arguments),
        Command::Test { arguments } => test::run(&workspace, &arguments),
        Command::Check => check::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Sqlx { check: false } => sqlx::rewrite(&workspace),
        Command::Sqlx { check: true } => sqlx::compare(&workspace),
        Command::Python { generate } => python::run(&workspace, generate),
        Command::Chaos(arguments) => chaos::run(&workspace, &arguments),
        Command::Bench { benchmark, arguments } => bench::run(&workspace, benchmark, &arguments),
    }
}
