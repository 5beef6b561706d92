//! Breadth first through every state that some order of steps reaches, each once.

use std::{
    collections::HashSet,
    fmt,
    hash::{BuildHasherDefault, Hasher},
};

use domain::job::Event;

use super::{
    server::{Property, Server},
    world::{Bounds, Held, Message, Says, Standing, World},
};

/// One step of the network, of a worker, of the server or of the user.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Open {
        session: u8,
    },
    /// The claim of a session reaches the server, however late.
    Claim {
        session: u8,
        row: u8,
    },
    Deliver {
        message: Message,
    },
    /// It arrives and will come again.
    DeliverCopy {
        message: Message,
    },
    Lose {
        message: Message,
    },
    Send {
        session: u8,
        says: Says,
    },
    /// The worker's process dies; the server learns nothing.
    Crash {
        session: u8,
    },
    /// The server takes the lease back; the worker learns nothing.
    Expire {
        session: u8,
    },
    /// The worker's closing of its session reaches the server.
    Close {
        session: u8,
    },
    /// The answer to a heartbeat: the worker drops what is no longer its own.
    Beat {
        session: u8,
    },
    Cancel {
        row: u8,
    },
    Retry {
        row: u8,
    },
    /// A budget of the sweep is used up.
    Stop {
        row: u8,
    },
}

/// What was seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Explored {
    /// Distinct states.
    pub states: usize,
    /// Steps between them.
    pub transitions: usize,
    /// Steps to the farthest state.
    pub depth: usize,
    /// States, apart from their messages, from which a calm ending was tried.
    pub calmed: usize,
}

/// A shortest way to a state in which a property is broken.
#[derive(Debug)]
pub struct Counterexample {
    pub property: Property,
    pub steps: Vec<Step>,
    pub last: String,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} is broken after {} steps:", self.property, self.steps.len())?;
        for step in &self.steps {
            writeln!(formatter, "  {step:?}")?;
        }
        write!(formatter, "from {}", self.last)
    }
}

/// A state, and how it was reached first.
struct Found<const JOBS: usize> {
    world: World<JOBS>,
    from: Option<(usize, Step)>,
    depth: usize,
}

/// Explores everything within the server's bounds.
pub fn explore<const JOBS: usize>(server: &Server<JOBS>) -> Result<Explored, Counterexample> {
    let start = World::new(&server.graph, &server.bounds);
    let mut found = vec![Found { world: start, from: None, depth: 0 }];
    let mut known: HashSet<World<JOBS>, Quick> = HashSet::from_iter([start]);
    let mut calmed: HashSet<World<JOBS>, Quick> = HashSet::default();
    let mut explored = Explored::default();
    let mut next = 0;
    while next < found.len() {
        let Found { world, depth, .. } = found[next];
        explored.depth = depth;
        if calmed.insert(without_messages(world)) {
            server.check_calm(world).map_err(|property| counterexample(&found, next, None, property))?;
        }
        for step in steps(&world, &server.bounds) {
            let broken = |property| counterexample(&found, next, Some(step), property);
            let after = take(server, world, step).map_err(broken)?;
            explored.transitions += 1;
            if known.insert(after) {
                server.check(&after).map_err(broken)?;
                found.push(Found { world: after, from: Some((next, step)), depth: depth + 1 });
            }
        }
        next += 1;
    }
    explored.states = found.len();
    explored.calmed = calmed.len();
    Ok(explored)
}

/// What a calm ending depends on.
fn without_messages<const JOBS: usize>(mut world: World<JOBS>) -> World<JOBS> {
    for message in world.messages() {
        world.forget(message);
    }
    (world.cancels_left, world.retries_left, world.releases_left, world.stops_left) = (0, 0, 0, 0);
    world
}

fn counterexample<const JOBS: usize>(
    found: &[Found<JOBS>],
    last: usize,
    step: Option<Step>,
    property: Property,
) -> Counterexample {
    let mut steps: Vec<Step> = step.into_iter().collect();
    let mut place = last;
    while let Some((before, step)) = found[place].from {
        steps.push(step);
        place = before;
    }
    steps.reverse();
    Counterexample { property, steps, last: format!("{:?}", found[last].world) }
}

/// Every step that `world` allows.
fn steps<const JOBS: usize>(world: &World<JOBS>, bounds: &Bounds) -> Vec<Step> {
    let mut steps = Vec::with_capacity(24);
    let room = world.messages().count() < bounds.in_flight;
    for (session, _) in (0..).zip(0..bounds.sessions) {
        let here = world.sessions[usize::from(session)];
        match here.standing {
            Standing::Unopened => steps.push(Step::Open { session }),
            Standing::Open => {
                steps.extend(rows::<JOBS>().map(|row| Step::Claim { session, row }));
                steps.extend([Step::Expire { session }, Step::Close { session }]);
            }
            Standing::Gone => {}
        }
        if here.held.is_some() {
            steps.extend([Step::Beat { session }, Step::Crash { session }]);
            if room {
                steps.extend(Says::ALL.map(|says| Step::Send { session, says }));
            }
        }
    }
    for message in world.messages() {
        steps.extend([Step::Deliver { message }, Step::DeliverCopy { message }, Step::Lose { message }]);
    }
    for row in rows::<JOBS>() {
        steps.extend((world.cancels_left > 0).then_some(Step::Cancel { row }));
        steps.extend((world.retries_left > 0).then_some(Step::Retry { row }));
        steps.extend((world.stops_left > 0).then_some(Step::Stop { row }));
    }
    steps.retain(|step| world.releases_left > 0 || !gives_back(step));
    steps.retain(|step| world.stops_left > 0 || !matches!(step, Step::Send { says: Says::Poor, .. }));
    steps
}

fn rows<const JOBS: usize>() -> std::ops::Range<u8> {
    0..u8::try_from(JOBS).expect("a few rows")
}

fn gives_back(step: &Step) -> bool {
    matches!(step, Step::Close { .. } | Step::Send { says: Says::Release, .. })
}

/// The world after one step; the step may have been refused, and then nothing changed.
fn take<const JOBS: usize>(server: &Server<JOBS>, mut world: World<JOBS>, step: Step) -> Result<World<JOBS>, Property> {
    match step {
        Step::Open { session } => world.sessions[usize::from(session)].standing = Standing::Open,
        Step::Claim { session, row } => {
            if server.claim(&mut world, session, usize::from(row))? {
                let held = Held { row, epoch: world.rows[usize::from(row)].epoch };
                // Without room on the way the answer is lost at once.
                if world.messages().count() < server.bounds.in_flight {
                    world.send(Message::Grant { session, held });
                }
            }
        }
        Step::Deliver { message } => {
            arrive(server, &mut world, message)?;
            world.forget(message);
        }
        Step::DeliverCopy { message } => arrive(server, &mut world, message)?,
        Step::Lose { message } => world.forget(message),
        Step::Send { session, says } => {
            // Whoever has reported believes no more that the attempt is its own; the report may come late all the same.
            let held = world.sessions[usize::from(session)].held.take().expect("only who holds an attempt reports");
            world.releases_left -= u8::from(says == Says::Release);
            world.stops_left -= u8::from(says == Says::Poor);
            world.send(Message::Report { session, held, says });
        }
        Step::Crash { session } => world.sessions[usize::from(session)].held = None,
        Step::Expire { session } => server.end_session(&mut world, session, true)?,
        Step::Close { session } => {
            world.releases_left -= u8::from(world.running_under(session).next().is_some());
            server.end_session(&mut world, session, false)?;
        }
        Step::Beat { session } => beat(&mut world, session),
        Step::Cancel { row } => {
            let cancelled = server.happen(&mut world, usize::from(row), Event::Cancel { reason: String::new() })?;
            world.cancels_left -= u8::from(cancelled.is_ok());
        }
        Step::Retry { row } => {
            let dependency = world.dependency_of(&server.graph, usize::from(row));
            let retried = server.happen(&mut world, usize::from(row), Event::Retry { dependency })?;
            world.retries_left -= u8::from(retried.is_ok());
        }
        Step::Stop { row } => {
            let stopped = server.happen(&mut world, usize::from(row), Event::Stop { reason: String::new() })?;
            world.stops_left -= u8::from(stopped.is_ok());
        }
    }
    world.recycle();
    Ok(world)
}

fn arrive<const JOBS: usize>(server: &Server<JOBS>, world: &mut World<JOBS>, message: Message) -> Result<(), Property> {
    match message {
        Message::Grant { session, held } => {
            // A worker runs one attempt at a time. One whose session is gone may begin all the same: it does not know.
            world.sessions[usize::from(session)].held.get_or_insert(held);
            Ok(())
        }
        Message::Report { session, held, says } => server.deliver(world, session, held, says),
    }
}

fn beat<const JOBS: usize>(world: &mut World<JOBS>, session: u8) {
    let here = &mut world.sessions[usize::from(session)];
    let rows = world.rows;
    let current = |held: &Held| rows[usize::from(held.row)].epoch == held.epoch;
    here.held = here.held.filter(|held| here.standing == Standing::Open && current(held));
}

/// A hash of a few dozen small values: multiply and rotate, as compilers do it for their own tables.
#[derive(Default)]
pub struct QuickHasher(u64);

type Quick = BuildHasherDefault<QuickHasher>;

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value.cast_unsigned() as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
