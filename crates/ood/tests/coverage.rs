//! Do intervals cover and tests reject as often as they say? Seeded simulations of scores whose AUROC and ROC curve are
//! known: uniform in [0, 1] inside, uniform in [s, 1 + s] outside, so that AUROC = 1 − (1 − s)²/2 and ROC(f) = min(1, f + s).

use ood::{IntervalMethod, Scores, auroc, bootstrap, delong_test, roc_band};

/// SplitMix64, as uniform numbers.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn side(&mut self, count: usize, shift: f64) -> Vec<f64> {
        (0..count).map(|_| self.next() + shift).collect()
    }
}

/// The share of `simulations` in which something holds.
fn share(simulations: u32, mut holds: impl FnMut(&mut Uniform) -> bool) -> f64 {
    let mut uniform = Uniform(2026);
    let count = (0..simulations).filter(|_| holds(&mut uniform)).count();
    count as f64 / f64::from(simulations)
}

#[test]
fn delongs_interval_covers_the_auroc_nineteen_times_in_twenty() {
    let covered = share(2000, |uniform| {
        let (inside, outside) = (uniform.side(80, 0.0), uniform.side(60, 1.0 - 0.5_f64.sqrt()));
        let interval = auroc(&inside, &outside).unwrap().interval;
        interval.low <= 0.75 && 0.75 <= interval.high
    });

    assert!((0.93..0.97).contains(&covered), "{covered}");
}

#[test]
fn interval_of_perfect_separation_still_covers_an_auroc_that_is_not_perfect() {
    // An AUROC of 0.98, of which 15 against 10 examples are often separated without an error.
    let truth: f64 = 0.98;
    let (mut perfect, mut covered) = (0, 0);
    let mut uniform = Uniform(7);
    for _ in 0..2000 {
        let outside = uniform.side(10, 1.0 - (2.0 * (1.0 - truth)).sqrt());
        let interval = auroc(&uniform.side(15, 0.0), &outside).unwrap().interval;
        if interval.method == IntervalMethod::WilsonSmallerSample {
            perfect += 1;
            covered += u32::from(interval.low <= truth);
        }
    }

    assert!(perfect > 200, "{perfect}");
    assert_eq!(covered, perfect);
}

#[test]
fn paired_test_rejects_scores_that_separate_equally_well_one_time_in_twenty() {
    let rejected = share(2000, |uniform| {
        let mut side = |count, shift| {
            // A common part makes both scores of an example go together.
            let common = uniform.side(count, shift);
            let noisy = |uniform: &mut Uniform| common.iter().map(|score| score + uniform.next()).collect::<Vec<_>>();
            (noisy(uniform), noisy(uniform))
        };
        let (inside, outside) = (side(60, 0.0), side(50, 0.4));
        let first = Scores { inside: &inside.0, outside: &outside.0 };
        let second = Scores { inside: &inside.1, outside: &outside.1 };
        delong_test(first, second).unwrap().p < 0.05
    });

    assert!((0.035..0.065).contains(&rejected), "{rejected}");
}

#[test]
fn band_covers_the_curve_at_each_rate_about_as_often_as_it_says() {
    let covered = share(200, |uniform| {
        let (inside, outside) = (uniform.side(100, 0.0), uniform.side(100, 0.3));
        let at = &roc_band(&inside, &outside, 5, 1000, 0).unwrap()[1];
        at.interval.low <= 0.5 && 0.5 <= at.interval.high
    });

    assert!((0.9..=1.0).contains(&covered), "{covered}");
}

#[test]
fn resampled_interval_of_an_error_rate_covers_about_as_often_as_it_says() {
    // Keeping 95 % of the inside keeps what is below 0.95: of the outside, 0.65.
    let covered = share(200, |uniform| {
        let (inside, outside) = (uniform.side(200, 0.0), uniform.side(200, 0.3));
        let resampled = bootstrap(&inside, &outside, 1000, 0).unwrap();
        let interval = resampled.interval(ood::SeparationMetric::FprOutAt95In).unwrap();
        interval.low <= 0.65 && 0.65 <= interval.high
    });

    assert!((0.88..=0.99).contains(&covered), "{covered}");
}
