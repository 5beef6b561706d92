//! What can be wrong with a table.

use std::io;

use thiserror::Error;

/// What is wrong with a table.
#[derive(Debug, Error)]
pub enum TableError {
    /// The operating system refused to read it, or the compressed bytes do not decompress.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line that is no line of a table.
    #[error("line {line} {problem}")]
    Line {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A line with too few or too many columns.
    #[error("line {line} has {found} columns, and {expected} are expected")]
    Columns {
        /// Number of the line, from 1.
        line: u64,
        /// What would be right.
        expected: String,
        /// Columns of the line.
        found: usize,
    },
    /// A value that is no finite number.
    #[error("line {line}, column {column} (from 1) is `{text}`, which is no finite number")]
    Number {
        /// Number of the line, from 1.
        line: u64,
        /// Number of the column, from 1.
        column: usize,
        /// What stands there.
        text: String,
    },
    /// A value that single precision cannot hold once it is scaled.
    #[error("line {line}: feature {feature} (from 0) is {value}, too large for single precision once standardised")]
    TooLarge {
        /// Number of the line, from 1.
        line: u64,
        /// Index of the feature among those that are kept.
        feature: usize,
        /// The value before scaling.
        value: f64,
    },
    /// The rule that removes features left another number of them.
    #[error(
        "{} features remain, and {expected} are expected: {}; is it the publisher's whole file?",
        kept.len(), kept.join(", ")
    )]
    Features {
        /// Features of the dataset.
        expected: usize,
        /// Names of the features that remain.
        kept: Vec<String>,
    },
    /// The table has no row that is wanted.
    #[error("it holds no row of class {class}")]
    NoRows {
        /// The label of the wanted rows.
        class: u8,
    },
    /// The number of rows is not what the first line states.
    #[error("line 1 states {stated} rows, and {found} follow")]
    Rows {
        /// Both counts of the first line together.
        stated: u64,
        /// Rows there are, or one more than stated if there are more.
        found: u64,
    },
    /// There are too few rows to split.
    #[error("{rows} rows of each class cannot be split into train and test; 2 or more are needed")]
    TooFewRows {
        /// Rows of each class.
        rows: usize,
    },
}
