//! How long a job waits when workers wait for jobs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use proto::v1::Assignment;
use tokio::sync::mpsc;

use super::{Bench, Scene};
use crate::{
    coordinator,
    figures::{Names, OURS},
    worker::{Times, Worker},
};

/// Time between two submits: every claim has arrived and waits again.
const SETTLE: Duration = Duration::from_millis(25);
/// Waiting workers, and how their rows are marked.
const CROWDS: [(usize, &str); 2] = [(10, ""), (200, ", 200 workers waiting")];
/// How long an assignment may take before the measurement is given up.
const LOST: Duration = Duration::from_secs(10);

/// Waits in milliseconds.
#[derive(Debug, Default)]
struct Waits {
    from_send: Vec<f64>,
    from_answer: Vec<f64>,
    evaluate: Vec<f64>,
}

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    for (workers, crowd) in CROWDS {
        let scene = bench.scene().await?;
        let waits = measure(&scene, workers, bench.load.rounds).await?;
        for (measure, waits) in [
            (Names::LATENCY_SEND, &waits.from_send),
            (Names::LATENCY_ANSWER, &waits.from_answer),
            ("train result sent to evaluation's start", &waits.evaluate),
        ] {
            bench.figures.add_waits(OURS, &format!("{measure}{crowd}"), waits);
        }
        bench.leave(scene)?;
    }
    Ok(())
}

async fn measure(scene: &Scene, workers: usize, rounds: u32) -> anyhow::Result<Waits> {
    let (sender, mut received) = mpsc::channel(workers);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers {
        let worker = Worker::open(&scene.coordinator, scene.coordinator.channel()?, Arc::new(Times::default())).await?;
        tasks.spawn(worker.clone().beat(1.0));
        tasks.spawn(wait(worker, sender.clone()));
    }
    let mut sweeps = scene.coordinator.sweeps()?;
    let mut waits = Waits::default();
    let mut next = async || {
        tokio::select! {
            Some(ended) = tasks.join_next() => Err(ended?.err().context("a worker ended by itself")?),
            start = tokio::time::timeout(LOST, received.recv()) => {
                let start: Option<Start> = start.context("no worker got the job")?;
                start.context("all workers are gone")
            }
        }
    };
    let millis = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
    for round in 0..rounds {
        let request = coordinator::sweep(&format!("latency-{round}"), 2);
        tokio::time::sleep(SETTLE).await;
        let sent = Instant::now();
        coordinator::submit(&mut sweeps, request).await?;
        let answered = Instant::now();
        let train = next().await?;
        waits.from_send.push(millis(sent, train.at));
        waits.from_answer.push(millis(answered, train.at));
        tokio::time::sleep(SETTLE).await;
        let sent = Instant::now();
        train.worker.complete(&train.assignment).await?;
        let evaluate = next().await?;
        waits.evaluate.push(millis(sent, evaluate.at));
        evaluate.worker.complete(&evaluate.assignment).await?;
    }
    Ok(waits)
}

/// A job in a worker's hand.
struct Start {
    at: Instant,
    worker: Worker,
    assignment: Assignment,
}

/// Waits for job after job.
async fn wait(worker: Worker, starts: mpsc::Sender<Start>) -> anyhow::Result<()> {
    loop {
        for assignment in worker.claim(1).await? {
            let at = Instant::now();
            starts
                .send(Start { at, worker: worker.clone(), assignment })
                .await
                .ok()
                .context("the measurement ended")?;
        }
    }
}
