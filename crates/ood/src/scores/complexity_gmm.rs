//! A Gaussian mixture over image complexity and latent density (Osada, Takahashi & Nishide 2024, "Understanding likelihood
//! of normalizing flow and image complexity through the lens of out-of-distribution detection").

use super::gaussian_mixture::{Mixture, Point};
use super::reference::{FitError, enough, moments};
use crate::randomness::{Purpose, Stream};

/// Most components tried.
const MOST_COMPONENTS: usize = 5;

/// Most reference examples that the mixture is fitted to: more move its 29 parameters by less than the sampling does.
const MOST_FITTED: usize = 20_000;

/// Fewest, so that the covariances mean something.
const NEEDED: usize = 20;

/// How complexity and latent density go together for in-distribution images.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplexityGmm {
    mixture: Mixture,
    centre: Point,
    scale: Point,
}

impl ComplexityGmm {
    /// Fits mixtures of one to five components with full covariances by expectation maximisation and keeps the one with the
    /// least BIC (Schwarz 1978). Both statistics are standardised first, so their units do not matter; rows with a value that
    /// is not finite are left out, and of more than 20,000 rows a random part is taken. The seed fixes the result.
    ///
    /// # Errors
    /// [`FitError`] when fewer than 20 rows are finite, or a statistic is constant.
    ///
    /// # Panics
    /// When the statistics are of other numbers of images.
    pub fn fit(complexity: &[f64], latent_log_density: &[f64], seed: u64) -> Result<Self, FitError> {
        assert_eq!(complexity.len(), latent_log_density.len(), "both statistics of each image");
        let rows = complexity.iter().zip(latent_log_density).map(|(&complexity, &latent)| [complexity, latent]);
        let mut rows: Vec<Point> = rows.filter(|row| row.iter().all(|value| value.is_finite())).collect();
        enough(rows.len(), complexity.len(), NEEDED, "complexity and latent density")?;
        if rows.len() > MOST_FITTED {
            let order = Stream::new(Purpose::Mixture, seed, 0).permutation(rows.len());
            rows = order[..MOST_FITTED].iter().map(|&row| rows[row as usize]).collect();
        }
        let [first, second] = [0, 1].map(|axis| moments(&rows.iter().map(|row| row[axis]).collect::<Vec<_>>()));
        let (centre, scale) = ([first.0, second.0], [first.1, second.1]);
        for (axis, what) in ["the complexity", "the latent density"].into_iter().enumerate() {
            if scale[axis] <= f64::EPSILON * centre[axis].abs() {
                return Err(FitError::Constant { what: what.to_owned() });
            }
        }
        let standardised: Vec<Point> = rows.iter().map(|&row| standardise(row, centre, scale)).collect();
        let candidates = (1..=MOST_COMPONENTS).map(|components| {
            let mut stream = Stream::new(Purpose::Mixture, seed, components as u64);
            Mixture::fit(&standardised, components, &mut stream)
        });
        let judged = candidates.map(|mixture| (mixture.bayesian_criterion(&standardised), mixture));
        let best = judged.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, mixture)| mixture);
        let mixture = best.expect("there is at least one number of components");
        Ok(Self { mixture, centre, scale })
    }

    /// Number of components that the criterion chose.
    #[must_use]
    pub fn components(&self) -> usize {
        self.mixture.components()
    }

    /// Scores each image by −log q̂(complexity, log N(z)), the density in the statistics' own units. An infinite statistic
    /// scores infinity; one that is not a number gives none.
    ///
    /// # Panics
    /// When the statistics are of other numbers of images.
    #[must_use]
    pub fn score(&self, complexity: &[f64], latent_log_density: &[f64]) -> Vec<f64> {
        assert_eq!(complexity.len(), latent_log_density.len(), "both statistics of each image");
        let units = self.scale[0].ln() + self.scale[1].ln();
        let score = |(&complexity, &latent): (&f64, &f64)| {
            let point: Point = [complexity, latent];
            if point.iter().any(|value| value.is_nan()) {
                return f64::NAN;
            }
            if point.iter().any(|value| value.is_infinite()) {
                return f64::INFINITY;
            }
            units - self.mixture.log_density(standardise(point, self.centre, self.scale))
        };
        complexity.iter().zip(latent_log_density).map(score).collect()
    }
}

fn standardise([x, y]: Point, centre: Point, scale: Point) -> Point {
    [(x - centre[0]) / scale[0], (y - centre[1]) / scale[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bells (sums of uniform values) around the given centres, in turn.
    fn around(centres: &[Point], count: usize) -> [Vec<f64>; 2] {
        let mut stream = Stream::new(Purpose::Bootstrap, 5, 0);
        let mut bell = || (0..12).map(|_| stream.unit()).sum::<f64>() - 6.0;
        let rows = (0..count).map(|index| {
            let [x, y] = centres[index % centres.len()];
            (x + bell(), y + bell())
        });
        let (first, second) = rows.unzip();
        [first, second]
    }

    #[test]
    fn clusters_are_counted_by_the_criterion() {
        let one = around(&[[3.0, 700.0]], 900);
        let three = around(&[[0.0, 0.0], [9.0, 0.0], [0.0, 12.0]], 900);

        assert_eq!(ComplexityGmm::fit(&one[0], &one[1], 1).unwrap().components(), 1);
        assert_eq!(ComplexityGmm::fit(&three[0], &three[1], 1).unwrap().components(), 3);
    }

    #[test]
    fn what_lies_between_the_clusters_scores_high_although_each_statistic_is_usual() {
        let [x, y] = around(&[[0.0, 0.0], [9.0, 9.0]], 800);
        let mixture = ComplexityGmm::fit(&x, &y, 1).unwrap();

        let scores = mixture.score(&[0.0, 9.0, 0.0, 4.5], &[0.0, 9.0, 9.0, 4.5]);

        assert!(scores[2] > scores[0] + 5.0 && scores[3] > scores[1] + 3.0, "{scores:?}");
    }

    #[test]
    fn units_of_the_statistics_do_not_matter_and_the_seed_fixes_the_rest() {
        let [x, y] = around(&[[0.0, 0.0], [9.0, 9.0]], 400);
        let bits: Vec<f64> = x.iter().map(|x| 1000.0 * x + 5000.0).collect();

        let first = ComplexityGmm::fit(&x, &y, 1).unwrap();
        let second = ComplexityGmm::fit(&bits, &y, 1).unwrap();

        let (in_units, in_bits) = (first.score(&[1.0], &[2.0])[0], second.score(&[6000.0], &[2.0])[0]);
        assert!((in_units + 1000_f64.ln() - in_bits).abs() < 1e-6, "{in_units} {in_bits}");
        assert_eq!(first, ComplexityGmm::fit(&x, &y, 1).unwrap());
    }

    #[test]
    fn values_that_are_not_finite_are_left_out_of_the_fit_and_extreme_in_the_score() {
        let [mut x, mut y] = around(&[[0.0, 0.0]], 100);
        let expected = ComplexityGmm::fit(&x, &y, 1).unwrap();
        x.push(f64::NAN);
        y.push(0.0);

        let found = ComplexityGmm::fit(&x, &y, 1).unwrap();

        assert_eq!(found, expected);
        let scores = found.score(&[f64::INFINITY, f64::NAN, 1e200], &[0.0, f64::INFINITY, -1e200]);
        assert!(scores[0] == f64::INFINITY && scores[1].is_nan() && scores[2] == f64::INFINITY, "{scores:?}");
    }

    #[test]
    fn constant_statistics_and_too_few_rows_are_refused() {
        let rows: Vec<f64> = (0..30).map(f64::from).collect();

        let constant = ComplexityGmm::fit(&[8.0; 30], &rows, 1).unwrap_err();
        let few = ComplexityGmm::fit(&rows[..19], &rows[..19], 1).unwrap_err();

        assert_eq!(constant, FitError::Constant { what: "the complexity".to_owned() });
        assert!(matches!(few, FitError::TooFew { finite: 19, needed: 20, .. }), "{few}");
    }

    #[test]
    fn a_diagonal_line_and_few_distinct_values_do_not_break_the_fit() {
        let line: Vec<f64> = (0..200).map(|index| f64::from(index % 4)).collect();

        let mixture = ComplexityGmm::fit(&line, &line, 1).unwrap();

        let scores = mixture.score(&[0.0, 0.0], &[0.0, 3.0]);
        assert!(scores[0].is_finite() && scores[1] > scores[0] + 10.0, "{scores:?}");
    }
}
