//! `1000_train.csv` and `1000_test.csv`: a line of names, then the label and the features of each row.
//!
//! The reference drops features that look discrete, by a rule with a quirk: it counts how often the *smallest* value of
//! a training column occurs, not the most frequent one.

use std::io::BufRead;

use super::lines::{Line, Lines};
use super::{Moments, TableError};

/// A column whose smallest value occurs more often than this is dropped.
const MOST_OCCURRENCES: u64 = 5;

/// What one pass over the training file tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Columns of the training file, the label among them.
    pub columns: usize,
    /// Indices of the features that are kept, 0 being the first column after the label.
    pub kept: Vec<usize>,
    /// Names of the features that are kept.
    pub names: Vec<String>,
    /// Moments of the kept features, for the classes 0 and 1.
    pub moments: [Moments; 2],
}

impl Survey {
    /// Reads the training file.
    ///
    /// # Errors
    /// [`TableError`] with line and column, or when another number of features than `expected` is kept.
    pub fn read(reader: impl BufRead, expected: usize) -> Result<Self, TableError> {
        let mut rows = Rows::open(reader)?;
        let features = rows.header.len() - 1;
        let columns = rows.header.len();
        let mut smallest = vec![(f64::INFINITY, 0_u64); features];
        let mut moments = [Moments::new(features), Moments::new(features)];
        while let Some(row) = rows.next_row(columns..=columns)? {
            for ((smallest, count), &value) in smallest.iter_mut().zip(row.features) {
                if value < *smallest {
                    (*smallest, *count) = (value, 1);
                } else if value == *smallest {
                    *count += 1;
                }
            }
            moments[usize::from(row.label)].add(row.features);
        }

        let kept: Vec<usize> = (0..features).filter(|&index| smallest[index].1 <= MOST_OCCURRENCES).collect();
        let names: Vec<String> = kept.iter().map(|&index| rows.header[index + 1].clone()).collect();
        if kept.len() != expected {
            return Err(TableError::Features { expected, kept: names });
        }
        let moments = moments.map(|moments| moments.of_columns(&kept));
        Ok(Self { columns, kept, names, moments })
    }
}

/// Passes on the kept features of the first `limit` rows of a class, or of all.
///
/// The test file has one column more than the training file, the last one, which is left out; `row` says what is wrong
/// with a row by the index of a feature.
///
/// # Errors
/// [`TableError`] with line and column.
pub fn read_class(
    reader: impl BufRead,
    class: u8,
    survey_columns: usize,
    kept: &[usize],
    limit: Option<usize>,
    row: &mut dyn FnMut(&[f64]) -> Result<(), usize>,
) -> Result<(), TableError> {
    let mut rows = Rows::open(reader)?;
    let mut chosen = Vec::with_capacity(kept.len());
    let mut found = 0;
    while limit.is_none_or(|limit| found < limit) {
        let Some(read) = rows.next_row(survey_columns..=survey_columns + 1)? else {
            break;
        };
        if read.label != class {
            continue;
        }
        chosen.clear();
        chosen.extend(kept.iter().map(|&index| read.features[index]));
        let line = read.line;
        let too_large = |feature: usize| TableError::TooLarge { line, feature, value: chosen[feature] };
        row(&chosen).map_err(too_large)?;
        found += 1;
    }
    match (found, limit) {
        (0, None | Some(1..)) => Err(TableError::NoRows { class }),
        _ => Ok(()),
    }
}

/// The rows of a file after its line of names.
struct Rows<R> {
    lines: Lines<R>,
    header: Vec<String>,
    numbers: Vec<f64>,
}

/// One row.
struct Row<'a> {
    line: u64,
    label: u8,
    features: &'a [f64],
}

impl<R: BufRead> Rows<R> {
    fn open(reader: R) -> Result<Self, TableError> {
        let mut lines = Lines::new(reader);
        let header = match lines.next_line()? {
            Some(line) => names(line)?,
            None => return Err(TableError::Line { line: 1, problem: "is missing: the file is empty".to_owned() }),
        };
        Ok(Self { lines, header, numbers: Vec::new() })
    }

    fn next_row(&mut self, columns: std::ops::RangeInclusive<usize>) -> Result<Option<Row<'_>>, TableError> {
        let Some(line) = self.lines.next_line()? else {
            return Ok(None);
        };
        line.numbers(fields(line.text), &mut self.numbers)?;
        let found = self.numbers.len();
        if !columns.contains(&found) {
            let (least, most) = columns.into_inner();
            let expected = if least == most { least.to_string() } else { format!("{least} or {most}") };
            return Err(TableError::Columns { line: line.number, expected, found });
        }
        let (label, features) = (self.numbers[0], &self.numbers[1..]);
        let label = match label {
            0.0 => 0,
            1.0 => 1,
            other => {
                let problem = format!("has the label {other} in column 1, and labels are 0 and 1");
                return Err(TableError::Line { line: line.number, problem });
            }
        };
        Ok(Some(Row { line: line.number, label, features }))
    }
}

/// The columns of a line; a comma at its end adds none.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.strip_suffix(',').unwrap_or(text).split(',')
}

/// The names of the columns: the label's, and at least one feature's.
fn names(line: Line<'_>) -> Result<Vec<String>, TableError> {
    let problem = |problem: &str| TableError::Line { line: line.number, problem: problem.to_owned() };
    let names: Vec<String> = fields(line.text).map(|name| name.trim().chars().take(40).collect()).collect();
    if names[0].parse::<f64>().is_ok() {
        return Err(problem("holds numbers, and the publisher's file begins with a line of names"));
    }
    if names.len() < 2 {
        return Err(problem("names no feature, and names separated by commas are expected"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seven rows: `f0` is continuous, `f1` has its smallest value six times, `f2` its most frequent one six times but
    /// its smallest once, `f3` its smallest five times.
    const TRAIN: &str = "# label, f0, f1, f2, f3\n\
        1.0, 0.1, 0, 5, 0\n0.0, 0.2, 0, 5, 0\n1.0, 0.3, 0, 5, 0\n0.0, 0.4, 0, 5, 0\n1.0, 0.5, 0, 5, 0\n\
        0.0, 0.6, 0, 5, 1\n1.0, 0.7, 1, 4, 1\n";

    fn survey() -> Survey {
        Survey::read(TRAIN.as_bytes(), 3).unwrap()
    }

    fn rows(text: &str, class: u8, limit: Option<usize>) -> Result<Vec<Vec<f64>>, TableError> {
        let mut rows = Vec::new();
        let survey = survey();
        read_class(text.as_bytes(), class, survey.columns, &survey.kept, limit, &mut |row| {
            rows.push(row.to_vec());
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn a_feature_goes_by_the_count_of_its_smallest_value_alone() {
        let survey = survey();

        assert_eq!(survey.kept, [0, 2, 3]);
        assert_eq!(survey.names, ["f0", "f2", "f3"]);
        assert_eq!(survey.columns, 5);
    }

    #[test]
    fn another_number_of_features_is_refused_with_their_names() {
        let refusal = Survey::read(TRAIN.as_bytes(), 15).unwrap_err();

        let text = refusal.to_string();
        assert!(text.starts_with("3 features remain, and 15 are expected: f0, f2, f3"), "{text}");
    }

    #[test]
    fn moments_are_those_of_each_class() {
        let [background, signal] = survey().moments;

        assert_eq!((background.rows(), signal.rows()), (3, 4));
        assert!((background.means()[0] - 0.4).abs() < 1e-15 && (signal.means()[0] - 0.4).abs() < 1e-15);
        assert_eq!(background.means()[2], 1.0 / 3.0);
    }

    #[test]
    fn the_extra_last_column_of_the_test_file_is_left_out() {
        let test = "# label, f0, f1, f2, f3, extra\n1, 10, 11, 12, 13, 1000\n0, 20, 21, 22, 23, 1000\n";

        assert_eq!(rows(test, 1, None).unwrap(), [[10.0, 12.0, 13.0]]);
        assert_eq!(rows(test, 0, None).unwrap(), [[20.0, 22.0, 23.0]]);
        assert_eq!(rows(TRAIN, 0, Some(1)).unwrap(), [[0.2, 5.0, 0.0]]);
    }

    #[test]
    fn rows_that_are_none_are_refused_by_line() {
        let refusal = |rest: &str| rows(&format!("# label, f0, f1, f2, f3\n{rest}"), 1, None).unwrap_err().to_string();

        assert_eq!(refusal("1,2,3,4\n"), "line 2 has 4 columns, and 5 or 6 are expected");
        assert_eq!(refusal("1,2,3,4,5,6,7\n"), "line 2 has 7 columns, and 5 or 6 are expected");
        assert_eq!(refusal("2,2,3,4,5\n"), "line 2 has the label 2 in column 1, and labels are 0 and 1");
        assert_eq!(refusal("1,2,3,4,5\n1,2,,4,5\n"), "line 3, column 3 (from 1) is ``, which is no finite number");
        assert_eq!(refusal("0,2,3,4,5\n"), "it holds no row of class 1");
    }

    #[test]
    fn a_file_without_names_is_refused() {
        let refusal = Survey::read("1,2,3\n0,2,3\n".as_bytes(), 2).unwrap_err();

        assert!(refusal.to_string().starts_with("line 1 holds numbers"), "{refusal}");
        assert!(Survey::read(&b""[..], 2).unwrap_err().to_string().contains("empty"));
    }
}
