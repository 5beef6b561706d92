//! Statistics that the tests make up.

#![allow(dead_code, reason = "each test program uses its part")]

use std::f64::consts::TAU;

use domain::Digest;
use domain::report::Split;
use domain::spec::{Codec, Dataset, DatasetName};
use scoring::{Columns, FORMAT, Header, PROJECTIONS, Statistics, column};

/// Dimensions of the made-up examples, half of which leave at each of two scales.
pub const DIMENSIONS: u64 = 8;
pub const SCALES: u32 = 2;
const DISCRETISATION: f64 = 40.0;

pub fn header(dataset: DatasetName, split: Split, images: usize) -> Header {
    Header {
        format: FORMAT,
        checkpoint: Digest::of(b"flow"),
        seed: 7,
        dataset: Dataset::from(dataset),
        split,
        images: images as u64,
        noise_draws: 1,
        precision: "float32".to_owned(),
        device: "cpu".to_owned(),
        threads: 2,
        dimensions: DIMENSIONS,
        discretisation_nats: DISCRETISATION,
        scales: SCALES,
    }
}

/// Values of a made-up example: irregular, the same in every run.
fn wobble(index: usize, salt: usize) -> f64 {
    ((index * 37 + salt * 101) as f64 * 0.713).sin()
}

/// Examples whose latents have squared norms around `norm`, and whose images have around `bits` bits.
pub fn columns(images: usize, norm: f64, bits: f64) -> Columns {
    let half = DIMENSIONS as f64 / 2.0;
    let mut columns = Columns::default();
    let mut put = |name: String, value: &dyn Fn(usize) -> f64| {
        columns.values.insert(name, (0..images).map(value).collect());
    };
    let squared = |index: usize, scale: usize| norm / 2.0 * (1.0 + 0.3 * wobble(index, scale));
    let density = |index, scale| -0.5 * squared(index, scale) - 0.5 * half * TAU.ln();
    let determinant = |index: usize, scale: usize| 5.0 + wobble(index, 10 + scale);
    for scale in 0..SCALES {
        let at = scale as usize;
        put(column::scale_latent_norm_squared(scale), &|index| squared(index, at));
        put(column::scale_latent_log_density(scale), &|index| density(index, at));
        put(column::scale_log_determinant(scale), &|index| determinant(index, at));
    }
    let both = |part: &dyn Fn(usize, usize) -> f64, index| part(index, 0) + part(index, 1);
    put(column::LATENT_NORM_SQUARED.to_owned(), &|index| both(&squared, index));
    put(column::LATENT_LOG_DENSITY.to_owned(), &|index| both(&density, index));
    put(column::LOG_DETERMINANT.to_owned(), &|index| both(&determinant, index));
    put(column::LOG_LIKELIHOOD.to_owned(), &|index| both(&density, index) + both(&determinant, index) - DISCRETISATION);
    for (salt, codec) in Codec::ALL.into_iter().enumerate() {
        put(column::code_length(codec), &|index| bits * (1.0 + 0.1 * wobble(index, 20 + salt)));
    }
    let projection = |index: usize| (norm / DIMENSIONS as f64 * 1.5 * wobble(index, 30)) as f32;
    columns.projections = Some((0..images * PROJECTIONS).map(projection).collect());
    columns
}

pub fn statistics(dataset: DatasetName, split: Split, columns: Columns) -> Statistics {
    let images = columns.values[column::LOG_LIKELIHOOD].len();
    Statistics::new(header(dataset, split, images), columns).unwrap()
}

/// A reference and both sides; the outside has longer latents and simpler images.
pub fn sides(images: usize) -> [Statistics; 3] {
    [
        statistics(DatasetName::SyntheticShapes, Split::Train, columns(images, 8.0, 60.0)),
        statistics(DatasetName::SyntheticShapes, Split::Test, columns(images, 8.0, 60.0)),
        statistics(DatasetName::SyntheticStrokes, Split::Test, columns(images, 20.0, 20.0)),
    ]
}
