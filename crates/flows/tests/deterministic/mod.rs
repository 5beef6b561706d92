//! The fill rule and the inputs of the deterministic checks (models.md 8.2).

use architecture::{InputShape, Part, PartKind, TensorShape};
use flows::Flow;
use flows::parameters::ParameterStore;
use tch::{Device, Kind, Tensor};

/// Overwrites every tensor of a flow with the rule for it.
pub fn fill(flow: &Flow) {
    fill_parts(flow.parameters(), flow.architecture().parts());
}

/// Overwrites every tensor of a store, which is made of these parts, with the rule for it: a function of the flat index
/// `k = 1, 2, ...`.
pub fn fill_parts(store: &ParameterStore, parts: impl Iterator<Item = Part>) {
    // The tensors are small: threads would only wait for each other.
    tch::set_num_threads(1);
    let tensors = parts.flat_map(|part| {
        let tensors = part.tensors();
        tensors.into_iter().map(move |tensor| (tensor.name.clone(), filled(&part.kind, &tensor)))
    });
    store.load(&tensors.collect::<Vec<_>>()).expect("the parts have the model's own names and shapes");
}

fn filled(kind: &PartKind, tensor: &TensorShape) -> Tensor {
    let count: i64 = tensor.shape.iter().product();
    let k = Tensor::arange_start(1, count + 1, (Kind::Double, Device::Cpu));
    let leaf = tensor.name.rsplit('.').next().unwrap_or(&tensor.name);
    let values = match (kind, leaf) {
        (PartKind::BatchNorm { .. }, "scale") => k.sin() * 0.1 + 1.0,
        (PartKind::BatchNorm { .. }, "running_variance") => k.sin().square() * 0.5 + 1.0,
        (PartKind::BatchNorm { .. }, "batches") => k * 0.0,
        (PartKind::ActNorm { .. }, "initialised") => k,
        (PartKind::ChannelMatrix { channels }, "weight") => {
            Tensor::eye(*channels, (Kind::Double, Device::Cpu)).view([-1]) + k.sin() * 0.1
        }
        (_, "gain") => k.sin() * 0.1 + 0.5,
        (_, "direction" | "weight" | "running_mean" | "log_scale") => k.sin() * 0.1,
        (_, "bias" | "shift") => k.cos() * 0.1,
        (kind, leaf) => panic!("no fill rule for {leaf} of {kind:?}"),
    };
    values.reshape(&tensor.shape)
}

/// Two examples of the given shape and, for images, their noise, in double precision.
pub fn inputs(shape: InputShape) -> (Tensor, Option<Tensor>) {
    let sizes = [vec![2], shape.sizes()].concat();
    let count = 2 * shape.dimensions();
    let values: Vec<f64> = (0..count).map(|n| ((37 * n + 11) % 256) as f64 / 255.0).collect();
    let values = Tensor::from_slice(&values).view(sizes.as_slice());
    match shape {
        InputShape::Vector { .. } => (values * 4.0 - 2.0, None),
        InputShape::Image { .. } => {
            let noise: Vec<f64> = (0..count).map(|n| ((29 * n + 7) % 101) as f64 / 101.0).collect();
            (values, Some(Tensor::from_slice(&noise).view(sizes.as_slice())))
        }
    }
}
