//! From a document to the thing that trains: the flow of a model's spec.

use domain::spec::ExperimentSpec;
use flows::Flow;
use tch::Kind;

use crate::error::TrainingError;

/// The element type of the flow, named by [`crate::PRECISION`].
pub const KIND: Kind = Kind::Float;

/// Builds the flow of an experiment over its in-distribution data, its weights drawn by the seed.
pub fn flow(spec: &ExperimentSpec, seed: u64, device: tch::Device) -> Result<Flow, TrainingError> {
    let architecture = spec.architecture("model").map_err(TrainingError::Model)?;
    Ok(Flow::build(&architecture, seed, KIND, device)?)
}

#[cfg(test)]
mod tests {
    use datasets::Catalogue;
    use domain::spec::DatasetName;

    #[test]
    fn every_dataset_of_the_specs_is_in_the_catalogue_with_the_same_shape_and_size() {
        for name in DatasetName::ALL {
            let entry = Catalogue::lookup(name.as_str()).unwrap();

            assert_eq!(entry.shape.to_string(), name.shape().to_string(), "{name}");
            assert_eq!(entry.has(datasets::Split::Train), name.has_train_split(), "{name}");
            if let datasets::SplitSize::Known(size) = entry.train_size {
                assert_eq!(Some(size as u64), name.train_examples(), "{name}");
            }
        }
        assert_eq!(Catalogue::entries().len(), DatasetName::ALL.len());
    }
}
