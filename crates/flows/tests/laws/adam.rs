//! The few lines of Adam that the laws after training need: the optimisers of this project live above this crate.

use flows::parameters::Role;
use flows::{Flow, Mode};
use tch::{Kind, Tensor, no_grad};

/// Takes `steps` steps of Adam (Kingma and Ba 2015, algorithm 1) on the mean negative log-likelihood of batches; gives the
/// loss per dimension in nats before the first and at the last step.
pub fn train(flow: &Flow, learning_rate: f64, steps: i32, batch: impl Fn(i32) -> (Tensor, Option<Tensor>)) -> [f64; 2] {
    let parameters = flow.parameters();
    // The flat buffer holds gains before weights.
    let of = |role| parameters.parameters().iter().filter(move |parameter| parameter.role == role);
    let leaves: Vec<&Tensor> = of(Role::Gain).chain(of(Role::Weight)).map(|parameter| &parameter.tensor).collect();
    let mut values = parameters.flat_all();
    let (mut mean, mut square) = (values.zeros_like(), values.zeros_like());
    let mut losses = [f64::NAN; 2];
    for step in 1..=steps {
        let (x, noise) = batch(step);
        let total = flow.log_likelihood(&x, noise.as_ref(), Mode::Train).total;
        let loss = -total.mean(parameters.kind()) / flow.dimensions() as f64;
        let gradients = Tensor::run_backward(&[&loss], &leaves, false, false);
        no_grad(|| {
            let gradients: Vec<Tensor> = gradients.iter().map(|gradient| gradient.flatten(0, -1)).collect();
            let gradient = Tensor::cat(&gradients, 0);
            mean = &mean * 0.9 + &gradient * 0.1;
            square = &square * 0.999 + gradient.square() * 0.001;
            let root = (&square / (1.0 - 0.999_f64.powi(step))).sqrt() + 1e-8;
            values -= &mean / (1.0 - 0.9_f64.powi(step)) * learning_rate / root;
        });
        losses[usize::from(step > 1)] = loss.to_kind(Kind::Double).double_value(&[]);
    }
    losses
}

/// Images with structure, on the grid of grey levels: a bright disc whose place and size change, on a slope of grey;
/// `[count, c, h, w]` in the kind of the flow.
pub fn discs(flow: &Flow, count: i64, start: i64) -> Tensor {
    let size = flow.input().sizes();
    let [channels, height, width] = [size[0], size[1], size[2]];
    let mut values = Vec::new();
    for image in start..start + count {
        let phase = image as f64 * 0.618_033_988_749_895;
        let (row, column) = (phase.fract(), (phase * 1.7).fract());
        let radius = 0.15 + 0.2 * (phase * 2.9).fract();
        for channel in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    let (v, u) = ((y as f64 + 0.5) / height as f64, (x as f64 + 0.5) / width as f64);
                    let inside = (v - row).hypot(u - column) < radius;
                    let grey = if inside { 0.9 - 0.1 * channel as f64 } else { 0.3 * v };
                    values.push((grey * 255.0).floor() / 255.0);
                }
            }
        }
    }
    Tensor::from_slice(&values).view([count, channels, height, width]).to_kind(flow.parameters().kind())
}
