//! Tables: rows under named columns, written for people or for machines.

mod cell;
mod csv;
mod html;
mod json;
mod latex;
mod markdown;
mod parquet;
mod sink;
mod table;

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    cmp::Ordering,
    io::{self, Write},
};

use clap::ValueEnum;

pub use self::{
    cell::{Cell, Estimate, quantity},
    html::Grid,
    sink::{Sink, to_file, write_file},
    table::{Look, render},
};

/// How tables are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for a terminal
    #[default]
    Table,
    /// RFC 4180 with a header line; numbers in full precision
    Csv,
    /// One object: an array of rows for each table; numbers in full precision
    Json,
    /// A table for GitHub and notebooks
    Markdown,
    /// A table environment with booktabs' rules
    Latex,
    /// One table with typed columns; numbers in full precision
    Parquet,
}

/// Who reads a table: people want "0.05 ± 0.01" in one cell, machines one number in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Somebody at a terminal or a page.
    People,
    /// A program.
    Machines,
}

/// Rows under columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: &'static str,
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    notes: Vec<String>,
    /// How many columns at the beginning say what a row is, where the others may be drawn in parts; 0 where they may not.
    stubs: usize,
}

/// A column's names, how it is aligned and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What programs call it: the same as in the SQL views.
    key: Cow<'static, str>,
    /// What people call it, from the most general heading to its own.
    titles: Vec<Cow<'static, str>>,
    alignment: Alignment,
    holds: Holds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alignment {
    Left,
    Right,
}

/// What a column's cells are, for formats with types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Flag,
    Whole,
    Real,
}

impl Format {
    /// Who reads this format.
    pub fn audience(self) -> Audience {
        match self {
            Self::Table | Self::Markdown | Self::Latex => Audience::People,
            Self::Csv | Self::Json | Self::Parquet => Audience::Machines,
        }
    }
}

impl Column {
    /// A column of words.
    pub fn text(key: &'static str, title: &'static str) -> Self {
        Self::new(key, title, Alignment::Left, Holds::Text)
    }

    /// A column of numbers.
    pub fn number(key: &'static str, title: &'static str) -> Self {
        Self::new(key, title, Alignment::Right, Holds::Real)
    }

    /// A column of whole numbers.
    pub fn whole(key: &'static str, title: &'static str) -> Self {
        Self::new(key, title, Alignment::Right, Holds::Whole)
    }

    /// A column of yes and no.
    pub fn flag(key: &'static str, title: &'static str) -> Self {
        Self::new(key, title, Alignment::Left, Holds::Flag)
    }

    /// A column named at run time, of words.
    pub fn named(key: String, titles: Vec<String>) -> Self {
        let titles = titles.into_iter().map(Cow::Owned).collect();
        Self { key: Cow::Owned(key), titles, alignment: Alignment::Left, holds: Holds::Text }
    }

    /// The same, of measured numbers.
    pub fn of_reals(self) -> Self {
        Self { holds: Holds::Real, ..self }
    }

    /// The same, of whole numbers.
    pub fn of_wholes(self) -> Self {
        Self { holds: Holds::Whole, ..self }
    }

    fn new(key: &'static str, title: &'static str, alignment: Alignment, holds: Holds) -> Self {
        Self { key: Cow::Borrowed(key), titles: vec![Cow::Borrowed(title)], alignment, holds }
    }

    /// All headings in one line.
    fn title(&self) -> String {
        self.titles.join(" / ")
    }
}

impl Table {
    /// A table without rows; `name` is its key in JSON.
    pub fn new(name: &'static str, columns: Vec<Column>) -> Self {
        Self { name, caption: String::new(), columns, rows: Vec::new(), notes: Vec::new(), stubs: 0 }
    }

    /// Says what the table is, for formats that have a place for it.
    pub fn set_caption(&mut self, caption: impl Into<String>) {
        self.caption = caption.into();
    }

    /// Says that the first columns tell what a row is: a terminal that is too narrow shows the others in parts.
    pub fn set_stubs(&mut self, columns: usize) {
        self.stubs = columns;
    }

    /// Adds a row, one cell for each column.
    pub fn push(&mut self, row: Vec<Cell>) {
        assert_eq!(row.len(), self.columns.len(), "a row of table {} has one cell for each column", self.name);
        self.rows.push(row);
    }

    /// Adds a line below the table for people.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Keeps the first rows; tells how many went.
    pub fn cut(&mut self, rows: usize) -> usize {
        let gone = self.rows.len().saturating_sub(rows);
        self.rows.truncate(rows);
        gone
    }

    /// Orders rows by the column that `key` names, largest first after a `-`; rows without a value come last, and equal ones keep
    /// their order. The error says which columns there are.
    pub fn sort(&mut self, key: &str) -> Result<(), String> {
        let (name, descends) = match key.strip_prefix('-') {
            Some(name) => (name, true),
            None => (key, false),
        };
        let Some(index) = self.columns.iter().position(|column| column.key == name) else {
            let known: Vec<String> = self.columns.iter().map(|column| format!("`{}`", column.key)).collect();
            return Err(format!("there is no column `{name}` to sort by: one of {} expected", known.join(", ")));
        };
        self.rows.sort_by(|one, other| match (&one[index], &other[index]) {
            (Cell::Absent, Cell::Absent) => Ordering::Equal,
            (Cell::Absent, _) => Ordering::Greater,
            (_, Cell::Absent) => Ordering::Less,
            (one, other) => {
                let order = match (one.number(), other.number()) {
                    (Some(one), Some(other)) => one.total_cmp(&other),
                    (_, _) => one.shown().cmp(&other.shown()),
                };
                if descends { order.reverse() } else { order }
            }
        });
        Ok(())
    }

    /// How many headings stand above each other at most.
    fn levels(&self) -> usize {
        self.columns.iter().map(|column| column.titles.len()).max().unwrap_or(1)
    }
}

/// Writes `tables` to standard output; a terminal is asked for its width and colours.
pub fn print(tables: &[Table], format: Format) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout());
    write(tables, format, Look::of_stdout(), &mut out)?;
    out.flush()
}

/// Writes `tables` one below the other; JSON is one document, and Parquet holds one table.
pub fn write(tables: &[Table], format: Format, look: Look, out: &mut (dyn Write + Send)) -> io::Result<()> {
    match format {
        Format::Json => return json::write(tables, out),
        Format::Parquet => return parquet::write(tables, out),
        Format::Table | Format::Csv | Format::Markdown | Format::Latex => {}
    }
    for (position, table) in tables.iter().enumerate() {
        if position > 0 {
            writeln!(out)?;
        }
        match format {
            Format::Table => writeln!(out, "{}", render(table, look))?,
            Format::Csv => csv::write(table, out)?,
            Format::Markdown => markdown::write(table, out)?,
            Format::Latex => latex::write(table, out)?,
            Format::Json | Format::Parquet => unreachable!("written above"),
        }
    }
    Ok(())
}
