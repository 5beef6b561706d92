//! The fill rule and the inputs of the deterministic checks (reference section 8.2).

use flows::Flow;
use tch::{Device, Kind, Tensor};

/// Overwrites every tensor with the rule for its name: functions of the flat index `k = 1, 2, ...`.
pub fn fill(flow: &Flow) {
    // The tensors are small: threads would only wait for each other.
    tch::set_num_threads(1);
    let state: Vec<(String, Tensor)> =
        flow.parameters().state().into_iter().map(|(name, tensor)| (name.clone(), filled(&name, &tensor))).collect();
    flow.parameters().load(&state).expect("the state has the model's own names and shapes");
}

fn filled(name: &str, tensor: &Tensor) -> Tensor {
    let shape = tensor.size();
    let count: i64 = shape.iter().product();
    let k = Tensor::arange_start(1, count + 1, (Kind::Double, Device::Cpu));
    let leaf = name.rsplit('.').next().unwrap_or(name);
    let values = match leaf {
        "gain" => k.sin() * 0.1 + 0.5,
        "direction" | "running_mean" => k.sin() * 0.1,
        "bias" | "shift" => k.cos() * 0.1,
        "scale" => k.sin() * 0.1 + 1.0,
        "running_variance" => k.sin().square() * 0.5 + 1.0,
        "batches" => k * 0.0,
        other => panic!("no fill rule for {other}"),
    };
    values.reshape(&shape)
}

/// Two images of the given shape and their noise, in double precision.
pub fn inputs(shape: [i64; 3]) -> (Tensor, Tensor) {
    let count = 2 * shape.iter().product::<i64>();
    let images: Vec<f64> = (0..count).map(|n| ((37 * n + 11) % 256) as f64 / 255.0).collect();
    let noise: Vec<f64> = (0..count).map(|n| ((29 * n + 7) % 101) as f64 / 101.0).collect();
    let size = [2, shape[0], shape[1], shape[2]];
    (Tensor::from_slice(&images).view(size), Tensor::from_slice(&noise).view(size))
}
