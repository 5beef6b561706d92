//! Scores in a column of a Parquet file.

use std::{cell::Cell, fs::File, panic, path::Path, sync::Once};

use anyhow::{Context, Result, bail};
use parquet::{
    basic::{LogicalType, Type},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::DataType,
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};

use super::source::{Column, MOST_SCORES};

/// Values decoded at once.
const BATCH: usize = 1 << 14;

/// Most columns named in a message.
const MOST_NAMED: usize = 12;

thread_local! {
    /// Whether this thread decodes a file that may be damaged.
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Reads a column of floats or integers that has a value in every row.
///
/// The decoder panics on some damaged files; to the caller that is a damaged file like any other.
pub fn read(path: &Path, column: Column<'_>) -> Result<Vec<f64>> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !DECODING.get() {
                before(panicked);
            }
        }));
    });
    DECODING.set(true);
    let decoded = panic::catch_unwind(|| decode(path, column));
    DECODING.set(false);
    decoded.unwrap_or_else(|_| bail!("it is damaged: its parts contradict each other"))
}

fn decode(path: &Path, column: Column<'_>) -> Result<Vec<f64>> {
    let file = SerializedFileReader::new(File::open(path)?).map_err(explained)?;
    let schema = file.metadata().file_metadata().schema_descr();
    let index = locate(schema, column)?;
    let descriptor = schema.column(index);
    check(&descriptor)?;

    let mut scores = Vec::new();
    for group in 0..file.num_row_groups() {
        let rows = file.get_row_group(group).map_err(explained)?;
        let optional = descriptor.max_def_level() > 0;
        match rows.get_column_reader(index).map_err(explained)? {
            ColumnReader::DoubleColumnReader(reader) => append(reader, optional, &mut scores, |value| value),
            ColumnReader::FloatColumnReader(reader) => append(reader, optional, &mut scores, f64::from),
            ColumnReader::Int32ColumnReader(reader) => append(reader, optional, &mut scores, f64::from),
            ColumnReader::Int64ColumnReader(reader) => append(reader, optional, &mut scores, |value| value as f64),
            _ => bail!("column `{}` holds no numbers", descriptor.path().string()),
        }?;
    }
    Ok(scores)
}

/// The index of the column that is meant.
fn locate(schema: &SchemaDescriptor, column: Column<'_>) -> Result<usize> {
    let names = || {
        let columns = schema.columns();
        let mut names: Vec<String> = columns.iter().take(MOST_NAMED).map(|column| column.path().string()).collect();
        if columns.len() > MOST_NAMED {
            names.push(format!("{} more", columns.len() - MOST_NAMED));
        }
        names.join(", ")
    };
    match column.0 {
        Some(name) => (0..schema.num_columns())
            .find(|&index| schema.column(index).path().string() == name)
            .with_context(|| format!("it has no column `{name}`; its columns are: {}", names())),
        None if schema.num_columns() == 1 => Ok(0),
        None => {
            bail!("it has {} columns; say with --column which one holds the scores: {}", schema.num_columns(), names())
        }
    }
}

/// Refuses columns that are no plain numbers: lists, text, times, decimals.
fn check(column: &ColumnDescriptor) -> Result<()> {
    let name = column.path().string();
    if column.max_rep_level() > 0 {
        bail!("column `{name}` holds lists; write one score a row");
    }
    let is_plain = matches!(column.logical_type_ref(), None | Some(LogicalType::Integer { .. }));
    match column.physical_type() {
        Type::DOUBLE | Type::FLOAT | Type::INT32 | Type::INT64 if is_plain => Ok(()),
        other => {
            bail!("column `{name}` holds {other}, and scores are DOUBLE, FLOAT, INT32 or INT64; cast it to double")
        }
    }
}

/// Appends a row group's values.
fn append<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    optional: bool,
    scores: &mut Vec<f64>,
    number: impl Fn(T::T) -> f64,
) -> Result<()> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    loop {
        values.clear();
        levels.clear();
        let wanted = optional.then_some(&mut levels);
        let (records, found, _) = reader.read_records(BATCH, wanted, None, &mut values).map_err(explained)?;
        if records == 0 {
            return Ok(());
        }
        if found < records {
            let missing = levels.iter().position(|&level| level == 0).unwrap_or(found);
            bail!("row {} (from 1) has no score; drop such rows, or write NaN or inf", scores.len() + missing + 1);
        }
        if scores.len() + found > MOST_SCORES {
            bail!("more than {MOST_SCORES} scores; take a part of them");
        }
        scores.extend(values.drain(..).map(&number));
    }
}

/// What a decoder's refusal means to the file's owner.
fn explained(error: ParquetError) -> anyhow::Error {
    let text = error.to_string();
    if text.contains("Disabled feature") || text.contains("not enabled") {
        return anyhow::anyhow!("{text}; write it with the compression snappy or none");
    }
    anyhow::Error::new(error).context("it is damaged, or no Parquet file")
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::Arc};

    use parquet::{
        data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };
    use tempfile::TempDir;

    use super::*;

    /// A file with a column of each kind, in two row groups.
    fn table() -> Vec<u8> {
        let message = "message scores {
            required double dose; required float typicality; optional double holes; required int32 whole;
            required int64 day (TIMESTAMP(MILLIS, true)); required binary name (UTF8); repeated double list;
        }";
        let schema = Arc::new(parse_message_type(message).unwrap());
        let properties = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
        for start in [0_i32, 3] {
            let mut rows = writer.next_row_group().unwrap();
            let number = f64::from(start);
            macro_rules! column {
                ($type:ty, $values:expr, $levels:expr, $repetitions:expr) => {
                    let mut column = rows.next_column().unwrap().unwrap();
                    column.typed::<$type>().write_batch(&$values, $levels, $repetitions).unwrap();
                    column.close().unwrap();
                };
            }
            column!(DoubleType, [number, number + 0.5, f64::INFINITY], None, None);
            column!(FloatType, [start as f32, 0.25, -1.0], None, None);
            column!(DoubleType, [number, 1.0], Some(&[1, 1, 0]), None);
            column!(Int32Type, [start, 7, -7], None, None);
            column!(Int64Type, [0, 1, 2], None, None);
            column!(ByteArrayType, [ByteArray::from("a"), ByteArray::from("b"), ByteArray::from("c")], None, None);
            column!(DoubleType, [1.0, 2.0, 3.0], Some(&[1, 1, 1]), Some(&[0, 0, 0]));
            rows.close().unwrap();
        }
        writer.into_inner().unwrap()
    }

    fn read_bytes(folder: &TempDir, bytes: &[u8], column: Option<&str>) -> Result<Vec<f64>> {
        read(&written(folder, bytes), Column(column))
    }

    fn written(folder: &TempDir, bytes: &[u8]) -> PathBuf {
        let path = folder.path().join("scores.parquet");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn numbers_of_every_kind_are_read_over_row_groups() {
        let folder = tempfile::tempdir().unwrap();
        let column = |name| read_bytes(&folder, &table(), Some(name)).unwrap();

        assert_eq!(column("dose"), [0.0, 0.5, f64::INFINITY, 3.0, 3.5, f64::INFINITY]);
        assert_eq!(column("typicality"), [0.0, 0.25, -1.0, 3.0, 0.25, -1.0]);
        assert_eq!(column("whole"), [0.0, 7.0, -7.0, 3.0, 7.0, -7.0]);
    }

    #[test]
    fn columns_that_hold_no_scores_are_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let cases = [
            (None, "it has 7 columns; say with --column which one holds the scores: dose, typicality, holes"),
            (Some("absent"), "it has no column `absent`; its columns are: dose"),
            (Some("holes"), "row 3 (from 1) has no score"),
            (Some("day"), "column `day` holds INT64"),
            (Some("name"), "column `name` holds BYTE_ARRAY"),
            (Some("list"), "column `list` holds lists"),
        ];
        for (column, expected) in cases {
            let refusal = format!("{:#}", read_bytes(&folder, &table(), column).unwrap_err());
            assert!(refusal.contains(expected), "{column:?}: {refusal}");
        }
    }

    #[test]
    fn damaged_files_are_refused_or_read_and_never_end_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let whole = table();
        for end in (0..whole.len()).step_by(7) {
            assert!(read_bytes(&folder, &whole[..end], Some("dose")).is_err(), "cut at {end}");
        }
        let mut state = 1_u64;
        let mut random = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        for _ in 0..1000 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let position = random(bytes.len());
                bytes[position] = random(256) as u8;
            }
            let path = written(&folder, &bytes);
            for column in ["dose", "typicality", "holes", "whole"] {
                // Either way is right: a changed score is a score. The test is that it returns.
                let _ = read(&path, Column(Some(column))).map(|scores| assert!(scores.len() < 1 << 20));
            }
        }
    }
}
