//! Every metric of two sets of scores, from one sort.

use std::fmt;

use super::auroc::{Auroc, AurocError};
use super::operating_point::{
    OperatingPoint, errors_where_in_is_kept, false_positives_where_out_is_caught, least_error,
};
use super::precision_recall::precision_recall;
use super::ties::{Tie, Ties};

/// A metric of two sets of scores. Out-of-distribution examples score higher; thresholds are at distinct scores, so that
/// equal scores fall on the same side together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeparationMetric {
    /// P(s_out > s_in) + ½ P(s_out = s_in).
    Auroc,
    /// Area under the precision-recall curve, out-of-distribution positive, by the trapezoid rule.
    AuprOut,
    /// The same with in-distribution positive and the scores negated.
    AuprIn,
    /// Average precision, out-of-distribution positive.
    ApOut,
    /// The same with in-distribution positive and the scores negated.
    ApIn,
    /// Fraction of in-distribution examples flagged when at least 95 % of the out-of-distribution ones are.
    FprInAt95Out,
    /// Fraction of out-of-distribution examples accepted when at least 95 % of the in-distribution ones are.
    FprOutAt95In,
    /// The least mean of both classes' error rates.
    DetectionError,
    /// The mean of both classes' error rates when at least 95 % of the in-distribution examples are accepted.
    DetectionErrorAt95In,
}

impl SeparationMetric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Auroc,
        Self::AuprOut,
        Self::AuprIn,
        Self::ApOut,
        Self::ApIn,
        Self::FprInAt95Out,
        Self::FprOutAt95In,
        Self::DetectionError,
        Self::DetectionErrorAt95In,
    ];

    /// Its name in tables and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auroc => "auroc",
            Self::AuprOut => "aupr-out",
            Self::AuprIn => "aupr-in",
            Self::ApOut => "ap-out",
            Self::ApIn => "ap-in",
            Self::FprInAt95Out => "fpr-in-at-95-out",
            Self::FprOutAt95In => "fpr-out-at-95-in",
            Self::DetectionError => "detection-error",
            Self::DetectionErrorAt95In => "detection-error-at-95-in",
        }
    }

    /// What it is, in one line.
    #[must_use]
    pub fn definition(self) -> &'static str {
        match self {
            Self::Auroc => "P(out > in) + ½ P(out = in)",
            Self::AuprOut => "area under precision-recall, out positive, trapezoid",
            Self::AuprIn => "area under precision-recall, in positive, trapezoid",
            Self::ApOut => "average precision, out positive, steps",
            Self::ApIn => "average precision, in positive, steps",
            Self::FprInAt95Out => "share of in flagged when ≥ 95 % of out is",
            Self::FprOutAt95In => "share of out accepted when ≥ 95 % of in is",
            Self::DetectionError => "least mean of both error rates over thresholds",
            Self::DetectionErrorAt95In => "mean of both error rates when ≥ 95 % of in is accepted",
        }
    }
}

impl fmt::Display for SeparationMetric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// All metrics of two sets of scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Separation {
    /// The AUROC with DeLong's interval and both numbers of scores.
    pub auroc: Auroc,
    /// [`SeparationMetric::AuprOut`].
    pub aupr_out: f64,
    /// [`SeparationMetric::AuprIn`].
    pub aupr_in: f64,
    /// [`SeparationMetric::ApOut`].
    pub ap_out: f64,
    /// [`SeparationMetric::ApIn`].
    pub ap_in: f64,
    /// [`SeparationMetric::FprInAt95Out`]; scores from the threshold on are flagged.
    pub fpr_in_at_95_out: OperatingPoint,
    /// [`SeparationMetric::FprOutAt95In`]; scores up to the threshold are accepted.
    pub fpr_out_at_95_in: OperatingPoint,
    /// [`SeparationMetric::DetectionError`]; scores from the threshold on are flagged.
    pub detection_error: OperatingPoint,
    /// [`SeparationMetric::DetectionErrorAt95In`]; scores up to the threshold are accepted.
    pub detection_error_at_95_in: OperatingPoint,
}

/// Computes every metric of two sets of scores from one sort, in O(n log n); infinities rank as extremes.
///
/// # Errors
/// [`AurocError`] when a set is empty or has scores that are not numbers.
pub fn separation(in_distribution: &[f64], out_of_distribution: &[f64]) -> Result<Separation, AurocError> {
    let ties = Ties::count(in_distribution, out_of_distribution)?;
    let [aupr_out, aupr_in, ap_out, ap_in] = areas(&ties);
    let (fpr_out_at_95_in, detection_error_at_95_in) = errors_where_in_is_kept(&ties);
    Ok(Separation {
        auroc: Auroc::of(&ties),
        aupr_out,
        aupr_in,
        ap_out,
        ap_in,
        fpr_in_at_95_out: false_positives_where_out_is_caught(&ties),
        fpr_out_at_95_in,
        detection_error: least_error(&ties),
        detection_error_at_95_in,
    })
}

impl Separation {
    /// The value of a metric.
    #[must_use]
    pub fn value(&self, metric: SeparationMetric) -> f64 {
        match metric {
            SeparationMetric::Auroc => self.auroc.value,
            SeparationMetric::AuprOut => self.aupr_out,
            SeparationMetric::AuprIn => self.aupr_in,
            SeparationMetric::ApOut => self.ap_out,
            SeparationMetric::ApIn => self.ap_in,
            SeparationMetric::FprInAt95Out => self.fpr_in_at_95_out.value,
            SeparationMetric::FprOutAt95In => self.fpr_out_at_95_in.value,
            SeparationMetric::DetectionError => self.detection_error.value,
            SeparationMetric::DetectionErrorAt95In => self.detection_error_at_95_in.value,
        }
    }

    /// The threshold that a metric belongs to, if it has one.
    #[must_use]
    pub fn threshold(&self, metric: SeparationMetric) -> Option<f64> {
        match metric {
            SeparationMetric::FprInAt95Out => Some(self.fpr_in_at_95_out.threshold),
            SeparationMetric::FprOutAt95In => Some(self.fpr_out_at_95_in.threshold),
            SeparationMetric::DetectionError => Some(self.detection_error.threshold),
            SeparationMetric::DetectionErrorAt95In => Some(self.detection_error_at_95_in.threshold),
            SeparationMetric::Auroc
            | SeparationMetric::AuprOut
            | SeparationMetric::AuprIn
            | SeparationMetric::ApOut
            | SeparationMetric::ApIn => None,
        }
    }
}

/// Every metric of sorted scores, in the order of [`SeparationMetric::ALL`].
pub fn values(ties: &Ties) -> [f64; 9] {
    let [aupr_out, aupr_in, ap_out, ap_in] = areas(ties);
    let (accepted, error_at_95) = errors_where_in_is_kept(ties);
    let flagged = false_positives_where_out_is_caught(ties);
    let error = least_error(ties);
    let points = [flagged, accepted, error, error_at_95].map(|point| point.value);
    [ties.auroc(), aupr_out, aupr_in, ap_out, ap_in, points[0], points[1], points[2], points[3]]
}

/// The areas by the trapezoid rule, out and in, and the average precisions, out and in.
fn areas(ties: &Ties) -> [f64; 4] {
    let flagged = |tie: &Tie| (tie.outside, tie.inside);
    let accepted = |tie: &Tie| (tie.inside, tie.outside);
    let out = precision_recall(ties.ties.iter().rev().map(flagged), ties.out_count);
    let within = precision_recall(ties.ties.iter().map(accepted), ties.in_count);
    [out.trapezoid, within.trapezoid, out.steps, within.steps]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scores(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
        let score = prop_oneof![
            20 => (-6_i32..6).prop_map(f64::from),
            1 => Just(f64::INFINITY),
            1 => Just(f64::NEG_INFINITY),
        ];
        proptest::collection::vec(score, sizes)
    }

    #[test]
    fn perfect_separation_is_perfect_everywhere() {
        let found = separation(&[1.0, 2.0, 3.0], &[4.0, 5.0]).unwrap();

        let expected = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(SeparationMetric::ALL.map(|metric| found.value(metric)), expected);
        assert_eq!(found.detection_error.threshold, 4.0);
    }

    #[test]
    fn constant_scores_are_chance() {
        let found = separation(&[5.0; 3], &[5.0; 1]).unwrap();

        // Precision is the share of the class in every threshold that flags something.
        let expected = [0.5, 0.625, 0.875, 0.25, 0.75, 1.0, 1.0, 0.5, 0.5];
        assert_eq!(SeparationMetric::ALL.map(|metric| found.value(metric)), expected);
        assert!(found.auroc.interval.low < 0.1 && found.auroc.interval.high > 0.9, "{found:?}");
    }

    #[test]
    fn what_has_no_rank_is_refused() {
        assert_eq!(separation(&[1.0], &[]).unwrap_err(), AurocError::Empty { in_count: 1, out_count: 0 });
        let refusal = separation(&[1.0, f64::NAN], &[2.0]).unwrap_err();
        assert_eq!(refusal, AurocError::NotNumbers { in_count: 1, out_count: 0 });
    }

    proptest! {
        #[test]
        fn both_ways_to_all_values_agree(inside in scores(1..40), outside in scores(1..40)) {
            let found = separation(&inside, &outside).unwrap();
            let ties = Ties::count(&inside, &outside).unwrap();
            prop_assert_eq!(values(&ties), SeparationMetric::ALL.map(|metric| found.value(metric)));
        }

        #[test]
        fn increasing_maps_change_no_metric(inside in scores(1..40), outside in scores(1..40)) {
            let map = |scores: &[f64]| scores.iter().map(|score| score.powi(3) - 4.0).collect::<Vec<_>>();
            let before = separation(&inside, &outside).unwrap();
            let after = separation(&map(&inside), &map(&outside)).unwrap();
            for metric in SeparationMetric::ALL {
                prop_assert_eq!(before.value(metric), after.value(metric));
            }
        }

        #[test]
        fn exchanging_the_classes_and_the_sign_exchanges_the_orientations(inside in scores(1..40), outside in scores(1..40)) {
            let negated = |scores: &[f64]| scores.iter().map(|score| -score).collect::<Vec<_>>();
            let before = separation(&inside, &outside).unwrap();
            let after = separation(&negated(&outside), &negated(&inside)).unwrap();
            prop_assert!((before.auroc.value - after.auroc.value).abs() < 1e-15);
            prop_assert_eq!(before.aupr_out, after.aupr_in);
            prop_assert_eq!(before.ap_out, after.ap_in);
            prop_assert_eq!(before.fpr_in_at_95_out.value, after.fpr_out_at_95_in.value);
            prop_assert_eq!(before.detection_error.value, after.detection_error.value);
        }

        #[test]
        fn error_rates_agree_with_trying_every_threshold(inside in scores(1..40), outside in scores(1..40)) {
            let found = separation(&inside, &outside).unwrap();
            let share = |scores: &[f64], at: f64| {
                scores.iter().filter(|&&score| score >= at).count() as f64 / scores.len() as f64
            };
            let mut least = 0.5_f64;
            for &at in inside.iter().chain(&outside) {
                least = least.min(0.5 * (share(&inside, at) + 1.0 - share(&outside, at)));
            }
            prop_assert!((found.detection_error.value - least).abs() < 1e-12);
            let point = found.fpr_in_at_95_out;
            prop_assert_eq!(point.value, share(&inside, point.threshold));
            prop_assert!(share(&outside, point.threshold) >= 0.95);
            prop_assert!(found.detection_error.value <= found.detection_error_at_95_in.value + 1e-15);
        }
    }
}
