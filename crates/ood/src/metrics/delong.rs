//! DeLong's variance of the AUROC (DeLong, DeLong & Clarke-Pearson 1988, equations 5 and 6), from placements found by
//! sorting (Sun & Xu 2014).

use super::placement::Placements;

/// The estimated variance S₁₀/m + S₀₁/n, with S the sample variance of the structural components (the placements as
/// fractions); none when a sample has a single score.
///
/// The sums are exact integers, so that equal components give a variance of exactly 0.
pub fn variance(placements: &Placements) -> Option<f64> {
    let (m, n) = (placements.out_twice.len(), placements.in_twice.len());
    let out_part = variance_of_mean(&placements.out_twice, n)?;
    let in_part = variance_of_mean(&placements.in_twice, m)?;
    Some(out_part + in_part)
}

/// The variance of the mean of the components `twice / (2 * others)`.
fn variance_of_mean(twice: &[u64], others: usize) -> Option<f64> {
    if twice.len() < 2 {
        return None;
    }
    let count = twice.len() as u128;
    let sum: u128 = twice.iter().map(|&value| u128::from(value)).sum();
    let sum_of_squares: u128 = twice.iter().map(|&value| u128::from(value).pow(2)).sum();
    let scatter = count * sum_of_squares - sum * sum;
    let unit = 2.0 * others as f64;
    Some(scatter as f64 / ((count * count * (count - 1)) as f64 * unit * unit))
}
