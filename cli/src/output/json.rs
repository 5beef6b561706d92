//! Tables as one JSON document: an array of rows for each table, by name.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{Cell, Table};

pub(super) fn write(tables: &[Table], out: &mut dyn Write) -> io::Result<()> {
    let document: Map<String, Value> = tables.iter().map(|table| (table.name.to_owned(), rows(table))).collect();
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn rows(table: &Table) -> Value {
    let row = |cells: &Vec<Cell>| -> Value {
        let members = table.columns.iter().zip(cells);
        Value::Object(members.map(|(column, cell)| (column.key.to_owned(), value(cell))).collect())
    };
    table.rows.iter().map(row).collect()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Absent => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Whole(number) => Value::from(*number),
        Cell::Quantity { number, .. } => Value::from(*number),
        // JSON has no NaN and no infinity: they are written as text rather than lost as null.
        Cell::Real { value, .. } if !value.is_finite() => Value::from(value.to_string()),
        Cell::Real { value, .. } => Value::from(*value),
    }
}
