//! What every score and metric on the page is.

/// The definition of a score.
pub fn score(name: &str) -> String {
    let group = name.rsplit_once('-').filter(|(_, size)| size.parse::<u32>().is_ok()).map(|(_, size)| size);
    let of_groups = |what: &str| format!("{what}, of groups of {} examples.", group.unwrap_or("several"));
    match name {
        "log-likelihood" => "Negative log-likelihood −log p(x) in nats, with dequantisation.".to_owned(),
        "latent-density" => "Negative log-density −log p(z) of the latent, in nats.".to_owned(),
        "log-determinant" => "Negative log-determinant −log |∂z/∂x| of the flow, in nats.".to_owned(),
        "latent-norm" => "Distance of ‖z‖² from D, its expectation under the standard normal, in standard deviations.".to_owned(),
        "typicality" => "Distance of −log p(x) from its mean over train data (Nalisnick, Matsukawa, Teh and Lakshminarayanan 2019), of single examples.".to_owned(),
        "complexity-png" | "complexity-webp" | "complexity-brotli" => format!(
            "Input complexity (Serrà et al. 2020): −log₂ p(x) less the length in bits of the image as compressed by {}.",
            name.trim_start_matches("complexity-")
        ),
        "dose" => "Density of states (Morningstar et al. 2021): negative log-density of the flow's statistics under kernel density estimates of train data.".to_owned(),
        "complexity-gmm" => "Negative log-density of (code length, latent density) under a mixture of normals fitted to train data (Osada et al. 2024).".to_owned(),
        "likelihood-ratio" => "Log-likelihood under a background model less that under the flow (Ren et al. 2019).".to_owned(),
        "waic" => "Watanabe-Akaike criterion over seeds: variance less mean of the log-likelihood (Choi, Jang and Alemi 2018).".to_owned(),
        "gradient-norm" => "How unusual the norms of the gradient by layer are (Dauncey et al. 2024).".to_owned(),
        "score-test" => "Rao's score test joined with typicality by Fisher's method (Bergamin et al. 2022).".to_owned(),
        "local-dimension" => "Local intrinsic dimension of the flow's manifold at the example (Kamkari et al. 2024).".to_owned(),
        _ if name.starts_with("typicality-") => of_groups("Distance of the mean −log p(x) from its mean over train data (Nalisnick et al. 2019)"),
        _ if name.starts_with("latent-ks-") => of_groups("Kolmogorov-Smirnov distance of projected latents from those of train data (Jiang, Sun and Yu 2022)"),
        _ if name.starts_with("scale-") => "Negative contribution of one scale of the flow to the log-likelihood (Schirrmeister et al. 2020).".to_owned(),
        _ => "See docs/scores.md of the version that computed it.".to_owned(),
    }
}

/// The definition of a metric.
pub fn metric(name: &str) -> &'static str {
    match name {
        "auroc" => {
            "Area under the ROC curve, out-of-distribution positive: P(out > in) + ½ P(out = in). 0.5 is chance."
        }
        "aupr-out" => "Area under the precision-recall curve by the trapezoid rule, out-of-distribution positive.",
        "aupr-in" => "Area under the precision-recall curve by the trapezoid rule, in-distribution positive.",
        "ap-out" => "Average precision (steps, as scikit-learn), out-of-distribution positive.",
        "ap-in" => "Average precision (steps, as scikit-learn), in-distribution positive.",
        "fpr-in-at-95-out" => {
            "Share of in-distribution examples flagged when at least 95 % of the out-of-distribution ones are."
        }
        "fpr-out-at-95-in" => {
            "Share of out-of-distribution examples accepted when at least 95 % of the in-distribution ones are."
        }
        "detection-error" => "Least mean of both error rates over all thresholds.",
        "detection-error-at-95-in" => {
            "Mean of both error rates when at least 95 % of the in-distribution examples are accepted."
        }
        "bits-per-dim-mean" => {
            "Mean of −log₂ p(x) / D over test examples, with the discrete bound; finite values only."
        }
        "bits-per-dim-median" => "Median of −log₂ p(x) / D over test examples.",
        "bits-per-dim-trimmed" => "Mean of −log₂ p(x) / D without the least likely twentieth of the examples.",
        "outliers" => "Examples far beyond the median likelihood.",
        "non-finite" => "Examples whose likelihood is NaN or infinite.",
        _ => "See docs/guide.md of the version that computed it.",
    }
}

#[cfg(test)]
mod tests {
    use domain::report::Metric;

    use super::*;

    #[test]
    fn every_metric_has_a_definition() {
        for known in Metric::ALL {
            assert!(!metric(known.as_str()).starts_with("See docs/"), "{known}");
        }
    }

    #[test]
    fn scores_of_groups_name_their_size() {
        assert!(score("typicality-25").ends_with("of groups of 25 examples."));
        assert!(score("latent-ks-5").contains("groups of 5"));
        assert!(score("complexity-webp").ends_with("compressed by webp."));
        assert!(score("unknown").starts_with("See docs/"));
    }
}
