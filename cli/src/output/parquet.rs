//! Tables as Parquet: one table in a file, typed columns, a missing value is null.

use std::{
    io::{self, Write},
    sync::Arc,
};

use ::parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    column::writer::ColumnWriter,
    data_type::ByteArray,
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};

use super::{Cell, Column, Holds, Table};

/// Rows that are held back until they are written together.
const GROUP_ROWS: usize = 50_000;

/// A table that is written while its rows come.
pub(super) struct Rows<Out: Write + Send> {
    file: SerializedFileWriter<Out>,
    columns: Vec<Column>,
    group: Vec<Vec<Cell>>,
}

impl<Out: Write + Send> Rows<Out> {
    pub(super) fn begin(name: &str, columns: &[Column], out: Out) -> io::Result<Self> {
        let fields: Result<Vec<_>, _> = columns.iter().map(|column| field(column).map(Arc::new)).collect();
        let schema = Type::group_type_builder(name).with_fields(fields.map_err(io::Error::other)?).build();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("spillway ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let schema = Arc::new(schema.map_err(io::Error::other)?);
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(io::Error::other)?;
        Ok(Self { file, columns: columns.to_vec(), group: Vec::new() })
    }

    pub(super) fn push(&mut self, row: &[Cell]) -> io::Result<()> {
        self.group.push(row.to_vec());
        if self.group.len() >= GROUP_ROWS { self.write_group().map_err(io::Error::other) } else { Ok(()) }
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        if !self.group.is_empty() {
            self.write_group().map_err(io::Error::other)?;
        }
        self.file.close().map(drop).map_err(io::Error::other)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        let mut index = 0;
        while let Some(mut column) = group.next_column()? {
            let cells: Vec<&Cell> = self.group.iter().map(|row| &row[index]).collect();
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    let (values, levels) = present(&cells, |cell| Some(ByteArray::from(text(cell).as_str())));
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                ColumnWriter::BoolColumnWriter(writer) => {
                    let (values, levels) = present(&cells, |cell| cell.number().map(|number| number != 0.0));
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let (values, levels) = present(&cells, whole);
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                ColumnWriter::DoubleColumnWriter(writer) => {
                    let (values, levels) = present(&cells, Cell::number);
                    writer.write_batch(&values, Some(&levels), None)?;
                }
                _ => return Err(ParquetError::General(format!("column {} has no such type", self.columns[index].key))),
            }
            column.close()?;
            index += 1;
        }
        group.close()?;
        self.group.clear();
        Ok(())
    }
}

pub(super) fn write(tables: &[Table], out: &mut (dyn Write + Send)) -> io::Result<()> {
    let [table] = tables else {
        return Err(io::Error::other("a Parquet file holds one table: choose another format"));
    };
    let mut rows = Rows::begin(table.name, &table.columns, out)?;
    table.rows.iter().try_for_each(|row| rows.push(row))?;
    rows.end()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let physical = match column.holds {
        Holds::Text => Physical::BYTE_ARRAY,
        Holds::Flag => Physical::BOOLEAN,
        Holds::Whole => Physical::INT64,
        Holds::Real => Physical::DOUBLE,
    };
    let logical = (column.holds == Holds::Text).then_some(LogicalType::String);
    Type::primitive_type_builder(&column.key, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// The values that there are, and for each cell whether it has one.
fn present<T>(cells: &[&Cell], value: impl Fn(&Cell) -> Option<T>) -> (Vec<T>, Vec<i16>) {
    let values = cells.iter().map(|cell| if **cell == Cell::Absent { None } else { value(cell) });
    let mut there = Vec::with_capacity(cells.len());
    let levels = values.map(|value| {
        let level = i16::from(value.is_some());
        there.extend(value);
        level
    });
    let levels = levels.collect();
    (there, levels)
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        other => other.shown(),
    }
}

fn whole(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Whole(number) => Some(*number),
        Cell::Quantity { number, .. } => i64::try_from(*number).ok(),
        Cell::Absent | Cell::Text(_) | Cell::Flag(_) | Cell::Real { .. } | Cell::Estimate(_) => None,
    }
}
