//! Which resampling made the pixels of a dataset.

use super::{
    dataset::{Dataset, DatasetSource},
    name::DatasetName,
    step::Step,
};

const NATIVE: &str = "native";

/// The publisher's resampling and that of the steps, in order.
pub fn of(dataset: &Dataset) -> String {
    let published = match dataset.source() {
        DatasetSource::Named(name) => published(*name),
        DatasetSource::Own(_) => None,
    };
    let steps = dataset.steps().iter().filter_map(|step| match step {
        Step::Resize(size, filter) => Some(format!("{size} {}", filter.as_str())),
        Step::Classes(_)
        | Step::Gray
        | Step::Rgb
        | Step::Crop(_)
        | Step::Pad(..)
        | Step::FlipHorizontally
        | Step::FlipVertically
        | Step::Rotate(_)
        | Step::Invert
        | Step::Mutate { .. }
        | Step::Embed(_) => None,
    });
    let found: Vec<String> = published.map(str::to_owned).into_iter().chain(steps).collect();
    if found.is_empty() { NATIVE.to_owned() } else { found.join(", then ") }
}

/// What made the pixels of the catalogue's images, where they are not those that the publisher's source had.
fn published(name: DatasetName) -> Option<&'static str> {
    match name {
        DatasetName::Celeba => Some("shorter side 32 bilinear"),
        DatasetName::Celeba64 => Some("shorter side 64 bilinear"),
        DatasetName::CelebaCrop140 | DatasetName::CelebaCrop148 => Some("32x32 bilinear"),
        DatasetName::Svhn64 => Some("64x64 bilinear"),
        DatasetName::Imagenet32 => Some("32x32 box"),
        DatasetName::Imagenet64 => Some("64x64 box"),
        DatasetName::TinyImagenet => Some("64x64 by the publisher"),
        DatasetName::LsunResize | DatasetName::TinyImagenetResize => Some("32x32 by the publisher"),
        DatasetName::Textures => Some("shorter side 32 bilinear"),
        DatasetName::Cifar10 | DatasetName::Cifar100 => Some("32x32 by the publisher"),
        DatasetName::Svhn => Some("32x32 by the publisher"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dataset;

    #[test]
    fn resampling_is_the_publishers_and_that_of_the_steps() {
        let of = |text: &str| text.parse::<Dataset>().unwrap().resampling();

        assert_eq!(of("mnist"), "native");
        assert_eq!(of("mnist|pad=32x32:0"), "native");
        assert_eq!(of("celeba"), "shorter side 32 bilinear");
        assert_eq!(of("imagenet64|resize=32x32:lanczos"), "64x64 box, then 32x32 lanczos");
    }
}
