//! Colours for values: maps that are even to the eye and told apart under every common deficiency of colour vision.
//!
//! Both maps are straight lines in Oklab (Ottosson 2020, "A perceptual color space for image processing"), so that equal
//! steps of the value are equal steps for the eye; their hues, blue against yellow or orange, are those that people without
//! red or green cones see apart, and lightness alone orders each arm, which survives a grey printer.

/// Red, green and blue in sRGB.
pub type Rgb = [u8; 3];

/// Paper.
pub const WHITE: Rgb = [255, 255, 255];
/// Ink.
pub const BLACK: Rgb = [20, 20, 24];
/// Lighter ink, for what is read second.
pub const GREY: Rgb = [96, 96, 104];
/// Values that are NaN or infinite; no map comes near it.
pub const NON_FINITE: Rgb = [255, 0, 200];

/// A colour in Oklab: lightness, green-red and blue-yellow.
type Oklab = [f32; 3];

/// Middle of the diverging map: the neutral value.
const NEUTRAL: Oklab = [0.97, 0.0, 0.0];
/// Below the neutral value, as dark as `ABOVE`.
const BELOW: Oklab = [0.42, -0.03, -0.135];
/// Above the neutral value.
const ABOVE: Oklab = [0.42, 0.07, 0.083];

/// The colour of `position`, -1 to 1 (beyond is clipped): blue below, near-white at 0, orange-brown above. Both arms darken
/// alike, so that depth of colour is distance from the neutral value.
pub fn diverging(position: f32) -> Rgb {
    if !position.is_finite() {
        return NON_FINITE;
    }
    let end = if position < 0.0 { BELOW } else { ABOVE };
    to_srgb(between(NEUTRAL, end, position.abs().min(1.0)))
}

/// The grey of `brightness`, 0 (black) to 1 (white): images as they are.
pub fn grey(brightness: f32) -> Rgb {
    if !brightness.is_finite() {
        return NON_FINITE;
    }
    [to_byte(brightness); 3]
}

/// The colour of three channels, each 0 to 1: images as they are.
pub fn rgb(channels: [f32; 3]) -> Rgb {
    if channels.iter().any(|channel| !channel.is_finite()) {
        return NON_FINITE;
    }
    channels.map(to_byte)
}

fn between(from: Oklab, to: Oklab, share: f32) -> Oklab {
    std::array::from_fn(|axis| from[axis] + (to[axis] - from[axis]) * share)
}

/// A share of 1 as a byte, clipped.
fn to_byte(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

fn to_srgb(colour: Oklab) -> Rgb {
    linear_rgb(colour).map(|linear| to_byte(companded(linear)))
}

/// Oklab to linear light in the primaries of sRGB (the matrices of Ottosson 2020).
fn linear_rgb([lightness, a, b]: Oklab) -> [f32; 3] {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
}

/// The transfer function of sRGB (IEC 61966-2-1).
fn companded(linear: f32) -> f32 {
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE luminance of an sRGB colour, 0 to 1.
    fn luminance(colour: Rgb) -> f32 {
        let linear = colour.map(|byte| {
            let share = f32::from(byte) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn every_colour_of_the_map_is_one_that_screens_show() {
        for step in -50..=50_i16 {
            let end = if step < 0 { BELOW } else { ABOVE };

            let linear = linear_rgb(between(NEUTRAL, end, f32::from(step.abs()) / 50.0));

            assert!(linear.iter().all(|share| (-1e-3..=1.001).contains(share)), "{step}: {linear:?}");
        }
    }

    #[test]
    fn both_arms_darken_alike_and_with_every_step() {
        let at = |step: i16| luminance(diverging(f32::from(step) / 20.0));

        for step in 1..=20 {
            assert!(at(step) < at(step - 1) && at(-step) < at(1 - step), "{step}");
            assert!((at(step) - at(-step)).abs() < 0.06, "{step}: {} and {}", at(step), at(-step));
        }
    }

    #[test]
    fn arms_differ_in_blue_which_all_but_the_rarest_eyes_tell_from_orange() {
        let ([r, _, b], [red, _, blue]) = (diverging(-1.0), diverging(1.0));

        assert!(b > r && red > blue && b.abs_diff(blue) > 80, "{r} {b} against {red} {blue}");
    }

    #[test]
    fn what_is_no_number_has_a_colour_of_its_own() {
        assert_eq!(diverging(f32::NAN), NON_FINITE);
        assert_eq!(grey(f32::INFINITY), NON_FINITE);
        assert_eq!(rgb([0.0, f32::NAN, 0.0]), NON_FINITE);
        assert_eq!((grey(-1.0), grey(2.0)), ([0; 3], [255; 3]));
    }
}
