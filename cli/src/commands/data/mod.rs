//! `data`: which datasets exist, fetching them, whether they are what their publishers made, and what they look like.

mod describe;
mod fetch;
mod list;
mod preview;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use datasets::{Catalogue, DataDirectory, Entry};
use domain::spec::Dataset;

use crate::{failure::Failure, output::Format};

const EXAMPLES: &str = "\
Examples:
  spillway data list
  spillway data list fashion-mnist      with its files, and what to put where
  spillway data fetch kmnist svhn
  spillway data verify
  spillway data verify mnist --data-dir /srv/images
  spillway data describe 'svhn|gray|resize=28x28:bilinear'
  spillway data preview 'mnist|classes=3,8|hflip' --out eights.png

Each dataset has a folder of its name in the data directory (the classes of a table share one: hepmass, miniboone).
It holds the publisher's files, plain or gzip, or arrays: train.npy, train.npz or train.safetensors, and the same for
test. `spillway data list NAME` says what a file must hold and where to put it.";

/// What to do with the datasets, and where they are.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// The folder with one folder per dataset
    #[arg(long, global = true, env = "SPILLWAY_DATA_DIR", value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the datasets that Spillway knows, their sizes and licences, and where they were found
    #[command(after_help = EXAMPLES)]
    List {
        /// Show this dataset in full
        name: Option<String>,
        /// How to write the table
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Download the publisher's files of datasets, resuming what was cut off, and verify them
    #[command(after_help = fetch::EXAMPLES)]
    Fetch(fetch::Arguments),
    /// Read every file and compare it with its published digest, or check its values; exits with 1
    /// when one is missing or wrong
    #[command(after_help = EXAMPLES)]
    Verify {
        /// Check this dataset; without a name, every dataset of which a file is here
        name: Option<String>,
    },
    /// Read a dataset as a flow would see it and print its numbers: count, shape, mean, labels, resampling
    #[command(after_help = describe::EXAMPLES)]
    Describe(describe::Arguments),
    /// Draw a contact sheet of a dataset's images as PNG, and print its numbers
    #[command(after_help = preview::EXAMPLES)]
    Preview(preview::Arguments),
}

/// Does what was asked.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let directory = DataDirectory::at(&arguments.data_dir);
    match &arguments.action {
        Action::List { name, format } => list::run(&directory, name.as_deref(), *format),
        Action::Fetch(arguments) => fetch::run(&directory, arguments),
        Action::Verify { name } => verify::run(&directory, name.as_deref()),
        Action::Describe(arguments) => describe::run(&directory, arguments),
        Action::Preview(arguments) => preview::run(&directory, arguments),
    }
}

fn lookup(name: &str) -> Result<&'static Entry, Failure> {
    Catalogue::lookup(name).map_err(|unknown| Failure::NotFound(unknown.to_string()))
}

/// Reads the name of a dataset, steps and all.
fn parse(name: &str) -> Result<Dataset, Failure> {
    name.parse().map_err(|error: domain::spec::DatasetError| Failure::NotFound(error.to_string()))
}
