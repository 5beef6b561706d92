//! A cluster of rows, sessions and messages without any I/O: what Postgres would hold, what workers believe, and what is
//! still on its way between them. Every change of a row goes through `apply` and is checked there.

use std::collections::BTreeSet;

use domain::{
    Epoch, JobId, SessionId, Timestamp,
    job::{Budgets, Cascades, Dependency, Event, Job, Rejected, State, StateName, Transition, apply},
};
use uuid::Uuid;

/// A job as Postgres holds it, and what the checks remember of it.
#[derive(Debug)]
pub struct Row {
    pub job: Job,
    /// Places of the jobs that it waits for, all of them before its own.
    pub waits_for: Vec<usize>,
    completions: u32,
    claimed: BTreeSet<Epoch>,
    ended: BTreeSet<Epoch>,
}

/// One process start of a worker.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    pub id: SessionId,
    /// The process runs.
    pub alive: bool,
    /// The server has not taken the lease back.
    pub open: bool,
}

/// An attempt that a worker believes to be its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub session: SessionId,
    pub row: usize,
    pub epoch: Epoch,
}

/// A worker's report on its way.
#[derive(Debug, Clone)]
pub struct Report {
    pub row: usize,
    pub event: Event,
}

/// What happened over many runs, so that a simulation that tests nothing is noticed.
#[derive(Debug, Default)]
pub struct Tally {
    completed: u32,
    stale: u32,
    backing_off: u32,
    sessions_lost: u32,
    quarantined: u32,
    failed: u32,
    cancelled_running: u32,
    released: u32,
    retried: u32,
    dependents_ended: u32,
    stopped_running: u32,
}

impl Tally {
    /// Everything that must not be rare.
    pub fn counts(&self) -> [(&'static str, u32); 11] {
        [
            ("completed", self.completed),
            ("stale", self.stale),
            ("backing off", self.backing_off),
            ("sessions lost", self.sessions_lost),
            ("quarantined", self.quarantined),
            ("failed", self.failed),
            ("cancelled while running", self.cancelled_running),
            ("released", self.released),
            ("retried", self.retried),
            ("dependents ended", self.dependents_ended),
            ("stopped while running", self.stopped_running),
        ]
    }
}

/// The whole cluster.
#[derive(Debug)]
pub struct Cluster {
    pub now: Timestamp,
    pub rows: Vec<Row>,
    pub sessions: Vec<Session>,
    pub held: Vec<Held>,
    pub inbox: Vec<Report>,
    pub tally: Tally,
}

impl Cluster {
    /// `trains` train jobs, each with two evaluate jobs that wait for it; and for each of these two a score job that waits for those of
    /// all trainings.
    pub fn new(trains: usize, limits: Budgets) -> Self {
        let mut parents: Vec<Vec<usize>> = Vec::new();
        for _ in 0..trains {
            let train = parents.len();
            parents.extend([vec![], vec![train], vec![train]]);
        }
        let over_seeds = [1, 2].map(|place| (0..trains).map(|train| 3 * train + place).collect());
        parents.extend(over_seeds);
        let row = |(place, waits_for): (usize, Vec<usize>)| {
            let state = if waits_for.is_empty() { State::Ready { not_before: None } } else { State::Blocked };
            let id = JobId(i64::try_from(place).expect("a handful of jobs") + 1);
            let job = Job { id, state, epoch: Epoch(0), spent: Budgets::default(), limits };
            Row { job, waits_for, completions: 0, claimed: BTreeSet::new(), ended: BTreeSet::new() }
        };
        let rows = parents.into_iter().enumerate().map(row).collect();
        let now = Timestamp::from_micros(0);
        Self { now, rows, sessions: vec![], held: vec![], inbox: vec![], tally: Tally::default() }
    }

    /// One transaction: decides, checks, stores, and does to the dependents what follows.
    pub fn happen(&mut self, row: usize, event: Event) -> Result<(), Rejected> {
        let before = self.rows[row].job.clone();
        let transition =
            apply(&before, event.clone(), self.now).inspect_err(|rejected| self.count_refusal(rejected))?;
        self.check(row, &before, &event, &transition);
        self.count(&before, &event, &transition);
        let mut cascades = Cascades::default();
        cascades.record(&transition);
        self.rows[row].job = transition.job;
        self.follow(row, cascades);
        Ok(())
    }

    /// A new process of a worker.
    pub fn open_session(&mut self) -> SessionId {
        let id = SessionId(Uuid::from_u128(self.sessions.len() as u128 + 1));
        self.sessions.push(Session { id, alive: true, open: true });
        id
    }

    /// The server takes the lease back: what the session runs is lost, whether its process lives or not.
    pub fn expire(&mut self, session: usize) {
        let id = self.sessions[session].id;
        self.sessions[session].open = false;
        for row in self.running_under(id) {
            self.happen(row, Event::SessionLost { session: id }).expect("a running job loses its own session");
            self.tally.sessions_lost += 1;
        }
    }

    /// The worker's process dies: what it believed is gone, what it sent may still arrive.
    pub fn crash(&mut self, session: usize) {
        let id = self.sessions[session].id;
        self.sessions[session].alive = false;
        self.held.retain(|held| held.session != id);
    }

    /// A heartbeat: the worker drops attempts that are no longer its own, and the server takes back those that the worker
    /// never heard of because the answer to its claim was lost.
    pub fn beat(&mut self, session: SessionId) {
        let rows = &self.rows;
        self.held.retain(|held| held.session != session || rows[held.row].job.epoch == held.epoch);
        for row in self.running_under(session) {
            let epoch = self.rows[row].job.epoch;
            let known = self.held.contains(&Held { session, row, epoch });
            let reported = self.inbox.iter().any(|report| report.row == row);
            if !known && !reported {
                self.happen(row, Event::Release { epoch }).expect("a running job can be released");
            }
        }
    }

    /// A worker's report arrives: accepted exactly when the attempt that it names is the one that runs.
    pub fn deliver(&mut self, Report { row, event }: Report) {
        let job = &self.rows[row].job;
        let epoch = match &event {
            Event::Complete { epoch }
            | Event::Fail { epoch, .. }
            | Event::Release { epoch }
            | Event::StopEarly { epoch, .. } => *epoch,
            other => panic!("{other:?} is no report"),
        };
        let current = job.epoch == epoch && job.state.name() == StateName::Running;

        let accepted = self.happen(row, event).is_ok();

        assert_eq!(accepted, current, "row {row}: a report under {epoch:?}");
    }

    /// Where the jobs that `row` waits for stand.
    pub fn dependency_of(&self, row: usize) -> Dependency {
        Dependency::of(self.rows[row].waits_for.iter().map(|parent| self.rows[*parent].job.state.name()))
    }

    /// Every job has ended.
    pub fn is_finished(&self) -> bool {
        self.rows.iter().all(|row| row.job.state.name().is_final())
    }

    /// What must hold between jobs, and between jobs and workers, at any time.
    pub fn check_world(&self) {
        for (place, row) in self.rows.iter().enumerate() {
            let holders = self.held.iter().filter(|held| held.row == place && held.epoch == row.job.epoch);
            let holding: Vec<SessionId> = holders.map(|held| held.session).collect();
            match row.job.state {
                State::Running { session } => assert!(
                    holding.iter().all(|&holder| holder == session) && holding.len() <= 1,
                    "job {place} runs in {session} and is held by {holding:?}"
                ),
                _ => assert!(holding.is_empty(), "job {place} does not run and {holding:?} hold its epoch"),
            }
            let dependency = self.dependency_of(place);
            match row.job.state.name() {
                StateName::Ready | StateName::Running | StateName::Succeeded => {
                    assert_eq!(dependency, Dependency::Met, "job {place} came before what it waits for");
                }
                StateName::Blocked => {
                    assert_eq!(dependency, Dependency::Pending, "job {place} waits for what has ended");
                }
                StateName::Failed | StateName::Cancelled | StateName::Quarantined | StateName::Stopped => {}
            }
        }
    }

    fn running_under(&self, id: SessionId) -> Vec<usize> {
        let runs = |row: &Row| row.job.state == State::Running { session: id };
        (0..self.rows.len()).filter(|&place| runs(&self.rows[place])).collect()
    }

    /// Does to the jobs behind `first` what follows for them; none of it may be refused.
    fn follow(&mut self, first: usize, mut cascades: Cascades) {
        for row in first + 1..self.rows.len() {
            let state = |place: &usize| self.rows[*place].job.state.name();
            let parents: Vec<_> =
                self.rows[row].waits_for.iter().map(|parent| (self.rows[*parent].job.id, state(parent))).collect();
            let Some(event) = cascades.consequence(state(&row), &parents) else { continue };
            self.tally.dependents_ended += u32::from(matches!(event, Event::DependencyEnded { .. }));
            let before = self.rows[row].job.clone();
            let transition = apply(&before, event.clone(), self.now).expect("a job follows what it waits for");
            self.check(row, &before, &event, &transition);
            self.count(&before, &event, &transition);
            cascades.record(&transition);
            self.rows[row].job = transition.job;
        }
    }

    /// What every transition of one job must respect.
    fn check(&mut self, place: usize, before: &Job, event: &Event, transition: &Transition) {
        let Transition { job: after, outcome, .. } = transition;
        let row = &mut self.rows[place];
        let left = matches!(before.state, State::Running { .. }) && !matches!(after.state, State::Running { .. });
        assert_eq!(after.epoch.0, before.epoch.0 + i32::from(left), "job {place}: {event:?}");
        assert_eq!(outcome.is_some(), left, "job {place}: {event:?}");
        if let Some(outcome) = outcome {
            assert_eq!(outcome.epoch, before.epoch, "job {place}: an outcome names the attempt that ended");
            assert!(row.ended.insert(outcome.epoch), "job {place}: attempt {} ended twice", outcome.epoch);
            assert!(row.claimed.contains(&outcome.epoch), "job {place}: attempt {} never began", outcome.epoch);
        }
        if let Event::Claim { .. } = event {
            assert!(row.claimed.insert(after.epoch), "job {place}: attempt {} began twice", after.epoch);
        }
        if before.state.name().is_final() {
            assert!(matches!(event, Event::Retry { .. }), "job {place} was final before {event:?}");
        }
        if after.state == State::Succeeded {
            row.completions += 1;
            assert_eq!(row.completions, 1, "job {place}: one result, whatever was sent");
        }
        let Budgets { failures, infrastructure, crashes } = after.spent;
        let within = failures <= after.limits.failures
            && infrastructure <= after.limits.infrastructure
            && crashes <= after.limits.crashes;
        assert!(within, "job {place} spent {:?} of {:?}", after.spent, after.limits);
    }

    fn count(&mut self, before: &Job, event: &Event, transition: &Transition) {
        let (ran, after) = (before.state.name() == StateName::Running, transition.job.state.name());
        self.tally.completed += u32::from(after == StateName::Succeeded);
        self.tally.quarantined += u32::from(after == StateName::Quarantined);
        self.tally.failed += u32::from(ran && after == StateName::Failed);
        self.tally.cancelled_running += u32::from(ran && after == StateName::Cancelled);
        self.tally.stopped_running += u32::from(ran && after == StateName::Stopped);
        self.tally.released += u32::from(matches!(event, Event::Release { .. }));
        self.tally.retried += u32::from(matches!(event, Event::Retry { .. }));
    }

    fn count_refusal(&mut self, rejected: &Rejected) {
        match rejected {
            Rejected::Stale { .. } => self.tally.stale += 1,
            Rejected::BackingOff { .. } => self.tally.backing_off += 1,
            Rejected::OtherSession { .. } | Rejected::DependencyEnded | Rejected::WrongState { .. } => {}
        }
    }
}
