//! The plain likelihood score.

/// Scores each image by its negative log-likelihood −ℓ(x), in nats: unlikely images score high. A value that is not a
/// number stays one.
#[must_use]
pub fn log_likelihood(log_likelihood: &[f64]) -> Vec<f64> {
    log_likelihood.iter().map(|value| -value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlikely_images_score_high() {
        let scores = log_likelihood(&[-1700.0, -1100.0, f64::NEG_INFINITY]);

        assert_eq!(scores, [1700.0, 1100.0, f64::INFINITY]);
        assert!(log_likelihood(&[f64::NAN])[0].is_nan());
    }
}
