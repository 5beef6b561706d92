//! From a document to the thing that trains: the flow of a model's spec.

use datasets::Entry;
use domain::spec::{self, ModelSpec, StNetworkSpec};
use flows::Flow;
use flows::flow::Preprocessing;
use flows::recipes::realnvp::{MaskScheme, RealNvp, RecipeError, StNetwork};
use tch::Kind;

/// The element type of the flow, named by [`crate::PRECISION`].
pub const KIND: Kind = Kind::Float;

/// Builds the flow of a model over a dataset's images, its weights drawn by the experiment's seed.
pub fn flow(model: &ModelSpec, entry: &Entry, seed: u64, device: tch::Device) -> Result<Flow, RecipeError> {
    match model {
        ModelSpec::RealNvp(realnvp) => {
            let recipe = RealNvp {
                input: entry.shape.map(|size| size as i64),
                mask: match realnvp.mask {
                    spec::MaskScheme::Checkerboard => MaskScheme::Checkerboard,
                    spec::MaskScheme::Horizontal => MaskScheme::Horizontal,
                    spec::MaskScheme::Cycle => MaskScheme::Cycle,
                },
                scales: realnvp.scales(),
                couplings: realnvp.couplings(),
                st_network: st_network(&realnvp.st_network),
                preprocessing: Preprocessing::Exact,
            };
            recipe.build(seed, KIND, device)
        }
    }
}

fn st_network(spec: &StNetworkSpec) -> StNetwork {
    match spec {
        StNetworkSpec::Resnet(resnet) => StNetwork::Resnet {
            width: i64::from(resnet.width),
            blocks: i64::from(resnet.blocks),
            batch_norm: resnet.batch_norm,
            skip: resnet.skip,
        },
    }
}

#[cfg(test)]
mod tests {
    use datasets::Catalogue;
    use domain::spec::DatasetName;

    #[test]
    fn every_dataset_of_the_specs_is_in_the_catalogue_with_the_same_shape() {
        for name in DatasetName::ALL {
            let entry = Catalogue::lookup(name.as_str()).unwrap();

            assert_eq!(entry.shape.map(|size| size as u32), name.shape(), "{name}");
        }
        assert_eq!(Catalogue::entries().len(), DatasetName::ALL.len());
    }
}
