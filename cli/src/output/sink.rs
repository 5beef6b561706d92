//! Rows that are written while they come, so that a table may be larger than memory; and files that appear whole or not at all.

use std::{
    fs,
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context, anyhow};
use tempfile::NamedTempFile;

use super::{Cell, Column, Format, csv, json, parquet};

/// One table for programs.
pub struct Sink<'a>(Kind<'a>);

enum Kind<'a> {
    Csv(Box<csv::Rows<&'a mut (dyn Write + Send)>>),
    Json(json::Document<&'a mut (dyn Write + Send)>),
    Parquet(Box<parquet::Rows<&'a mut (dyn Write + Send)>>),
}

impl<'a> Sink<'a> {
    /// Begins a table; none when `format` is one that is drawn as a whole.
    pub fn begin(
        format: Format,
        name: &str,
        columns: &[Column],
        out: &'a mut (dyn Write + Send),
    ) -> io::Result<Option<Self>> {
        Ok(Some(Self(match format {
            Format::Csv => Kind::Csv(Box::new(csv::Rows::begin(columns, out)?)),
            Format::Json => {
                let mut document = json::Document::open(out)?;
                document.begin(name, columns)?;
                Kind::Json(document)
            }
            Format::Parquet => Kind::Parquet(Box::new(parquet::Rows::begin(name, columns, out)?)),
            Format::Table | Format::Markdown | Format::Latex => return Ok(None),
        })))
    }

    /// Writes a row, one cell for each column.
    pub fn push(&mut self, row: &[Cell]) -> io::Result<()> {
        match &mut self.0 {
            Kind::Csv(rows) => rows.push(row),
            Kind::Json(document) => document.push(row),
            Kind::Parquet(rows) => rows.push(row),
        }
    }

    /// Begins another table; only a JSON document has several.
    pub fn next_table(&mut self, name: &str, columns: &[Column]) -> io::Result<()> {
        match &mut self.0 {
            Kind::Json(document) => document.begin(name, columns),
            Kind::Csv(_) | Kind::Parquet(_) => Err(io::Error::other("the format holds one table")),
        }
    }

    /// Ends the table.
    pub fn end(self) -> io::Result<()> {
        match self.0 {
            Kind::Csv(rows) => rows.end(),
            Kind::Json(document) => document.close(),
            Kind::Parquet(rows) => rows.end(),
        }
    }
}

/// A file that gets its name when it is whole.
pub struct Whole<'a> {
    path: &'a Path,
    out: BufWriter<NamedTempFile>,
}

/// Begins the file at `path`.
pub fn to_file(path: &Path) -> anyhow::Result<Whole<'_>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        return Err(anyhow!("cannot write {}: it is a folder", path.display()));
    }
    let file = NamedTempFile::new_in(folder).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Whole { path, out: BufWriter::new(file) })
}

/// Writes a whole file.
pub fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = to_file(path)?;
    file.out().write_all(bytes).with_context(|| format!("cannot write {}", path.display()))?;
    file.keep()
}

impl Whole<'_> {
    /// What to write to.
    pub fn out(&mut self) -> &mut (dyn Write + Send) {
        &mut self.out
    }

    /// Gives the file its name.
    pub fn keep(self) -> anyhow::Result<()> {
        let unwritable = || format!("cannot write {}", self.path.display());
        let file = self.out.into_inner().map_err(|error| error.into_error()).with_context(unwritable)?;
        // Temporary files are for their owner alone.
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).with_context(unwritable)?;
        file.persist(self.path).map(drop).with_context(unwritable)
    }
}
