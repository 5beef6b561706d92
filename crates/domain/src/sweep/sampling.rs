//! Seeded draws of distinct points: the same ones for the same document, on every machine.

use std::{borrow::Cow, collections::BTreeSet};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{axis::Axis, point::Setting};
use crate::{
    Digest,
    spec::{Violations, canonical},
};

/// Points of the Sobol sequence that can be computed. Its dimensions are 256, four for each of [`super::MAX_AXES`].
const SOBOL_POINTS: u32 = 1 << 16;
/// Draws per point wanted before a sample of ranges gives up: points that were drawn before do not count.
const PATIENCE: u64 = 100;
/// 2⁻⁵³: the distance of two neighbours among the numbers that are drawn in `[0, 1)`.
const UNIT_STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// Draws `draws` distinct numbers below `points`, in drawing order; the same ones for the same seed, on every machine.
///
/// `draws` must not exceed `points`.
pub(super) fn distinct(points: u64, draws: u32, seed: u64) -> Vec<u64> {
    assert!(u64::from(draws) <= points, "more draws than points never end");
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = BTreeSet::new();
    let mut drawn = Vec::new();
    while drawn.len() < draws as usize {
        let candidate = below(points, &mut generator);
        if seen.insert(candidate) {
            drawn.push(candidate);
        }
    }
    drawn
}

/// A uniform number below `bound`, by rejection, so that no value is favoured.
fn below(bound: u64, generator: &mut ChaCha8Rng) -> u64 {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let candidate = generator.next_u64();
        if candidate < limit {
            return candidate % bound;
        }
    }
}

/// Distinct points drawn independently, each coordinate uniform on its axis.
///
/// # Errors
/// The axes have fewer distinct points than draws, as far as can be found out by drawing.
pub(super) fn random<'a>(
    axes: &'a [Axis],
    draws: u32,
    seed: u64,
    at: &str,
) -> Result<Vec<Vec<Setting<'a>>>, Violations> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let units = (0..u64::from(draws) * PATIENCE)
        .map(|_| axes.iter().map(|_| (generator.next_u64() >> 11) as f64 * UNIT_STEP).collect());
    collect(axes, draws, units, at)
}

/// Distinct points of a Sobol sequence (direction numbers of Joe and Kuo 2008, Owen scrambling by Burley 2020), one
/// dimension for each axis.
///
/// # Errors
/// The axes have fewer distinct points than draws, as far as the sequence goes.
pub(super) fn sobol<'a>(
    axes: &'a [Axis],
    draws: u32,
    seed: u64,
    at: &str,
) -> Result<Vec<Vec<Setting<'a>>>, Violations> {
    let scramble = folded(seed);
    let coordinate = |index, dimension| f64::from(sobol_burley::sample(index, dimension, scramble));
    let units =
        (0..SOBOL_POINTS).map(|index| (0..).zip(axes).map(|(dimension, _)| coordinate(index, dimension)).collect());
    collect(axes, draws, units, at)
}

/// The seed in the 32 bits that the scrambling takes.
fn folded(seed: u64) -> u32 {
    let digest = Digest::of(&seed.to_le_bytes());
    let (first, _) = digest.as_bytes().split_first_chunk().expect("a digest has 32 bytes");
    u32::from_le_bytes(*first)
}

/// The first `draws` distinct points.
fn collect<'a>(
    axes: &'a [Axis],
    draws: u32,
    units: impl Iterator<Item = Vec<f64>>,
    at: &str,
) -> Result<Vec<Vec<Setting<'a>>>, Violations> {
    let mut seen = BTreeSet::new();
    let mut drawn = Vec::new();
    for unit in units {
        if drawn.len() == draws as usize {
            break;
        }
        let settings: Vec<Setting<'a>> =
            axes.iter().zip(unit).enumerate().map(|(place, (axis, unit))| draw(axis, unit, place, at)).collect();
        if seen.insert(settings.iter().map(|setting| canonical::to_string(&setting.value)).collect::<Vec<_>>()) {
            drawn.push(settings);
        }
    }
    if drawn.len() < draws as usize {
        let message =
            format!("{draws} distinct points were not found, only {}: draw fewer, or widen the axes", drawn.len());
        return Err(Violations::one(format!("{at}.draws"), message));
    }
    Ok(drawn)
}

/// The axis's value at `unit`, a number in `[0, 1)`.
fn draw<'a>(axis: &'a Axis, unit: f64, place: usize, at: &str) -> Setting<'a> {
    let (value, of) = match &axis.range {
        Some(range) => (Cow::Owned(range.at(unit)), "range".to_owned()),
        None => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and the values' number"
            )]
            let choice = ((unit * axis.values.len() as f64) as usize).min(axis.values.len() - 1);
            (Cow::Borrowed(&axis.values[choice]), format!("values[{choice}]"))
        }
    };
    Setting { field: &axis.field, value, origin: format!("{at}.axes[{place}].{of}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::axis::{Range, Scale};

    fn axis(field: &str, range: Range) -> Axis {
        Axis { field: field.to_owned(), values: Vec::new(), range: Some(range) }
    }

    fn unit_square() -> [Axis; 2] {
        let range = Range { low: 0.0, high: 1.0, scale: Scale::Linear, integer: false };
        [axis("a", range), axis("b", range)]
    }

    fn values(points: &[Vec<Setting<'_>>]) -> Vec<Vec<f64>> {
        let point = |settings: &Vec<Setting<'_>>| settings.iter().map(|one| one.value.as_f64().unwrap()).collect();
        points.iter().map(point).collect()
    }

    #[test]
    fn drawing_every_point_gives_each_once() {
        let mut drawn = distinct(20, 20, 7);

        drawn.sort_unstable();
        assert_eq!(drawn, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_alone_decides_the_draw() {
        assert_eq!(distinct(1000, 5, 1), distinct(1000, 5, 1));
        assert_ne!(distinct(1000, 5, 1), distinct(1000, 5, 2));
        let axes = unit_square();
        for drawing in [random, sobol] {
            let drawn = |seed| values(&drawing(&axes, 8, seed, "").unwrap());
            assert_eq!(drawn(1), drawn(1));
            assert_ne!(drawn(1), drawn(2));
            assert_ne!(drawn(1), drawn(1 << 32));
            assert_ne!(drawn(0), drawn(1 << 40));
        }
    }

    #[test]
    fn sixteen_sobol_points_have_one_in_every_sixteenth_of_each_axis_and_in_every_cell_of_a_grid() {
        let axes = unit_square();

        let points = values(&sobol(&axes, 16, 3, "").unwrap());

        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers between 0 and 16")]
        let cells = |columns: f64, rows: f64| -> BTreeSet<(u32, u32)> {
            points.iter().map(|point| ((point[0] * columns) as u32, (point[1] * rows) as u32)).collect()
        };
        for (columns, rows) in [(16.0, 1.0), (8.0, 2.0), (4.0, 4.0), (2.0, 8.0), (1.0, 16.0)] {
            assert_eq!(cells(columns, rows).len(), 16, "{columns} × {rows}");
        }
    }

    #[test]
    fn points_are_distinct_and_too_many_are_refused() {
        let range = Range { low: 1.0, high: 3.0, scale: Scale::Linear, integer: true };
        let axes = [axis("a", range), axis("b", range)];

        for drawing in [random, sobol] {
            let all: BTreeSet<String> =
                values(&drawing(&axes, 9, 5, "").unwrap()).iter().map(|one| format!("{one:?}")).collect();
            let refusal = drawing(&axes, 10, 5, "expansion.sobol").unwrap_err();

            assert_eq!(all.len(), 9);
            let expected =
                "expansion.sobol.draws: 10 distinct points were not found, only 9: draw fewer, or widen the axes";
            assert_eq!(refusal.to_string(), expected);
        }
    }
}
