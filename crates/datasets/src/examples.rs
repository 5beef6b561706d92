//! Examples in memory: images or vectors of one shape, as bytes or as single-precision numbers.

use std::fmt;

use architecture::InputShape;

/// Part of a dataset: what a model learns from, or what it is judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// Examples to learn from.
    Train,
    /// Examples to evaluate on.
    Test,
}

impl Split {
    /// The name in files and messages: `train` or `test`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What one example looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Channels, height and width of an image.
    Image([usize; 3]),
    /// Number of features of a vector.
    Vector(usize),
}

impl Shape {
    /// Number of values of one example.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        match *self {
            Self::Image([channels, height, width]) => channels * height * width,
            Self::Vector(features) => features,
        }
    }

    /// Channels, height and width; a vector of `d` features is an image `[d, 1, 1]`.
    #[must_use]
    pub fn as_image(&self) -> [usize; 3] {
        match *self {
            Self::Image(sizes) => sizes,
            Self::Vector(features) => [features, 1, 1],
        }
    }

    /// What a person calls an example of this shape, in the plural.
    #[must_use]
    pub fn plural(&self) -> &'static str {
        match self {
            Self::Image(_) => "images",
            Self::Vector(_) => "vectors",
        }
    }
}

impl From<InputShape> for Shape {
    fn from(shape: InputShape) -> Self {
        match shape {
            InputShape::Image { channels, height, width } => {
                Self::Image([channels, height, width].map(|size| size as usize))
            }
            InputShape::Vector { features } => Self::Vector(features as usize),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image([channels, height, width]) => write!(formatter, "{channels}×{height}×{width}"),
            Self::Vector(features) => write!(formatter, "{features} features"),
        }
    }
}

/// The values of examples, one after the other; within an image in the order `[c, h, w]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Levels 0 to 255, which models dequantise.
    Bytes(Vec<u8>),
    /// Continuous values, taken as they are.
    Floats(Vec<f32>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }
}

/// Examples of one shape, in index order.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    shape: Shape,
    values: Values,
    labels: Option<Vec<u32>>,
    left_out: Vec<String>,
}

impl Examples {
    /// Wraps the values of whole examples; none if the values do not divide into examples.
    #[must_use]
    pub fn new(shape: Shape, values: Values) -> Option<Self> {
        let dimensions = shape.dimensions();
        (dimensions > 0 && values.len().is_multiple_of(dimensions)).then_some(Self {
            shape,
            values,
            labels: None,
            left_out: Vec::new(),
        })
    }

    /// The same examples with their labels; none unless there is one for each.
    #[must_use]
    pub fn with_labels(self, labels: Vec<u32>) -> Option<Self> {
        (labels.len() == self.len()).then_some(Self { labels: Some(labels), ..self })
    }

    /// The same examples, and the files that were left out of them.
    #[must_use]
    pub fn with_left_out(self, left_out: Vec<String>) -> Self {
        Self { left_out, ..self }
    }

    /// The class of each example, from 0, in the examples' order; none if the files have no labels.
    #[must_use]
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// The publisher's files that are known to be damaged and were left out.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The shape of every example.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Number of values of one example.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.shape.dimensions()
    }

    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.dimensions()
    }

    /// Says whether there is no example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.len() == 0
    }

    /// Says whether the values are bytes, so that a continuous model needs dequantisation noise.
    #[must_use]
    pub fn are_quantised(&self) -> bool {
        matches!(self.values, Values::Bytes(_))
    }

    /// The first `count` examples, and those after them.
    #[must_use]
    pub fn split_at(self, count: usize) -> (Self, Self) {
        let examples = self.len().min(count);
        let at = examples * self.dimensions();
        let Self { shape, values, mut labels, left_out } = self;
        let rest_labels = labels.as_mut().map(|labels| labels.split_off(examples));
        let (first, rest) = match values {
            Values::Bytes(mut values) => {
                let rest = values.split_off(at);
                (Values::Bytes(values), Values::Bytes(rest))
            }
            Values::Floats(mut values) => {
                let rest = values.split_off(at);
                (Values::Floats(values), Values::Floats(rest))
            }
        };
        let rest = Self { shape, values: rest, labels: rest_labels, left_out: left_out.clone() };
        (Self { shape, values: first, labels, left_out }, rest)
    }

    /// The same examples with changed values, which are as many of another shape; labels stay.
    pub(crate) fn try_map<E>(self, shape: Shape, change: impl FnOnce(Values) -> Result<Values, E>) -> Result<Self, E> {
        Ok(Self { values: change(self.values)?, shape, ..self })
    }

    /// The examples with ascending indices, moved together where they lie.
    pub(crate) fn pick(mut self, indices: &[usize]) -> Self {
        let dimensions = self.dimensions();
        match &mut self.values {
            Values::Bytes(values) => compact(values, indices, dimensions),
            Values::Floats(values) => compact(values, indices, dimensions),
        }
        if let Some(labels) = &mut self.labels {
            compact(labels, indices, 1);
        }
        self
    }

    /// All values, example after example.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Appends one example as a model reads it: byte / 255, rounded once, as the published models do; continuous values
    /// as they are.
    ///
    /// # Panics
    /// If there is no such example.
    pub(crate) fn append(&self, index: usize, to: &mut Vec<f32>) {
        let place = index * self.dimensions()..(index + 1) * self.dimensions();
        match &self.values {
            Values::Bytes(bytes) => to.extend(bytes[place].iter().map(|&byte| f32::from(byte) / 255.0)),
            Values::Floats(values) => to.extend_from_slice(&values[place]),
        }
    }
}

/// Moves some groups of `length` values to the front, and drops the others.
fn compact<T: Copy>(values: &mut Vec<T>, indices: &[usize], length: usize) {
    for (place, &index) in indices.iter().enumerate() {
        values.copy_within(index * length..(index + 1) * length, place * length);
    }
    values.truncate(indices.len() * length);
    values.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_do_not_divide_into_examples_are_refused() {
        assert!(Examples::new(Shape::Image([1, 2, 2]), Values::Bytes(vec![0; 7])).is_none());
        assert!(Examples::new(Shape::Image([1, 0, 2]), Values::Bytes(Vec::new())).is_none());
        assert!(Examples::new(Shape::Vector(0), Values::Floats(Vec::new())).is_none());
    }

    #[test]
    fn bytes_become_unit_values_and_continuous_values_stay() {
        let bytes = Examples::new(Shape::Image([1, 1, 2]), Values::Bytes(vec![1, 2, 0, 255])).unwrap();
        let floats = Examples::new(Shape::Vector(2), Values::Floats(vec![1.0, 2.0, -3.5, 1e9])).unwrap();

        let read = |examples: &Examples| {
            let mut values = Vec::new();
            examples.append(1, &mut values);
            values
        };

        assert_eq!((bytes.len(), floats.len()), (2, 2));
        assert_eq!(read(&bytes), [0.0, 1.0]);
        assert_eq!(read(&floats), [-3.5, 1e9]);
        assert!(bytes.are_quantised() && !floats.are_quantised());
    }

    #[test]
    fn the_first_examples_are_parted_from_the_rest() {
        let bytes = || Examples::new(Shape::Image([1, 1, 2]), Values::Bytes(vec![1, 2, 3, 4, 5, 6])).unwrap();
        let floats = Examples::new(Shape::Vector(1), Values::Floats(vec![0.5, -1.0])).unwrap();

        let (first, rest) = bytes().split_at(1);
        let (all, none) = bytes().split_at(9);
        let (one, other) = floats.split_at(1);
        let (labelled, more) = bytes().with_labels(vec![7, 8, 9]).unwrap().split_at(1);

        assert_eq!((first.values(), rest.values()), (&Values::Bytes(vec![1, 2]), &Values::Bytes(vec![3, 4, 5, 6])));
        assert_eq!((all.len(), none.len(), none.shape()), (3, 0, Shape::Image([1, 1, 2])));
        assert_eq!((labelled.labels(), more.labels()), (Some(&[7][..]), Some(&[8, 9][..])));
        assert!(bytes().with_labels(vec![7, 8]).is_none());
        assert_eq!((one.values(), other.values()), (&Values::Floats(vec![0.5]), &Values::Floats(vec![-1.0])));
    }

    #[test]
    fn shapes_are_written_for_people() {
        assert_eq!(Shape::Image([3, 32, 32]).to_string(), "3×32×32");
        assert_eq!(Shape::Vector(50).to_string(), "50 features");
    }
}
