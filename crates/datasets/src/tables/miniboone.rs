//! `MiniBooNE_PID.txt`: a line with the numbers of signal and background rows, then the rows, signal first.

use std::io::BufRead;

use super::TableError;
use super::legacy_permutation::tenth_for_test;
use super::lines::{Line, Lines};
use crate::examples::Split;

/// Label of signal rows; background rows have 0.
const SIGNAL: u8 = 1;

/// The rows of one class that take part: as many as the smaller class has.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassRows {
    features: usize,
    /// `[n, features]`, in the file's order.
    values: Vec<f64>,
    /// The line of each row, from 1.
    lines: Vec<u64>,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<'a> {
    /// Its line, from 1.
    pub line: u64,
    /// Its features.
    pub values: &'a [f64],
}

impl ClassRows {
    /// Reads the first n rows of a class, n being the smaller of both counts, and checks all others.
    ///
    /// # Errors
    /// [`TableError`] with line and column.
    pub fn read(reader: impl BufRead, class: u8, features: usize) -> Result<Self, TableError> {
        let mut lines = Lines::new(reader);
        let [signal, background] = match lines.next_line()? {
            Some(line) => counts(line)?,
            None => return Err(TableError::Line { line: 1, problem: "is missing".to_owned() }),
        };
        let taken = signal.min(background);
        let first = if class == SIGNAL { 0 } else { signal };
        let stated = signal.saturating_add(background);

        let mut class_rows = Self { features, values: Vec::new(), lines: Vec::new() };
        let mut numbers = Vec::with_capacity(features);
        let mut found = 0;
        while let Some(line) = lines.next_line()? {
            if found == stated {
                return Err(TableError::Rows { stated, found: found + 1 });
            }
            line.numbers(line.text.split_ascii_whitespace(), &mut numbers)?;
            if numbers.len() != features {
                let (expected, found) = (features.to_string(), numbers.len());
                return Err(TableError::Columns { line: line.number, expected, found });
            }
            if found >= first && found - first < taken {
                class_rows.values.extend_from_slice(&numbers);
                class_rows.lines.push(line.number);
            }
            found += 1;
        }
        if found < stated {
            return Err(TableError::Rows { stated, found });
        }
        let rows = class_rows.lines.len();
        if rows < 2 {
            return Err(TableError::TooFewRows { rows });
        }
        Ok(class_rows)
    }

    /// The rows of a split, in the order in which scikit-learn's `train_test_split(test_size=0.1, random_state=0)`
    /// gives them.
    pub fn of_split(&self, split: Split) -> impl Iterator<Item = Row<'_>> {
        let (train, test) = tenth_for_test(self.lines.len());
        let chosen = match split {
            Split::Train => train,
            Split::Test => test,
        };
        chosen.into_iter().map(|row| {
            let row = row as usize;
            Row { line: self.lines[row], values: &self.values[row * self.features..(row + 1) * self.features] }
        })
    }
}

/// The two counts of the first line.
fn counts(line: Line<'_>) -> Result<[u64; 2], TableError> {
    let counts: Option<Vec<u64>> = line.text.split_ascii_whitespace().map(|count| count.parse().ok()).collect();
    match counts.as_deref() {
        Some([signal, background]) => Ok([*signal, *background]),
        _ => {
            let shown: String = line.text.chars().take(60).flat_map(char::escape_default).collect();
            let problem = format!("is `{shown}`, and the numbers of signal and background rows are expected");
            Err(TableError::Line { line: line.number, problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = " 3 5\n 1 10\n 2 20\n 3 30\n -1 -10\n -2 -20\n -3 -30\n -4 -40\n -5 -50\n";

    fn first_column(class: u8) -> Vec<f64> {
        let rows = ClassRows::read(SMALL.as_bytes(), class, 2).unwrap();
        rows.values.chunks(2).map(|row| row[0]).collect()
    }

    fn refusal(text: &str) -> String {
        ClassRows::read(text.as_bytes(), 0, 2).unwrap_err().to_string()
    }

    #[test]
    fn both_classes_have_as_many_rows_as_the_smaller_one() {
        assert_eq!(first_column(1), [1.0, 2.0, 3.0]);
        assert_eq!(first_column(0), [-1.0, -2.0, -3.0]);
    }

    #[test]
    fn rows_are_split_in_the_order_of_scikit_learn() {
        let text: String = (0..10).chain(0..10).map(|row| format!("{row} 0\n")).collect();
        let rows = ClassRows::read(format!("10 10\n{text}").as_bytes(), 1, 2).unwrap();

        let split = |split| rows.of_split(split).map(|row| row.values[0]).collect::<Vec<_>>();

        assert_eq!(split(Split::Test), [2.0]);
        assert_eq!(split(Split::Train), [8.0, 4.0, 9.0, 1.0, 6.0, 7.0, 3.0, 0.0, 5.0]);
    }

    #[test]
    fn rows_that_do_not_add_up_are_refused() {
        assert_eq!(refusal("2 2\n1 1\n1 1\n1 1\n"), "line 1 states 4 rows, and 3 follow");
        assert_eq!(refusal("1 1\n1 1\n1 1\n1 1\n"), "line 1 states 2 rows, and 3 follow");
        assert!(refusal("1 1\n1 1\n1 1\n").starts_with("1 rows of each class cannot be split"));
        assert!(refusal("18446744073709551615 1\n1 1\n").contains("states 18446744073709551615 rows"));
    }

    #[test]
    fn a_first_line_that_is_no_pair_of_counts_is_refused() {
        assert!(refusal("1.5 2\n").contains("line 1 is `1.5 2`"));
        assert!(refusal("1 2 3\n").contains("line 1 is"));
        assert_eq!(refusal(""), "line 1 is missing");
    }

    #[test]
    fn a_bad_row_is_named_by_line_and_column() {
        assert_eq!(refusal("2 2\n1 1\n1\n"), "line 3 has 1 columns, and 2 are expected");
        assert_eq!(refusal("2 2\n1 1\n1 nan\n"), "line 3, column 2 (from 1) is `nan`, which is no finite number");
    }
}
