//! The two parts of a log-likelihood, each as a score.

/// Scores each image by −log N(z; 0, I), in nats: latents far from the mode score high. A value that is not a number
/// stays one.
#[must_use]
pub fn latent_density(latent_log_density: &[f64]) -> Vec<f64> {
    latent_log_density.iter().map(|value| -value).collect()
}

/// Scores each image by −log |det ∂z/∂x|, in nats: images that the flow contracts score high. Which side scores high is
/// known to change with the pair of datasets; an AUROC below ½ says so. A value that is not a number stays one.
#[must_use]
pub fn log_determinant(log_determinant: &[f64]) -> Vec<f64> {
    log_determinant.iter().map(|value| -value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_likelihood;

    #[test]
    fn the_parts_add_up_to_the_likelihood_score() {
        let (density, determinant) = ([-1430.5, -1400.25], [350.0, -20.5]);
        let total = [density[0] + determinant[0], density[1] + determinant[1]];

        let parts = latent_density(&density).into_iter().zip(log_determinant(&determinant)).map(|(a, b)| a + b);

        assert_eq!(parts.collect::<Vec<_>>(), log_likelihood(&total));
    }
}
