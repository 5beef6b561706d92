//! One column of a Parquet table: numbers, or a list of numbers in each row.

use parquet::basic::{ConvertedType, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::super::csv_table::LABEL;

/// The columns of a table that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Places in the file and names of the features, in the file's order.
    pub features: Vec<(usize, String)>,
    /// Numbers of each row in a column: more than one if the only column is of lists.
    pub width: usize,
    /// The column of labels.
    pub label: Option<usize>,
}

/// Why columns are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongColumns {
    /// There are too few or too many features.
    Count(usize),
    /// One of them is not of numbers.
    Kind(String),
}

impl Columns {
    /// Tells features from labels and from what pandas adds.
    pub fn of(schema: &SchemaDescriptor, features: usize) -> Result<Self, WrongColumns> {
        let mut columns = Self { features: Vec::new(), width: 1, label: None };
        let mut lists = 0;
        for (place, column) in schema.columns().iter().enumerate() {
            let name = column.path().parts().first().cloned().unwrap_or_default();
            if name.starts_with("__index_level_") {
                continue;
            }
            check_numbers(column, &name)?;
            if name.eq_ignore_ascii_case(LABEL) && column.max_rep_level() == 0 {
                columns.label = Some(place);
                continue;
            }
            lists += usize::from(column.max_rep_level() > 0);
            columns.features.push((place, name));
        }
        match (columns.features.len(), lists) {
            (1, 1) => columns.width = features,
            (found, 0) if found == features => {}
            (_, 1..) => {
                return Err(WrongColumns::Kind("a column of lists must be the only one beside `label`".to_owned()));
            }
            (found, _) => return Err(WrongColumns::Count(found)),
        }
        Ok(columns)
    }
}

fn check_numbers(column: &ColumnDescriptor, name: &str) -> Result<(), WrongColumns> {
    use ConvertedType::{INT_8, INT_16, INT_32, INT_64, LIST, NONE, UINT_8, UINT_16, UINT_32, UINT_64};
    use PhysicalType::{BOOLEAN, DOUBLE, FLOAT, INT32, INT64};
    let is_number = matches!(column.physical_type(), BOOLEAN | INT32 | INT64 | FLOAT | DOUBLE);
    let is_plain = matches!(
        column.converted_type(),
        NONE | LIST | INT_8 | INT_16 | INT_32 | INT_64 | UINT_8 | UINT_16 | UINT_32 | UINT_64
    );
    if is_number && is_plain && column.max_rep_level() <= 1 {
        return Ok(());
    }
    let kind = if is_plain { column.physical_type().to_string() } else { column.converted_type().to_string() };
    Err(WrongColumns::Kind(format!(
        "column `{name}` is of {kind}; write whole numbers or floats, and leave other columns out"
    )))
}

/// A column of a row group that is being read.
pub struct OpenColumn {
    reader: ColumnReader,
    max_definition: i16,
    is_unsigned: bool,
    /// Numbers of each row.
    width: usize,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    /// The rows read last.
    pub numbers: Vec<f64>,
}

/// What is wrong with the rows read last, and in which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongRows {
    /// The library cannot read them.
    Damaged(String),
    /// There is no number in a row, counted from the first one of the rows.
    Empty(usize),
    /// A list has another length.
    Length(usize),
}

impl OpenColumn {
    pub fn new(reader: ColumnReader, column: &ColumnDescriptor, width: usize) -> Self {
        let is_unsigned = matches!(column.converted_type(), ConvertedType::UINT_32 | ConvertedType::UINT_64);
        Self {
            reader,
            max_definition: column.max_def_level(),
            is_unsigned,
            width,
            definitions: Vec::new(),
            repetitions: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Reads at most `rows` rows and says how many there were.
    pub fn read(&mut self, rows: usize) -> Result<usize, WrongRows> {
        self.definitions.clear();
        self.repetitions.clear();
        self.numbers.clear();
        let unsigned = self.is_unsigned;
        let levels = (&mut self.definitions, &mut self.repetitions);
        let numbers = &mut self.numbers;
        let read = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => append(reader, rows, levels, numbers, |&value| f64::from(value)),
            ColumnReader::Int32ColumnReader(reader) => append(reader, rows, levels, numbers, |&value| {
                if unsigned { f64::from(value.cast_unsigned()) } else { f64::from(value) }
            }),
            ColumnReader::Int64ColumnReader(reader) => append(reader, rows, levels, numbers, |&value| {
                if unsigned { value.cast_unsigned() as f64 } else { value as f64 }
            }),
            ColumnReader::FloatColumnReader(reader) => append(reader, rows, levels, numbers, |&value| f64::from(value)),
            ColumnReader::DoubleColumnReader(reader) => append(reader, rows, levels, numbers, |&value| value),
            ColumnReader::Int96ColumnReader(_)
            | ColumnReader::ByteArrayColumnReader(_)
            | ColumnReader::FixedLenByteArrayColumnReader(_) => Err("it is no column of numbers".to_owned()),
        };
        let found = read.map_err(WrongRows::Damaged)?;
        let width = self.width.max(1);
        if let Some(missing) = self.definitions.iter().position(|&level| level < self.max_definition) {
            let row =
                self.repetitions[..missing.min(self.repetitions.len())].iter().filter(|&&level| level == 0).count();
            return Err(WrongRows::Empty(if self.repetitions.is_empty() { missing } else { row.saturating_sub(1) }));
        }
        let begins = |place: usize| place.is_multiple_of(width);
        if let Some(place) = (0..self.repetitions.len()).find(|&place| (self.repetitions[place] == 0) != begins(place))
        {
            return Err(WrongRows::Length(place.saturating_sub(1) / width));
        }
        if self.numbers.len() != found * width {
            return Err(WrongRows::Length((self.numbers.len() / width).min(found.saturating_sub(1))));
        }
        Ok(found)
    }
}

fn append<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    (definitions, repetitions): (&mut Vec<i16>, &mut Vec<i16>),
    numbers: &mut Vec<f64>,
    number: impl Fn(&T::T) -> f64,
) -> Result<usize, String> {
    let mut values = Vec::new();
    let (found, _, _) = reader
        .read_records(rows, Some(definitions), Some(repetitions), &mut values)
        .map_err(|problem| problem.to_string())?;
    numbers.extend(values.iter().map(number));
    Ok(found)
}
