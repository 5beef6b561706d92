//! Every metric against scikit-learn's and SciPy's values in `sklearn_cases.json`, which `sklearn_cases.py` computes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use ood::{Scores, SeparationMetric, delong_test, separation};
use serde_json::Value;

const TOLERANCE: f64 = 1e-12;

/// SplitMix64 (Steele, Lea & Flood 2014), as in the script.
fn split_mix(seed: u64, count: usize) -> Vec<u64> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    (0..count).map(next).collect()
}

fn drawn(seed: u64, count: u64, values: u64, shift: u64) -> Vec<f64> {
    split_mix(seed, count as usize).into_iter().map(|number| (number % values) as f64 + shift as f64).collect()
}

fn whole(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

fn written(value: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap());
    value.as_array().unwrap().iter().map(number).collect()
}

fn sides(case: &Value) -> [Vec<f64>; 2] {
    match case.get("drawn").map(whole) {
        Some(n) => [drawn(n[0], n[1], n[2], n[3]), drawn(n[4], n[5], n[6], n[7])],
        None => [written(&case["inside"]), written(&case["outside"])],
    }
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("sklearn_cases.json")).unwrap()
}

fn assert_near(found: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    let difference = (found - expected).abs();
    assert!(difference <= tolerance * expected.abs().max(1.0), "{what}: {found}, and {expected} is expected");
}

#[test]
fn every_metric_is_scikit_learns() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.get("paired").is_none()) {
        let [inside, outside] = sides(case);
        let found = separation(&inside, &outside).unwrap();
        let expected = case["expected"].as_object().unwrap();
        for metric in SeparationMetric::ALL {
            let name = format!("{} {metric}", case["name"]);
            assert_near(found.value(metric), &expected[metric.as_str()], TOLERANCE, &name);
            compared += 1;
        }
        match (expected.get("standard-error"), found.auroc.standard_error) {
            (Some(expected), Some(error)) => {
                assert_near(error, expected, TOLERANCE, &format!("{} standard error", case["name"]));
            }
            (None, None) => assert!(inside.len().min(outside.len()) == 1),
            other => panic!("{}: {other:?}", case["name"]),
        }
    }
    assert_eq!(compared, 25 * SeparationMetric::ALL.len());
}

#[test]
fn paired_tests_are_the_independent_computations() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.get("paired").is_some()) {
        let numbers = whole(&case["paired"]);
        let [seed, in_count, out_count, values, first, second] = numbers[..] else { panic!("six numbers") };
        let side = |which, count, shift| drawn(seed + which, count, values, shift);
        let sides = [side(0, in_count, 0), side(1, out_count, first), side(2, in_count, 0), side(3, out_count, second)];

        let found = delong_test(
            Scores { inside: &sides[0], outside: &sides[1] },
            Scores { inside: &sides[2], outside: &sides[3] },
        )
        .unwrap();

        let expected = &case["expected"];
        assert_near(found.difference, &expected["difference"], TOLERANCE, "difference");
        // The quotient of a difference that floating point rounds and a variance that it cancels in.
        assert_near(found.z.unwrap(), &expected["z"], 1e-11, "z");
        // As exact as the error function of the library in use.
        assert_near(found.p, &expected["p"], 1e-10, "p");
        compared += 1;
    }
    assert_eq!(compared, 3);
}
