//! A run: two coordinators on one database, clients that talk to both at once, and what they wrote down.

use std::{
    io::Write as _,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::Digest;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    client::Client,
    dice::Dice,
    log::{Clock, Entry, Log, Message},
    scene::{Running, Scene},
    wire::Wire,
};

/// Time to live, beat and grace of leases, in milliseconds: short, so that sessions which fall silent are lost within the run.
pub const LEASE: [u64; 3] = [3_000, 500, 300];
/// Clients at once.
const CLIENTS: u64 = 32;
/// Artifacts that checkpoints and results name.
pub const ARTIFACTS: u8 = 16;

/// How long a run is, and which one.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub operations: usize,
    pub seed: u64,
}

/// What all clients share.
pub struct Shared {
    wires: [Wire; 2],
    /// Operations that are still to come.
    left: AtomicUsize,
    /// Names of the sweeps that were submitted.
    sweeps: Mutex<Vec<String>>,
    backdoor: Mutex<Backdoor>,
}

/// Statements behind the coordinators' backs.
struct Backdoor {
    psql: Child,
    pushed: Vec<Uuid>,
}

impl Shared {
    /// Sends a message to one of the coordinators and writes down what came back.
    pub async fn send(&self, message: Arc<Message>, coordinator: usize, patience: Option<Duration>) -> Entry {
        let sent_at = Clock::now();
        let answer = self.wires[coordinator % self.wires.len()].send(&message, patience).await;
        Entry { message, sent_at, answered_at: Clock::now(), answer }
    }

    /// Takes `operations` from what is left; `false` when the run is over.
    pub fn take(&self, operations: usize) -> bool {
        let less = |left: usize| Some(left.saturating_sub(operations));
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok_and(|left| left > 0)
    }

    pub fn add_sweep(&self, name: String) {
        self.sweeps.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }

    pub fn pick_sweep(&self, dice: &mut Dice) -> Option<String> {
        dice.pick(&self.sweeps.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves the end of a session's lease into the past, as if it had been silent for long.
    pub fn push_lease(&self, session: Uuid) {
        let statement = format!(
            "update session set lease_until = clock_timestamp() - interval '1 hour' \
             where id = '{session}' and closed_at is null;\n"
        );
        let mut backdoor = self.backdoor.lock().unwrap_or_else(PoisonError::into_inner);
        backdoor.pushed.push(session);
        backdoor.psql.stdin.as_mut().expect("it was piped").write_all(statement.as_bytes()).expect("psql reads");
    }
}

impl Backdoor {
    fn open(database: &str) -> Self {
        let psql = localdb::ServerBinaries::find().expect("Postgres is installed").directory().join("psql");
        let psql = Command::new(psql)
            .args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", database])
            .stdin(Stdio::piped())
            .spawn()
            .expect("psql starts");
        Self { psql, pushed: Vec::new() }
    }

    fn close(mut self) -> Vec<Uuid> {
        drop(self.psql.stdin.take());
        assert!(self.psql.wait().expect("psql ends").success(), "a statement behind the scene failed");
        self.pushed
    }
}

/// Runs the clients until their operations are used up, then ends the coordinators.
pub async fn run(scene: &Scene, settings: Settings) -> Log {
    let clock = Clock::start();
    let coordinators = [scene.start().await, scene.start().await];
    let artifacts = store_artifacts(&coordinators[0]).await;
    let shared = Arc::new(Shared {
        wires: [0, 1].map(|place: usize| Wire::new(&coordinators[place], &artifacts)),
        left: AtomicUsize::new(settings.operations),
        sweeps: Mutex::default(),
        backdoor: Mutex::new(Backdoor::open(&scene.database)),
    });
    let mut clients = JoinSet::new();
    for number in 1..=CLIENTS {
        clients.spawn(Client::new(number, settings.seed, Arc::clone(&shared)).run());
    }
    let entries = clients.join_all().await.into_iter().flatten().collect();
    let shared = Arc::into_inner(shared).expect("the clients have ended");
    let pushed = shared.backdoor.into_inner().unwrap_or_else(PoisonError::into_inner).close();
    drop(shared.wires);
    for coordinator in coordinators {
        coordinator.ended().await;
    }
    Log { entries, pushed, steady: clock.was_steady() }
}

async fn store_artifacts(coordinator: &Running) -> Vec<Digest> {
    let mut artifacts = Vec::new();
    for number in 0..ARTIFACTS {
        artifacts.push(coordinator.put(&[number]).await);
    }
    artifacts
}

/// The same artifacts, for whoever compares.
pub fn artifact_digests() -> Vec<String> {
    (0..ARTIFACTS).map(|number| Digest::of(&[number]).to_string()).collect()
}
