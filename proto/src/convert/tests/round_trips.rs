//! What is sent arrives as it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    time::Duration,
};

use domain::{
    Digest, Epoch, ExperimentId, JobId, SessionId, SweepId, Timestamp,
    fleet::{DeviceKind, DeviceRequirement, Offer},
    job::FailureKind,
    lease::{Directive, LeaseTerms},
    report::{Completion, CurvePoint, Failure, Progress, Task, ValidationPoint},
    spec::{DatasetName, MaskScheme, ModelSpec, ParitySpec, SplitPriorSpec, SqueezeSpec, Workload},
    stopping::EarlyStopping,
    sweep::{ExecutionSpec, Expansion, SweepSpec},
};
use prost::Message;
use serde_json::{Value, json};
use uuid::Uuid;

use super::documents;
use crate::{
    convert::{FromWire, ToWire},
    v1,
};

fn arrives<T>(sent: &T)
where
    T: ToWire + FromWire<Wire = <T as ToWire>::Wire> + PartialEq + Debug,
{
    let received = T::from_wire(sent.to_wire(), "").unwrap_or_else(|refusal| panic!("{sent:?} is refused: {refusal}"));

    assert_eq!(&received, sent);
}

#[test]
fn every_experiment_arrives() {
    documents::experiments().iter().for_each(arrives);
    ParitySpec::ALL.iter().for_each(arrives);
}

#[test]
fn every_model_arrives_through_its_bytes() {
    for sent in documents::models() {
        arrives(&sent);
        let bytes = sent.to_wire().encode_to_vec();

        let received = ModelSpec::from_wire(v1::ModelSpec::decode(bytes.as_slice()).unwrap(), "").unwrap();

        assert_eq!(received, sent);
    }
    MaskScheme::ALL.iter().for_each(arrives);
    SqueezeSpec::ALL.iter().for_each(arrives);
    SplitPriorSpec::ALL.iter().for_each(arrives);
}

#[test]
fn models_of_old_clients_arrive_with_the_defaults_of_sweep_files() {
    let st_network = |kind| Some(v1::StNetworkSpec { kind: Some(kind) });
    let mlp = v1::st_network_spec::Kind::Mlp(v1::MlpSpec { width: 7, layers: 0 });
    let tabular = v1::TabularSpec { st_network: st_network(mlp), ..Default::default() };
    let highway = v1::st_network_spec::Kind::Highway(v1::HighwaySpec { width: 4, blocks: 2 });
    let glow = v1::GlowSpec { st_network: st_network(highway), ..Default::default() };
    let spline = v1::TransformSpec { kind: Some(v1::transform_spec::Kind::Spline(v1::SplineSpec::default())) };
    let centre = v1::CouplingMask { kind: Some(v1::coupling_mask::Kind::Centre(v1::CentreSpec::default())) };
    let plain = v1::CouplingMask { kind: Some(v1::coupling_mask::Kind::Vertical(0)) };
    let bottleneck = v1::ResnetAutoencoderSpec { width: 1, blocks: 2, latent: 3, ..Default::default() };
    let bottleneck = v1::st_network_spec::Kind::ResnetAutoencoder(bottleneck);
    let realnvp = v1::RealNvpSpec {
        masks: vec![centre, plain],
        st_network: st_network(bottleneck),
        transform: Some(spline),
        ..Default::default()
    };
    let cases = [
        (
            v1::model_spec::Architecture::Tabular(tabular),
            json!({"tabular": {"st_network": {"mlp": {"width": 7, "layers": 0}}}}),
        ),
        (
            v1::model_spec::Architecture::Glow(glow),
            json!({"glow": {"st_network": {"highway": {"width": 4, "blocks": 2}}}}),
        ),
        (
            v1::model_spec::Architecture::Realnvp(realnvp),
            json!({"realnvp": {
                "mask": ["centre", "vertical"], "transform": "spline",
                "st_network": {"resnet-autoencoder": {"width": 1, "blocks": 2, "latent": 3}},
            }}),
        ),
    ];
    for (architecture, document) in cases {
        let received = ModelSpec::from_wire(v1::ModelSpec { architecture: Some(architecture) }, "").unwrap();

        assert_eq!(received, serde_json::from_value(document).unwrap());
    }
}

#[test]
fn every_sweep_arrives_through_its_bytes() {
    for sent in documents::sweeps() {
        let bytes = sent.to_wire().encode_to_vec();

        let received = SweepSpec::from_wire(v1::SweepSpec::decode(bytes.as_slice()).unwrap(), "").unwrap();

        assert_eq!(received, sent);
        assert_eq!(received.fingerprint(), sent.fingerprint());
    }
}

#[test]
fn every_variant_of_a_sweep_arrives() {
    let mut sweep = documents::sweeps().swap_remove(0);
    sweep.expansion = serde_json::from_value(json!({"grid": {"axes": [
        {"field": "model.realnvp.mask", "values": ["checkerboard", "horizontal", "cycle"]},
    ]}}))
    .unwrap();

    let expanded = sweep.expand().unwrap();

    assert_eq!(expanded.variants.len(), 3);
    expanded.variants.iter().for_each(arrives);
}

#[test]
fn every_variant_says_what_training_it_takes() {
    let expanded = documents::sweeps()[0].expand().unwrap();
    let variant = &expanded.variants[0];

    let sent = variant.to_wire().workload.unwrap();

    let workload = variant.spec.workload("base").unwrap();
    assert_eq!(Workload::from_wire(sent, "workload"), Ok(workload));
    arrives(&Workload { examples_per_epoch: None, steps_per_epoch: None, epochs: None, ..workload });
    let infinite = v1::Workload { epochs: Some(f64::INFINITY), ..sent };
    assert!(Workload::from_wire(infinite, "workload").unwrap_err().to_string().starts_with("workload.epochs: inf"));
}

#[test]
fn every_device_requirement_arrives() {
    for device in [DeviceRequirement::Any, DeviceRequirement::Cpu, DeviceRequirement::Cuda] {
        let labels = BTreeSet::from(["a100".parse().unwrap()]);
        arrives(&ExecutionSpec {
            device,
            weight: 3,
            max_running: Some(4),
            memory_mib: 5,
            labels,
            preemptible: false,
            ..ExecutionSpec::default()
        });
    }
}

#[test]
fn every_identifier_arrives() {
    arrives(&SweepId(Uuid::from_u128(1)));
    arrives(&SessionId(Uuid::from_u128(u128::MAX)));
    [1, i64::MAX].map(ExperimentId).iter().for_each(arrives);
    [1, i64::MAX].map(JobId).iter().for_each(arrives);
    [0, i32::MAX].map(Epoch).iter().for_each(arrives);
    arrives(&Digest::of(b"bytes"));
    [i64::from(i32::MIN), -1, 0, 1, 999_999, 1_000_000, 1_753_000_000_123_456]
        .map(Timestamp::from_micros)
        .iter()
        .for_each(arrives);
}

#[test]
fn every_offer_and_lease_arrives() {
    for device in [DeviceKind::Cpu, DeviceKind::Cuda] {
        arrives(&Offer { device, memory_bytes: 0, labels: BTreeSet::new(), artifacts: Vec::new() });
        let labels = ["a100", "site=oslo"].map(|label| label.parse().unwrap()).into();
        arrives(&Offer { device, memory_bytes: 1 << 37, labels, artifacts: vec![Digest::of(b"flow")] });
    }
    arrives(&LeaseTerms::default());
    let brisk = LeaseTerms { ttl: Duration::from_millis(300), beat: Duration::from_millis(50), grace: Duration::ZERO };
    arrives(&brisk);
}

#[test]
fn every_assignment_arrives() {
    let checkpoint = documents::checkpoint();

    arrives(&documents::assignment(Task::Train { resume: vec![], checkpoint_secs: 30 }));
    arrives(&documents::assignment(Task::Train { resume: vec![checkpoint, checkpoint], checkpoint_secs: 1 }));
    for out in DatasetName::ALL {
        arrives(&documents::assignment(Task::Evaluate {
            checkpoint,
            out: out.into(),
            learned: documents::statistics(),
        }));
    }
    arrives(&documents::assignment(Task::Inspect { checkpoint }));
}

#[test]
fn every_directive_arrives() {
    arrives(&Directive::Abandon { job: JobId(5), epoch: Epoch(2) });
    arrives(&Directive::Preempt { job: JobId(6), epoch: Epoch(1) });
    arrives(&Directive::Drain);
    arrives(&Directive::SessionLost);
}

#[test]
fn every_report_arrives() {
    let progress = Progress {
        attempt: documents::attempt(),
        done: 5,
        total: 500,
        images_per_second: 312.5,
        bits_per_dim: Some(3.25),
    };
    arrives(&progress);
    arrives(&Progress { bits_per_dim: None, ..progress });
    arrives(&CurvePoint { step: 1, loss_nats: 1500.5, bits_per_dim: 2.75, gradient_norm: 0.0 });
    let point = ValidationPoint { step: 1, bits_per_dim: Some(2.75), auroc: Some(1.0) };
    arrives(&point);
    arrives(&ValidationPoint { bits_per_dim: None, auroc: None, ..point });
}

#[test]
fn every_completion_arrives() {
    let (checkpoint, provenance) = (documents::checkpoint(), documents::provenance());

    for statistics in [Vec::new(), documents::statistics()] {
        arrives(&Completion::Train { checkpoint, statistics, provenance: provenance.clone() });
    }
    for learned in [Vec::new(), documents::statistics()] {
        arrives(&Completion::Evaluate {
            measurements: documents::measurements(),
            statistics: documents::outside(),
            learned,
            provenance: provenance.clone(),
        });
    }
    arrives(&Completion::Inspect { figures: documents::figures(), provenance });
}

#[test]
fn every_failure_arrives() {
    for kind in FailureKind::ALL {
        arrives(&Failure { kind, message: "training diverged at step 12: ∞".to_owned() });
    }
}

#[test]
fn every_free_value_arrives() {
    let values = json!([
        null, true, false, 0, -7, 16, 9_007_199_254_740_992_i64, 0.5, -0.0, 1e300, 5e-324, "", "text",
        [], [1, [2.5, [null]]], {}, {"a": {"b": [1, "x"]}},
    ]);

    values.as_array().unwrap().iter().for_each(arrives);
    arrives(&BTreeMap::from([("training.steps".to_owned(), json!(5)), ("data".to_owned(), json!({}))]));
}

#[test]
fn whole_numbers_arrive_as_integers() {
    let received = Value::from_wire(json!(16.0).to_wire(), "").unwrap();

    assert_eq!(received, json!(16));
    assert!(received.is_i64());
}

#[test]
fn absent_fields_take_the_defaults_of_sweep_files() {
    let mut wire = documents::experiment().to_wire();
    wire.parity = 0;
    let Some(v1::model_spec::Architecture::Realnvp(realnvp)) = wire.model.as_mut().unwrap().architecture.as_mut()
    else {
        panic!("the model is a RealNVP")
    };
    (realnvp.transform, realnvp.squeeze, realnvp.split_prior) = (None, 0, 0);
    realnvp.st_network = Some(v1::StNetworkSpec {
        kind: Some(v1::st_network_spec::Kind::Resnet(v1::ResnetSpec { width: 16, blocks: 2, ..Default::default() })),
    });
    let training = wire.training.as_mut().unwrap();
    (training.weight_decay, training.gradient_clip_norm) = (None, None);
    (training.objective, training.schedule, training.accumulate, training.on_divergence) = (None, None, None, None);
    training.optimiser = Some(v1::OptimiserSpec {
        kind: Some(v1::optimiser_spec::Kind::Adam(v1::AdamSpec { learning_rate: 5e-4, ..Default::default() })),
    });
    let evaluation = wire.evaluation.as_mut().unwrap();
    evaluation.scores.clear();
    evaluation.noise_draws = None;

    let received = domain::spec::ExperimentSpec::from_wire(wire, "").unwrap();

    assert_eq!(received, documents::experiment(), "the same document, read by serde");
}

#[test]
fn absent_fields_of_an_inspection_take_the_defaults_of_sweep_files() {
    let received = domain::spec::InspectionSpec::from_wire(v1::InspectionSpec::default(), "").unwrap();

    assert_eq!(received, serde_json::from_value(json!({})).unwrap());
}

#[test]
fn absent_rmsprop_fields_take_the_defaults_of_sweep_files() {
    let kind = v1::optimiser_spec::Kind::Rmsprop(v1::RmsPropSpec { learning_rate: 0.5, ..Default::default() });
    let wire = v1::OptimiserSpec { kind: Some(kind) };

    let received = domain::spec::OptimiserSpec::from_wire(wire, "").unwrap();

    assert_eq!(received, serde_json::from_value(json!({"rmsprop": {"learning_rate": 0.5}})).unwrap());
}

#[test]
fn absent_fields_of_training_choices_take_the_defaults_of_sweep_files() {
    let restart = v1::divergence_policy::Kind::Restart(v1::RestartSpec::default());
    let cosine = v1::schedule_spec::Kind::WarmUpCosine(v1::WarmUpCosineSpec { warm_up_steps: 5, ..Default::default() });

    let policy = domain::spec::DivergencePolicy::from_wire(v1::DivergencePolicy { kind: Some(restart) }, "").unwrap();
    let schedule = domain::spec::ScheduleSpec::from_wire(v1::ScheduleSpec { kind: Some(cosine) }, "").unwrap();

    assert_eq!(policy, serde_json::from_value(json!({"restart": {}})).unwrap());
    assert_eq!(schedule, serde_json::from_value(json!({"warm-up-cosine": {"warm_up_steps": 5}})).unwrap());
}

#[test]
fn absent_expansion_and_execution_take_their_defaults() {
    let mut wire = documents::sweeps()[0].to_wire();
    (wire.expansion, wire.execution) = (None, None);

    let received = SweepSpec::from_wire(wire.clone(), "").unwrap();
    wire.execution = Some(v1::ExecutionSpec::default());
    let spelled_out = SweepSpec::from_wire(wire, "").unwrap();

    assert_eq!(received.expansion, Expansion::default());
    assert_eq!(received.execution, ExecutionSpec::default());
    assert_eq!(spelled_out.execution, ExecutionSpec::default());
}

#[test]
fn absent_fields_of_rules_take_the_defaults_of_sweep_files() {
    use v1::early_stopping::Kind;

    let wire = |kind| v1::EarlyStopping { kind: Some(kind) };
    let asha = v1::Asha { min_steps: 9, ..Default::default() };
    let median = v1::MedianRule { after_steps: 3, every_steps: 9, ..Default::default() };

    let received =
        [Kind::Asha(asha), Kind::Median(median)].map(|kind| EarlyStopping::from_wire(wire(kind), "").unwrap());

    let documents = [json!({"asha": {"min_steps": 9}}), json!({"median": {"after_steps": 3, "every_steps": 9}})];
    assert_eq!(received, documents.map(|document| serde_json::from_value(document).unwrap()));
}

#[test]
fn clip_norm_of_zero_means_no_clipping() {
    let mut unclipped = documents::experiment();
    unclipped.training.gradient_clip_norm = Some(0.0);

    let received = domain::spec::ExperimentSpec::from_wire(unclipped.to_wire(), "").unwrap();

    assert_eq!(received.training.gradient_clip_norm, None);
    assert_eq!(received.fingerprint(), unclipped.fingerprint());
}
