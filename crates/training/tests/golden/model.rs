//! From the reference's configuration of a case to our recipe, and its weights under our names.

use flows::Flow;
use flows::flows_ood::names::{Nesting, to_reference};
use flows::recipes::{MaskScheme, Preprocessing, RealNvp, StNetwork};
use tch::{Device, Kind, Tensor};
use training::optimiser::OptimiserKind;

use crate::case::{Case, Configuration};

/// A case that the library can run.
pub struct Supported {
    recipe: RealNvp,
    nesting: Nesting,
    pub optimiser: OptimiserKind,
}

/// Reads the configuration; the error says what the library does not have yet.
pub fn recognise(case: &Case) -> Result<Supported, String> {
    let configuration = &case.config;
    let single = |mask, couplings| (mask, 1, couplings, Nesting::Stack);
    let (mask, scales, couplings, nesting) = match configuration.model.as_str() {
        "RealNVP" => {
            let scales = configuration.num_scales.expect("a RealNVP has scales");
            // One scale is a stack of the four last checkerboards.
            (MaskScheme::Checkerboard, scales, 4, Nesting::Scales)
        }
        "RealNVPSmall" => single(MaskScheme::Checkerboard, 2),
        "RealNVP8Layers" => single(MaskScheme::Checkerboard, 8),
        "RealNVPMaskHorizontal" => single(MaskScheme::Horizontal, 8),
        "RealNVPMaskHorizontal3Layers" => single(MaskScheme::Horizontal, 3),
        "RealNVPCycleMask" => single(MaskScheme::Cycle, 8),
        other => return Err(format!("the library has no {other}")),
    };
    let input = <[i64; 3]>::try_from(case.input_shape.as_slice()).map_err(|_| "its input is no image".to_owned())?;
    let st_network = st_network(configuration)?;
    let preprocessing = Preprocessing::FlowsOod;
    let optimiser = match case.optimizer.as_str() {
        "Adam" => OptimiserKind::adam(case.lr),
        "RMSprop" => OptimiserKind::rms_prop(case.lr),
        other => return Err(format!("the library has no optimiser {other}")),
    };
    Ok(Supported { recipe: RealNvp { input, mask, scales, couplings, st_network, preprocessing }, nesting, optimiser })
}

fn st_network(configuration: &Configuration) -> Result<StNetwork, String> {
    match configuration.st_type.as_deref() {
        Some("resnet") => Ok(StNetwork::Resnet {
            width: configuration.mid_channels.expect("a resnet has a width"),
            blocks: configuration.num_blocks.expect("a resnet has blocks"),
            batch_norm: configuration.batch_norm.unwrap_or(true),
            skip: configuration.skip.unwrap_or(true),
        }),
        other => Err(format!("the library has no st-network {}", other.unwrap_or("without a name"))),
    }
}

impl Supported {
    pub fn build(&self, kind: Kind) -> Flow {
        self.recipe.build(0, kind, Device::Cpu).expect("the case's recipe is valid")
    }

    /// The reference's name of our tensor.
    pub fn reference_name(&self, name: &str) -> String {
        to_reference(self.nesting, &self.recipe, name).unwrap_or_else(|| panic!("{name} has no name in the reference"))
    }

    /// Loads `init/*`, all of it.
    pub fn load_initial(&self, flow: &Flow, case: &Case) {
        let names: Vec<String> = flow.parameters().state().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), case.names("init/").len(), "{}: some initial tensors have no place", case.name);
        let state: Vec<(String, Tensor)> = names
            .into_iter()
            .map(|name| {
                let tensor = case.tensor(&format!("init/{}", self.reference_name(&name)));
                (name, tensor)
            })
            .collect();
        flow.parameters().load(&state).expect("the initial state fits the model");
    }
}
