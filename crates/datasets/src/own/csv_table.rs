//! Tables of a user's own as text: numbers between commas, one example a line, plain or gzip.

use std::path::Path;

use super::error::OwnError;
use super::gathering::{Gathering, Refusal};
use crate::error::LoadError;
use crate::load::in_table;
use crate::tables::{Line, Lines, open};

/// Bytes of a line beside its values, and most for each value on average.
const LINE_BYTES: usize = 1 << 16;
const VALUE_BYTES: usize = 64;
/// Longest text of a value in a message.
const MAX_QUOTED: usize = 40;
/// Largest label.
const MAX_LABEL: f64 = 65_535.0;

/// The name of the column that holds labels.
pub const LABEL: &str = "label";

/// Names of the columns, where there are any, and the place of the labels.
struct Columns {
    count: usize,
    names: Option<Vec<String>>,
    label: Option<usize>,
}

/// Reads the rows of a table. A first line that is not all numbers names the columns.
pub fn read(path: &Path, gathering: &mut Gathering<'_>) -> Result<(), LoadError> {
    let features = gathering.shape().dimensions();
    let reader = open(path).map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
    let mut lines = Lines::with_longest(reader, LINE_BYTES.saturating_add(VALUE_BYTES.saturating_mul(features)));
    let mut columns = None;
    let mut numbers = Vec::with_capacity(features);
    let mut rows = 0_usize;
    while !gathering.is_full() {
        let Some(line) = lines.next_line().map_err(|problem| in_table(path, problem))? else { break };
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let found = Columns::of(&line);
                let is_header = found.names.is_some();
                found.check(path, &line, features)?;
                let columns = columns.insert(found);
                if is_header {
                    continue;
                }
                columns
            }
        };
        let label = columns.read(path, &line, features, &mut numbers)?;
        rows += 1;
        gathering.add_row(label, &numbers).map_err(|refusal| match refusal {
            Refusal::Load(problem) => problem,
            Refusal::Value(wrong) => {
                let column = wrong.column + usize::from(columns.label.is_some_and(|label| label <= wrong.column));
                let text = fields(&line).nth(column).unwrap_or_default();
                columns.value(path, &line, column, text, wrong.expected).into()
            }
        })?;
    }
    if rows == 0 && !gathering.is_full() {
        return Err(OwnError::Empty { path: path.to_owned() }.into());
    }
    Ok(())
}

fn fields<'a>(line: &Line<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    line.text.trim_start_matches('\u{feff}').split(',').map(|field| field.trim().trim_matches('"').trim())
}

fn place(line: &Line<'_>) -> String {
    format!("line {}", line.number)
}

impl Columns {
    fn of(line: &Line<'_>) -> Self {
        let names: Vec<String> = fields(line).map(str::to_owned).collect();
        let is_header = names.iter().any(|field| field.parse::<f64>().is_err());
        let label = names.iter().position(|name| name.eq_ignore_ascii_case(LABEL));
        Self { count: names.len(), names: is_header.then_some(names), label }
    }

    fn check(&self, path: &Path, line: &Line<'_>, expected: usize) -> Result<(), OwnError> {
        let found = self.count - usize::from(self.label.is_some());
        if found == expected {
            return Ok(());
        }
        Err(OwnError::Columns { path: path.to_owned(), place: place(line), expected, found })
    }

    /// Reads the features of a line, and gives its label.
    fn read(
        &self,
        path: &Path,
        line: &Line<'_>,
        features: usize,
        numbers: &mut Vec<f64>,
    ) -> Result<Option<u32>, OwnError> {
        numbers.clear();
        let mut label = None;
        let mut found = 0;
        for (column, field) in fields(line).enumerate() {
            found += 1;
            let number = field.parse::<f64>().ok().filter(|number| number.is_finite());
            if self.label == Some(column) {
                let whole = number.filter(|number| number.fract() == 0.0 && (0.0..=MAX_LABEL).contains(number));
                let wrong = || self.value(path, line, column, field, "a label, a whole number from 0 to 65535,");
                label = Some(whole.ok_or_else(wrong)? as u32);
            } else if numbers.len() < features {
                numbers.push(number.ok_or_else(|| self.value(path, line, column, field, "a finite number"))?);
            }
        }
        if found != self.count {
            let found = found - usize::from(label.is_some());
            return Err(OwnError::Columns { path: path.to_owned(), place: place(line), expected: features, found });
        }
        Ok(label)
    }

    fn value(&self, path: &Path, line: &Line<'_>, column: usize, text: &str, expected: &'static str) -> OwnError {
        let name = self.names.as_ref().and_then(|names| names.get(column));
        let column = match name {
            Some(name) => format!("{} (`{}`)", column + 1, quoted(name)),
            None => (column + 1).to_string(),
        };
        OwnError::Value { path: path.to_owned(), place: place(line), column, value: quoted(text), expected }
    }
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).flat_map(char::escape_default).collect()
}
