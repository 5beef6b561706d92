//! How untypical the length of a latent is.

/// Scores each image by |‖z‖² − D| / √(2D), from ‖z‖²: of a standard normal latent, ‖z‖² has a χ² distribution with mean
/// D and variance 2D, so the score counts standard deviations, on either side (the annulus test that Nalisnick et al.
/// 2019 discuss). A value that is not a number stays one.
///
/// # Panics
/// Without dimensions.
#[must_use]
pub fn latent_norm(norm_squared: &[f64], dimensions: usize) -> Vec<f64> {
    assert!(dimensions > 0, "a latent has dimensions");
    let expected = dimensions as f64;
    let deviation = (2.0 * expected).sqrt();
    norm_squared.iter().map(|norm_squared| (norm_squared - expected).abs() / deviation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_scores_nothing_and_both_sides_of_it_score_alike() {
        // D = 8: mean 8, standard deviation 4.
        assert_eq!(latent_norm(&[8.0, 12.0, 4.0, f64::INFINITY], 8), [0.0, 1.0, 1.0, f64::INFINITY]);
        assert!(latent_norm(&[f64::NAN], 8)[0].is_nan());
    }
}
