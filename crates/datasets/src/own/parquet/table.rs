//! From a Parquet file to rows.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::column::reader::get_column_reader;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;

use super::column::{Columns, OpenColumn, WrongColumns, WrongRows};
use super::footer;
use super::pages::CheckedFile;
use crate::error::LoadError;
use crate::own::error::OwnError;
use crate::own::gathering::{Gathering, Refusal};

/// Numbers of all columns that are read together, about.
const BATCH_NUMBERS: usize = 1 << 16;
/// Most rows that are read together.
const BATCH_ROWS: usize = 1024;
/// Largest label.
const MAX_LABEL: f64 = 65_535.0;

/// Reads the rows of a table: columns of numbers, or one column of lists of numbers, and `label` if there is one.
pub fn read(path: &Path, gathering: &mut Gathering<'_>) -> Result<(), LoadError> {
    // What the checks ahead of the library overlook shall cost a job and not a process.
    catch_unwind(AssertUnwindSafe(|| read_file(path, gathering)))
        .unwrap_or_else(|_| Err(OwnError::unusable(path, "it is a damaged Parquet file").into()))
}

fn read_file(path: &Path, gathering: &mut Gathering<'_>) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let unusable = |problem: String| LoadError::from(OwnError::unusable(path, problem));
    let mut file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let metadata = footer::read(&mut file, bytes).map_err(unusable)?;
    let features = gathering.shape().dimensions();
    let columns = Columns::of(metadata.file_metadata().schema_descr(), features).map_err(|wrong| match wrong {
        WrongColumns::Kind(problem) => unusable(problem),
        WrongColumns::Count(found) => {
            let place = "the table".to_owned();
            OwnError::Columns { path: path.to_owned(), place, expected: features, found }.into()
        }
    })?;
    let rows = rows_of(&metadata, &columns);
    if rows == 0 {
        return Err(OwnError::Empty { path: path.to_owned() }.into());
    }
    gathering.expect(rows)?;
    let mut table = Table { path, file: Arc::new(CheckedFile(file)), columns, row: 0, gathering };
    metadata.row_groups().iter().try_for_each(|group| table.read(group))
}

/// Rows that there are: the footer's number of values was compared with the size of the file.
fn rows_of(metadata: &ParquetMetaData, columns: &Columns) -> usize {
    let first = columns.features.first().map_or(0, |(place, _)| *place);
    let of_group = |group: &RowGroupMetaData| {
        let values = group.columns().get(first).and_then(|chunk| usize::try_from(chunk.num_values()).ok());
        usize::try_from(group.num_rows()).unwrap_or(0).min(values.unwrap_or(0) / columns.width.max(1))
    };
    metadata.row_groups().iter().map(of_group).sum()
}

struct Table<'a, 'b> {
    path: &'a Path,
    file: Arc<CheckedFile>,
    columns: Columns,
    /// Rows of the file before those that are read.
    row: usize,
    gathering: &'a mut Gathering<'b>,
}

impl Table<'_, '_> {
    fn read(&mut self, group: &RowGroupMetaData) -> Result<(), LoadError> {
        if self.gathering.is_full() {
            return Ok(());
        }
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let mut features = Vec::new();
        for (place, _) in &self.columns.features {
            features.push(self.open(group, *place, rows, self.columns.width)?);
        }
        let mut label = self.columns.label.map(|place| self.open(group, place, rows, 1)).transpose()?;
        let batch = (BATCH_NUMBERS / self.gathering.shape().dimensions()).clamp(1, BATCH_ROWS);
        let mut left = rows;
        while left > 0 && !self.gathering.is_full() {
            let wanted = batch.min(left);
            for (column, (_, name)) in features.iter_mut().zip(&self.columns.features) {
                self.check(column.read(wanted), wanted, name)?;
            }
            if let Some(label) = &mut label {
                self.check(label.read(wanted), wanted, super::super::csv_table::LABEL)?;
            }
            self.add(&features, label.as_ref(), wanted)?;
            self.row += wanted;
            left -= wanted;
        }
        Ok(())
    }

    fn open(&self, group: &RowGroupMetaData, place: usize, rows: usize, width: usize) -> Result<OpenColumn, LoadError> {
        let chunk = group.columns().get(place).ok_or_else(|| self.unusable("a row group lacks a column".to_owned()))?;
        let pages = SerializedPageReader::new(Arc::clone(&self.file), chunk, rows, None);
        let pages = pages.map_err(|problem| self.unusable(problem.to_string()))?;
        let reader = get_column_reader(chunk.column_descr_ptr(), Box::new(pages));
        Ok(OpenColumn::new(reader, chunk.column_descr(), width))
    }

    fn check(&self, read: Result<usize, WrongRows>, wanted: usize, column: &str) -> Result<(), LoadError> {
        let place = |row| format!("row {} (from 0)", self.row + row);
        match read {
            Ok(found) if found == wanted => Ok(()),
            Ok(_) => Err(self.unusable(format!("column `{column}` ends too early"))),
            Err(WrongRows::Damaged(problem)) => Err(self.unusable(format!("column `{column}` is damaged: {problem}"))),
            Err(WrongRows::Empty(row)) => Err(self.value(place(row), column, "empty".to_owned(), "a number")),
            Err(WrongRows::Length(row)) => {
                let problem = format!(
                    "{}, column `{column}` is a list of another length than {}",
                    place(row),
                    self.columns.width
                );
                Err(self.unusable(problem))
            }
        }
    }

    /// Passes on the rows that were read last.
    fn add(&mut self, features: &[OpenColumn], label: Option<&OpenColumn>, rows: usize) -> Result<(), LoadError> {
        let width = self.columns.width;
        let mut numbers = Vec::with_capacity(features.len() * width);
        for row in 0..rows {
            let label = label.map(|label| label.numbers[row]);
            let whole = |label: &f64| label.fract() == 0.0 && (0.0..=MAX_LABEL).contains(label);
            if let Some(wrong) = label.filter(|label| !whole(label)) {
                let place = format!("row {} (from 0)", self.row + row);
                let expected = "a label, a whole number from 0 to 65535,";
                return Err(self.value(place, super::super::csv_table::LABEL, wrong.to_string(), expected));
            }
            numbers.clear();
            for column in features {
                numbers.extend_from_slice(&column.numbers[row * width..(row + 1) * width]);
            }
            let added = self.gathering.add_row(label.map(|label| label as u32), &numbers);
            added.map_err(|refusal| match refusal {
                Refusal::Load(problem) => problem,
                Refusal::Value(wrong) => {
                    let (_, name) = &self.columns.features[if width > 1 { 0 } else { wrong.column }];
                    let place = format!("row {} (from 0)", self.row + row);
                    self.value(place, name, numbers[wrong.column].to_string(), wrong.expected)
                }
            })?;
        }
        Ok(())
    }

    fn value(&self, place: String, column: &str, value: String, expected: &'static str) -> LoadError {
        let column = format!("`{}`", column.escape_default());
        OwnError::Value { path: self.path.to_owned(), place, column, value, expected }.into()
    }

    fn unusable(&self, problem: String) -> LoadError {
        OwnError::unusable(self.path, problem).into()
    }
}
