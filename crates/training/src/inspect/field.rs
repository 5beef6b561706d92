//! Values over the pixels of one image, as plain numbers.

/// Values `[c, h, w]` in c, h, w order.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    shape: [usize; 3],
    values: Vec<f32>,
}

/// The least and the greatest finite value, and how many values are NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// The least finite value; 0 when there is none.
    pub low: f32,
    /// The greatest finite value; 0 when there is none.
    pub high: f32,
    /// Values that are NaN or infinite.
    pub non_finite: usize,
}

impl Field {
    /// Values of shape `[c, h, w]`.
    ///
    /// # Panics
    /// If their number is not c · h · w.
    pub fn new(shape: [usize; 3], values: Vec<f32>) -> Self {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "a field of shape {shape:?} has one value per place");
        Self { shape, values }
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.shape[0]
    }

    /// Height and width.
    pub fn size(&self) -> [usize; 2] {
        [self.shape[1], self.shape[2]]
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// One channel alone.
    pub fn channel(&self, channel: usize) -> Self {
        let [_, height, width] = self.shape;
        let plane = height * width;
        Self::new([1, height, width], self.values[channel * plane..(channel + 1) * plane].to_vec())
    }

    /// The same field with every value mapped.
    pub fn map(&self, value: impl Fn(f32) -> f32) -> Self {
        Self { shape: self.shape, values: self.values.iter().map(|&one| value(one)).collect() }
    }

    /// What values there are.
    pub fn extent(&self) -> Extent {
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        let non_finite = self.values.len() - finite().count();
        let low = finite().reduce(f32::min).unwrap_or(0.0);
        Extent { low, high: finite().reduce(f32::max).unwrap_or(0.0), non_finite }
    }

    /// Mean and standard deviation (divisor n) of the finite values over all pixels and channels, summed in double.
    pub fn moments(&self) -> (f32, f32) {
        let finite = || self.values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value));
        let count = finite().count().max(1) as f64;
        let mean = finite().sum::<f64>() / count;
        let variance = finite().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        (mean as f32, variance.sqrt() as f32)
    }

    /// `(v − centre) / std(v)`: the reference's normalisation of an image (section 6.1) about another centre than its mean. A
    /// field of one value everywhere is divided by 1.
    pub fn normalised_about(&self, centre: f32) -> Self {
        let (_, deviation) = self.moments();
        let unit = if deviation > f32::EPSILON * (1.0 + centre.abs()) { deviation } else { 1.0 };
        self.map(|value| (value - centre) / unit)
    }

    /// `(v − mean(v)) / std(v)` over all pixels and channels (reference section 6.1).
    pub fn normalised(&self) -> Self {
        self.normalised_about(self.moments().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalised_values_have_mean_zero_and_deviation_one() {
        let field = Field::new([2, 1, 3], vec![1.0, 2.0, 3.0, 10.0, -4.0, 0.5]);

        let (mean, deviation) = field.normalised().moments();

        assert!(mean.abs() < 1e-6 && (deviation - 1.0).abs() < 1e-6, "{mean} {deviation}");
    }

    #[test]
    fn constant_field_is_normalised_to_zero_and_not_to_nan() {
        let field = Field::new([1, 2, 2], vec![1.0; 4]);

        assert_eq!(field.normalised().values(), [0.0; 4]);
        assert_eq!(field.normalised_about(1.0).values(), [0.0; 4]);
    }

    #[test]
    fn values_that_are_none_are_counted_and_move_no_other() {
        let field = Field::new([1, 1, 4], vec![f32::NAN, -1.0, f32::INFINITY, 3.0]);

        assert_eq!(field.extent(), Extent { low: -1.0, high: 3.0, non_finite: 2 });
        assert_eq!(field.moments(), (1.0, 2.0));
    }

    #[test]
    fn channel_is_its_plane() {
        let field = Field::new([3, 1, 2], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);

        assert_eq!(field.channel(2), Field::new([1, 1, 2], vec![4.0, 5.0]));
    }
}
