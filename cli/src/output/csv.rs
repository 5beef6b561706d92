//! Tables as RFC 4180 CSV: a header of keys, numbers in full precision, an empty field where there is no value.

use std::io::{self, Write};

use super::{Cell, Column, Table};

/// A table that is written while its rows come.
pub(super) struct Rows<Out: Write> {
    csv: csv::Writer<Out>,
}

impl<Out: Write> Rows<Out> {
    pub(super) fn begin(columns: &[Column], out: Out) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(columns.iter().map(|column| column.key.as_ref()))?;
        Ok(Self { csv })
    }

    pub(super) fn push(&mut self, row: &[Cell]) -> io::Result<()> {
        Ok(self.csv.write_record(row.iter().map(field))?)
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = Rows::begin(&table.columns, out)?;
    table.rows.iter().try_for_each(|row| rows.push(row))?;
    rows.end()
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Absent => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Whole(number) => number.to_string(),
        Cell::Quantity { number, .. } => number.to_string(),
        Cell::Real { value, .. } => value.to_string(),
        Cell::Estimate(estimate) => estimate.mean.to_string(),
    }
}
