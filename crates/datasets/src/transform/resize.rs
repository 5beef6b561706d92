//! Resampling of 8-bit images: a horizontal pass, then a vertical one, of weights in fixed point, with a filter whose support
//! grows when the image shrinks.
//!
//! Equal byte for byte to Pillow before version 13, which takes the vertical pass first where the height shrinks much more
//! than the width.

use std::f64::consts::PI;

use catalogue::{Filter, Size};

/// Binary digits after the point of a weight: 32 less 8 for the level and 2 for the lobes of a filter.
const PRECISION: u32 = 22;

/// Resamples images of one shape to one size; the weights are computed once for all of them.
#[derive(Debug, Clone)]
pub struct Resizer {
    shape: [usize; 3],
    size: [usize; 2],
    method: Method,
    /// What lies between the two passes: `[h, new w]`.
    between: Vec<u8>,
    /// Sums of one row of the second pass.
    sums: Vec<i32>,
}

#[derive(Debug, Clone)]
enum Method {
    /// Which row and which column each pixel is taken from.
    Pick { rows: Vec<usize>, columns: Vec<usize> },
    /// The weights of both passes; none where a side keeps its length.
    Weigh { rows: Option<Weights>, columns: Option<Weights> },
}

/// The weights that one side is resampled with: a run of consecutive inputs for each output.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Weights {
    runs: Vec<Run>,
    weights: Vec<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// First input.
    input: usize,
    /// Place of its weight.
    weight: usize,
    length: usize,
}

impl Weights {
    fn new(from: usize, to: usize, filter: Filter) -> Self {
        let scale = from as f64 / to as f64;
        // A filter over less than one input would leave inputs out: it widens with the scale, and never narrows.
        let filter_scale = scale.max(1.0);
        let support = support(filter) * filter_scale;
        let mut weights = Vec::new();
        let mut exact = Vec::new();
        let run = |output: usize| {
            let centre = (output as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5).max(0.0) as usize).min(from);
            exact.clear();
            exact
                .extend((first..end).map(|input| weight(filter, (input as f64 - centre + 0.5) * (1.0 / filter_scale))));
            let total: f64 = exact.iter().sum();
            let at = weights.len();
            weights.extend(exact.iter().map(|&weight| fixed_point(if total == 0.0 { weight } else { weight / total })));
            Run { input: first, weight: at, length: exact.len() }
        };
        let runs = (0..to).map(run).collect();
        Self { runs, weights }
    }

    fn of(&self, run: Run) -> &[i32] {
        &self.weights[run.weight..run.weight + run.length]
    }
}

impl Resizer {
    /// Prepares to resample images of the shape `[c, h, w]`.
    #[must_use]
    pub fn new(shape: [usize; 3], size: Size, filter: Filter) -> Self {
        let [_, height, width] = shape;
        let [new_height, new_width] = [size.height as usize, size.width as usize];
        let weights = |from, to| (from != to).then(|| Weights::new(from, to, filter));
        let method = match filter {
            Filter::Nearest => Method::Pick { rows: nearest(height, new_height), columns: nearest(width, new_width) },
            Filter::Box | Filter::Bilinear | Filter::Bicubic | Filter::Lanczos => {
                Method::Weigh { rows: weights(height, new_height), columns: weights(width, new_width) }
            }
        };
        Self { shape, size: [new_height, new_width], method, between: Vec::new(), sums: Vec::new() }
    }

    /// The shape of the resampled images.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        [self.shape[0], self.size[0], self.size[1]]
    }

    /// Appends an image `[c, h, w]`, resampled.
    ///
    /// # Panics
    /// If the image has another size than the shape prepared for.
    pub fn append(&mut self, pixels: &[u8], to: &mut Vec<u8>) {
        let [channels, height, width] = self.shape;
        assert_eq!(pixels.len(), channels * height * width, "the image has the shape that weights were made for");
        to.reserve(channels * self.size[0] * self.size[1]);
        for plane in pixels.chunks_exact(height * width) {
            match &self.method {
                Method::Pick { rows, columns } => {
                    for &row in rows {
                        let row = &plane[row * width..(row + 1) * width];
                        to.extend(columns.iter().map(|&column| row[column]));
                    }
                }
                Method::Weigh { rows: None, columns: None } => to.extend_from_slice(plane),
                Method::Weigh { rows: None, columns: Some(columns) } => append_columns(plane, width, columns, to),
                Method::Weigh { rows: Some(rows), columns: None } => {
                    append_rows(plane, width, rows, &mut self.sums, to);
                }
                Method::Weigh { rows: Some(rows), columns: Some(columns) } => {
                    self.between.clear();
                    append_columns(plane, width, columns, &mut self.between);
                    append_rows(&self.between, self.size[1], rows, &mut self.sums, to);
                }
            }
        }
    }
}

/// Resamples one image of the shape `[c, h, w]`.
///
/// # Panics
/// If the image does not have that shape.
#[must_use]
pub fn resize(pixels: &[u8], shape: [usize; 3], size: Size, filter: Filter) -> Vec<u8> {
    let mut resized = Vec::new();
    Resizer::new(shape, size, filter).append(pixels, &mut resized);
    resized
}

/// Resamples each row of a plane `[h, w]`.
fn append_columns(plane: &[u8], width: usize, columns: &Weights, to: &mut Vec<u8>) {
    for row in plane.chunks_exact(width) {
        to.extend(columns.runs.iter().map(|&run| {
            let inputs = &row[run.input..run.input + run.length];
            let products = inputs.iter().zip(columns.of(run)).map(|(&level, weight)| i32::from(level) * weight);
            level(products.sum())
        }));
    }
}

/// Resamples each column of a plane `[h, w]`, a whole row of results at a time.
fn append_rows(plane: &[u8], width: usize, rows: &Weights, sums: &mut Vec<i32>, to: &mut Vec<u8>) {
    for &run in &rows.runs {
        sums.clear();
        sums.resize(width, 0);
        for (row, weight) in plane[run.input * width..].chunks_exact(width).zip(rows.of(run)) {
            for (sum, &level) in sums.iter_mut().zip(row) {
                *sum += i32::from(level) * weight;
            }
        }
        to.extend(sums.iter().map(|&sum| level(sum)));
    }
}

/// The level that a sum of weighted levels stands for.
fn level(sum: i32) -> u8 {
    ((sum + (1 << (PRECISION - 1))) >> PRECISION).clamp(0, 255) as u8
}

fn fixed_point(weight: f64) -> i32 {
    // The conversion cuts towards zero, so half a unit away from zero rounds.
    (f64::from(1 << PRECISION) * weight + 0.5_f64.copysign(weight)) as i32
}

/// The input nearest to each output. Positions are summed up, as Pillow's are, since rounding decides where they lie between
/// two inputs.
fn nearest(from: usize, to: usize) -> Vec<usize> {
    let scale = from as f64 / to as f64;
    let mut place = scale * 0.5;
    let mut pick = || {
        let picked = (place as usize).min(from - 1);
        place += scale;
        picked
    };
    (0..to).map(|_| pick()).collect()
}

/// How far a filter reaches, in inputs of an image that grows.
fn support(filter: Filter) -> f64 {
    match filter {
        Filter::Nearest => 0.0,
        Filter::Box => 0.5,
        Filter::Bilinear => 1.0,
        Filter::Bicubic => 2.0,
        Filter::Lanczos => 3.0,
    }
}

/// A filter at a distance.
fn weight(filter: Filter, x: f64) -> f64 {
    match filter {
        Filter::Nearest => 0.0,
        // Half open, so that an input between two outputs is counted once.
        Filter::Box => f64::from(x > -0.5 && x <= 0.5),
        Filter::Bilinear => (1.0 - x.abs()).max(0.0),
        Filter::Bicubic => bicubic(x.abs()),
        Filter::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
        Filter::Lanczos => 0.0,
    }
}

/// Keys' cubic convolution (1981) with a = −½, in Pillow's order of operations.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * PI;
    x.sin() / x
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sides() -> impl Strategy<Value = usize> {
        prop_oneof![1_usize..40, 1_usize..600]
    }

    #[test]
    fn weights_of_one_output_sum_up_to_one_and_no_sum_of_levels_overflows() {
        let mut cases = proptest::test_runner::TestRunner::deterministic();
        let strategy = (sides(), sides(), proptest::sample::select(&Filter::ALL[1..]));
        let checked = cases.run(&strategy, |(from, to, filter)| {
            let weights = Weights::new(from, to, filter);
            prop_assert_eq!(weights.runs.len(), to);
            for &run in &weights.runs {
                let of = weights.of(run);
                prop_assert!(!of.is_empty() && run.input + run.length <= from);
                let total: i64 = of.iter().map(|&weight| i64::from(weight)).sum();
                prop_assert!((total - (1 << PRECISION)).abs() <= of.len() as i64, "{total}");
                let largest: i64 = of.iter().map(|&weight| 255 * i64::from(weight).abs()).sum();
                prop_assert!(largest + (1 << PRECISION) < i64::from(i32::MAX), "{largest}");
            }
            Ok(())
        });
        checked.unwrap();
    }

    proptest! {
        #[test]
        fn images_of_one_level_stay_so(
            level: u8, [height, width] in [sides(), sides()], to in [1_u32..50, 1_u32..50], filter in proptest::sample::select(&Filter::ALL[..]),
        ) {
            let size = Size { height: to[0], width: to[1] };
            let resized = resize(&vec![level; 3 * height * width], [3, height, width], size, filter);
            prop_assert_eq!(resized.len() as u32, 3 * to[0] * to[1]);
            prop_assert!(resized.iter().all(|&other| other == level));
        }

        #[test]
        fn images_of_the_size_wanted_stay_as_they_are(
            pixels in proptest::collection::vec(any::<u8>(), 60), filter in proptest::sample::select(&Filter::ALL[..]),
        ) {
            prop_assert_eq!(resize(&pixels, [3, 4, 5], Size { height: 4, width: 5 }, filter), pixels);
        }
    }
}
