//! What a set of examples looks like in numbers.

use std::collections::BTreeMap;

use crate::examples::{Examples, Shape, Values};

/// The values of one channel, or of all features of vectors together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelSummary {
    /// Mean of all values.
    pub mean: f64,
    /// Standard deviation of all values, with the number of values as divisor.
    pub deviation: f64,
    /// Smallest value.
    pub smallest: f64,
    /// Largest value.
    pub largest: f64,
}

/// A set of examples in numbers: levels 0 to 255 of images, values as they are of vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Number of examples.
    pub examples: usize,
    /// Shape of each.
    pub shape: Shape,
    /// One per channel of images; one for all features of vectors.
    pub channels: Vec<ChannelSummary>,
    /// Number of examples of each label; empty when the source has no labels.
    pub labels: BTreeMap<u32, usize>,
}

/// Sums of one channel, shifted so that large offsets do not cancel digits (Welford 1962).
#[derive(Debug, Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    scatter: f64,
    smallest: f64,
    largest: f64,
}

impl Moments {
    const NONE: Self =
        Self { count: 0.0, mean: 0.0, scatter: 0.0, smallest: f64::INFINITY, largest: f64::NEG_INFINITY };

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.scatter += off * (value - self.mean);
        self.smallest = self.smallest.min(value);
        self.largest = self.largest.max(value);
    }
}

impl Summary {
    /// Summarises examples; there must be at least one, or every number is 0 or absent.
    #[must_use]
    pub fn of(examples: &Examples) -> Self {
        let channels = match examples.shape() {
            Shape::Image([channels, ..]) => channels,
            Shape::Vector(_) => 1,
        };
        let of_channel = examples.dimensions() / channels;
        let mut moments = vec![Moments::NONE; channels];
        let mut add = |place: usize, value: f64| moments[place / of_channel % channels].add(value);
        match examples.values() {
            Values::Bytes(bytes) => bytes.iter().enumerate().for_each(|(place, &byte)| add(place, f64::from(byte))),
            Values::Floats(values) => {
                values.iter().enumerate().for_each(|(place, &value)| add(place, f64::from(value)))
            }
        }
        let summary = |moments: Moments| ChannelSummary {
            mean: moments.mean,
            deviation: (moments.scatter / moments.count).sqrt(),
            smallest: moments.smallest,
            largest: moments.largest,
        };
        let mut labels = BTreeMap::new();
        for &label in examples.labels().unwrap_or_default() {
            *labels.entry(label).or_default() += 1;
        }
        let channels = if examples.is_empty() { Vec::new() } else { moments.into_iter().map(summary).collect() };
        Self { examples: examples.len(), shape: examples.shape(), channels, labels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_images_are_summarised_apart() {
        let values = Values::Bytes(vec![0, 10, 200, 200, 20, 10, 100, 100]);
        let examples = Examples::new(Shape::Image([2, 1, 2]), values).unwrap();

        let summary = Summary::of(&examples);

        assert_eq!((summary.examples, summary.channels.len()), (2, 2));
        let [first, second] = summary.channels[..] else { panic!("two channels") };
        assert_eq!((first.mean, first.smallest, first.largest), (10.0, 0.0, 20.0));
        assert!((first.deviation - 50_f64.sqrt()).abs() < 1e-12);
        assert_eq!((second.mean, second.deviation), (150.0, 50.0));
    }

    #[test]
    fn features_of_vectors_are_summarised_together() {
        let examples = Examples::new(Shape::Vector(3), Values::Floats(vec![1.0, -1.0, 3.0])).unwrap();

        let summary = Summary::of(&examples);

        assert_eq!((summary.channels.len(), summary.channels[0].mean), (1, 1.0));
        assert!(summary.labels.is_empty());
    }

    #[test]
    fn no_examples_have_no_numbers() {
        let summary = Summary::of(&Examples::new(Shape::Vector(3), Values::Floats(Vec::new())).unwrap());

        assert_eq!((summary.examples, summary.channels), (0, Vec::new()));
    }
}
