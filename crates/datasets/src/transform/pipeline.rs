//! The steps of a dataset, prepared once and applied to one image after another.

use std::mem;

use catalogue::{Dataset, Size, Step, Turn};

use super::mutate::Mutation;
use super::resize::Resizer;
use super::{colour, geometry};
use crate::examples::Split;

/// What is done to each image of a dataset and split.
#[derive(Debug, Clone)]
pub struct Pipeline {
    prepared: Vec<Prepared>,
    shape: [usize; 3],
    /// The image after the steps so far, and room for it after the next.
    now: Vec<u8>,
    next: Vec<u8>,
}

/// A step and what it needs to know of the shape before it.
#[derive(Debug, Clone)]
enum Prepared {
    Gray,
    Rgb,
    Resize(Resizer),
    Crop { from: [usize; 2], to: [usize; 2] },
    Pad { from: [usize; 2], to: [usize; 2], level: u8 },
    FlipHorizontally { width: usize },
    FlipVertically { size: [usize; 2] },
    Rotate { size: [usize; 2], turn: Turn },
    Invert,
    Mutate(Mutation),
}

impl Pipeline {
    /// Prepares the steps of a dataset, whose images have the given shape before them. `classes`, which picks images, and a
    /// feature extractor, which does not make any, are not among them.
    pub fn new(dataset: &Dataset, split: Split, shape: [usize; 3]) -> Self {
        let mut shape = shape;
        let mut prepared = Vec::new();
        for (place, step) in dataset.steps().iter().enumerate() {
            let [channels, height, width] = shape;
            let size = [height, width];
            let of = |size: &Size| [size.height as usize, size.width as usize];
            let (step, after) = match step {
                Step::Classes(_) | Step::Embed(_) => continue,
                // A grey image is its own luma.
                Step::Gray if channels == 1 => continue,
                Step::Gray => (Prepared::Gray, [1, height, width]),
                Step::Rgb => (Prepared::Rgb, [3, height, width]),
                Step::Resize(size, filter) => {
                    let resizer = Resizer::new(shape, *size, *filter);
                    let after = resizer.shape();
                    (Prepared::Resize(resizer), after)
                }
                Step::Crop(to) => (Prepared::Crop { from: size, to: of(to) }, [channels, of(to)[0], of(to)[1]]),
                Step::Pad(to, level) => {
                    (Prepared::Pad { from: size, to: of(to), level: *level }, [channels, of(to)[0], of(to)[1]])
                }
                Step::FlipHorizontally => (Prepared::FlipHorizontally { width }, shape),
                Step::FlipVertically => (Prepared::FlipVertically { size }, shape),
                Step::Rotate(turn) => {
                    let after = if *turn == Turn::Half { shape } else { [channels, width, height] };
                    (Prepared::Rotate { size, turn: *turn }, after)
                }
                Step::Invert => (Prepared::Invert, shape),
                Step::Mutate { per_mille } => {
                    (Prepared::Mutate(Mutation::new(&name_up_to(dataset, place), split, *per_mille)), shape)
                }
            };
            prepared.push(step);
            shape = after;
        }
        Self { prepared, shape, now: Vec::new(), next: Vec::new() }
    }

    /// Says whether images stay as they are.
    pub fn is_empty(&self) -> bool {
        self.prepared.is_empty()
    }

    /// The shape of images after all steps.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The image of an index after all steps, planar.
    pub fn apply(&mut self, index: u64, pixels: &[u8]) -> &[u8] {
        let Self { prepared, now, next, .. } = self;
        now.clear();
        now.extend_from_slice(pixels);
        prepared.iter_mut().for_each(|step| step.apply(index, now, next));
        now
    }
}

impl Prepared {
    /// Changes the image `now`, with the room of `next`.
    fn apply(&mut self, index: u64, now: &mut Vec<u8>, next: &mut Vec<u8>) {
        next.clear();
        match self {
            Self::FlipHorizontally { width } => return geometry::flip_horizontally(now, *width),
            Self::FlipVertically { size } => return geometry::flip_vertically(now, *size),
            Self::Invert => return now.iter_mut().for_each(|level| *level = 255 - *level),
            Self::Mutate(mutation) => return mutation.apply(index, now),
            Self::Gray => colour::append_gray(now, next),
            Self::Rgb => colour::append_rgb(now, next),
            Self::Resize(resizer) => resizer.append(now, next),
            Self::Crop { from, to } => geometry::append_crop(now, *from, *to, next),
            Self::Pad { from, to, level } => geometry::append_pad(now, *from, *to, *level, next),
            Self::Rotate { size, turn } => geometry::append_turned(now, *size, *turn, next),
        }
        mem::swap(now, next);
    }
}

/// The name of a dataset up to and with the step in a place: what a random step depends on.
fn name_up_to(dataset: &Dataset, place: usize) -> String {
    let name = dataset.to_string();
    // The parts are the source and the steps.
    name.split('|').take(place + 2).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples::Shape;

    /// What a list of steps makes of an image that is said to be a user's own.
    fn through(shape: [usize; 3], steps: &str, pixels: &[u8]) -> Vec<u8> {
        let [channels, height, width] = shape;
        let dataset: Dataset = format!("own:a@{channels}x{height}x{width}{steps}").parse().unwrap();
        Pipeline::new(&dataset, Split::Test, shape).apply(3, pixels).to_vec()
    }

    fn images() -> impl Strategy<Value = ([usize; 3], Vec<u8>)> {
        (prop_oneof![Just(1_usize), Just(3)], 1_usize..9, 1_usize..9).prop_flat_map(|(channels, height, width)| {
            let pixels = proptest::collection::vec(any::<u8>(), channels * height * width);
            (Just([channels, height, width]), pixels)
        })
    }

    fn steps() -> impl Strategy<Value = String> {
        let step = prop_oneof![
            Just("gray".to_owned()),
            Just("rgb".to_owned()),
            Just("hflip".to_owned()),
            Just("vflip".to_owned()),
            Just("invert".to_owned()),
            Just("rotate=90".to_owned()),
            Just("rotate=180".to_owned()),
            Just("rotate=270".to_owned()),
            Just("mutate=0.2".to_owned()),
            (1..12, 1..12).prop_map(|(height, width)| format!("crop={height}x{width}")),
            (1..12, 1..12).prop_map(|(height, width)| format!("pad={height}x{width}:9")),
            (1..12, 1..12).prop_map(|(height, width)| format!("resize={height}x{width}:lanczos")),
        ];
        proptest::collection::vec(step, 0..7).prop_map(|steps| steps.join("|"))
    }

    #[test]
    fn planes_are_turned_and_cropped_where_they_should_be() {
        let plane = [1, 2, 3, 4, 5, 6];

        assert_eq!(through([1, 2, 3], "|rotate=90", &plane), [3, 6, 2, 5, 1, 4]);
        assert_eq!(through([1, 2, 3], "|rotate=270", &plane), [4, 1, 5, 2, 6, 3]);
        assert_eq!(through([1, 2, 3], "|hflip", &plane), [3, 2, 1, 6, 5, 4]);
        assert_eq!(through([1, 2, 3], "|vflip", &plane), [4, 5, 6, 1, 2, 3]);
        assert_eq!(through([1, 2, 3], "|crop=1x2", &plane), [1, 2]);
        assert_eq!(through([1, 2, 3], "|pad=3x4:9", &plane), [1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9, 9]);
        assert_eq!(through([1, 2, 3], "|invert", &plane), [254, 253, 252, 251, 250, 249]);
        assert_eq!(through([3, 1, 1], "|gray", &[255, 0, 0]), [76]);
    }

    #[test]
    fn two_mutations_in_one_name_are_independent() {
        let once = through([1, 8, 8], "|mutate=1", &[0; 64]);
        let twice = through([1, 8, 8], "|mutate=1|mutate=1", &[0; 64]);

        assert_ne!(once, twice);
        assert_eq!(once, through([1, 8, 8], "|mutate=1", &[9; 64]), "every value is replaced");
    }

    proptest! {
        #[test]
        fn flips_undo_themselves_and_four_quarter_turns_are_none((shape, pixels) in images()) {
            for steps in ["|hflip|hflip", "|vflip|vflip", "|invert|invert", "|rotate=180|rotate=180", "|rotate=90|rotate=270",
                "|rotate=90|rotate=90|rotate=90|rotate=90", "|hflip|vflip|rotate=180"] {
                prop_assert_eq!(&through(shape, steps, &pixels), &pixels, "{}", steps);
            }
            prop_assert_eq!(through(shape, "|rotate=90|rotate=90", &pixels), through(shape, "|rotate=180", &pixels));
        }

        #[test]
        fn what_was_padded_is_cropped_back((shape, pixels) in images(), more in [0_usize..7, 0_usize..7], level: u8) {
            let [_, height, width] = shape;
            let [rows, columns] = [height + more[0], width + more[1]];
            let there_and_back = format!("|pad={rows}x{columns}:{level}|crop={height}x{width}");
            prop_assert_eq!(through(shape, &there_and_back, &pixels), pixels);
        }

        #[test]
        fn shapes_are_those_that_the_name_says((shape, pixels) in images(), steps in steps()) {
            let [channels, height, width] = shape;
            let name = format!("own:a@{channels}x{height}x{width}|{steps}");
            let Ok(dataset) = name.trim_end_matches('|').parse::<Dataset>() else { return Ok(()) };

            let mut pipeline = Pipeline::new(&dataset, Split::Train, shape);
            let length = pipeline.apply(0, &pixels).len();

            let said = Shape::from(dataset.shape());
            prop_assert_eq!(Shape::Image(pipeline.shape()), said);
            prop_assert_eq!(length, said.dimensions());
        }
    }
}
