//! The likelihood under a background model against the likelihood under the model.

/// Scores each image by log p_background(x) − log p(x) in nats (the negated ratio of Ren et al. 2019, "Likelihood ratios for
/// out-of-distribution detection"), so that images which the background explains better score high. Both
/// likelihoods are of the same discrete image. A value that is not a number stays one, and two likelihoods of 0 give none.
///
/// # Panics
/// When the models scored other numbers of images.
#[must_use]
pub fn likelihood_ratio(background: &[f64], log_likelihood: &[f64]) -> Vec<f64> {
    assert_eq!(background.len(), log_likelihood.len(), "both models scored the same images");
    background.iter().zip(log_likelihood).map(|(background, foreground)| background - foreground).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_the_background_explains_better_score_high() {
        assert_eq!(likelihood_ratio(&[-900.0, -1200.0], &[-1000.0, -1000.0]), [100.0, -200.0]);
        assert!(likelihood_ratio(&[f64::NEG_INFINITY], &[f64::NEG_INFINITY])[0].is_nan());
    }
}
