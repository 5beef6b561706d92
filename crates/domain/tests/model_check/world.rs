//! The state that is explored: what Postgres holds, what workers believe, and what is on its way between them. Small and
//! without heap, so that hundreds of thousands of them are compared and kept.

use domain::{
    Epoch, JobId, SessionId, Timestamp,
    job::{Budgets, Dependency, Event, FailureKind, Job, State, StateName},
};
use uuid::Uuid;

/// What each job waits for: places of jobs before it.
pub type Graph<const JOBS: usize> = [&'static [usize]; JOBS];
/// A train job, and the evaluate job that waits for it.
pub const PAIR: Graph<2> = [&[], &[0]];
/// Two evaluate jobs, and a score job that waits for both.
pub const PARENTS: Graph<3> = [&[], &[], &[0, 1]];
/// A training, its two evaluations, and a score job that waits for both of these.
pub const DIAMOND: Graph<4> = [&[], &[0], &[0], &[1, 2]];
/// Places for sessions; one that nothing names any more is used again, so that sessions come and go for ever.
pub const MAX_SESSIONS: usize = 3;
/// Places for messages on their way.
pub const MAX_IN_FLIGHT: usize = 3;
/// The time of every event but claims.
pub const NOW: Timestamp = Timestamp::from_micros(0);
/// The end of every backoff, in the model.
const BACKED_OFF: Timestamp = Timestamp::from_micros(1);

/// How large the explored world is.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Sessions at once.
    pub sessions: usize,
    /// Messages on their way at once.
    pub in_flight: usize,
    /// How often the user cancels a job.
    pub cancels: u8,
    /// How often the user retries a job.
    pub retries: u8,
    /// How often a worker gives a job back.
    pub releases: u8,
    /// How often the sweep's own rules, early stopping or a budget, end a job.
    pub stops: u8,
    /// Budgets of each job.
    pub limits: Budgets,
}

/// A job's row, and what the checks remember beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    pub state: StateName,
    pub session: Option<u8>,
    pub backs_off: bool,
    pub epoch: u8,
    pub spent: Counts,
    /// What ended attempts cost since the last retry, counted by the checks.
    pub history: Counts,
    /// Results that were accepted.
    pub successes: u8,
}

/// Three budgets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    pub failures: u8,
    pub infrastructure: u8,
    pub crashes: u8,
}

/// A session as the server knows it, and the attempt that its worker believes to be its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session {
    pub standing: Standing,
    pub held: Option<Held>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    Unopened,
    Open,
    /// Lost or closed; its worker may not know.
    Gone,
}

/// An attempt, in the mind of a worker or in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Held {
    pub row: u8,
    pub epoch: u8,
}

/// A message on its way. It may be lost, come late and in any order, and come any number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// The answer to a claim.
    Grant { session: u8, held: Held },
    /// What a worker says of its attempt.
    Report { session: u8, held: Held, says: Says },
}

/// What a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Says {
    Complete,
    Own,
    Infrastructure,
    Crash,
    Permanent,
    Release,
    /// Figures so poor that early stopping ends the attempt.
    Poor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct World<const JOBS: usize> {
    pub rows: [Row; JOBS],
    pub sessions: [Session; MAX_SESSIONS],
    /// Sorted, the free places last.
    network: [Option<Message>; MAX_IN_FLIGHT],
    pub cancels_left: u8,
    pub retries_left: u8,
    pub releases_left: u8,
    pub stops_left: u8,
}

impl<const JOBS: usize> World<JOBS> {
    pub fn new(graph: &Graph<JOBS>, bounds: &Bounds) -> Self {
        let row = |parents: &[usize]| Row {
            state: if parents.is_empty() { StateName::Ready } else { StateName::Blocked },
            session: None,
            backs_off: false,
            epoch: 0,
            spent: Counts::default(),
            history: Counts::default(),
            successes: 0,
        };
        Self {
            rows: graph.map(row),
            sessions: [Session { standing: Standing::Unopened, held: None }; MAX_SESSIONS],
            network: [None; MAX_IN_FLIGHT],
            cancels_left: bounds.cancels,
            retries_left: bounds.retries,
            releases_left: bounds.releases,
            stops_left: bounds.stops,
        }
    }

    pub fn messages(&self) -> impl Iterator<Item = Message> + use<JOBS> {
        self.network.into_iter().flatten()
    }

    /// Puts a message on its way; one that is there already can come twice as it is.
    pub fn send(&mut self, message: Message) {
        if self.network.contains(&Some(message)) {
            return;
        }
        let free = self.network.iter_mut().find(|place| place.is_none()).expect("the caller looked for room");
        *free = Some(message);
        self.sort();
    }

    pub fn forget(&mut self, message: Message) {
        for place in self.network.iter_mut().filter(|place| **place == Some(message)) {
            *place = None;
        }
        self.sort();
    }

    /// `None` sorts first in Rust, and here last.
    fn sort(&mut self) {
        self.network.sort_unstable_by_key(|place| (place.is_none(), *place));
    }

    /// Frees the places of sessions that are gone and that nothing names any more.
    pub fn recycle(&mut self) {
        for place in 0..MAX_SESSIONS {
            let Session { standing, held } = self.sessions[place];
            let named = |message: Message| usize::from(message.session()) == place;
            if standing == Standing::Gone && held.is_none() && !self.messages().any(named) {
                self.sessions[place].standing = Standing::Unopened;
            }
        }
    }

    /// Rows that run under a session.
    pub fn running_under(&self, session: u8) -> impl Iterator<Item = usize> + use<JOBS> {
        let rows = self.rows;
        (0..rows.len()).filter(move |&place| rows[place].session == Some(session))
    }

    /// Where the jobs that `row` waits for stand, apart from the function that the server asks.
    pub fn dependency_of(&self, graph: &Graph<JOBS>, row: usize) -> Dependency {
        let states = || graph[row].iter().map(|parent| self.rows[*parent].state);
        if states().any(|state| state.is_final() && state != StateName::Succeeded) {
            return Dependency::Ended;
        }
        if states().all(|state| state == StateName::Succeeded) { Dependency::Met } else { Dependency::Pending }
    }

    /// The row as the rules take it.
    pub fn job(&self, place: usize, limits: Budgets) -> Job {
        let row = &self.rows[place];
        let reason = String::new();
        let state = match row.state {
            StateName::Blocked => State::Blocked,
            StateName::Ready => State::Ready { not_before: row.backs_off.then_some(BACKED_OFF) },
            StateName::Running => State::Running { session: id_of(row.session.expect("a running row has a session")) },
            StateName::Succeeded => State::Succeeded,
            StateName::Failed => State::Failed { reason },
            StateName::Cancelled => State::Cancelled { reason },
            StateName::Quarantined => State::Quarantined { reason },
            StateName::Stopped => State::Stopped { reason },
        };
        let id = JobId(i64::try_from(place).expect("a few rows") + 1);
        Job { id, state, epoch: Epoch(i32::from(row.epoch)), spent: row.spent.into(), limits }
    }

    /// Takes over what the rules decided.
    pub fn store(&mut self, place: usize, job: &Job) {
        let session = match job.state {
            State::Running { session } => Some(place_of(session)),
            _ => None,
        };
        let row = &mut self.rows[place];
        row.state = job.state.name();
        row.session = session;
        row.backs_off = matches!(job.state, State::Ready { not_before: Some(_) });
        row.epoch = u8::try_from(job.epoch.0).expect("a handful of attempts");
        row.spent = job.spent.into();
    }
}

impl Message {
    pub fn session(self) -> u8 {
        match self {
            Self::Grant { session, .. } | Self::Report { session, .. } => session,
        }
    }
}

impl Says {
    pub const ALL: [Self; 7] =
        [Self::Complete, Self::Own, Self::Infrastructure, Self::Crash, Self::Permanent, Self::Release, Self::Poor];

    /// The event that the server makes of it.
    pub fn event(self, epoch: u8) -> Event {
        let epoch = Epoch(i32::from(epoch));
        let fail = |kind| Event::Fail { epoch, kind, message: String::new() };
        match self {
            Self::Complete => Event::Complete { epoch },
            Self::Own => fail(FailureKind::Own),
            Self::Infrastructure => fail(FailureKind::Infrastructure),
            Self::Crash => fail(FailureKind::Crash),
            Self::Permanent => fail(FailureKind::Permanent),
            Self::Release => Event::Release { epoch },
            Self::Poor => Event::StopEarly { epoch, reason: String::new() },
        }
    }
}

impl From<Counts> for Budgets {
    fn from(counts: Counts) -> Self {
        let Counts { failures, infrastructure, crashes } = counts;
        Self { failures: failures.into(), infrastructure: infrastructure.into(), crashes: crashes.into() }
    }
}

impl From<Budgets> for Counts {
    fn from(budgets: Budgets) -> Self {
        let small = |count: u16| u8::try_from(count).expect("small budgets");
        Self {
            failures: small(budgets.failures),
            infrastructure: small(budgets.infrastructure),
            crashes: small(budgets.crashes),
        }
    }
}

pub fn id_of(session: u8) -> SessionId {
    SessionId(Uuid::from_u128(u128::from(session) + 1))
}

pub fn place_of(session: SessionId) -> u8 {
    u8::try_from(session.0.as_u128() - 1).expect("one of a few sessions")
}
