//! Error rates at one threshold: where 95 % of a class is caught, or where the error is least.

use super::ties::Ties;

/// The share of a class that is caught, as a fraction of integers, so that it is compared exactly.
const CAUGHT: (u64, u64) = (95, 100);

/// An error rate and the threshold that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// The rate.
    pub value: f64,
    /// The score at which it is reached.
    pub threshold: f64,
}

/// The fraction of in-distribution examples that are flagged (`score ≥ threshold`) at the highest threshold that flags at
/// least 95 % of the out-of-distribution ones.
pub fn false_positives_where_out_is_caught(ties: &Ties) -> OperatingPoint {
    let (mut inside, mut outside) = (0, 0);
    for tie in ties.ties.iter().rev() {
        inside += tie.inside;
        outside += tie.outside;
        if reaches(outside, ties.out_count) {
            return OperatingPoint { value: share(inside, ties.in_count), threshold: tie.score };
        }
    }
    unreachable!("the lowest threshold flags everything")
}

/// At the lowest threshold that keeps (`score ≤ threshold`) at least 95 % of the in-distribution examples: the fraction of
/// out-of-distribution ones kept, and the mean of it and of the fraction of in-distribution ones refused.
pub fn errors_where_in_is_kept(ties: &Ties) -> (OperatingPoint, OperatingPoint) {
    let (mut inside, mut outside) = (0, 0);
    for tie in &ties.ties {
        inside += tie.inside;
        outside += tie.outside;
        if reaches(inside, ties.in_count) {
            let kept_out = share(outside, ties.out_count);
            let refused_in = share(ties.in_count - inside, ties.in_count);
            let point = |value| OperatingPoint { value, threshold: tie.score };
            return (point(kept_out), point(f64::midpoint(refused_in, kept_out)));
        }
    }
    unreachable!("the highest threshold keeps everything")
}

/// The least mean of both classes' error rates over all thresholds, with the highest threshold that has it (flag
/// `score ≥ threshold`); infinite, with the rate ½, where flagging nothing is as good as anything.
pub fn least_error(ties: &Ties) -> OperatingPoint {
    let (in_count, out_count) = (u128::from(ties.in_count), u128::from(ties.out_count));
    let (mut inside, mut outside) = (0_u128, 0_u128);
    // The errors of both classes as twice their mean, in units of 1/(in_count · out_count).
    let (mut least, mut threshold) = (in_count * out_count, f64::INFINITY);
    for tie in ties.ties.iter().rev() {
        inside += u128::from(tie.inside);
        outside += u128::from(tie.outside);
        let errors = inside * out_count + (out_count - outside) * in_count;
        if errors < least {
            (least, threshold) = (errors, tie.score);
        }
    }
    OperatingPoint { value: least as f64 / (2 * in_count * out_count) as f64, threshold }
}

fn reaches(part: u64, whole: u64) -> bool {
    u128::from(part) * u128::from(CAUGHT.1) >= u128::from(whole) * u128::from(CAUGHT.0)
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ties(inside: &[f64], outside: &[f64]) -> Ties {
        Ties::count(inside, outside).unwrap()
    }

    #[test]
    fn nineteen_of_twenty_are_95_percent() {
        // The outside scores are 1 to 20; catching 19 of them needs the threshold 2, which flags three of the inside.
        let outside: Vec<f64> = (1..=20).map(f64::from).collect();

        let found = false_positives_where_out_is_caught(&ties(&[1.0, 2.0, 2.0, 30.0], &outside));

        assert_eq!(found, OperatingPoint { value: 0.75, threshold: 2.0 });
    }

    #[test]
    fn keeping_95_percent_lets_the_lower_out_scores_pass() {
        let inside: Vec<f64> = (1..=20).map(f64::from).collect();

        let (accepted, error) = errors_where_in_is_kept(&ties(&inside, &[0.5, 19.0, 19.5, 50.0]));

        assert_eq!(accepted, OperatingPoint { value: 0.5, threshold: 19.0 });
        assert_eq!(error.value, 0.5 * (0.05 + 0.5));
    }

    #[test]
    fn ties_pass_the_threshold_together() {
        let all_tied = ties(&[7.0, 7.0], &[7.0, 7.0, 7.0]);

        assert_eq!(false_positives_where_out_is_caught(&all_tied).value, 1.0);
        assert_eq!(errors_where_in_is_kept(&all_tied).0.value, 1.0);
        assert_eq!(least_error(&all_tied), OperatingPoint { value: 0.5, threshold: f64::INFINITY });
    }

    #[test]
    fn least_error_is_found_between_the_classes() {
        let found = least_error(&ties(&[1.0, 2.0, 3.0, 9.0], &[4.0, 5.0]));

        assert_eq!(found, OperatingPoint { value: 0.125, threshold: 4.0 });
        assert_eq!(least_error(&ties(&[5.0], &[1.0])).value, 0.5);
    }
}
