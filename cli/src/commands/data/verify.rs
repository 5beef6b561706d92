//! `data verify`: whether files are what their publishers made.

use std::path::Path;

use anyhow::anyhow;
use datasets::{Catalogue, DataDirectory, Entry, FileOutcome, FileReport, Split, verify};

use super::lookup;
use crate::{
    failure::Failure,
    output::{self, Cell, Column, Format, Table},
};

/// Reads every file of one dataset, or of all of which a file is here.
pub fn run(directory: &DataDirectory, name: Option<&str>) -> Result<(), Failure> {
    let entries = match name {
        Some(name) => vec![lookup(name)?],
        None => Catalogue::entries().iter().filter(|entry| is_begun(directory, entry)).collect(),
    };
    verify_all(directory, &entries)
}

/// Whether a dataset is built in or at least one of its files is here: nobody has all datasets of the catalogue.
fn is_begun(directory: &DataDirectory, entry: &Entry) -> bool {
    let wanted = directory.files(entry);
    wanted.is_empty() || wanted.iter().any(|file| directory.find(entry, file).is_ok())
}

/// Reads every file of some datasets.
pub fn verify_all(directory: &DataDirectory, entries: &[&Entry]) -> Result<(), Failure> {
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
        let (count, names) = (left_out.len(), left_out.join(", "));
        path.push_str(&format!(", without {count} files that the publisher damaged: {names}"));
    }
    match (examples, split.and_then(|split| entry.size(split).known())) {
        (None, _) => format!("verified: {path}"),
        (Some(examples), Some(known)) if examples < known => format!("sound, {examples} of {known}: {path}"),
        (Some(examples), _) => format!("sound, {examples} {}: {path}", entry.shape.plural()),
    }
}
