//! Density of states estimation (Morningstar et al. 2021, "Density of States Estimation for out-of-distribution
//! detection").

use super::kernel_density::KernelDensity;
use super::reference::{FitError, finite};

/// Fewest finite reference values of a statistic.
const NEEDED: usize = 2;

/// How in-distribution examples spread along each of several statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Dose {
    /// One for each statistic; none for one that does not spread.
    densities: Vec<Option<KernelDensity>>,
}

impl Dose {
    /// Fits one kernel density to the finite values of each statistic of the reference (the paper's DoSE_KDE).
    ///
    /// A statistic that is constant over the reference (the log-determinant of a volume-preserving flow, say) is left out:
    /// it would judge by rounding alone. [`Dose::left_out`] lists them.
    ///
    /// # Errors
    /// [`FitError`] when a statistic has fewer than two finite values, or all are constant.
    pub fn fit(statistics: &[&[f64]]) -> Result<Self, FitError> {
        let mut densities = Vec::with_capacity(statistics.len());
        for (index, values) in statistics.iter().enumerate() {
            let finite = finite(values, NEEDED, &format!("statistic {index}, counted from 0"))?;
            densities.push(KernelDensity::fit(&finite));
        }
        if densities.iter().all(Option::is_none) {
            return Err(FitError::Constant { what: "every statistic".to_owned() });
        }
        Ok(Self { densities })
    }

    /// The statistics, by index, that do not spread over the reference and have no part in the score.
    #[must_use]
    pub fn left_out(&self) -> Vec<usize> {
        (0..self.densities.len()).filter(|&index| self.densities[index].is_none()).collect()
    }

    /// Scores each example by −Σⱼ log q̂ⱼ(Tⱼ(x)) (the paper's density, its logarithm negated). An infinite statistic scores infinity;
    /// one that is not a number gives none.
    ///
    /// # Panics
    /// With other statistics than were fitted, or of other numbers of examples.
    #[must_use]
    pub fn score(&self, statistics: &[&[f64]]) -> Vec<f64> {
        assert_eq!(statistics.len(), self.densities.len(), "the statistics that were fitted");
        let count = statistics.first().map_or(0, |values| values.len());
        assert!(statistics.iter().all(|values| values.len() == count), "every statistic of each example");
        let mut scores = vec![0.0; count];
        for (density, values) in self.densities.iter().zip(statistics) {
            let Some(density) = density else { continue };
            for (score, &value) in scores.iter_mut().zip(*values) {
                *score -= density.log_density(value);
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(count: u32, scale: f64) -> Vec<f64> {
        (0..count).map(|index| scale * f64::from(index * 7919 % count) / f64::from(count)).collect()
    }

    #[test]
    fn untypical_on_either_side_of_any_statistic_scores_high() {
        let (first, second) = (spread(500, 1.0), spread(500, 100.0));
        let dose = Dose::fit(&[&first, &second]).unwrap();

        let scores = dose.score(&[&[0.5, 3.0, -2.0, 0.5, f64::INFINITY], &[50.0, 50.0, 50.0, -400.0, 50.0]]);

        assert!(scores[1..].iter().all(|&score| score > scores[0] + 10.0), "{scores:?}");
        assert_eq!(scores[4], f64::INFINITY);
        assert!(dose.score(&[&[f64::NAN], &[50.0]])[0].is_nan());
    }

    #[test]
    fn score_of_one_statistic_is_its_negative_log_density_and_several_add_up() {
        let (first, second) = (spread(300, 1.0), spread(300, 9.0));
        let alone = |values: &[f64], x: f64| Dose::fit(&[values]).unwrap().score(&[&[x]])[0];

        let both = Dose::fit(&[&first, &second]).unwrap().score(&[&[0.4], &[8.0]])[0];

        assert!((both - alone(&first, 0.4) - alone(&second, 8.0)).abs() < 1e-12);
    }

    #[test]
    fn constant_statistics_are_left_out_and_listed() {
        let first = spread(300, 1.0);
        let with = Dose::fit(&[&first, &[7.0; 300]]).unwrap();

        assert_eq!(with.left_out(), [1]);
        assert_eq!(with.score(&[&[0.2], &[99.0]]), Dose::fit(&[&first]).unwrap().score(&[&[0.2]]));
        assert_eq!(Dose::fit(&[&[7.0; 3]]).unwrap_err(), FitError::Constant { what: "every statistic".to_owned() });
        assert!(matches!(Dose::fit(&[&[f64::NAN, 1.0]]), Err(FitError::TooFew { finite: 1, count: 2, .. })));
    }
}
