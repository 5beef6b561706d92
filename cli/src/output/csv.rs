//! Tables as RFC 4180 CSV: a header of keys, numbers in full precision, an empty field where there is no value.

use std::io::{self, Write};

use super::{Cell, Table};

pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(table.columns.iter().map(|column| column.key))?;
    for row in &table.rows {
        csv.write_record(row.iter().map(field))?;
    }
    csv.flush()
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Absent => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Whole(number) => number.to_string(),
        Cell::Quantity { number, .. } => number.to_string(),
        Cell::Real { value, .. } => value.to_string(),
    }
}
