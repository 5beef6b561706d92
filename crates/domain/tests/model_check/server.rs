//! The server's side: every change of a row goes through the rules, and is held against the properties there and then.

use std::fmt;

use domain::{
    Timestamp,
    job::{
        AttemptOutcome, Cascades, Dependency, Event, FailureKind, Job, OutcomeKind, Rejected, State, StateName,
        Transition,
    },
};

use super::world::{
    Bounds, Counts, Graph, Held, MAX_SESSIONS, Message, NOW, Says, Session, Standing, World, id_of, place_of,
};

/// The function under test: `domain::job::apply`, or a wrong one.
pub type Rules = fn(&Job, Event, Timestamp) -> Result<Transition, Rejected>;

/// Longer than any backoff.
const LATER: Timestamp = Timestamp::from_micros(3_600_000_000);
/// Rounds without faults after which everything must have ended: each job of the longest chain needs one.
const CALM_ROUNDS: usize = 4;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// At most one session holds a job: the one that the row names.
    OneHolder,
    /// The epoch grows by one at each exit from running, which ends an attempt, and at nothing else.
    EpochGrowsAtExits,
    /// A report is accepted exactly when the attempt that it names runs.
    OnlyTheRunningAttemptReports,
    /// An outcome is about the attempt that ended: its epoch, its session.
    OutcomeNamesItsAttempt,
    /// A job has one result, whatever was sent.
    OneSuccess,
    /// What has ended is moved by a user's retry alone, and what has succeeded or was stopped by nothing.
    FinalStaysFinal,
    /// A dependent job is ready, runs and succeeds only after the job that it waits for succeeded.
    DependencyFirst,
    /// A dependent job waits only for jobs that can still succeed.
    DependentsEndWithIt,
    /// A dependent job waits no longer when the last job that it waits for has succeeded.
    LastParentReleases,
    /// What is spent is what the ended attempts since the last retry cost; at the limit, and only there, the job ends.
    BudgetsExact,
    /// A job backs off after a failure, and only then; it is not claimed before the end of that.
    BackoffKept,
    /// A session that is gone runs nothing.
    GoneSessionsRunNothing,
    /// Once the faults stop, every job ends.
    EverythingEnds,
}

impl fmt::Display for Property {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

fn require(holds: bool, property: Property) -> Result<(), Property> {
    if holds { Ok(()) } else { Err(property) }
}

/// The rules under which a world moves, and its bounds.
#[derive(Debug, Clone, Copy)]
pub struct Server<const JOBS: usize> {
    pub rules: Rules,
    pub graph: Graph<JOBS>,
    pub bounds: Bounds,
    /// Whether the epoch is compared at each step; otherwise only what follows from a wrong one can be seen.
    pub epochs: Epochs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epochs {
    Compared,
    Trusted,
}

impl<const JOBS: usize> Server<JOBS> {
    /// One transaction: decides, checks, stores, and does to the jobs that wait what follows. Yields what was decided.
    pub fn happen(
        &self,
        world: &mut World<JOBS>,
        place: usize,
        event: Event,
    ) -> Result<Result<Transition, Rejected>, Property> {
        self.happen_at(world, place, event, NOW)
    }

    fn happen_at(
        &self,
        world: &mut World<JOBS>,
        place: usize,
        event: Event,
        now: Timestamp,
    ) -> Result<Result<Transition, Rejected>, Property> {
        let decided = self.move_one(world, place, event, now)?;
        if let Ok(transition) = &decided {
            self.follow(world, place, transition, now)?;
        }
        Ok(decided)
    }

    fn move_one(
        &self,
        world: &mut World<JOBS>,
        place: usize,
        event: Event,
        now: Timestamp,
    ) -> Result<Result<Transition, Rejected>, Property> {
        let before = world.job(place, self.bounds.limits);
        let transition = match (self.rules)(&before, event.clone(), now) {
            Ok(transition) => transition,
            Err(rejected) => return Ok(Err(rejected)),
        };
        check_attempt(&before, &transition)?;
        if self.epochs == Epochs::Compared {
            check_epoch(&before, &transition)?;
        }
        check_final(&before, &event)?;
        world.store(place, &transition.job);
        self.check_budgets(world, place, &event, &transition)?;
        if transition.job.state == State::Succeeded {
            world.rows[place].successes += 1;
            require(world.rows[place].successes == 1, Property::OneSuccess)?;
        }
        Ok(Ok(transition))
    }

    /// Does to the jobs behind `first` what follows for them, as the store does; none of it may be refused.
    fn follow(
        &self,
        world: &mut World<JOBS>,
        first: usize,
        transition: &Transition,
        now: Timestamp,
    ) -> Result<(), Property> {
        if transition.cascade.is_none() {
            return Ok(());
        }
        let mut cascades = Cascades::default();
        cascades.record(transition);
        for place in first + 1..JOBS {
            let state = |place: usize| world.rows[place].state;
            let id = |place: usize| world.job(place, self.bounds.limits).id;
            let parents: Vec<_> = self.graph[place].iter().map(|parent| (id(*parent), state(*parent))).collect();
            let Some(event) = cascades.consequence(state(place), &parents) else { continue };
            let followed = self.move_one(world, place, event, now)?;
            require(followed.is_ok(), Property::DependentsEndWithIt)?;
            followed.iter().for_each(|transition| cascades.record(transition));
        }
        Ok(())
    }

    /// Claims `place` for an open session, if it is ready. During a backoff the rules must refuse, and after it accept.
    pub fn claim(&self, world: &mut World<JOBS>, session: u8, place: usize) -> Result<bool, Property> {
        let event = Event::Claim { session: id_of(session) };
        let backs_off = world.rows[place].backs_off;
        if backs_off {
            let refused = self.happen(world, place, event.clone())?;
            require(matches!(refused, Err(Rejected::BackingOff { .. })), Property::BackoffKept)?;
        }
        let ready = world.rows[place].state == StateName::Ready;
        let claimed = self.happen_at(world, place, event, LATER)?.is_ok();
        require(ready || !claimed, Property::OneHolder)?;
        require(claimed || !ready, Property::EverythingEnds)?;
        Ok(claimed)
    }

    /// A report arrives, from whomever and whenever.
    pub fn deliver(&self, world: &mut World<JOBS>, session: u8, held: Held, says: Says) -> Result<(), Property> {
        let place = usize::from(held.row);
        let row = world.rows[place];
        let runs = row.state == StateName::Running && row.epoch == held.epoch;
        let decided = self.happen(world, place, says.event(held.epoch))?;
        require(decided.is_ok() == runs, Property::OnlyTheRunningAttemptReports)?;
        let Ok(transition) = decided else { return Ok(()) };
        let about_it = transition.outcome.is_some_and(|outcome| {
            outcome.epoch.0 == i32::from(held.epoch)
                && place_of(outcome.session) == session
                && outcome.kind == kind_of(says)
        });
        require(about_it && row.session == Some(session), Property::OutcomeNamesItsAttempt)
    }

    /// The lease ran out, or the worker closes its session: what runs under it is taken back.
    pub fn end_session(&self, world: &mut World<JOBS>, session: u8, lost: bool) -> Result<(), Property> {
        world.sessions[usize::from(session)].standing = Standing::Gone;
        for place in world.running_under(session) {
            let says = Says::Release.event(world.rows[place].epoch);
            let event = if lost { Event::SessionLost { session: id_of(session) } } else { says };
            let taken_back = self.happen(world, place, event)?.is_ok();
            require(taken_back, Property::GoneSessionsRunNothing)?;
        }
        Ok(())
    }

    /// What must hold in every state.
    pub fn check(&self, world: &World<JOBS>) -> Result<(), Property> {
        for place in 0..JOBS {
            let dependency = world.dependency_of(&self.graph, place);
            match world.rows[place].state {
                StateName::Ready | StateName::Running | StateName::Succeeded => {
                    require(dependency == Dependency::Met, Property::DependencyFirst)?;
                }
                StateName::Blocked => {
                    require(dependency != Dependency::Ended, Property::DependentsEndWithIt)?;
                    require(dependency != Dependency::Met, Property::LastParentReleases)?;
                }
                StateName::Failed | StateName::Cancelled | StateName::Quarantined | StateName::Stopped => {}
            }
        }
        for (place, row) in world.rows.iter().enumerate() {
            let open = |session: u8| world.sessions[usize::from(session)].standing == Standing::Open;
            require(row.session.is_none_or(open), Property::GoneSessionsRunNothing)?;
            for (holder, session) in (0..).zip(&world.sessions) {
                let holds = session.held.is_some_and(|held| is_current(held, place, row.epoch));
                require(!holds || row.session == Some(holder), Property::OneHolder)?;
            }
            for message in world.messages() {
                let (Message::Grant { session, held } | Message::Report { session, held, .. }) = message;
                let current = is_current(held, place, row.epoch);
                require(!current || row.session == Some(session), Property::OneHolder)?;
            }
        }
        Ok(())
    }

    /// No faults any more: nothing on its way arrives, workers finish what they hold, sessions that hold a job without knowing
    /// it are replaced, and whatever is ready is claimed.
    pub fn check_calm(&self, mut world: World<JOBS>) -> Result<(), Property> {
        for _ in 0..CALM_ROUNDS {
            for place in 0..world.rows.len() {
                let row = world.rows[place];
                let Some(session) = row.session else { continue };
                let held = Held { row: u8::try_from(place).expect("a few rows"), epoch: row.epoch };
                if world.sessions[usize::from(session)].held == Some(held) {
                    self.deliver(&mut world, session, held, Says::Complete)?;
                } else {
                    self.end_session(&mut world, session, false)?;
                }
            }
            world.sessions = [Session { standing: Standing::Open, held: None }; MAX_SESSIONS];
            for place in 0..JOBS {
                let row = u8::try_from(place).expect("a few rows");
                if world.rows[place].state == StateName::Ready && self.claim(&mut world, 0, place)? {
                    let held = Held { row, epoch: world.rows[place].epoch };
                    self.deliver(&mut world, 0, held, Says::Complete)?;
                }
            }
            if world.rows.iter().all(|row| row.state.is_final()) {
                return Ok(());
            }
        }
        Err(Property::EverythingEnds)
    }

    fn check_budgets(
        &self,
        world: &mut World<JOBS>,
        place: usize,
        event: &Event,
        transition: &Transition,
    ) -> Result<(), Property> {
        let row = &mut world.rows[place];
        if matches!(event, Event::Retry { .. }) {
            row.history = Counts::default();
        }
        let limits = Counts::from(self.bounds.limits);
        let Counts { failures, infrastructure, crashes } = &mut row.history;
        let count = |spent: &mut u8, limit: u8, end| {
            *spent += 1;
            if *spent == limit { end } else { StateName::Ready }
        };
        let Some(outcome) = &transition.outcome else {
            return require(row.spent == row.history, Property::BudgetsExact);
        };
        let end = match outcome.kind {
            OutcomeKind::Failed => count(failures, limits.failures, StateName::Failed),
            OutcomeKind::Infrastructure => count(infrastructure, limits.infrastructure, StateName::Failed),
            OutcomeKind::Crashed => count(crashes, limits.crashes, StateName::Quarantined),
            OutcomeKind::Succeeded => StateName::Succeeded,
            OutcomeKind::Cancelled => StateName::Cancelled,
            OutcomeKind::Released => StateName::Ready,
            OutcomeKind::Stopped => StateName::Stopped,
        };
        let permanent = matches!(event, Event::Fail { kind: FailureKind::Permanent, .. });
        let end = if permanent { StateName::Failed } else { end };
        require(row.spent == row.history && row.state == end, Property::BudgetsExact)?;
        let backs_off = end == StateName::Ready && outcome.kind != OutcomeKind::Released;
        require(row.backs_off == backs_off, Property::BackoffKept)
    }
}

fn check_epoch(before: &Job, transition: &Transition) -> Result<(), Property> {
    let left = before.state.name() == StateName::Running;
    require(transition.job.epoch.0 == before.epoch.0 + i32::from(left), Property::EpochGrowsAtExits)
}

fn check_attempt(before: &Job, transition: &Transition) -> Result<(), Property> {
    let Transition { job: after, outcome, .. } = transition;
    let ran = before.state.name() == StateName::Running;
    // Nothing leads from running to running: a second claim would be one.
    require(!(ran && after.state.name() == StateName::Running), Property::OneHolder)?;
    let names_it = |outcome: &AttemptOutcome| {
        outcome.epoch == before.epoch && before.state == State::Running { session: outcome.session }
    };
    require(outcome.as_ref().map_or(!ran, names_it), Property::OutcomeNamesItsAttempt)
}

fn check_final(before: &Job, event: &Event) -> Result<(), Property> {
    let for_ever = matches!(before.state, State::Succeeded | State::Stopped { .. });
    let retried = matches!(event, Event::Retry { .. }) && !for_ever;
    require(!before.state.name().is_final() || retried, Property::FinalStaysFinal)
}

fn is_current(held: Held, place: usize, epoch: u8) -> bool {
    usize::from(held.row) == place && held.epoch == epoch
}

fn kind_of(says: Says) -> OutcomeKind {
    match says {
        Says::Complete => OutcomeKind::Succeeded,
        Says::Own | Says::Permanent => OutcomeKind::Failed,
        Says::Infrastructure => OutcomeKind::Infrastructure,
        Says::Crash => OutcomeKind::Crashed,
        Says::Release => OutcomeKind::Released,
        Says::Poor => OutcomeKind::Stopped,
    }
}
