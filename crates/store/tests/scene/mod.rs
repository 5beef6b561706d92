//! A fresh database with a sweep in it, and a scripted worker.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
    time::Duration,
};

use domain::{
    Digest, SessionId, SweepId, Timestamp,
    dispatch::{Board, Policy},
    fleet::{DeviceKind, Offer},
    job::{Event, FailureKind, StateName},
    report::{
        Assignment, Attempt, CheckpointRef, Completion, Interval, Measurement, Metric, Provenance, Split, StatisticsRef,
    },
    spec::{DatasetName, ScoreName, canonical, parse_document},
    sweep::SweepSpec,
};
use sqlx::PgPool;
use store::{
    Applied, Connection, Ending, NewSession, NewSweep, SessionStanding, Slot, SlotOutcome, Store, SubmittedSweep,
    TransitionError,
};
use uuid::Uuid;

/// A lease that no test outlives.
pub const LONG: Duration = Duration::from_secs(3600);

/// A database of its own, and a second connection that looks behind the scene.
pub struct Scene {
    pub store: Store,
    pub behind: PgPool,
    assigned: Mutex<HashMap<Attempt, Assignment>>,
}

impl Scene {
    pub async fn new() -> Self {
        let address = localdb::shared_for_tests().unwrap().fresh_database().unwrap();
        let connection = Connection { address: address.clone(), max_connections: 8, patience: Duration::from_secs(20) };
        let store = Store::connect(&connection).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, behind: PgPool::connect(&address).await.unwrap(), assigned: Mutex::default() }
    }

    pub async fn submit(&self, spec: &SweepSpec) -> SweepId {
        let id = SweepId(Uuid::new_v4());
        assert!(matches!(self.submit_as(id, spec, None).await, SubmittedSweep::Stored(_)));
        id
    }

    pub async fn submit_as(&self, id: SweepId, spec: &SweepSpec, key: Option<&str>) -> SubmittedSweep {
        let expanded = spec.expand().unwrap();
        let mut transaction = self.store.begin().await.unwrap();
        let submitted = transaction
            .add_sweep(&NewSweep { id, spec, expanded: &expanded, idempotency_key: key, submitted_by: "ada" })
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        submitted
    }

    pub async fn open_session(&self, ttl: Duration) -> SessionId {
        let id = SessionId(Uuid::new_v4());
        let session =
            NewSession { id, worker_name: "scripted".to_owned(), worker_version: "test".to_owned(), offer: offer() };
        assert!(self.store.open_session(&session, ttl).await.unwrap());
        id
    }

    /// The lanes with ready jobs, on a board that knows their sweeps.
    pub async fn board(&self) -> Board {
        let mut board = Board::new(Policy::default());
        board.replace_lanes(self.store.ready_lanes().await.unwrap());
        let running = self.store.running_jobs().await.unwrap();
        let sweeps: Vec<_> = board.strangers().into_iter().chain(running.keys().copied()).collect();
        for (sweep, terms) in self.store.sweep_terms(&sweeps).await.unwrap() {
            board.introduce(sweep, terms);
        }
        board.count_running(&running, Duration::ZERO);
        board
    }

    /// Claims as the dispatcher does, for one session with an offer of a CPU.
    pub async fn claim(&self, session: SessionId) -> Option<Attempt> {
        loop {
            let mut board = self.board().await;
            let lane = board.best(&offer(), self.store.now().await.unwrap())?;
            let oldest = board.plan(lane).unwrap();
            let outcomes = self.store.claim(&[Slot { session, lane, oldest }]).await.unwrap();
            match outcomes.into_iter().next().unwrap() {
                SlotOutcome::Filled(job) => {
                    let attempt = job.attempt;
                    let (_, assignment) = self.store.assignments(&[*job]).await.unwrap().remove(0);
                    self.assigned.lock().unwrap().insert(attempt, assignment.unwrap());
                    return Some(attempt);
                }
                // Another one was faster: perhaps there is more.
                SlotOutcome::Empty => {}
                SlotOutcome::Barred => return None,
            }
        }
    }

    /// What a claim brought beside the attempt.
    pub fn assignment(&self, attempt: Attempt) -> Assignment {
        self.assigned.lock().unwrap()[&attempt].clone()
    }

    pub async fn standing(&self, session: SessionId) -> Option<SessionStanding> {
        self.store.session_standings(&[session]).await.unwrap().remove(&session)
    }

    pub async fn apply(&self, attempt: Attempt, event: Event) -> Result<Applied, TransitionError> {
        let mut transaction = self.store.begin().await?;
        let locked = transaction.lock_job(attempt.job).await?.unwrap();
        let applied = transaction.apply(vec![(locked, event)]).await?;
        transaction.commit().await?;
        Ok(applied)
    }

    pub async fn fail(&self, attempt: Attempt, kind: FailureKind) -> Result<Applied, TransitionError> {
        self.apply(attempt, Event::Fail { epoch: attempt.epoch, kind, message: "it broke".to_owned() }).await
    }

    pub async fn complete(&self, attempt: Attempt, completion: &Completion) -> Result<(), TransitionError> {
        let mut transaction = self.store.begin().await?;
        let locked = transaction.lock_job(attempt.job).await?.unwrap();
        let result_digest = Some(Digest::of(canonical::to_string(completion).as_bytes()));
        let ending = Ending { locked, event: Event::Complete { epoch: attempt.epoch }, result_digest };
        let (_, mut rejections) = transaction.apply_each(vec![ending]).await?;
        if let Some(rejected) = rejections.remove(0) {
            return Err(rejected.into());
        }
        transaction.add_results(&[(attempt, completion)]).await?;
        Ok(transaction.commit().await?)
    }

    /// Claims every train job of the only sweep and completes it.
    pub async fn train_all(&self, session: SessionId, experiments: usize) {
        // All claimed first: a training that succeeds opens its evaluations, and those would be claimed before the next one.
        let mut attempts = Vec::new();
        for _ in 0..experiments {
            attempts.push(self.claim(session).await.unwrap());
        }
        for attempt in attempts {
            self.complete(attempt, &self.trained(attempt).await).await.unwrap();
        }
    }

    pub async fn trained(&self, attempt: Attempt) -> Completion {
        let digest = Digest::of(format!("weights of job {}", attempt.job).as_bytes());
        self.store.record_artifact(&digest, 10).await.unwrap();
        let statistics = Split::ALL.map(|split| learned(digest, split)).to_vec();
        Completion::Train { checkpoint: CheckpointRef { digest, step: 100 }, statistics, provenance: provenance() }
    }

    pub async fn evaluated(&self, auroc: f64) -> Completion {
        let digest = Digest::of(b"statistics");
        self.store.record_artifact(&digest, 10).await.unwrap();
        let statistics = StatisticsRef {
            dataset: DatasetName::Mnist.into(),
            split: Split::Test,
            images: 50,
            noise_draws: 1,
            digest,
        };
        let measurement = Measurement {
            score: ScoreName::LogLikelihood,
            metric: Metric::Auroc,
            dataset: None,
            value: Some(auroc),
            interval: Some(Interval { low: auroc / 2.0, high: 1.0, method: "delong".to_owned() }),
            n_in: 100,
            n_out: 50,
        };
        let (measurements, learned) = (vec![measurement], Vec::new());
        Completion::Evaluate { measurements, statistics, learned, provenance: provenance() }
    }

    /// The result of a job that computes a score.
    pub async fn scored(&self, auroc: f64) -> Completion {
        let Completion::Evaluate { measurements, provenance, .. } = self.evaluated(auroc).await else {
            unreachable!("it is the result of an evaluation")
        };
        Completion::Score { measurements, scores: Digest::of(b"statistics"), provenance }
    }

    /// The states of a sweep's jobs, by id.
    pub async fn states(&self, sweep: SweepId) -> Vec<String> {
        let jobs = self.store.jobs(sweep, &StateName::ALL, 1000).await.unwrap();
        jobs.into_iter().map(|job| job.state).collect()
    }

    pub async fn count(&self, from: &str) -> i64 {
        let statement = sqlx::AssertSqlSafe(format!("select count(*) from {from}"));
        sqlx::query_scalar(statement).fetch_one(&self.behind).await.unwrap()
    }

    /// Runs a statement that the schema may refuse.
    pub async fn behind_the_scene(&self, statement: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statement).execute(&self.behind).await.map(drop)
    }
}

pub fn offer() -> Offer {
    Offer { device: DeviceKind::Cpu, memory_bytes: 0, labels: BTreeSet::new(), artifacts: Vec::new() }
}

pub fn provenance() -> Provenance {
    Provenance {
        worker_version: "test".to_owned(),
        device: "cpu".to_owned(),
        threads: 1,
        precision: "float32".to_owned(),
        noise_draws: 1,
    }
}

/// What a train job that left the artifact `digest` says of its own dataset.
pub fn learned(digest: Digest, split: Split) -> StatisticsRef {
    StatisticsRef { dataset: DatasetName::SyntheticShapes.into(), split, images: 100, noise_draws: 1, digest }
}

pub fn sweep_spec(name: &str, seeds: &[u64]) -> SweepSpec {
    let document = serde_json::json!({
        "name": name,
        "description": "two masks",
        "seeds": seeds,
        "base": {
            "model": {"realnvp": {"mask": "horizontal", "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
            "data": {"dataset": "synthetic-shapes"},
            "training": {"steps": 10, "batch_size": 8, "optimiser": {"adam": {"learning_rate": 5e-4}}},
            "evaluation": {"out": ["synthetic-strokes", "uniform-noise"]},
        },
        "execution": {"max_failures": 2},
    });
    parse_document(&document, "").unwrap()
}

pub fn micros(at: Timestamp) -> i64 {
    at.as_micros()
}
