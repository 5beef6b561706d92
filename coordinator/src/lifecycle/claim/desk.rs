//! The desk: claims that wait, and the board of lanes with ready jobs.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use domain::{
    SessionId, SweepId,
    dispatch::{Board, LaneReady, Policy, SweepTerms},
    fleet::Offer,
    report::Assignment,
};
use tokio::{
    sync::{Notify, futures::Notified, oneshot},
    time::Instant,
};

use crate::lifecycle::LifecycleError;

type Answer = Result<Vec<Assignment>, LifecycleError>;

/// Where claims wait.
#[derive(Debug)]
pub(in crate::lifecycle) struct Desk {
    board: Mutex<Board>,
    queue: Mutex<VecDeque<Waiting>>,
    work: Notify,
    /// Sessions that were open when they were looked at last.
    open: Mutex<HashMap<SessionId, Instant>>,
}

/// How long a session that was found open is not looked at again for a claim that finds no job; one that ends meanwhile is told
/// so by its heartbeat.
const OPEN_TRUSTED_FOR: Duration = Duration::from_secs(300);
/// Most sessions that are remembered; at the limit all are forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// A claim that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) session: SessionId,
    pub(super) offer: Offer,
    pub(super) max_jobs: u32,
    /// Whether the session was found open since the claim came.
    pub(super) known: bool,
    /// When it is worth another try: a session that drains is not asked for in every round.
    pub(super) not_before: Option<Instant>,
    stage: Arc<Stage>,
    answer: oneshot::Sender<Answer>,
}

/// How far a claim is; whoever changes it first decides between an answer and a withdrawal.
#[derive(Debug, Default)]
struct Stage {
    state: AtomicU8,
    looked_at: Notify,
}

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// The side of a claim that waits. Dropped, the claim is withdrawn.
#[derive(Debug)]
pub(super) struct Ticket {
    stage: Arc<Stage>,
}

impl Desk {
    pub(in crate::lifecycle) fn new(policy: Policy) -> Self {
        Self {
            board: Mutex::new(Board::new(policy)),
            queue: Mutex::default(),
            work: Notify::default(),
            open: Mutex::default(),
        }
    }

    pub(super) fn join(&self, session: SessionId, offer: Offer, max_jobs: u32) -> (Ticket, oneshot::Receiver<Answer>) {
        let (sender, answer) = oneshot::channel();
        let stage = Arc::<Stage>::default();
        let waiting = Waiting {
            session,
            offer,
            max_jobs,
            known: self.is_open(session),
            not_before: None,
            stage: Arc::clone(&stage),
            answer: sender,
        };
        self.queue().push_back(waiting);
        self.work.notify_one();
        (Ticket { stage }, answer)
    }

    fn is_open(&self, session: SessionId) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&session).is_some_and(|seen| seen.elapsed() < OPEN_TRUSTED_FOR)
    }

    /// The session was found open.
    pub(in crate::lifecycle) fn remember(&self, session: SessionId) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MAX_REMEMBERED {
            open.clear();
        }
        open.insert(session, Instant::now());
    }

    /// The session ended, or may have.
    pub(in crate::lifecycle) fn forget(&self, session: SessionId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
    }

    /// A sweep was stored, and its first lane is open.
    pub(in crate::lifecycle) fn introduce(&self, sweep: SweepId, terms: SweepTerms) {
        self.board().introduce(sweep, terms);
    }

    /// Jobs became ready.
    pub(in crate::lifecycle) fn open(&self, lanes: &[LaneReady]) {
        if lanes.is_empty() {
            return;
        }
        let mut board = self.board();
        lanes.iter().for_each(|lane| board.open(*lane));
        drop(board);
        self.work.notify_one();
    }

    /// Jobs left `running`.
    pub(in crate::lifecycle) fn ended(&self, sweeps: &[SweepId]) {
        let mut board = self.board();
        sweeps.iter().for_each(|sweep| board.ended(*sweep));
    }

    /// How many claims wait.
    pub(in crate::lifecycle) fn waiting(&self) -> usize {
        self.queue().len()
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a claim, or for a job that became ready here.
    pub(super) fn work(&self) -> Notified<'_> {
        self.work.notified()
    }
}

impl Waiting {
    /// Takes the claim to serve it; `false` when it was withdrawn.
    pub(super) fn take(&self) -> bool {
        self.stage.state.compare_exchange(WAITING, TAKEN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Puts the claim back: it waits on.
    pub(super) fn put_back(&self) {
        self.stage.state.store(WAITING, Ordering::Release);
        self.stage.looked_at.notify_one();
    }

    pub(super) fn is_withdrawn(&self) -> bool {
        self.stage.state.load(Ordering::Acquire) == WITHDRAWN
    }

    /// Answers; gives the answer back when nobody waits for it any more.
    pub(super) fn answer(self, answer: Answer) -> Result<(), Answer> {
        self.answer.send(answer)
    }
}

impl Ticket {
    /// Waits until the desk has looked for a job once.
    pub(super) fn looked_at(&self) -> Notified<'_> {
        self.stage.looked_at.notified()
    }

    /// Takes the claim back; `false` when it is just being served.
    pub(super) fn withdraw(&self) -> bool {
        self.stage.state.compare_exchange(WAITING, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.withdraw();
    }
}
