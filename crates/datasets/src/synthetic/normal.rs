//! Normal numbers with the same bits on every platform: only operations that IEEE 754 rounds exactly.

use crate::randomness::Stream;

/// A standard normal number by the polar method (Marsaglia and Bray 1964); its second number is not used, so that a
/// position in a stream needs no state beside it.
pub fn draw(stream: &mut Stream) -> f64 {
    loop {
        let (u, v) = (symmetric(stream), symmetric(stream));
        let square = u * u + v * v;
        if square > 0.0 && square < 1.0 {
            return u * (-2.0 * logarithm(square) / square).sqrt();
        }
    }
}

/// Uniform in `[-1, 1)`.
fn symmetric(stream: &mut Stream) -> f64 {
    2.0 * f64::from(stream.unit()) - 1.0
}

/// The natural logarithm of a positive normal number: `x = m 2^e` with m near 1, and `ln m = 2 artanh((m - 1) / (m + 1))`
/// by its series. A platform's own logarithm may differ in the last bit.
fn logarithm(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const BIAS: i64 = 1023;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - BIAS;
    let mut mantissa = f64::from_bits(bits & MANTISSA | (BIAS as u64) << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    // |ratio| < 0.172, so the first power left out is below 2⁻⁵⁷.
    let series = (0..=10).rev().fold(0.0, |sum, term| sum * square + 1.0 / f64::from(2 * term + 1));
    2.0 * ratio * series + exponent as f64 * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::Key;

    #[test]
    fn logarithm_is_the_natural_one() {
        for x in [1e-12, 0.1, 0.5, 0.707, 0.999, 1.0, 1.415, 1.5, 2.0, 1e10] {
            let (found, expected): (f64, f64) = (logarithm(x), x.ln());
            assert!((found - expected).abs() <= 1e-15 * expected.abs().max(1.0), "ln {x}: {found}, not {expected}");
        }
    }

    #[test]
    fn numbers_have_the_moments_of_the_normal_distribution() {
        let mut stream = Key::new("test", &[]).stream(0);
        let numbers: Vec<f64> = (0..100_000).map(|_| draw(&mut stream)).collect();

        let moment = |power| numbers.iter().map(|number| number.powi(power)).sum::<f64>() / numbers.len() as f64;

        // Five standard deviations of each sample moment.
        assert!(moment(1).abs() < 0.016 && (moment(2) - 1.0).abs() < 0.023, "{} {}", moment(1), moment(2));
        assert!(moment(3).abs() < 0.062 && (moment(4) - 3.0).abs() < 0.16, "{} {}", moment(3), moment(4));
    }
}
