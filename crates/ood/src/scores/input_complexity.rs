//! The likelihood corrected by how well a lossless codec compresses the image (Serrà et al. 2020, "Input complexity and
//! out-of-distribution detection with likelihood-based generative models").

/// Scores each image by S(x) = (−log₂ p(x) − L(x))/D in bits per dimension (Serrà et al., divided by D), with L
/// the code's length in bits. `log_likelihood` is in nats and of the discrete image (it includes −D ln 256): only then are
/// both terms code lengths of the same thing. A value that is not a number stays one.
///
/// # Panics
/// Without dimensions, or with another number of code lengths than of likelihoods.
#[must_use]
pub fn input_complexity(log_likelihood: &[f64], code_length_bits: &[f64], dimensions: usize) -> Vec<f64> {
    assert!(dimensions > 0, "an image has dimensions");
    assert_eq!(log_likelihood.len(), code_length_bits.len(), "one code for each image");
    let score =
        |(log_likelihood, code): (&f64, &f64)| (-log_likelihood / std::f64::consts::LN_2 - code) / dimensions as f64;
    log_likelihood.iter().zip(code_length_bits).map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_codes_as_well_as_the_codec_scores_nothing() {
        // 1000 bits of a 4-dimensional image, by both; then the model needs 40 bits more, then 40 less.
        let nats = |bits: f64| -bits * std::f64::consts::LN_2;

        let scores = input_complexity(&[nats(1000.0), nats(1040.0), nats(960.0)], &[1000.0; 3], 4);

        for (score, expected) in scores.into_iter().zip([0.0, 10.0, -10.0]) {
            assert!((score - expected).abs() < 1e-9, "{score}");
        }
    }

    #[test]
    fn simple_images_with_the_same_likelihood_score_higher() {
        let scores = input_complexity(&[-700.0, -700.0], &[100.0, 900.0], 784);

        assert!(scores[0] > scores[1]);
    }
}
