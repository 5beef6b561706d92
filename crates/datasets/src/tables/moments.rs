//! Means and standard deviations of columns in one pass.

/// Running mean and sum of squared deviations of each column, in double precision (Welford 1962).
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    rows: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Of no row yet.
    pub fn new(columns: usize) -> Self {
        Self { rows: 0, mean: vec![0.0; columns], squares: vec![0.0; columns] }
    }

    /// Adds one row.
    pub fn add(&mut self, row: &[f64]) {
        self.rows += 1;
        let rows = self.rows as f64;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(row) {
            let deviation = value - *mean;
            *mean += deviation / rows;
            *squares += deviation * (value - *mean);
        }
    }

    /// The same rows, of the chosen columns alone.
    pub fn of_columns(&self, columns: &[usize]) -> Self {
        let choose = |values: &[f64]| columns.iter().map(|&column| values[column]).collect();
        Self { rows: self.rows, mean: choose(&self.mean), squares: choose(&self.squares) }
    }

    /// Number of rows added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Mean of each column.
    pub fn means(&self) -> &[f64] {
        &self.mean
    }

    /// Biased standard deviation of each column (the squared deviations are divided by the number of rows).
    pub fn deviations(&self) -> Vec<f64> {
        self.squares.iter().map(|squares| (squares / self.rows.max(1) as f64).sqrt()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviation_is_the_biased_one() {
        let mut moments = Moments::new(2);

        for row in [[1.0, 1e9 + 1.0], [2.0, 1e9 + 2.0], [6.0, 1e9 + 6.0]] {
            moments.add(&row);
        }

        assert_eq!(moments.means(), [3.0, 1e9 + 3.0]);
        // ((1 - 3)² + (2 - 3)² + (6 - 3)²) / 3
        let expected = (14.0_f64 / 3.0).sqrt();
        assert!(moments.deviations().iter().all(|deviation| (deviation - expected).abs() < 1e-6));
    }
}
