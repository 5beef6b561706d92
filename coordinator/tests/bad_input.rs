//! What no worker should send: numbers that are none, text that the database cannot hold, jobs and epochs that do not exist, and lies about
//! what the worker is. Each is refused with the field's name, and changes nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use bytes::{Buf, BufMut, Bytes};
use domain::Digest;
use http::uri::PathAndQuery;
use proto::{
    convert::{ToWire, violations_of},
    v1,
};
use scene::{Running, Scene, Worker, code, evaluated, inspected, inspected_sweep, offer, sweep_spec, trained};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// The fields that a refusal names.
fn fields_of<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let refusal = answer.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal}");
    let violations = violations_of(&refusal).unwrap();
    violations.iter().map(|violation| violation.field.clone()).collect()
}

/// A coordinator, and a worker that runs a train job.
async fn training(scene: &Scene, name: &str) -> (Running, Worker, v1::Attempt) {
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec(name, &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;
    (coordinator, worker, attempt)
}

const NO_NUMBERS: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

#[tokio::test]
async fn points_and_progress_that_are_no_numbers_are_refused() {
    let scene = Scene::new();
    let (coordinator, mut worker, attempt) = training(&scene, "numbers").await;
    for number in NO_NUMBERS {
        let point = v1::CurvePoint { step: 1, loss_nats: number, bits_per_dim: number, gradient_norm: number };
        let good = v1::CurvePoint { step: 2, loss_nats: 1.0, bits_per_dim: 1.0, gradient_norm: 1.0 };
        let request = v1::ReportRequest {
            attempt: Some(attempt),
            curve: vec![good, point],
            checkpoint: None,
            ..v1::ReportRequest::default()
        };

        let fields = fields_of(worker.client.report(request).await);
        assert_eq!(fields, ["curve[1].loss_nats", "curve[1].bits_per_dim", "curve[1].gradient_norm"]);

        let progress = v1::Progress {
            attempt: Some(attempt),
            done: u64::MAX,
            total: 1,
            images_per_second: number,
            bits_per_dim: Some(number),
        };
        let request = v1::HeartbeatRequest { session_id: worker.session.clone(), progress: vec![progress] };
        let fields = fields_of(worker.client.heartbeat(request).await);
        assert_eq!(fields, ["progress[0].done", "progress[0].images_per_second", "progress[0].bits_per_dim"]);
    }

    let request = v1::TrainingCurveRequest { experiment_id: 1 };
    let curve = coordinator.results().training_curve(request).await.unwrap().into_inner();
    assert!(curve.points.is_empty(), "the good point beside a bad one is not kept either: {curve:?}");
    assert_eq!(coordinator.states("numbers").await, ["running", "blocked"]);
    worker.report(attempt, &[1], None).await.unwrap();
}

#[tokio::test]
async fn measurements_that_are_no_numbers_are_refused_and_the_job_can_still_end() {
    let scene = Scene::new();
    let (coordinator, mut worker, attempt) = training(&scene, "measured").await;
    let weights = coordinator.put(b"weights").await;
    worker.complete(attempt, trained(weights, 10)).await.unwrap();
    let attempt = worker.attempt().await;
    for number in NO_NUMBERS {
        let refusal = fields_of(worker.complete(attempt, evaluated(weights, number)).await);
        assert!(refusal.iter().all(|field| field.starts_with("evaluate.measurements[0].")), "{refusal:?}");
        assert!(refusal.contains(&"evaluate.measurements[0].value".to_owned()), "{refusal:?}");
    }
    // An area above 1 is none.
    assert_eq!(fields_of(worker.complete(attempt, evaluated(weights, 1.5)).await)[0], "evaluate.measurements[0].value");

    assert!(!worker.complete(attempt, evaluated(weights, 0.5)).await.unwrap());
    assert_eq!(coordinator.states("measured").await, ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn text_that_the_database_cannot_hold_is_refused_or_made_fit() {
    let scene = Scene::new();
    let (coordinator, mut worker, attempt) = training(&scene, "texts").await;
    let mut other = coordinator.worker();
    for name in ["", "nul\0", &"x".repeat(201)] {
        let request = v1::OpenSessionRequest {
            session_id: other.session.clone(),
            worker_name: name.to_owned(),
            worker_version: name.to_owned(),
            offer: Some(offer()),
        };
        assert_eq!(fields_of(other.client.open_session(request).await), ["worker_name", "worker_version"], "{name:?}");
    }
    for device in ["", "tpu", "cpu\0"] {
        let request = v1::OpenSessionRequest {
            session_id: other.session.clone(),
            worker_name: "w".to_owned(),
            worker_version: "v".to_owned(),
            offer: Some(v1::Offer { device: device.to_owned(), memory_bytes: u64::MAX, ..offer() }),
        };
        assert_eq!(fields_of(other.client.open_session(request).await), ["offer.device", "offer.memory_bytes"]);
    }
    let weights = coordinator.put(b"weights").await;
    for text in ["nul\0", &"x".repeat(1 << 20)] {
        let v1::complete_request::Result::Train(mut result) = trained(weights, 10) else { unreachable!() };
        result.provenance.as_mut().unwrap().precision = text.to_owned();
        let refusal = fields_of(worker.complete(attempt, v1::complete_request::Result::Train(result)).await);
        assert_eq!(refusal, ["train.provenance.precision"]);
        let cancel =
            v1::CancelRequest { sweep: "texts".to_owned(), reason: text.to_owned(), ..v1::CancelRequest::default() };
        assert_eq!(fields_of(coordinator.sweeps().cancel(cancel).await), ["reason"]);
        let list = v1::ListJobsRequest { sweep: "texts".to_owned(), state: text.to_owned(), limit: 1 };
        assert_eq!(fields_of(coordinator.results().list_jobs(list).await), ["state"]);
        let get = v1::GetSweepRequest { sweep: text.to_owned() };
        let refusal = coordinator.sweeps().get(get).await.unwrap_err();
        assert!([Code::NotFound, Code::InvalidArgument].contains(&refusal.code()), "{refusal}");
    }

    // A failure's message is never refused: it may be all that is left of a process that died.
    worker.fail(attempt, &format!("nul\0 {}", "y".repeat(1 << 20))).await.unwrap();

    assert_eq!(coordinator.states("texts").await, ["ready", "blocked"]);
}

#[tokio::test]
async fn figures_with_impossible_names_and_sizes_are_refused() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&inspected_sweep("drawn", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;
    let weights = coordinator.put(b"weights").await;
    worker.complete(attempt, trained(weights, 10)).await.unwrap();
    let attempt = loop {
        let assignment = worker.claim(30_000).await.unwrap().unwrap();
        if matches!(assignment.task, Some(v1::assignment::Task::Inspect(_))) {
            break assignment.attempt.unwrap();
        }
    };
    for name in ["../../etc/passwd", "nul\0.png", "", "UPPER.png", &format!("{}.png", "x".repeat(300))] {
        let refusal = fields_of(worker.complete(attempt, inspected(&[(name, weights)])).await);
        assert!(refusal[0].starts_with("inspect.figures[0]."), "{name:?}: {refusal:?}");
    }

    assert!(!worker.complete(attempt, inspected(&[("samples.png", weights)])).await.unwrap());
}

#[tokio::test]
async fn jobs_and_epochs_that_do_not_exist_are_refused_in_every_call() {
    let scene = Scene::new();
    let (coordinator, mut worker, attempt) = training(&scene, "unknown").await;
    let weights = coordinator.put(b"weights").await;
    let unknown = [
        v1::Attempt { epoch: attempt.epoch + 1, ..attempt },
        v1::Attempt { epoch: i32::MAX, ..attempt },
        v1::Attempt { job_id: i64::MAX, ..attempt },
    ];
    for stale in unknown {
        assert_eq!(code(worker.report(stale, &[1], None).await), Code::FailedPrecondition);
        assert_eq!(code(worker.complete(stale, trained(weights, 10)).await), Code::FailedPrecondition);
        assert_eq!(code(worker.fail(stale, "no").await), Code::FailedPrecondition);
        let request = v1::ReleaseRequest { attempt: Some(stale) };
        assert_eq!(code(worker.client.release(request).await), Code::FailedPrecondition);
        assert_eq!(worker.heartbeat(&[stale]).await.unwrap(), [v1::directive::Kind::Abandon(stale)]);
    }
    for impossible in [v1::Attempt { job_id: 0, ..attempt }, v1::Attempt { epoch: -1, ..attempt }] {
        let fields = fields_of(worker.complete(impossible, trained(weights, 10)).await);
        assert!(["attempt.job_id", "attempt.epoch"].contains(&fields[0].as_str()), "{fields:?}");
    }
    // An artifact that nobody stored, and a digest that is none.
    let nowhere = Digest::of(b"never stored");
    assert_eq!(fields_of(worker.complete(attempt, trained(nowhere, 10)).await), ["digest"]);
    let checkpoint = v1::CheckpointRef { digest: vec![1; 31], step: 1 };
    assert_eq!(fields_of(worker.report(attempt, &[], Some(checkpoint)).await), ["checkpoint.digest"]);

    assert_eq!(coordinator.states("unknown").await, ["running", "blocked"]);
    assert!(!worker.complete(attempt, trained(weights, 10)).await.unwrap());
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_callers_mistake() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    // A session id, field 1, that is no UTF-8; and a length beyond the message's end.
    for bytes in [&b"\x0a\x02\xff\xfe"[..], b"\x0a\x7f"] {
        let mut client = Grpc::new(coordinator.channel.clone());
        client.ready().await.unwrap();
        let path = PathAndQuery::from_static("/spillway.v1.WorkerService/CloseSession");

        let refusal = client.unary(Request::new(Bytes::from_static(bytes)), path, Raw).await.unwrap_err();

        assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal}");
        assert!(refusal.message().contains("cannot be read"), "{refusal}");
    }
}

/// Sends bytes as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

#[tokio::test]
async fn a_worker_is_what_its_session_says_and_not_what_a_claim_says() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = sweep_spec("cuda-only", &[1]);
    spec.execution.device = domain::fleet::DeviceRequirement::Cuda;
    coordinator.submit(&spec).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let claim = |offer: v1::Offer| v1::ClaimRequest {
        session_id: worker.session.clone(),
        offer: Some(offer),
        wait_millis: 0,
        max_jobs: 1,
    };
    let lies = [
        (claim(v1::Offer { device: "cuda".to_owned(), ..offer() }), "offer.device"),
        (claim(v1::Offer { memory_bytes: 1 << 40, ..offer() }), "offer.memory_bytes"),
        (claim(v1::Offer { labels: vec!["a100".to_owned()], ..offer() }), "offer.labels"),
    ];

    for (request, field) in lies {
        let refusal = worker.client.claim(request).await.unwrap_err();
        assert!(refusal.message().contains("opened with"), "{refusal}");
        assert_eq!(fields_of::<()>(Err(refusal)), [field]);
    }

    assert_eq!(worker.claim(0).await.unwrap(), None);
    assert_eq!(coordinator.states("cuda-only").await, ["ready", "blocked"], "nobody got it");
    // What lies on its disk changes from claim to claim.
    let held = v1::Offer { artifacts: vec![Digest::of(b"held").to_wire()], ..offer() };
    let request =
        v1::ClaimRequest { session_id: worker.session.clone(), offer: Some(held), wait_millis: 0, max_jobs: 1 };
    worker.client.claim(request).await.unwrap();
}

#[tokio::test]
async fn a_result_of_a_device_that_the_session_never_had_is_refused() {
    let scene = Scene::new();
    let (coordinator, mut worker, attempt) = training(&scene, "elsewhere").await;
    let weights = coordinator.put(b"weights").await;
    let v1::complete_request::Result::Train(mut result) = trained(weights, 10) else { unreachable!() };
    result.provenance.as_mut().unwrap().device = "cuda".to_owned();

    let refusal = worker.complete(attempt, v1::complete_request::Result::Train(result)).await.unwrap_err();

    assert!(refusal.message().contains("the session offers cpu"), "{refusal}");
    assert_eq!(fields_of::<()>(Err(refusal)), ["train.provenance.device"]);
    assert_eq!(coordinator.states("elsewhere").await, ["running", "blocked"]);
    assert!(!worker.complete(attempt, trained(weights, 10)).await.unwrap());
}
