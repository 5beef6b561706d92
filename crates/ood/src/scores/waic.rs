//! The Watanabe-Akaike information criterion over an ensemble (Choi, Jang & Alemi 2018, "WAIC, but why?").

/// Scores each image by −(mean ℓ − variance ℓ) over the models (their criterion, negated; the variance is divided by the
/// number of models, and its nats² are added to nats as the paper does). One model has no variance: the score is then −ℓ.
/// A value that is not a number, or infinite under some models only, gives none.
///
/// # Panics
/// When the models scored other numbers of images.
#[must_use]
pub fn waic(models: &[&[f64]]) -> Vec<f64> {
    let Some(first) = models.first() else { return Vec::new() };
    assert!(models.iter().all(|model| model.len() == first.len()), "every model scored the same images");
    let count = models.len() as f64;
    let score = |image: usize| {
        let mean = models.iter().map(|model| model[image]).sum::<f64>() / count;
        let variance = models.iter().map(|model| (model[image] - mean).powi(2)).sum::<f64>() / count;
        variance - mean
    };
    (0..first.len()).map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_disagree_score_high() {
        // Means −10 and −10; variances 0 and 4.
        assert_eq!(waic(&[&[-10.0, -12.0], &[-10.0, -8.0]]), [10.0, 14.0]);
    }

    #[test]
    fn one_model_is_the_likelihood_and_the_order_of_several_does_not_matter() {
        assert_eq!(waic(&[&[-3.0, -4.0]]), [3.0, 4.0]);
        let (a, b, c) = ([-1.0], [-2.5], [-7.0]);
        assert_eq!(waic(&[&a, &b, &c]), waic(&[&b, &c, &a]));
        assert_eq!(waic(&[]), [0.0; 0]);
    }
}
