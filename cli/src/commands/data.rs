//! `data`: which datasets exist, where they lie on this machine, and whether they are what their publishers made.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use datasets::{Catalogue, DataDirectory, Entry, FileOutcome, FileReport, Split, SplitSize, verify};

use crate::{
    failure::Failure,
    output::{self, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway data list
  spillway data list fashion-mnist      with its files, and what to put where
  spillway data verify
  spillway data verify mnist --data-dir /srv/images

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
    /// Read every file and compare it with its published digest, or check its values; exits with 1
    /// when one is missing or wrong
    #[command(after_help = EXAMPLES)]
    Verify {
        /// Check this dataset; without a name, every dataset of which a file is here
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
                None => Catalogue::entries().iter().filter(|entry| is_begun(&directory, entry)).collect(),
            };
            verify_all(&directory, &entries)
        }
    }
}

/// Whether a dataset is built in or at least one of its files is here: nobody has all datasets of the catalogue.
fn is_begun(directory: &DataDirectory, entry: &Entry) -> bool {
    let wanted = directory.files(entry);
    wanted.is_empty() || wanted.iter().any(|file| directory.find(entry, file).is_ok())
}

fn lookup(name: &str) -> Result<&'static Entry, Failure> {
    Catalogue::lookup(name).map_err(|unknown| Failure::NotFound(unknown.to_string()))
}

fn catalogue(directory: &DataDirectory) -> Table {
    let columns = vec![
        Column::text("dataset", "dataset"),
        Column::text("kind", "kind"),
        Column::text("shape", "shape"),
        Column::number("train_examples", "train"),
        Column::number("test_examples", "test"),
        Column::text("licence", "licence"),
        Column::text("found", "found"),
        Column::text("title", "title"),
    ];
    let mut table = Table::new("datasets", columns);
    for entry in Catalogue::entries() {
        table.push(vec![
            Cell::text(entry.name),
            Cell::text(entry.shape.plural()),
            Cell::text(entry.shape.to_string()),
            size(entry, Split::Train),
            size(entry, Split::Test),
            Cell::text(entry.licence),
            Cell::text(found(directory, entry)),
            Cell::text(entry.title),
        ]);
    }
    table
}

/// Number of examples in a split: 0 if there is no such split, absent if only the file can tell.
fn size(entry: &Entry, split: Split) -> Cell {
    match entry.size(split) {
        SplitSize::Known(size) => (size as u64).into(),
        SplitSize::Absent => 0_u64.into(),
        SplitSize::OfFiles => Cell::Absent,
    }
}

/// Where the files that loading needs lie; their contents are not read.
fn found(directory: &DataDirectory, entry: &Entry) -> String {
    let wanted = directory.files(entry);
    if wanted.is_empty() {
        return "built in".to_owned();
    }
    let needed: Vec<_> = wanted.iter().filter(|file| file.is_needed).collect();
    let places: Vec<PathBuf> = needed.iter().filter_map(|file| directory.find(entry, file).ok()).collect();
    let folder = places.first().and_then(|place| place.parent()).map(|folder| folder.display().to_string());
    match (folder, needed.len() - places.len()) {
        (Some(folder), 0) => folder,
        (Some(folder), missing) => format!("{folder}, {missing} of {} files missing", needed.len()),
        (None, _) => "missing".to_owned(),
    }
}

fn print_description(directory: &DataDirectory, entry: &Entry) -> Result<(), Failure> {
    use std::io::Write;

    let mut out = std::io::stdout().lock();
    write!(out, "{}", entry.describe())?;
    writeln!(out, "  found     {}", found(directory, entry))?;
    for missing in directory.files(entry).iter().filter_map(|file| directory.find(entry, file).err()) {
        writeln!(out, "  missing   put {} into {}", missing.names.join(" or "), missing.put_into().display())?;
    }
    Ok(())
}

fn files(directory: &DataDirectory, entry: &Entry) -> Table {
    let columns = vec![
        Column::text("dataset", "dataset"),
        Column::text("file", "file"),
        Column::text("contents", "contents"),
        Column::text("found", "found"),
        Column::text("put_into", "put into"),
    ];
    let mut table = Table::new("files", columns);
    for file in directory.files(entry) {
        let (place, put_into) = match directory.find(entry, &file) {
            Ok(path) => (Cell::text(path.display().to_string()), Cell::Absent),
            Err(missing) => (Cell::Absent, Cell::text(missing.put_into().display().to_string())),
        };
        let names = file.names.join(" or ");
        table.push(vec![Cell::text(entry.name), Cell::text(names), Cell::text(file.contents), place, put_into]);
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
                FileOutcome::Verified { path, examples, left_out } => {
                    verified(entry, file.split, &path, examples, &left_out)
                }
                FileOutcome::Missing(missing) => {
                    problems.push(missing.to_string());
                    "missing".to_owned()
                }
                FileOutcome::Damaged(damage) => {
                    problems.push(damage.to_string());
                    "damaged".to_owned()
                }
            };
            let name = file.names.into_iter().next().unwrap_or_default();
            table.push(vec![Cell::text(entry.name), Cell::text(name), Cell::text(result)]);
        }
    }
    output::print(&[table], Format::Table)?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(anyhow!("{} of the files are missing or damaged:\n{}", problems.len(), problems.join("\n")).into())
}

/// Says where a sound file lies and how many examples it has, against the publisher's number if they differ.
fn verified(entry: &Entry, split: Option<Split>, path: &Path, examples: Option<usize>, left_out: &[String]) -> String {
    let mut path = path.display().to_string();
    if !left_out.is_empty() {
        path.push_str(&format!(
            ", without {} files that the publisher damaged: {}",
            left_out.len(),
            left_out.join(", ")
        ));
    }
    match (examples, split.and_then(|split| entry.size(split).known())) {
        (None, _) => format!("verified: {path}"),
        (Some(examples), Some(known)) if examples < known => format!("sound, {examples} of {known}: {path}"),
        (Some(examples), _) => format!("sound, {examples} {}: {path}", entry.shape.plural()),
    }
}
