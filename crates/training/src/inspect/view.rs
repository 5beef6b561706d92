//! From values to colours: how each kind of picture is normalised, and the key that says so.

use super::canvas::Canvas;
use super::colour::{self, Rgb};
use super::field::Field;

/// Standard deviations that the colours of a single normalised channel span to each side.
const SPAN: f32 = 3.0;
/// Standard deviations that the brightness of three normalised channels spans to each side. (The reference shows 0 to 1
/// alone, section 6.1, and loses everything below the mean.)
const RGB_SPAN: f32 = 2.0;

/// How the values of a field become colours. One channel is drawn by a colour map, three as red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum View {
    /// Images: 0 is black and 1 white.
    Image,
    /// `(v − mean) / std` over all pixels and channels of the image (reference section 6.1).
    Standardised,
    /// As standardised, but about the neutral value rather than the mean, so that what a layer leaves alone stays white.
    AboutNeutral {
        /// The value that changes nothing.
        neutral: f32,
    },
    /// The values themselves, clipped to so much on each side of 0 (reference section 6.3).
    Clipped {
        /// Largest distance from 0.
        span: f32,
    },
    /// The values themselves; the colours of each image span its own largest distance from the neutral value (as the
    /// reference shows Glow, section 6.1, whose colours span each image's least to greatest value).
    OwnSpan {
        /// The value that changes nothing.
        neutral: f32,
    },
}

/// What the colours of a row mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The colours from the least value to the greatest.
    pub ramp: Ramp,
    /// The least value, as text.
    pub low: String,
    /// The value in the middle.
    pub middle: String,
    /// The greatest value.
    pub high: String,
}

/// A line of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ramp {
    /// From black to white.
    Grey,
    /// From blue through white to orange.
    Diverging,
}

impl Ramp {
    /// The colour at `share` of the way, 0 to 1.
    pub fn at(self, share: f32) -> Rgb {
        match self {
            Self::Grey => colour::grey(share),
            Self::Diverging => colour::diverging(2.0 * share - 1.0),
        }
    }
}

impl View {
    /// The coloured pixels of a field, one pixel for each place.
    pub fn paint(self, field: &Field) -> Canvas {
        match self {
            Self::Image => as_image(field),
            Self::Standardised => normalised(&field.normalised(), SPAN),
            Self::AboutNeutral { neutral } => normalised(&field.normalised_about(neutral), SPAN),
            Self::Clipped { span } => normalised(&field.map(|value| value * SPAN / span), SPAN),
            Self::OwnSpan { neutral } => {
                let extent = field.extent();
                let widest = (extent.high - neutral).abs().max((extent.low - neutral).abs());
                let unit = if widest > f32::MIN_POSITIVE { widest } else { 1.0 };
                normalised(&field.map(|value| (value - neutral) / unit), 1.0)
            }
        }
    }

    /// What the colours mean, for fields of so many channels.
    pub fn key(self, channels: usize) -> Key {
        let sides = |low: String, middle: &str, high: String| Key {
            ramp: if channels == 1 { Ramp::Diverging } else { Ramp::Grey },
            low,
            middle: middle.to_owned(),
            high,
        };
        match self {
            Self::Image => {
                Key { ramp: Ramp::Grey, low: "0".to_owned(), middle: "0.5".to_owned(), high: "1".to_owned() }
            }
            Self::Standardised => {
                let span = span_of(channels);
                sides(format!("-{span} sd"), "mean", format!("+{span} sd"))
            }
            Self::AboutNeutral { neutral } => {
                let span = span_of(channels);
                sides(format!("-{span} sd"), &format!("{neutral}"), format!("+{span} sd"))
            }
            Self::Clipped { span } => sides(format!("-{span}"), "0", format!("+{span}")),
            Self::OwnSpan { neutral } => sides("-max".to_owned(), &format!("{neutral}"), "+max".to_owned()),
        }
    }
}

fn span_of(channels: usize) -> f32 {
    if channels == 1 { SPAN } else { RGB_SPAN }
}

fn as_image(field: &Field) -> Canvas {
    pixels(field, |channels| match *channels {
        [red, green, blue] => colour::rgb([red, green, blue]),
        [brightness, ..] => colour::grey(brightness),
        [] => colour::NON_FINITE,
    })
}

/// Colours of values whose neutral one is 0: a diverging map up to `span` for one channel, brightness for three.
fn normalised(field: &Field, span: f32) -> Canvas {
    pixels(field, |channels| match *channels {
        [red, green, blue] => colour::rgb([red, green, blue].map(|value| 0.5 + value * SPAN / span / (2.0 * RGB_SPAN))),
        [value, ..] => colour::diverging(value / span),
        [] => colour::NON_FINITE,
    })
}

/// One pixel for each place, its colour decided by the values of all channels there.
fn pixels(field: &Field, colour_of: impl Fn(&[f32]) -> Rgb) -> Canvas {
    let [height, width] = field.size();
    let plane = height * width;
    let mut canvas = Canvas::new(width, height, colour::WHITE);
    for place in 0..plane {
        let channels: Vec<f32> = (0..field.channels()).map(|channel| field.values()[channel * plane + place]).collect();
        canvas.set(place % width, place / width, colour_of(&channels));
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[f32]) -> Field {
        Field::new([1, 1, values.len()], values.to_vec())
    }

    fn colours(canvas: &Canvas) -> Vec<Rgb> {
        canvas.bytes().chunks(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
    }

    #[test]
    fn neutral_value_is_the_middle_of_the_map_wherever_it_lies() {
        let middle = colour::diverging(0.0);

        let scale = View::AboutNeutral { neutral: 1.0 }.paint(&line(&[1.0, 3.0, 5.0, 1.0]));
        let own = View::OwnSpan { neutral: 1.0 }.paint(&line(&[1.0, 3.0, -1.0]));

        assert_eq!([colours(&scale)[0], colours(&scale)[3]], [middle; 2]);
        assert_eq!(colours(&own), [middle, colour::diverging(1.0), colour::diverging(-1.0)]);
    }

    #[test]
    fn clipped_values_saturate_at_their_span() {
        let painted = colours(&View::Clipped { span: 2.0 }.paint(&line(&[-7.0, -2.0, 0.0, 1.0, 9.0])));

        let expected = [-1.0, -1.0, 0.0, 0.5, 1.0].map(colour::diverging);
        assert_eq!(painted, expected);
    }

    #[test]
    fn three_channels_are_red_green_and_blue() {
        let field = Field::new([3, 1, 1], vec![1.0, 0.5, 0.0]);

        assert_eq!(colours(&View::Image.paint(&field)), [[255, 128, 0]]);
        // The mean is grey; the others lie √1.5 standard deviations away, of the 2 that reach black and white.
        assert_eq!(colours(&View::Standardised.paint(&field)), [[206, 128, 49]]);
    }

    #[test]
    fn values_that_are_no_numbers_are_seen() {
        for view in [View::Image, View::Standardised, View::Clipped { span: 3.0 }, View::OwnSpan { neutral: 0.0 }] {
            let painted = colours(&view.paint(&line(&[f32::NAN, 0.0, 1.0])));

            assert_eq!(painted[0], colour::NON_FINITE, "{view:?}");
            assert_ne!(painted[1], colour::NON_FINITE, "{view:?}");
        }
    }

    #[test]
    fn field_of_one_value_is_drawn_without_division_by_zero() {
        assert_eq!(colours(&View::OwnSpan { neutral: 0.0 }.paint(&line(&[0.0; 2]))), [colour::diverging(0.0); 2]);
        assert_eq!(colours(&View::Standardised.paint(&line(&[7.0; 2]))), [colour::diverging(0.0); 2]);
    }
}
