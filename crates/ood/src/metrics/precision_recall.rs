//! The area under the precision-recall curve, by both integrations in use.

/// Both areas of one orientation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecall {
    /// The trapezoid rule over the curve, which begins at recall 0 and precision 1: `auc(recall, precision)` of
    /// scikit-learn's `precision_recall_curve`, as OpenOOD and pytorch-ood compute AUPR. Straight lines between points are
    /// above what a threshold can reach (Davis & Goadrich 2006): optimistic where ties are large.
    pub trapezoid: f64,
    /// Average precision Σ (Rₖ − Rₖ₋₁) Pₖ: scikit-learn's `average_precision_score`.
    pub steps: f64,
}

/// Integrates over the thresholds at distinct scores. `ties` gives (positives, negatives) at each, the most positive score
/// first; there is at least one of `positives`.
pub fn precision_recall(ties: impl Iterator<Item = (u64, u64)>, positives: u64) -> PrecisionRecall {
    let (mut caught, mut flagged) = (0_u64, 0_u64);
    let (mut before, mut trapezoid, mut steps) = (1.0, 0.0, 0.0);
    for (positive, negative) in ties {
        caught += positive;
        flagged += positive + negative;
        if flagged == 0 {
            // A resample without any of the first scores.
            continue;
        }
        let precision = caught as f64 / flagged as f64;
        let recall_step = positive as f64 / positives as f64;
        trapezoid += recall_step * f64::midpoint(before, precision);
        steps += recall_step * precision;
        before = precision;
    }
    PrecisionRecall { trapezoid, steps }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_thresholds_by_hand() {
        // Precision and recall: 1 at ½; ⅔ … the second threshold catches nothing new, so that precision falls to ½.
        let found = precision_recall([(1, 0), (0, 1), (1, 1)].into_iter(), 2);

        assert_eq!(found.steps, 0.5 * 1.0 + 0.5 * 0.5);
        assert_eq!(found.trapezoid, 0.5 * 1.0 + 0.5 * 0.5);
    }

    #[test]
    fn one_tie_of_everything_has_the_share_of_positives_as_average_precision() {
        let found = precision_recall([(3, 1)].into_iter(), 3);

        assert_eq!((found.steps, found.trapezoid), (0.75, 0.875));
    }
}
