//! Steps of a dataset, applied to examples in memory without a second copy of them.

use std::collections::TryReserveError;

use catalogue::{ClassList, Dataset};

use super::pipeline::Pipeline;
use crate::examples::{Examples, Shape, Split, Values};

/// The examples of a split after all steps but `classes` and a feature extractor's. Vectors have no other steps.
///
/// Images are changed where they lie: from the first one on when they shrink, and from the last one when they grow.
///
/// # Errors
/// The grown images do not fit the memory.
pub fn apply(dataset: &Dataset, split: Split, examples: Examples) -> Result<Examples, TryReserveError> {
    let before = examples.dimensions();
    let Shape::Image(shape) = examples.shape() else { return Ok(examples) };
    let mut pipeline = Pipeline::new(dataset, split, shape);
    if pipeline.is_empty() {
        return Ok(examples);
    }
    let after = Shape::Image(pipeline.shape());
    examples.try_map(after, |values| match values {
        Values::Bytes(pixels) => in_place(pixels, before, &mut pipeline, after.dimensions()).map(Values::Bytes),
        // No source has images of continuous values.
        Values::Floats(values) => Ok(Values::Floats(values)),
    })
}

fn in_place(
    mut pixels: Vec<u8>,
    before: usize,
    pipeline: &mut Pipeline,
    after: usize,
) -> Result<Vec<u8>, TryReserveError> {
    let count = pixels.len() / before;
    let mut change = |pixels: &mut Vec<u8>, index: usize| {
        let image = pipeline.apply(index as u64, &pixels[index * before..(index + 1) * before]);
        pixels[index * after..(index + 1) * after].copy_from_slice(image);
    };
    if after <= before {
        (0..count).for_each(|index| change(&mut pixels, index));
        pixels.truncate(count * after);
        pixels.shrink_to_fit();
    } else {
        pixels.try_reserve_exact(count * (after - before))?;
        pixels.resize(count * after, 0);
        (0..count).rev().for_each(|index| change(&mut pixels, index));
    }
    Ok(pixels)
}

/// The first `limit` examples that have one of the labels, or all of them; none if the examples have no labels.
pub fn of_classes(examples: Examples, classes: &ClassList, limit: Option<usize>) -> Option<Examples> {
    let kept = |&(_, &label): &(usize, &u32)| classes.has(label);
    let labels = examples.labels()?.iter().enumerate();
    let kept: Vec<usize> = labels.filter(kept).map(|(index, _)| index).take(limit.unwrap_or(usize::MAX)).collect();
    Some(examples.pick(&kept))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: [usize; 3] = [1, 4, 5];

    fn dataset(steps: &str) -> Dataset {
        format!("own:a@1x4x5|{steps}").parse().unwrap()
    }

    fn examples(count: usize) -> Examples {
        let pixels = (0..count * 20).map(|index| (index * 37 % 251) as u8).collect();
        let labels = (0..count as u32).map(|index| index % 3).collect();
        Examples::new(Shape::Image(SHAPE), Values::Bytes(pixels)).unwrap().with_labels(labels).unwrap()
    }

    fn bytes(examples: &Examples) -> &[u8] {
        match examples.values() {
            Values::Bytes(bytes) => bytes,
            Values::Floats(_) => panic!("images are bytes"),
        }
    }

    #[test]
    fn images_are_changed_where_they_lie() {
        for steps in
            ["crop=2x3", "resize=9x7:bicubic", "hflip", "rgb|pad=8x8:3", "resize=20x20:box|crop=3x3", "mutate=0.5"]
        {
            let dataset = dataset(steps);
            let mut pipeline = Pipeline::new(&dataset, Split::Test, SHAPE);
            let before = examples(13);
            let expected: Vec<u8> = bytes(&before)
                .chunks(20)
                .enumerate()
                .flat_map(|(index, image)| pipeline.apply(index as u64, image).to_vec())
                .collect();

            let after = apply(&dataset, Split::Test, before.clone()).unwrap();

            assert_eq!(bytes(&after), expected, "{steps}");
            assert_eq!((after.shape(), after.labels()), (Shape::Image(pipeline.shape()), before.labels()));
        }
    }

    #[test]
    fn growing_images_need_no_second_copy() {
        let before = examples(5000);
        let dataset = dataset("resize=40x50:bilinear");

        let used = allocation_counter::measure(|| drop(apply(&dataset, Split::Test, before)));

        // The grown images take 10 MB, and those before them 0.1 MB, which were there already.
        assert!(used.bytes_max < 10_100_000, "{used:?}");
    }

    proptest! {
        #[test]
        fn a_limit_gives_the_first_ones_of_all(limit in 0_usize..20, steps in prop_oneof![Just("mutate=0.3|resize=5x5:box"), Just("rotate=90")]) {
            let (all, few) = (apply(&dataset(steps), Split::Train, examples(13)).unwrap(), examples(13).split_at(limit).0);
            let few = apply(&dataset(steps), Split::Train, few).unwrap();
            prop_assert_eq!(bytes(&few), &bytes(&all)[..bytes(&few).len()]);
            prop_assert_eq!(few.len(), limit.min(13));
        }

        #[test]
        fn classes_keep_their_examples_in_order(limit in proptest::option::of(0_usize..9)) {
            let with_classes: Dataset = "own:a@1x4x5|classes=0,2".parse().unwrap();
            let catalogue::Step::Classes(classes) = &with_classes.steps()[0] else { panic!("classes") };

            let kept = of_classes(examples(13), classes, limit).unwrap();

            let expected: Vec<usize> = (0..13).filter(|index| index % 3 != 1).take(limit.unwrap_or(99)).collect();
            let pixels: Vec<u8> = expected.iter().flat_map(|index| bytes(&examples(13))[index * 20..(index + 1) * 20].to_vec()).collect();
            prop_assert_eq!(bytes(&kept), pixels);
            prop_assert_eq!(kept.labels().unwrap(), expected.iter().map(|index| *index as u32 % 3).collect::<Vec<_>>());
        }
    }

    #[test]
    fn examples_without_labels_have_no_classes() {
        let with_classes: Dataset = "own:a@1x4x5|classes=0".parse().unwrap();
        let catalogue::Step::Classes(classes) = &with_classes.steps()[0] else { panic!("classes") };
        let unlabelled = Examples::new(Shape::Image(SHAPE), Values::Bytes(vec![0; 20])).unwrap();

        assert!(of_classes(unlabelled, classes, None).is_none());
    }
}
