//! Tables as one JSON document: an array of rows for each table, by name, a row on each line.

use std::io::{self, Write};

use serde_json::Value;

use super::{Cell, Column, Table};

/// A document whose rows are written while they come.
pub(super) struct Document<Out: Write> {
    out: Out,
    keys: Vec<String>,
    tables: usize,
    rows: usize,
}

impl<Out: Write> Document<Out> {
    pub(super) fn open(mut out: Out) -> io::Result<Self> {
        write!(out, "{{")?;
        Ok(Self { out, keys: Vec::new(), tables: 0, rows: 0 })
    }

    /// Ends the table before, if there is one, and begins the next.
    pub(super) fn begin(&mut self, name: &str, columns: &[Column]) -> io::Result<()> {
        if self.tables > 0 {
            self.end_table()?;
            write!(self.out, ",")?;
        }
        write!(self.out, "\n  {}: [", Value::from(name))?;
        self.keys = columns.iter().map(|column| Value::from(column.key.as_ref()).to_string()).collect();
        self.tables += 1;
        self.rows = 0;
        Ok(())
    }

    pub(super) fn push(&mut self, row: &[Cell]) -> io::Result<()> {
        let members = self.keys.iter().zip(row).map(|(key, cell)| format!("{key}: {}", value(cell)));
        let members: Vec<String> = members.collect();
        let comma = if self.rows > 0 { "," } else { "" };
        write!(self.out, "{comma}\n    {{{}}}", members.join(", "))?;
        self.rows += 1;
        Ok(())
    }

    pub(super) fn close(mut self) -> io::Result<()> {
        if self.tables > 0 {
            self.end_table()?;
        }
        writeln!(self.out, "\n}}")?;
        self.out.flush()
    }

    fn end_table(&mut self) -> io::Result<()> {
        if self.rows > 0 { write!(self.out, "\n  ]") } else { write!(self.out, "]") }
    }
}

pub(super) fn write(tables: &[Table], out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::open(out)?;
    for table in tables {
        document.begin(table.name, &table.columns)?;
        table.rows.iter().try_for_each(|row| document.push(row))?;
    }
    document.close()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Absent => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Flag(flag) => Value::from(*flag),
        Cell::Whole(number) => Value::from(*number),
        Cell::Quantity { number, .. } => Value::from(*number),
        Cell::Real { value, .. } => real(*value),
        Cell::Estimate(estimate) => real(estimate.mean),
    }
}

/// JSON has no NaN and no infinity: they are written as text rather than lost as null.
fn real(value: f64) -> Value {
    if value.is_finite() { Value::from(value) } else { Value::from(value.to_string()) }
}
