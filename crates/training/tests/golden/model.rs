//! From the reference's configuration of a case to our model and optimiser, and its weights under our names.

use std::collections::HashMap;

use architecture::flows_ood::{self, Counterpart};
use architecture::recipes::Body;
use architecture::{
    Architecture, Glow, InputShape, Mask, Order, Parity, PointwiseConvolution, Quadrant, RealNvp, SplitPrior, Squeeze,
    StNetwork, Tabular, Transform,
};
use flows::{Flow, MemoryOrder};
use tch::{Device, Kind, Tensor};
use training::optimiser::{Decayed, OptimiserKind};

use crate::case::{Case, Configuration};

/// The latent numbers that the fixed variants always pass, and the others by default (models.md 2.7 and 4.3).
const LATENT: i64 = 100;
/// The hidden channels by default (models.md 4.3).
const WIDTH: i64 = 64;

/// A case's model and how it is trained.
pub struct Model {
    architecture: Architecture,
    /// Our names to the reference's.
    names: HashMap<String, Counterpart>,
    /// Values of the case that the reference never uses.
    pub unused: i64,
    /// The rule that updates it.
    pub optimiser: OptimiserKind,
    /// What decays.
    pub decayed: Decayed,
}

impl Model {
    /// Reads the case's configuration; the error says what of it cannot be run.
    pub fn of(case: &Case) -> Result<Self, String> {
        let architecture = architecture(&case.config, &case.input_shape)?;
        let names = names(&architecture, case)?;
        let optimiser = match case.optimizer.as_str() {
            "Adam" => OptimiserKind::adam(case.lr),
            "RMSprop" => OptimiserKind::rms_prop(case.lr),
            "AdamW" => OptimiserKind::adam_w(case.lr),
            other => return Err(format!("the library has no optimiser {other}")),
        };
        let decayed = match case.weight_decay_on.as_deref() {
            Some("weight_g only") => Decayed::Gains,
            Some("all parameters") => Decayed::All,
            Some(other) => {
                return Err(format!("weight_decay_on is {other:?}: neither the gains alone nor all parameters"));
            }
            None if architecture.decays_gains_alone() => Decayed::Gains,
            None => Decayed::All,
        };
        let unused = case.names("init/").into_iter().filter(|name| is_unused(name, &case.config));
        let unused = unused.map(|name| case.tensor(&format!("init/{name}")).numel() as i64).sum();
        Ok(Self { architecture, names, unused, optimiser, decayed })
    }

    /// Builds the flow with the case's initial weights.
    pub fn load(&self, kind: Kind, order: MemoryOrder, case: &Case) -> Flow {
        let flow = Flow::build_in_order(&self.architecture, 0, kind, Device::Cpu, order);
        let flow = flow.expect("the architecture was checked");
        let state: Vec<(String, Tensor)> = self
            .architecture
            .tensors()
            .into_iter()
            .map(|tensor| {
                let values = match self.reference_name(&tensor.name) {
                    Some(name) => case.tensor(&format!("init/{name}")),
                    // Act norm counts as initialised.
                    None => Tensor::ones(&tensor.shape, (Kind::Int64, Device::Cpu)),
                };
                (tensor.name, values)
            })
            .collect();
        flow.parameters().load(&state).expect("names and shapes were compared with the case's");
        flow
    }

    /// The reference's name of our tensor, unless it does not save it.
    pub fn reference_name(&self, name: &str) -> Option<&str> {
        match self.names.get(name).expect("every tensor has a counterpart") {
            Counterpart::Named(name) => Some(name),
            Counterpart::Initialised => None,
        }
    }
}

/// The bottleneck of a `resnet_ae` of one block, which has no place between blocks (models.md 2.6).
fn is_unused(name: &str, configuration: &Configuration) -> bool {
    let of_one_block = configuration.st_type.as_deref() == Some("resnet_ae") && configuration.num_blocks == Some(1);
    of_one_block && name.contains(".bottleneck.")
}

/// The counterparts that fit the case's initial tensors name by name and shape by shape, none left over.
fn names(architecture: &Architecture, case: &Case) -> Result<HashMap<String, Counterpart>, String> {
    let candidates = flows_ood::counterparts(architecture).map_err(|error| error.to_string())?;
    let mut complaints = Vec::new();
    for candidate in candidates {
        match complaint(&candidate, case) {
            None => return Ok(candidate.into_iter().map(|(tensor, found)| (tensor.name, found)).collect()),
            Some(complaint) => complaints.push(complaint),
        }
    }
    Err(format!("its tensors are not those of the model that case.json describes: {}", complaints.join("; or ")))
}

fn complaint(candidate: &[(architecture::TensorShape, Counterpart)], case: &Case) -> Option<String> {
    let mut left: HashMap<&str, Vec<i64>> =
        case.names("init/").into_iter().map(|name| (name, case.tensor(&format!("init/{name}")).size())).collect();
    for (tensor, counterpart) in candidate {
        let Counterpart::Named(name) = counterpart else { continue };
        match left.remove(name.as_str()) {
            None => return Some(format!("init/{name}, our {}, is missing", tensor.name)),
            Some(shape) if shape != tensor.shape => {
                return Some(format!("init/{name} is {shape:?}, and our {} is {:?}", tensor.name, tensor.shape));
            }
            Some(_) => {}
        }
    }
    let mut left: Vec<&str> = left.into_keys().filter(|name| !is_unused(name, &case.config)).collect();
    left.sort_unstable();
    left.first().map(|name| format!("{} tensors have no place in ours, init/{name} first", left.len()))
}

/// The model that a configuration describes, for examples of these sizes; the error says what of it cannot be built.
pub fn architecture(configuration: &Configuration, sizes: &[i64]) -> Result<Architecture, String> {
    let size = |index: usize| u32::try_from(sizes[index]).map_err(|_| format!("{sizes:?} is no shape"));
    let input = match sizes.len() {
        1 => InputShape::Vector { features: size(0)? },
        3 => InputShape::Image { channels: size(0)?, height: size(1)?, width: size(2)? },
        _ => return Err(format!("{sizes:?} is neither an image [c, h, w] nor a vector [d]")),
    };
    let composed = match configuration.model.as_str() {
        "Glow" => glow(configuration, input)?.compose(),
        "RealNVPTabular" => tabular(configuration, input).compose(),
        _ => realnvp(configuration, input)?.compose(),
    };
    composed.map_err(|misfit| misfit.to_string())
}

fn realnvp(configuration: &Configuration, input: InputShape) -> Result<RealNvp, String> {
    let stack = |mask: fn(Order) -> Mask, count| (0..count).map(|at| mask(Order::of_position(at))).collect();
    let orders = [Order::Plain, Order::Reversed];
    let (body, network) = match configuration.model.as_str() {
        "RealNVP" => (Body::Scales(configuration.num_scales.unwrap_or(2)), st_network(configuration, "resnet")?),
        variant => {
            let masks = match variant.strip_prefix("RealNVP").unwrap_or(variant) {
                "Small" => stack(Mask::Checkerboard, 2),
                "8Layers" => stack(Mask::Checkerboard, 8),
                "MaskHorizontal" => stack(Mask::Horizontal, 8),
                "MaskHorizontal3Layers" => stack(Mask::Horizontal, 3),
                "MaskVertical" => stack(Mask::Vertical, 8),
                "CycleMask" => Mask::cycle(8),
                "OneCycleMask" => Mask::cycle(4),
                "ThreeCycleMask" => Mask::cycle(12),
                "DeepCycleMask" => Mask::cycle(16),
                "SmoothedCycleMask" => [vec![Mask::Checkerboard(Order::Reversed)], Mask::cycle(8)].concat(),
                "SubCycleMask" => [sub_cycle(2), Mask::cycle(4)].concat(),
                "CenterCycleCenter" => {
                    [vec![Mask::Center { margin: 4 }], Mask::cycle(4), vec![Mask::Center { margin: 4 }]].concat()
                }
                "NewMask" => [orders.map(Mask::Horizontal), orders.map(Mask::Vertical)].concat().repeat(2),
                "NewMask2" => orders.map(|order| [Mask::Horizontal(order), Mask::Vertical(order)]).concat().repeat(2),
                _ => return Err(format!("the library has no model {variant}")),
            };
            // These take num_scales, skip and latent_dim and ignore them.
            let ignoring = Configuration { skip: Some(true), latent_dim: Some(LATENT), ..configuration.clone() };
            (Body::Stack(masks), st_network(&ignoring, "resnet")?)
        }
    };
    Ok(RealNvp {
        input,
        parity: Parity::FlowsOod,
        body,
        network,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    })
}

fn sub_cycle(factor: u32) -> Vec<Mask> {
    Quadrant::CLOCKWISE.map(|seen| Mask::SubQuadrants { factor, seen, changed: seen.next() }).to_vec()
}

fn glow(configuration: &Configuration, input: InputShape) -> Result<Glow, String> {
    if configuration.actnorm_scale.is_some_and(|scale| scale != 1.0) {
        return Err(format!("the library's act norm has no scale but 1, not {:?}", configuration.actnorm_scale));
    }
    Ok(Glow {
        input,
        parity: Parity::FlowsOod,
        scales: configuration.num_scales.unwrap_or(2),
        steps: configuration.num_coupling_layers_per_scale.unwrap_or(8),
        multi_scale: configuration.multi_scale.unwrap_or(true),
        // The constructor's own default; the command line cannot select it.
        network: st_network(configuration, "glow_convnet")?,
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    })
}

fn tabular(configuration: &Configuration, input: InputShape) -> Tabular {
    let width = configuration.hidden_dim.or(configuration.mid_channels).unwrap_or(256);
    let layers = configuration.num_layers.or(configuration.num_blocks).unwrap_or(1);
    Tabular {
        input,
        parity: Parity::FlowsOod,
        couplings: configuration.num_coupling_layers.or(configuration.num_coupling_layers_per_scale).unwrap_or(8),
        network: StNetwork::Mlp { width, layers },
        transform: Transform::Affine,
    }
}

fn st_network(configuration: &Configuration, default: &str) -> Result<StNetwork, String> {
    let width = configuration.mid_channels.unwrap_or(WIDTH);
    let blocks = configuration.num_blocks.or(configuration.num_layers).unwrap_or(8);
    let latent = configuration.latent_dim.unwrap_or(LATENT);
    let (batch_norm, skip) = (configuration.batch_norm.unwrap_or(true), configuration.skip.unwrap_or(true));
    Ok(match configuration.st_type.as_deref().unwrap_or(default) {
        "resnet" => StNetwork::Resnet { width, blocks, batch_norm, skip },
        "resnet_ae" if blocks == 1 => StNetwork::Resnet { width, blocks, batch_norm, skip: false },
        "resnet_ae" => StNetwork::ResnetAutoencoder { width, blocks, latent, batch_norm },
        "highway" => StNetwork::Highway { width, blocks },
        "convnet" => StNetwork::Convnet { width, blocks },
        "glow_convnet" => StNetwork::GlowConvnet { width },
        "autoencoder" => StNetwork::Autoencoder { latent },
        "autoencoder_old" => StNetwork::AutoencoderOld { latent },
        other => return Err(format!("the library has no st-network {other}")),
    })
}
