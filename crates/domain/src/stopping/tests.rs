//! Hand-computed cases of both rules.

use super::*;

fn standing(value: impl Into<Option<f64>>) -> Standing {
    let value = value.into();
    Standing { value, best: value, mean: value }
}

fn asha(metric: StoppingMetric) -> EarlyStopping {
    EarlyStopping::Asha(Asha { metric, min_steps: 100, reduction_factor: 3 })
}

fn median_rule(min_experiments: u32) -> EarlyStopping {
    let metric = StoppingMetric::BitsPerDim;
    EarlyStopping::Median(MedianRule { metric, after_steps: 200, every_steps: 100, min_experiments })
}

/// Which of the reports at one step, made in this order, are stopped.
fn stopped(rule: &EarlyStopping, step: u64, values: &[Option<f64>]) -> Vec<usize> {
    let standings: Vec<Standing> = values.iter().map(|&value| standing(value)).collect();
    let is_stopped = |&place: &usize| rule.judge(step, &standings[place], &standings[..place]) != Verdict::GoOn;
    (0..values.len()).filter(is_stopped).collect()
}

#[test]
fn rungs_grow_by_the_factor_and_stay_below_the_steps() {
    let asha = Asha { metric: StoppingMetric::BitsPerDim, min_steps: 100, reduction_factor: 3 };

    assert_eq!(asha.rungs(2700).collect::<Vec<_>>(), [100, 300, 900]);
    assert_eq!(asha.rungs(2701).collect::<Vec<_>>(), [100, 300, 900, 2700]);
    assert_eq!(asha.rungs(100).count(), 0);
    let huge = Asha { min_steps: 2_000_000_000, ..asha };
    assert_eq!(huge.rungs(u32::MAX).collect::<Vec<_>>(), [2_000_000_000]);
}

#[test]
fn nobody_is_stopped_at_a_rung_with_fewer_reports_than_the_factor() {
    let rule = asha(StoppingMetric::BitsPerDim);

    assert_eq!(stopped(&rule, 100, &[Some(9.0)]), [0; 0]);
    assert_eq!(stopped(&rule, 100, &[Some(3.0), Some(9.0)]), [0; 0]);
    // The third is the first of which one third can be told.
    assert_eq!(stopped(&rule, 100, &[Some(3.0), Some(9.0), Some(4.0)]), [2]);
    assert_eq!(stopped(&rule, 100, &[Some(3.0), Some(9.0), Some(2.0)]), [0; 0]);
}

#[test]
fn the_best_third_of_nine_goes_on_and_the_reason_names_the_numbers() {
    let rule = asha(StoppingMetric::BitsPerDim);
    let others: Vec<Standing> = [3.4, 3.5, 3.6, 3.7, 3.8, 3.9, 4.0, 3.52].map(standing).to_vec();

    let verdict = rule.judge(2000, &standing(3.91), &others);

    // Sorted: 3.4 3.5 3.52 | 3.6 3.7 3.8 3.9 3.91 4.0.
    let reason = "bits/dim 3.9100 at step 2000 is not among the best 1/3 of 9 (3.5200 needed)".to_owned();
    assert_eq!(verdict, Verdict::Stop { reason });
    assert_eq!(rule.judge(2000, &standing(3.51), &others), Verdict::GoOn);
}

#[test]
fn a_value_as_good_as_the_worst_of_the_best_goes_on() {
    let rule = asha(StoppingMetric::BitsPerDim);

    assert_eq!(stopped(&rule, 100, &[Some(3.0), Some(3.0), Some(3.0), Some(3.0)]), [0; 0]);
}

#[test]
fn higher_aurocs_are_better() {
    let rule = asha(StoppingMetric::Auroc);

    assert_eq!(stopped(&rule, 100, &[Some(0.9), Some(0.2), Some(0.5), Some(0.95)]), [2]);
    let verdict = rule.judge(100, &standing(0.5), &[standing(0.9), standing(0.2)]);
    let reason = "AUROC 0.5000 at step 100 is not among the best 1/3 of 3 (0.9000 needed)".to_owned();
    assert_eq!(verdict, Verdict::Stop { reason });
}

#[test]
fn a_value_that_is_no_number_is_worse_than_any_and_never_among_the_best() {
    let rule = asha(StoppingMetric::BitsPerDim);

    assert_eq!(stopped(&rule, 100, &[None, None, Some(99.0)]), [0; 0]);
    assert_eq!(stopped(&rule, 100, &[None, Some(3.0), None]), [2]);
    let verdict = rule.judge(100, &standing(None), &[standing(None), standing(None)]);
    let reason = "bits/dim without a number at step 100 is not among the best 1/3 of 3 (a number needed)".to_owned();
    assert_eq!(verdict, Verdict::Stop { reason });
    let nan = ValidationPoint { step: 100, bits_per_dim: Some(f64::NAN), auroc: None };
    assert_eq!(StoppingMetric::BitsPerDim.of(&nan), None);
}

#[test]
fn the_order_of_reports_decides_and_a_late_report_is_judged_by_all_before_it() {
    let rule = asha(StoppingMetric::BitsPerDim);
    let falling = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0].map(Some);
    let rising = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some);

    // Each is the best so far, so that all go on, as in the paper's worst case.
    assert_eq!(stopped(&rule, 100, &falling), [0; 0]);
    assert_eq!(stopped(&rule, 100, &rising), [2, 3, 4, 5]);
    assert_eq!(stopped(&rule, 100, &rising), stopped(&rule, 100, &rising));
    // The last of seven must be among the best two.
    let late = [falling.as_slice(), &[Some(2.0)]].concat();
    assert_eq!(stopped(&rule, 100, &late), [0; 0]);
    let late = [falling.as_slice(), &[Some(2.1)]].concat();
    assert_eq!(stopped(&rule, 100, &late), [6]);
}

#[test]
fn standings_are_the_last_the_best_and_the_mean() {
    let values = [Some(4.0), None, Some(1.0), Some(4.0)];

    let bits = StoppingMetric::BitsPerDim.standing(&values);
    let auroc = StoppingMetric::Auroc.standing(&values[..3]);

    assert_eq!(bits, Standing { value: Some(4.0), best: Some(1.0), mean: Some(3.0) });
    assert_eq!(auroc, Standing { value: Some(1.0), best: Some(4.0), mean: Some(2.5) });
    let nothing = Standing { value: None, best: None, mean: None };
    assert_eq!(StoppingMetric::Auroc.standing(&[None]), nothing);
}

#[test]
fn the_median_rule_compares_the_best_with_the_median_of_means() {
    let rule = median_rule(3);
    let others = [(5.0, 3.0), (9.0, 3.4), (1.0, 3.8)].map(|(value, mean)| Standing {
        value: Some(value),
        best: Some(value),
        mean: Some(mean),
    });
    let own = |best| Standing { value: Some(9.0), best: Some(best), mean: Some(9.0) };

    assert_eq!(rule.judge(300, &own(3.4), &others), Verdict::GoOn);
    let reason =
        "bits/dim 3.4100 is the best up to step 300, and the median of the means of 3 others is 3.4000".to_owned();
    assert_eq!(rule.judge(300, &own(3.41), &others), Verdict::Stop { reason });
    // Of an even number, between the two in the middle: (3.0 + 3.4) / 2.
    assert_eq!(median_rule(2).judge(300, &own(3.2), &others[..2]), Verdict::GoOn);
    assert_ne!(median_rule(2).judge(300, &own(3.21), &others[..2]), Verdict::GoOn);
}

#[test]
fn the_median_rule_waits_for_its_steps_and_for_others() {
    let others = [standing(1.0), standing(1.0), standing(1.0)];

    assert_eq!(median_rule(3).judge(100, &standing(9.0), &others), Verdict::GoOn, "before after_steps");
    assert_ne!(median_rule(3).judge(200, &standing(9.0), &others), Verdict::GoOn);
    assert_eq!(median_rule(4).judge(200, &standing(9.0), &others), Verdict::GoOn, "one experiment too few");
    assert_eq!(median_rule(1).judge(200, &standing(9.0), &[]), Verdict::GoOn);
}

#[test]
fn the_median_rule_counts_what_is_no_number_as_worst() {
    let rule = median_rule(2);

    assert_ne!(rule.judge(200, &standing(None), &[standing(4.0), standing(5.0)]), Verdict::GoOn);
    assert_eq!(rule.judge(200, &standing(9.0), &[standing(4.0), standing(None)]), Verdict::GoOn);
    assert_eq!(rule.judge(200, &standing(9.0), &[standing(None), standing(None)]), Verdict::GoOn);
    assert_ne!(rule.judge(200, &standing(None), &[standing(None), standing(None)]), Verdict::GoOn);
}

#[test]
fn reports_are_made_at_rungs_below_the_end() {
    let (asha, median) = (asha(StoppingMetric::BitsPerDim), median_rule(3));

    let of =
        |rule: &EarlyStopping| (0..=900).step_by(50).filter(|&step| rule.reports_at(step, 900)).collect::<Vec<_>>();

    assert_eq!(of(&asha), [100, 300]);
    assert_eq!(of(&median), [100, 200, 300, 400, 500, 600, 700, 800]);
}
