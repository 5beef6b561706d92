//! Relative errors of a case, with what they may be.

use std::fmt;

use tch::{Kind, Tensor};

/// The norm of the difference over the norm of what was expected, in double precision.
pub fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    let difference = distance(found, expected);
    if difference == 0.0 { 0.0 } else { difference / norm(expected) }
}

/// The norm of the difference in double precision.
pub fn distance(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size(), "shapes differ");
    norm(&(found.detach().to_kind(Kind::Double) - expected.to_kind(Kind::Double)))
}

/// The norm in double precision.
pub fn norm(tensor: &Tensor) -> f64 {
    tensor.to_kind(Kind::Double).norm().double_value(&[])
}

/// The worst error of each quantity of one case.
pub struct Table {
    case: String,
    rows: Vec<Row>,
}

struct Row {
    quantity: String,
    worst: f64,
    limit: f64,
}

impl Table {
    pub fn new(case: &str) -> Self {
        Self { case: case.to_owned(), rows: Vec::new() }
    }

    /// Notes an error that may be at most `limit`; of several under one name the worst is kept.
    pub fn bounded(&mut self, quantity: &str, error: f64, limit: f64) {
        // A comparison with NaN is false: it must count as the worst.
        let error = if error.is_nan() { f64::INFINITY } else { error };
        match self.rows.iter_mut().find(|row| row.quantity == quantity) {
            Some(row) => row.worst = row.worst.max(error),
            None => self.rows.push(Row { quantity: quantity.to_owned(), worst: error, limit }),
        }
    }

    /// Notes a number that must be equal.
    pub fn exact(&mut self, quantity: &str, found: i64, expected: i64) {
        self.bounded(quantity, (found - expected).abs() as f64, 0.0);
    }

    /// What lies over its limit, in words.
    pub fn failures(&self) -> impl Iterator<Item = String> + '_ {
        self.rows
            .iter()
            .filter(|row| row.worst > row.limit)
            .map(|row| format!("{}: {} is {:.2e} off, over {:.0e}", self.case, row.quantity, row.worst, row.limit))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.case)?;
        for row in &self.rows {
            writeln!(formatter, "  {:<40} {:>9.2e}  of {:.0e}", row.quantity, row.worst, row.limit)?;
        }
        Ok(())
    }
}

/// The columns of [`summary`].
const COLUMNS: [&str; 10] = [
    "eval z",
    "eval log-det",
    "eval nll",
    "grad0 f64",
    "grad0 f32",
    "grad0 f32 as trained",
    "loss 0",
    "loss later",
    "final",
    "final nll",
];

/// The main errors of every case, a line each.
pub fn summary(tables: &[Table]) -> String {
    let mut lines = vec![format!("{:<36}", "case")];
    lines[0].extend(COLUMNS.map(|column| format!("  {column}")));
    for table in tables {
        let worst = |column: &str| table.rows.iter().find(|row| row.quantity == column).map(|row| row.worst);
        let errors = COLUMNS.map(|column| match worst(column) {
            Some(error) => format!("  {error:>width$.1e}", width = column.len()),
            None => format!("  {:>width$}", "-", width = column.len()),
        });
        lines.push(format!("{:<36}{}", table.case, errors.concat()));
    }
    lines.join("\n")
}
