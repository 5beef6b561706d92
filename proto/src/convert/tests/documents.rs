//! Documents that use every choice and every field.

use domain::{
    Digest, Epoch, ExperimentId, JobId, SweepId,
    figure::{Figure, MediaType},
    report::{
        Assignment, Attempt, CheckpointRef, Interval, Measurement, Metric, Provenance, Split, StatisticsRef, Task,
    },
    spec::{DatasetName, ExperimentSpec, MaskScheme, ModelSpec, ScoreName},
    sweep::SweepSpec,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) fn base() -> Value {
    json!({
        "model": {"realnvp": {"mask": "checkerboard", "st_network": {"resnet": {"width": 16, "blocks": 2}}}},
        "data": {"dataset": "fashion-mnist"},
        "training": {"steps": 500, "batch_size": 32, "optimiser": {"adam": {"learning_rate": 5e-4}}},
        "evaluation": {"out": ["mnist"]},
    })
}

/// Models that use every choice and every field of a model.
pub(super) fn models() -> Vec<ModelSpec> {
    let resnet = json!({"resnet": {"width": 3, "blocks": 5, "batch_norm": false, "skip": false}});
    let highway = json!({"highway": {"width": 4, "blocks": 2}});
    let mut documents = vec![
        json!({"realnvp": {"mask": "checkerboard", "scales": 3, "squeeze": "haar", "split_prior": "learned", "st_network": resnet}}),
        json!({"realnvp": {"st_network": highway, "transform": "additive", "mask": [
            "checkerboard", "checkerboard-reversed", "horizontal", "horizontal-reversed", "vertical", "vertical-reversed",
            [2, 0], {"sub-quadrant": {"factor": 7, "from": 3, "to": 1}}, {"centre": {"margin": 2}},
        ]}}),
        json!({"glow": {"st_network": highway}}),
        json!({"glow": {
            "scales": 3, "steps": 5, "multi_scale": false, "convolution": {"householder": {"reflections": 9}},
            "transform": {"spline": {"bins": 5, "bound": 1.5}}, "squeeze": "haar", "st_network": highway,
        }}),
        json!({"glow": {"convolution": "lu", "split_prior": "learned", "st_network": highway}}),
        json!({"glow": {"convolution": "householder", "st_network": highway}}),
        json!({"tabular": {"st_network": {"mlp": {"width": 7, "layers": 0}}}}),
        json!({"tabular": {"couplings": 3, "transform": "spline", "st_network": {"mlp": {"width": 7, "layers": 2}}}}),
    ];
    for scheme in MaskScheme::ALL {
        documents.push(json!({"realnvp": {"mask": scheme, "couplings": 5, "scales": 1, "st_network": resnet}}));
    }
    for st_network in [
        json!({"convnet": {"width": 1, "blocks": 2}}),
        json!({"glow-convnet": {"width": 3}}),
        json!({"autoencoder": {"latent": 4}}),
        json!({"autoencoder-old": {"latent": 5}}),
        json!({"resnet-autoencoder": {"width": 6, "blocks": 7, "latent": 8, "batch_norm": false}}),
    ] {
        documents.push(json!({"realnvp": {"mask": "cycle", "st_network": st_network}}));
    }
    documents.into_iter().map(|document| serde_json::from_value(document).unwrap()).collect()
}

/// Nothing in it is a default.
fn unusual(mask: &str) -> Value {
    json!({
        "model": {"realnvp": {
            "mask": mask, "scales": 1, "couplings": 6,
            "st_network": {"resnet": {"width": 3, "blocks": 5, "batch_norm": false, "skip": false}},
        }},
        "data": {"dataset": "synthetic-shapes", "train_images": 1000},
        "training": {
            "steps": 7, "batch_size": 4, "weight_decay": 0.125, "gradient_clip_norm": 2.5,
            "optimiser": {"rmsprop": {"learning_rate": 1e-3, "alpha": 0.75, "epsilon": 1e-4}},
        },
        "evaluation": {"out": ["synthetic-strokes", "constant"], "images": 100, "scores": ["log-likelihood"]},
        "parity": "flows-ood",
        "inspection": {
            "datasets": ["constant", "synthetic-shapes"], "images": [4, 0], "draws": 3, "samples": 16,
            "parts": ["samples", "latents"],
        },
    })
}

/// Every choice of the training section, with its fields at their defaults and at none.
fn objectives() -> Vec<Value> {
    let changes = [
        json!({"objective": {"negative": {"out": "mnist"}}, "decay": "gains"}),
        json!({"objective": {"negative": {
            "out": "mnist", "out_images": 9, "out_batch_size": 3, "threshold_nats": -12.5,
        }}, "decay": "all"}),
        json!({"schedule": {"flows-ood-anneal": {}}, "accumulate": 4}),
        json!({"schedule": {"flows-ood-anneal": {"steps_per_epoch": 3}}, "on_divergence": {"restart": {}}}),
        json!({"schedule": {"warm-up-cosine": {"warm_up_steps": 2, "final_fraction": 0.25}}}),
        json!({"on_divergence": {"restart": {
            "at_most": 1, "learning_rate_factor": 0.25, "checkpoint_steps": 7, "loss_limit_nats": 1e5,
        }}}),
        json!({"validation": {"every_steps": 5, "examples": 9}}),
        json!({"validation": {"every_steps": 5, "examples": 9, "out": "mnist"}}),
        json!({"optimiser": {"adamw": {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.25, "epsilon": 1e-3}}}),
    ];
    let changed = |change: Value| {
        let mut document = base();
        document["training"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        document
    };
    changes.into_iter().map(changed).collect()
}

pub(super) fn experiment() -> ExperimentSpec {
    serde_json::from_value(base()).unwrap()
}

pub(super) fn experiments() -> Vec<ExperimentSpec> {
    let mut documents = vec![base(), unusual("checkerboard"), unusual("horizontal"), unusual("cycle")];
    let mut unclipped = base();
    unclipped["training"]["gradient_clip_norm"] = Value::Null;
    unclipped["training"]["optimiser"]["adam"] =
        json!({"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.25, "epsilon": 1e-3});
    documents.push(unclipped);
    documents.extend(objectives());
    let mut inspected = base();
    inspected["inspection"] = json!({});
    documents.push(inspected);
    documents.into_iter().map(|document| serde_json::from_value(document).unwrap()).collect()
}

pub(super) fn sweeps() -> Vec<SweepSpec> {
    let axes = json!([
        {"field": "model.realnvp.mask", "values": ["checkerboard", "cycle"]},
        {"field": "model.realnvp.st_network.resnet.width", "values": [16, 32]},
        {"field": "training.weight_decay", "values": [0.5, 5e-5, -1.5]},
        {"field": "training.gradient_clip_norm", "values": [null, 10]},
        {"field": "training.optimiser", "values": [{"adam": {"learning_rate": 0.5, "list": [1, [true, {}]]}}]},
    ]);
    let expansions = [
        json!({"grid": {"axes": []}}),
        json!({"grid": {"axes": axes}}),
        json!({"list": {"points": [{"model.realnvp.mask": "cycle", "training.steps": 9_007_199_254_740_992_i64}, {}]}}),
        json!({"random": {"axes": axes, "draws": 3, "seed": u64::MAX}}),
        json!({"sobol": {"axes": [
            {"field": "training.steps", "range": {"low": 1, "high": 9, "integer": true}},
            {"field": "training.weight_decay", "range": {"low": 1e-7, "high": 0.5, "scale": "log"}},
            {"field": "model.realnvp.mask", "values": ["checkerboard", "cycle"]},
        ], "draws": 3, "seed": 1}}),
    ];
    let plain = json!({"name": "plain", "seeds": [0], "base": base()});
    let varied = expansions.into_iter().map(|expansion| {
        json!({
            "name": "masks-2", "description": "free text, ünïcode", "seeds": [0, 1, i64::MAX], "base": unusual("cycle"),
            "expansion": expansion,
            "execution": {
                "priority": 7, "checkpoint_secs": 11, "device": "cuda", "max_failures": 1,
                "max_infrastructure_failures": 1000, "max_crashes": 100,
            },
        })
    });
    let ruled = [
        json!({"early_stopping": {"asha": {"min_steps": 9}}, "budget": {"experiments": 7}}),
        json!({"early_stopping": {"asha": {"metric": "auroc", "min_steps": 9, "reduction_factor": 4}}}),
        json!({"early_stopping": {"median": {"after_steps": 3, "every_steps": 9}}, "budget": {"device_hours": 0.5}}),
        json!({"early_stopping": {"median": {
            "metric": "auroc", "after_steps": 3, "every_steps": 9, "min_experiments": 7,
        }}, "budget": {"experiments": 1, "device_hours": 1e6}}),
    ];
    let ruled = ruled.into_iter().map(|mut document| {
        document.as_object_mut().unwrap().extend(plain.as_object().unwrap().clone());
        document
    });
    let ruled: Vec<Value> = ruled.collect();
    std::iter::once(plain)
        .chain(varied)
        .chain(ruled)
        .map(|document| serde_json::from_value(document).unwrap())
        .collect()
}

pub(super) fn attempt() -> Attempt {
    Attempt { job: JobId(i64::MAX), epoch: Epoch(3) }
}

pub(super) fn checkpoint() -> CheckpointRef {
    CheckpointRef { digest: Digest::of(b"weights"), step: 500 }
}

pub(super) fn assignment(task: Task) -> Assignment {
    Assignment {
        attempt: attempt(),
        sweep: SweepId(Uuid::from_u128(7)),
        experiment: ExperimentId(1),
        spec: experiment(),
        seed: 42,
        task,
    }
}

pub(super) fn provenance() -> Provenance {
    Provenance {
        worker_version: "0.1.0".to_owned(),
        device: "cpu".to_owned(),
        threads: 2,
        precision: "float32".to_owned(),
        noise_draws: 1,
    }
}

/// Statistics of both splits of one dataset.
pub(super) fn statistics() -> Vec<StatisticsRef> {
    let of = |split| StatisticsRef {
        dataset: DatasetName::FashionMnist.into(),
        split,
        images: 10_000,
        noise_draws: 3,
        digest: Digest::of(b"rows"),
    };
    Split::ALL.map(of).to_vec()
}

/// Statistics of the OOD side.
pub(super) fn outside() -> StatisticsRef {
    StatisticsRef { dataset: DatasetName::Mnist.into(), images: 1, ..statistics().swap_remove(1) }
}

/// Two figures.
pub(super) fn figures() -> Vec<Figure> {
    let figure = |name: &str| Figure {
        name: name.parse().unwrap(),
        caption: "What it shows, ±3".to_owned(),
        digest: Digest::of(name.as_bytes()),
        media_type: MediaType::Png,
        width: 1,
        height: 100_000,
    };
    ["contact-sheet.png", "scale-and-shift-mnist-4.png"].map(figure).to_vec()
}

/// One measurement for each metric, in turn with and without dataset, value and interval.
pub(super) fn measurements() -> Vec<Measurement> {
    let measurement = |(index, metric)| Measurement {
        score: ScoreName::LogLikelihood,
        metric,
        dataset: (index % 2 == 1).then_some(DatasetName::Mnist.into()),
        value: (index % 3 != 2).then_some(0.25),
        interval: (index == 0).then(|| Interval { low: 0.125, high: 0.375, method: "delong".to_owned() }),
        n_in: 10_000,
        n_out: 0,
    };
    Metric::ALL.into_iter().enumerate().map(measurement).collect()
}
