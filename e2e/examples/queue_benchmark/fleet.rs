//! Many workers that drain a backlog.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    coordinator::Coordinator,
    options::Shape,
    worker::{Times, Worker},
};

/// How often the count of completed jobs is looked at: the resolution of a drain's end.
const LOOK: Duration = Duration::from_millis(5);
/// Completed jobs are also counted for each of these.
pub const WINDOW: Duration = Duration::from_secs(3);
/// A drain without any progress for so long is given up.
const STALLED: Duration = Duration::from_secs(60);

/// When a drain ends: at whichever comes first.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    jobs: u64,
    time: Duration,
}

/// Sessions that are open and beat.
pub struct Fleet {
    workers: Vec<Worker>,
    shape: Shape,
    times: Arc<Times>,
    beats: JoinSet<anyhow::Result<()>>,
}

/// What a drain did.
#[derive(Debug, Clone, Default)]
pub struct Drained {
    pub jobs: u64,
    pub elapsed: Duration,
    /// Jobs completed in each window.
    pub windows: Vec<u64>,
}

impl Goal {
    /// So many jobs, however long they take.
    pub fn jobs(jobs: u64) -> Self {
        Self { jobs, time: Duration::MAX }
    }

    /// So long, however many jobs are done.
    pub fn time(time: Duration) -> Self {
        Self { jobs: u64::MAX, time }
    }

    /// So many jobs, or fewer when they take longer than that.
    pub fn jobs_within(jobs: u64, time: Duration) -> Self {
        Self { jobs, time }
    }
}

impl Drained {
    pub fn rate(&self) -> f64 {
        self.jobs as f64 / self.elapsed.as_secs_f64()
    }
}

impl Fleet {
    /// Opens the sessions.
    pub async fn open(coordinator: &Coordinator, shape: Shape) -> anyhow::Result<Self> {
        let channels: Vec<_> =
            (0..shape.connections.max(1)).map(|_| coordinator.channel()).collect::<anyhow::Result<_>>()?;
        let times = Arc::new(Times::default());
        let mut workers = Vec::new();
        let mut beats = JoinSet::new();
        for index in 0..shape.sessions {
            let channel = channels[index as usize % channels.len()].clone();
            let worker = Worker::open(coordinator, channel, Arc::clone(&times)).await?;
            beats.spawn(worker.clone().beat(f64::from(index) / f64::from(shape.sessions)));
            workers.push(worker);
        }
        Ok(Self { workers, shape, times, beats })
    }

    /// The sessions.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// How long their calls took.
    pub fn times(&self) -> &Times {
        &self.times
    }

    /// Claims and completes until the goal is reached.
    pub async fn drain(&mut self, goal: Goal) -> anyhow::Result<Drained> {
        let completed = Arc::new(AtomicU64::new(0));
        let mut claimers = JoinSet::new();
        let begun = Instant::now();
        for worker in &self.workers {
            let slots = Arc::new(Semaphore::new(self.shape.slots as usize));
            for _ in 0..self.shape.claims {
                claimers.spawn(work(worker.clone(), Arc::clone(&slots), self.shape.batch, Arc::clone(&completed)));
            }
        }
        let mut drained = Drained::default();
        let mut ticks = tokio::time::interval(LOOK);
        let mut moved = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                Some(ended) = claimers.join_next() => return Err(gone(ended)),
                Some(ended) = self.beats.join_next() => return Err(gone(ended)),
            }
            let (jobs, elapsed) = (completed.load(Ordering::Relaxed), begun.elapsed());
            if jobs > drained.jobs {
                moved = Instant::now();
            }
            anyhow::ensure!(moved.elapsed() < STALLED, "the drain stands still at {jobs} jobs");
            (drained.jobs, drained.elapsed) = (jobs, elapsed);
            if elapsed >= WINDOW * (u32::try_from(drained.windows.len())? + 1) {
                drained.windows.push(jobs - drained.windows.iter().sum::<u64>());
            }
            if jobs >= goal.jobs || elapsed >= goal.time {
                return Ok(drained);
            }
        }
    }
}

/// A claimer of one session: up to `batch` jobs a claim if slots are free, each completed by a task of its own.
async fn work(worker: Worker, slots: Arc<Semaphore>, batch: u32, completed: Arc<AtomicU64>) -> anyhow::Result<()> {
    let mut running: JoinSet<anyhow::Result<()>> = JoinSet::new();
    loop {
        let mut free = Arc::clone(&slots).acquire_owned().await.context("slots are never closed")?;
        let more = u32::try_from(slots.available_permits())?.min(batch - 1);
        if let Ok(others) = Arc::clone(&slots).try_acquire_many_owned(more) {
            free.merge(others);
        }
        let assignments = worker.claim(u32::try_from(free.num_permits())?).await?;
        for assignment in assignments {
            let slot = free.split(1).context("more jobs came than were asked for")?;
            let (worker, completed) = (worker.clone(), Arc::clone(&completed));
            running.spawn(async move {
                worker.complete(&assignment).await?;
                completed.fetch_add(1, Ordering::Relaxed);
                drop(slot);
                Ok(())
            });
        }
        drop(free);
        while let Some(ended) = running.try_join_next() {
            ended??;
        }
    }
}

fn gone(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Error {
    match ended {
        Ok(Ok(())) => anyhow::anyhow!("a worker ended by itself"),
        Ok(Err(error)) => error,
        Err(panic) => panic.into(),
    }
}
