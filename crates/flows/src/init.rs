//! Initial weights from a counter-based generator: a seed and a parameter's name give the same values on any machine,
//! in any order of construction. Never touches libtorch's own generator.

use std::f64::consts::PI;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tch::{Device, Kind, Tensor};

/// Draws a tensor of `shape` from U(-bound, bound), keyed by the seed and the parameter's full name.
///
/// Each value is one 32-bit word of ChaCha8 whose key is the seed and whose stream is a hash of the name, read as a
/// signed number `w`: `bound (w + 1/2) / 2^31`, so that neither end of the interval is ever drawn.
pub fn uniform(key: Key<'_>, shape: &[i64], bound: f64, kind: Kind, device: Device) -> Tensor {
    let mut words = ChaCha8Rng::seed_from_u64(key.seed);
    words.set_stream(stream_of(key.name));
    let count: i64 = shape.iter().product();
    let mut bytes = vec![0; 4 * usize::try_from(count).expect("a shape has no negative side")];
    words.fill_bytes(&mut bytes);
    let signed: Vec<i32> = bytes.as_chunks().0.iter().map(|word| i32::from_le_bytes(*word)).collect();
    let values = (Tensor::from_slice(&signed).to_kind(Kind::Double) + 0.5) * (bound / 2_147_483_648.0);
    values.reshape(shape).to_kind(kind).to_device(device)
}

/// Draws a tensor of `shape` from N(0, deviation²), keyed by the seed and the parameter's full name.
///
/// Box and Muller's transform of pairs of the uniform draws of [`uniform`], in double precision before it is rounded.
pub fn normal(key: Key<'_>, shape: &[i64], deviation: f64, kind: Kind, device: Device) -> Tensor {
    let count: i64 = shape.iter().product();
    // The uniform draws lie strictly between -1 and 1, so that the logarithm below is finite.
    let pairs = uniform(key, &[2, count], 1.0, Kind::Double, Device::Cpu);
    let radius = ((pairs.get(0) + 1.0) * 0.5).log() * -2.0;
    let values = radius.sqrt() * (pairs.get(1) * PI).cos() * deviation;
    values.reshape(shape).to_kind(kind).to_device(device)
}

/// What makes a draw unique.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The seed of the experiment.
    pub seed: u64,
    /// The full name of the parameter.
    pub name: &'a str,
}

/// FNV-1a over the name's bytes: stable across versions, unlike the standard library's hasher.
fn stream_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, name: &str, kind: Kind) -> Tensor {
        uniform(Key { seed, name }, &[64], 0.5, kind, Device::Cpu)
    }

    #[test]
    fn same_seed_and_name_give_the_same_values_in_both_precisions() {
        let double = draw(7, "coupling.0.bias", Kind::Double);
        let single = draw(7, "coupling.0.bias", Kind::Float);

        assert_eq!(double, draw(7, "coupling.0.bias", Kind::Double));
        assert_eq!(single, double.to_kind(Kind::Float));
    }

    #[test]
    fn another_seed_or_name_gives_other_values() {
        let values = draw(7, "coupling.0.bias", Kind::Double);

        assert_ne!(values, draw(8, "coupling.0.bias", Kind::Double));
        assert_ne!(values, draw(7, "coupling.1.bias", Kind::Double));
    }

    #[test]
    fn normal_draws_have_the_moments_of_a_normal() {
        let values = normal(Key { seed: 3, name: "x" }, &[100, 1000], 0.05, Kind::Double, Device::Cpu) / 0.05;

        // 100,000 draws: the standard errors of the first four moments are 0.0032, 0.0045, 0.012 and 0.031.
        let moment = |power: f64| values.pow_tensor_scalar(power).mean(Kind::Double).double_value(&[]);
        assert!(moment(1.0).abs() < 0.013 && (moment(2.0) - 1.0).abs() < 0.018);
        assert!(moment(3.0).abs() < 0.05 && (moment(4.0) - 3.0).abs() < 0.13);
    }

    #[test]
    fn values_fill_the_open_interval_around_zero() {
        let values = uniform(Key { seed: 3, name: "x" }, &[10_000], 0.5, Kind::Double, Device::Cpu);

        assert!(values.max().double_value(&[]) < 0.5 && values.max().double_value(&[]) > 0.499);
        assert!(values.min().double_value(&[]) > -0.5 && values.min().double_value(&[]) < -0.499);
        // The mean of 10,000 draws has a standard deviation of 0.5 / sqrt(3 * 10,000) = 0.0029.
        assert!(values.mean(Kind::Double).double_value(&[]).abs() < 0.012);
    }
}
