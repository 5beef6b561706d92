//! Tables for a page: words that a template escapes.

use super::{Alignment, Table};

/// A table as words.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// The titles of the columns, and the class of their cells.
    pub columns: Vec<(String, &'static str)>,
    /// The cells, a class with each.
    pub rows: Vec<Vec<(String, &'static str)>>,
    /// What people need to know.
    pub notes: Vec<String>,
    /// Rows that are left out.
    pub left_out: usize,
}

impl Grid {
    /// Counts rows that were never put in.
    pub fn and_left_out(mut self, rows: usize) -> Self {
        self.left_out += rows;
        self
    }
}

/// Class of cells that hold numbers.
const NUMBER: &str = "number";

impl Table {
    /// The first `most` rows as words.
    pub fn grid(&self, most: usize) -> Grid {
        let class = |alignment| match alignment {
            Alignment::Left => "",
            Alignment::Right => NUMBER,
        };
        let classes = || self.columns.iter().map(|column| class(column.alignment));
        let row = |row: &Vec<super::Cell>| row.iter().map(super::Cell::shown).zip(classes()).collect();
        Grid {
            columns: self.columns.iter().map(|column| column.titles.join(" / ")).zip(classes()).collect(),
            rows: self.rows.iter().take(most).map(row).collect(),
            notes: self.notes.clone(),
            left_out: self.rows.len().saturating_sub(most),
        }
    }
}
