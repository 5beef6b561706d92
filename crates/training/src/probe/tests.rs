//! Gradients against finite differences, and Jacobians against the log-determinant, in double precision.

use datasets::DataDirectory;
use domain::spec::{ExperimentSpec, parse_document};
use flows::{Flow, Mode};
use serde_json::json;
use tch::{Device, Kind, Tensor, no_grad};

use super::gradients::{Fisher, Use, gradient_of};
use super::jacobian::local_shape;
use super::sample::{Example, Sample};

fn spec(model: serde_json::Value, dataset: &str, out: &str) -> ExperimentSpec {
    let document = json!({
        "model": model,
        "data": {"dataset": dataset, "train_images": 40},
        "training": {"steps": 4, "batch_size": 12, "optimiser": {"adam": {"learning_rate": 1e-3}}},
        "evaluation": {"out": [out], "images": 30},
    });
    parse_document(&document, "").unwrap()
}

fn tabular() -> (ExperimentSpec, Flow) {
    let model = json!({"tabular": {"couplings": 3, "st_network": {"mlp": {"width": 5, "layers": 1}}}});
    built(spec(model, "synthetic-clusters-0", "synthetic-clusters-1"))
}

fn images() -> (ExperimentSpec, Flow) {
    let model = json!({"realnvp": {"mask": "cycle", "st_network": {"resnet": {"width": 2, "blocks": 1}}}});
    built(spec(model, "synthetic-shapes", "synthetic-strokes"))
}

/// In double, with weights moved away from where most gradients are 0.
fn built(spec: ExperimentSpec) -> (ExperimentSpec, Flow) {
    let flow = Flow::build(&spec.architecture("model").unwrap(), 3, Kind::Double, Device::Cpu).unwrap();
    no_grad(|| {
        for (place, parameter) in flow.parameters().parameters().iter().enumerate() {
            let count = parameter.tensor.numel() as i64;
            let wave = (Tensor::arange(count, (Kind::Double, Device::Cpu)) + place as i64).sin() * 0.2;
            let mut tensor = parameter.tensor.shallow_clone();
            let _ = tensor.g_add_(&wave.view_as(&parameter.tensor));
        }
    });
    (spec, flow)
}

fn examples(spec: &ExperimentSpec, flow: &Flow, count: u32) -> Vec<Example> {
    let data = DataDirectory::at("no folder is needed");
    let scaling = datasets::scaling_of(&data, &spec.data.dataset).unwrap();
    let sample = Sample::of_test(&data, &spec.data.dataset, count, &scaling, 5).unwrap();
    let double = |tensor: Tensor| tensor.to_kind(Kind::Double);
    (0..sample.len())
        .map(|index| sample.get(index, flow))
        .map(|one| Example { values: double(one.values), noise: one.noise.map(double) })
        .collect()
}

fn log_likelihood(flow: &Flow, example: &Example) -> f64 {
    let found = no_grad(|| flow.log_likelihood(&example.values, example.noise.as_ref(), Mode::Evaluate));
    found.total.double_value(&[0])
}

#[test]
fn squared_norms_are_those_of_finite_differences() {
    let (spec, flow) = tabular();
    let example = &examples(&spec, &flow, 2)[1];

    let found = gradient_of(&flow, example, Use::Norms);

    assert!((found.log_likelihood - log_likelihood(&flow, example)).abs() < 1e-9);
    assert_eq!(found.squared_norms.len(), flow.parameters().parameters().len());
    let step = 1e-5;
    let mut moved = 0;
    for (parameter, squared_norm) in flow.parameters().parameters().iter().zip(&found.squared_norms) {
        let flat = parameter.tensor.detach().view([-1]);
        let mut sum = 0.0;
        for place in 0..flat.size()[0] {
            let original = flat.double_value(&[place]);
            let at = |value: f64| {
                let _ = no_grad(|| flat.get(place).fill_(value));
                log_likelihood(&flow, example)
            };
            let slope = (at(original + step) - at(original - step)) / (2.0 * step);
            let _ = no_grad(|| flat.get(place).fill_(original));
            sum += slope * slope;
        }
        let tolerance = 1e-6 * (1.0 + sum);
        assert!((sum - squared_norm).abs() < tolerance, "{}: {squared_norm} where {sum} is right", parameter.name);
        moved += usize::from(sum > 1e-6);
    }
    assert!(moved > 5, "{moved} tensors have a gradient: the comparison is of zeros");
}

#[test]
fn statistic_of_the_examples_that_made_the_information_is_the_number_of_parameters_on_average() {
    let (spec, flow) = tabular();
    let examples = examples(&spec, &flow, 12);
    let mut fisher = Fisher::of_no_example(&flow);
    for example in &examples {
        assert_eq!(gradient_of(&flow, example, Use::Collect(&mut fisher)).statistic, None);
    }

    let statistics: Vec<f64> =
        examples.iter().map(|example| gradient_of(&flow, example, Use::Measure(&fisher)).statistic.unwrap()).collect();

    // (1/n) Σₖ Σᵢ gₖᵢ² / Fᵢ with Fᵢ = (1/n) Σₖ gₖᵢ² counts the parameters whose gradient is not always 0.
    let mean = statistics.iter().sum::<f64>() / statistics.len() as f64;
    assert!((mean - mean.round()).abs() < 1e-6, "{mean}");
    assert!(mean > 20.0 && mean <= flow.parameters().count() as f64, "{mean}");
    assert!(statistics.iter().all(|one| *one <= 12.0 * mean && *one > 0.0), "{statistics:?}");
}

#[test]
fn singular_values_multiply_to_the_determinant_and_coordinates_keep_the_latent_s_length() {
    for (spec, flow) in [tabular(), images()] {
        let example = &examples(&spec, &flow, 2)[1];

        let found = local_shape(&flow, example);

        let encoded = no_grad(|| flow.encode(&example.values, example.noise.as_ref(), Mode::Evaluate));
        let log_det = encoded.log_det.double_value(&[0]);
        let sum: f64 = found.singular_values.iter().map(|value| value.ln()).sum();
        assert!((sum + log_det).abs() < 1e-6 * log_det.abs().max(1.0), "{sum} and {log_det}");
        let length = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
        let latent = Vec::<f64>::try_from(encoded.output.reshape([-1])).unwrap();
        assert!((length(&found.latent_coordinates) - length(&latent)).abs() < 1e-8);
        assert_eq!(found.singular_values.len(), latent.len());
        assert!((found.log_likelihood - log_likelihood(&flow, example)).abs() < 1e-9);
    }
}

#[test]
fn jacobian_is_that_of_finite_differences() {
    let (spec, flow) = tabular();
    let example = &examples(&spec, &flow, 1)[0];
    let encode = |values: &Tensor| no_grad(|| flow.encode(values, None, Mode::Evaluate).output);
    let (dimensions, step) = (flow.dimensions(), 1e-6);
    let columns: Vec<Tensor> = (0..dimensions)
        .map(|place| {
            let moved = |by: f64| {
                let values = example.values.copy();
                let _ = values.get(0).get(place).g_add_scalar_(by);
                encode(&values)
            };
            (moved(step) - moved(-step)) / (2.0 * step)
        })
        .collect();
    let (_, stretches, _) = Tensor::cat(&columns, 0).svd(true, true);

    let found = local_shape(&flow, example);

    let expected = Vec::<f64>::try_from(stretches.reciprocal()).unwrap();
    for (found, expected) in found.singular_values.iter().zip(&expected) {
        assert!((found / expected - 1.0).abs() < 1e-5, "{found} where {expected} is right");
    }
}
