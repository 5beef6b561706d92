//! `data`: which datasets exist, where they lie on this machine, and whether they are what their publishers made.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use datasets::{Catalogue, DataDirectory, Entry, FileOutcome, FileReport, verify};

use crate::{
    failure::Failure,
    output::{self, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway data list
  spillway data list fashion-mnist      with its files, sizes and digests
  spillway data verify
  spillway data verify mnist --data-dir /srv/images

Each dataset has a folder of its name in the data directory, with the publisher's file names, plain or gzip.";

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
    /// Read every file and compare it with its published digest; exits with 1 when one is missing or wrong
    #[command(after_help = EXAMPLES)]
    Verify {
        /// Check this dataset only
        name: Option<String>,
    },
}

/// Lists or verifies.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let directory = DataDirectory::at(&arguments.data_dir);
    match &arguments.action {
        Action::List { name: None, format } => {
            output::print(&[catalogue(&directory)], *format)?;
            Ok(())
        }
        Action::List { name: Some(name), format } => {
            let entry = lookup(name)?;
            if *format == Format::Table {
                print_description(&directory, entry)?;
            } else {
                output::print(&[files(&directory, entry)], *format)?;
            }
            Ok(())
        }
        Action::Verify { name } => {
            let entries = match name {
                Some(name) => vec![lookup(name)?],
                None => Catalogue::entries().iter().collect(),
            };
            verify_all(&directory, &entries)
        }
    }
}

fn lookup(name: &str) -> Result<&'static Entry, Failure> {
    Catalogue::lookup(name).map_err(|unknown| Failure::NotFound(unknown.to_string()))
}

fn catalogue(directory: &DataDirectory) -> Table {
    let columns = vec![
        Column::text("dataset", "dataset"),
        Column::text("shape", "shape"),
        Column::number("train_images", "train"),
        Column::number("test_images", "test"),
        Column::text("licence", "licence"),
        Column::text("found", "found"),
        Column::text("title", "title"),
    ];
    let mut table = Table::new("datasets", columns);
    for entry in Catalogue::entries() {
        let [channels, height, width] = entry.shape;
        table.push(vec![
            Cell::text(entry.name),
            Cell::text(format!("{channels}×{height}×{width}")),
            (entry.train_size as u64).into(),
            (entry.test_size as u64).into(),
            Cell::text(entry.licence),
            Cell::text(found(directory, entry)),
            Cell::text(entry.title),
        ]);
    }
    table
}

/// Where a dataset's images lie; their bytes are not read.
fn found(directory: &DataDirectory, entry: &Entry) -> String {
    if entry.files().is_empty() {
        return "built in".to_owned();
    }
    let images = entry.files().iter().filter(|file| file.holds_images());
    let places: Result<Vec<_>, _> = images.map(|file| directory.find(entry, file)).collect();
    match places {
        Err(_) => "missing".to_owned(),
        Ok(places) => {
            let folder = places.first().and_then(|place| place.parent());
            folder.map_or_else(|| "here".to_owned(), |folder| folder.display().to_string())
        }
    }
}

fn print_description(directory: &DataDirectory, entry: &Entry) -> Result<(), Failure> {
    use std::io::Write;

    let mut out = std::io::stdout().lock();
    write!(out, "{}", entry.describe())?;
    writeln!(out, "  found     {}", found(directory, entry))?;
    Ok(())
}

fn files(directory: &DataDirectory, entry: &Entry) -> Table {
    let columns = vec![
        Column::text("dataset", "dataset"),
        Column::text("file", "file"),
        Column::number("bytes", "bytes"),
        Column::text("md5", "MD5"),
        Column::text("found", "found"),
    ];
    let mut table = Table::new("files", columns);
    for file in entry.files() {
        let place = directory.find(entry, file).map(|path| path.display().to_string()).unwrap_or_default();
        table.push(vec![
            Cell::text(entry.name),
            Cell::text(file.name),
            (file.bytes as u64).into(),
            Cell::text(file.md5),
            Cell::text(place),
        ]);
    }
    table
}

fn verify_all(directory: &DataDirectory, entries: &[&Entry]) -> Result<(), Failure> {
    let columns =
        vec![Column::text("dataset", "dataset"), Column::text("file", "file"), Column::text("result", "result")];
    let mut table = Table::new("files", columns);
    let mut problems = Vec::new();
    for entry in entries {
        let reports = verify(directory, entry);
        if reports.is_empty() {
            table.push(vec![Cell::text(entry.name), Cell::Absent, Cell::text("built in")]);
        }
        for FileReport { file, outcome } in reports {
            let result = match outcome {
                FileOutcome::Verified { path } => format!("verified: {}", path.display()),
                FileOutcome::Missing(missing) => {
                    problems.push(missing.to_string());
                    "missing".to_owned()
                }
                FileOutcome::Damaged(damage) => {
                    problems.push(damage.to_string());
                    "damaged".to_owned()
                }
            };
            table.push(vec![Cell::text(entry.name), Cell::text(file.name), Cell::text(result)]);
        }
    }
    output::print(&[table], Format::Table)?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(anyhow!("{} of the files are missing or damaged:\n{}", problems.len(), problems.join("\n")).into())
}
