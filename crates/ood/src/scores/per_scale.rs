//! The contribution of one scale of a multi-scale flow to the log-likelihood.

/// Scores each image by −cₖ in nats, where cₖ = log N(zₖ) + Σ log-determinants of the steps of scale k. The last scale alone
/// is the score of Schirrmeister et al. 2020 ("Understanding anomaly detection with deep invertible networks through
/// hierarchies of distributions and features"); the scores of all scales add up to −ℓ but for the constant of the
/// discretisation. A value that is not a number stays one.
///
/// # Panics
/// When the parts have other numbers of images.
#[must_use]
pub fn per_scale(latent_log_density: &[f64], log_determinant: &[f64]) -> Vec<f64> {
    assert_eq!(latent_log_density.len(), log_determinant.len(), "both parts of each image");
    latent_log_density.iter().zip(log_determinant).map(|(density, determinant)| -(density + determinant)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_add_up_to_the_likelihood_score() {
        let (coarse, fine) = (per_scale(&[-10.0], &[2.0]), per_scale(&[-30.0], &[-5.0]));

        assert_eq!(coarse[0] + fine[0], 43.0);
    }
}
