//! `data list`: which datasets exist, and where they lie on this machine.

use std::path::PathBuf;

use datasets::{Catalogue, DataDirectory, Entry, Split, SplitSize};

use super::lookup;
use crate::{
    failure::Failure,
    output::{self, Cell, Column, Format, Table},
};

/// Lists every dataset, or the files of one.
pub fn run(directory: &DataDirectory, name: Option<&str>, format: Format) -> Result<(), Failure> {
    let Some(name) = name else {
        output::print(&[catalogue(directory)], format)?;
        return Ok(());
    };
    let entry = lookup(name)?;
    if format == Format::Table {
        print_description(directory, entry)?;
    } else {
        output::print(&[files(directory, entry)], format)?;
    }
    Ok(())
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
