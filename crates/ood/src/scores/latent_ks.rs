//! Whether the latents of a group look standard normal along random directions (Jiang, Sun & Yu 2022, "Revisiting flow
//! generative models for out-of-distribution detection").

use statrs::function::erf::erfc;

use super::groups::Groups;

/// Scores each group by the mean over directions of the two-sided Kolmogorov-Smirnov distance between the group's latents,
/// projected on the direction, and N(0, 1): from 0 to 1, higher for groups whose latents are not standard normal.
///
/// `projections` is `[examples, directions]`, row by row: wᵀz with unit w. A group with a projection that is not a number
/// gets none; infinities are extremes.
///
/// # Panics
/// When the projections are not `directions`, at least one, for each example that `groups` partitions.
#[must_use]
pub fn latent_ks<T: Copy + Into<f64>>(projections: &[T], directions: usize, groups: &Groups) -> Vec<f64> {
    assert!(directions > 0, "latents are projected on directions");
    assert_eq!(projections.len(), groups.examples() * directions, "a projection on each direction for each example");
    let mut projected = Vec::new();
    let score = |group: &[u32]| {
        let mut sum = 0.0;
        for direction in 0..directions {
            projected.clear();
            projected
                .extend(group.iter().map(|&example| projections[example as usize * directions + direction].into()));
            sum += distance_to_normal(&mut projected);
        }
        sum / directions as f64
    };
    groups.iter().map(score).collect()
}

/// supₓ |F̂(x) − Φ(x)|; sorts the values.
fn distance_to_normal(values: &mut [f64]) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    let count = values.len() as f64;
    let steps = values.iter().enumerate().map(|(index, &value)| {
        let normal = 0.5 * erfc(-value / std::f64::consts::SQRT_2);
        // The empirical distribution jumps at the value, from the first share to the second.
        (normal - index as f64 / count).max((index + 1) as f64 / count - normal)
    });
    steps.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::groups;

    #[test]
    fn distances_by_hand() {
        // One value at the median is half a step away from it, on either side.
        assert_eq!(distance_to_normal(&mut [0.0]), 0.5);
        // SciPy 1.17, kstest([-1, 0, 2], "norm").
        assert!((distance_to_normal(&mut [2.0, -1.0, 0.0]) - 0.310_583_201_385_154_16).abs() < 1e-9);
        assert_eq!(distance_to_normal(&mut [f64::INFINITY, f64::INFINITY]), 1.0);
    }

    #[test]
    fn distance_is_the_mean_over_directions() {
        let all = groups(2, 2, 0);

        // Along the first direction both are far above; along the second they are at the quartiles.
        let scores = latent_ks(&[9.0_f32, -0.674_489_76, 9.0, 0.674_489_76], 2, &all);

        assert!((scores[0] - f64::midpoint(1.0, 0.25)).abs() < 1e-7, "{scores:?}");
        assert!(latent_ks(&[f32::NAN, 0.0], 1, &all)[0].is_nan());
    }

    proptest! {
        #[test]
        fn distance_is_at_least_half_a_step_and_the_order_and_the_sign_do_not_matter(
            values in proptest::collection::vec(-4.0..4.0, 1..20),
        ) {
            let found = distance_to_normal(&mut values.clone());
            let negated: Vec<f64> = values.iter().rev().map(|value| -value).collect();
            prop_assert!(found >= 0.5 / values.len() as f64 - 1e-12 && found <= 1.0);
            prop_assert!((found - distance_to_normal(&mut negated.clone())).abs() < 1e-9);
        }
    }
}
