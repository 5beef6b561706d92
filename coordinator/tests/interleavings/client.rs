//! A client that behaves as several workers and a user do on their worst day: it claims, reports and ends attempts, falls
//! silent, goes on after its session was lost, repeats itself, is late, hangs up before the answer, cancels and retries.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use domain::job::{FailureKind, JobKind};
use futures::future::join_all;
use uuid::Uuid;

use crate::{
    dice::Dice,
    log::{Answer, Attempt, Entry, Message, Parts, Says},
    run::Shared,
};

/// Attempts that a client runs at once.
const MOST_HELD: usize = 6;
/// Attempts, sessions and messages of the past that a client remembers, to come back to them.
const REMEMBERED: usize = 40;
/// Numbers of messages that belong to one client.
const NUMBERS: u64 = 100_000_000;

/// An attempt that a client believes, or believed, to be its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    attempt: Attempt,
    kind: JobKind,
}

pub struct Client {
    shared: Arc<Shared>,
    dice: Dice,
    next_id: u64,
    session: Option<Uuid>,
    held: Vec<Held>,
    /// Attempts that ended, or whose session did.
    past: VecDeque<Held>,
    past_sessions: VecDeque<Uuid>,
    /// Messages that are on their way and arrive later.
    late: Vec<Arc<Message>>,
    log: Vec<Entry>,
}

/// A message and how it goes: to which coordinator, and how long the client waits for the answer.
type Sending = (Arc<Message>, usize, Option<Duration>);

impl Client {
    pub fn new(number: u64, seed: u64, shared: Arc<Shared>) -> Self {
        Self {
            shared,
            dice: Dice::new(seed, number),
            next_id: number * NUMBERS,
            session: None,
            held: Vec::new(),
            past: VecDeque::new(),
            past_sessions: VecDeque::new(),
            late: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Acts until the run's operations are used up; yields what was said and heard.
    pub async fn run(mut self) -> Vec<Entry> {
        let first = self.submit();
        self.perform(vec![(first, 0, None)]).await;
        loop {
            let mut sendings = Vec::new();
            for _ in 0..=self.dice.below(3) {
                let message = self.act();
                self.dispatch(message, &mut sendings);
            }
            if self.dice.one_in(6) && !self.late.is_empty() {
                let message = self.late.swap_remove(self.dice.below(self.late.len()));
                let coordinator = self.dice.below(2);
                sendings.push((message, coordinator, None));
            }
            if !self.shared.take(sendings.len()) {
                return self.log;
            }
            self.perform(sendings).await;
        }
    }

    /// How a message travels: at once or later, once or twice, with or without somebody who waits for the answer.
    fn dispatch(&mut self, message: Arc<Message>, sendings: &mut Vec<Sending>) {
        if self.dice.one_in(12) {
            self.remember_late(Arc::clone(&message));
            // The other half arrives now as well, and comes again.
            if self.dice.one_in(2) {
                return;
            }
        }
        let copies = 1 + usize::from(self.dice.one_in(8));
        for _ in 0..copies {
            let patience = self.dice.one_in(25).then(|| Duration::from_micros(self.dice.next() % 4_000));
            sendings.push((Arc::clone(&message), self.dice.below(2), patience));
        }
    }

    /// Sends everything at once and takes in the answers.
    async fn perform(&mut self, sendings: Vec<Sending>) {
        let shared = Arc::clone(&self.shared);
        let calls =
            sendings.into_iter().map(|(message, coordinator, patience)| shared.send(message, coordinator, patience));
        for entry in join_all(calls).await {
            self.hear(&entry);
            self.log.push(entry);
        }
    }

    fn act(&mut self) -> Arc<Message> {
        let Some(session) = self.session else {
            let session = Uuid::from_u64_pair(self.dice.next(), self.dice.next());
            self.session = Some(session);
            return self.message(Says::Open { session });
        };
        match self.dice.below(1000) {
            0..190 if self.held.len() < MOST_HELD => self.claim(session),
            0..360 => self.beat(session),
            360..650 => self.report(),
            650..860 => self.end(),
            860..950 => self.haunt(),
            950..962 => self.fall_silent(session),
            962..974 => {
                self.leave_session();
                self.message(Says::Close { session })
            }
            974..984 => self.steer(|sweep| Says::Cancel { sweep }),
            984..996 => self.steer(|sweep| Says::Retry { sweep }),
            _ => self.submit(),
        }
    }

    fn claim(&mut self, session: Uuid) -> Arc<Message> {
        let jobs = [1, 1, 1, 2, 4][self.dice.below(5)];
        let wait_millis = if self.dice.one_in(10) { 20 } else { 0 };
        self.message(Says::Claim { session, jobs, wait_millis })
    }

    fn beat(&mut self, session: Uuid) -> Arc<Message> {
        let mut attempts: Vec<Attempt> = self.held.iter().map(|held| held.attempt).collect();
        attempts.extend(self.dice.one_in(5).then(|| self.pick_past()).flatten().map(|held| held.attempt));
        self.message(Says::Beat { session, attempts })
    }

    fn report(&mut self) -> Arc<Message> {
        let Some(held) = self.dice.pick(&self.held) else { return self.haunt() };
        let says = self.reported(held);
        self.message(says)
    }

    fn reported(&mut self, held: Held) -> Says {
        let parts = [Parts::Points, Parts::Points, Parts::Checkpoint, Parts::Both, Parts::Line][self.dice.below(5)];
        Says::Report { attempt: held.attempt, parts }
    }

    /// Ends an attempt of its own. Sometimes the client forgets that it did, and ends it again, otherwise.
    fn end(&mut self) -> Arc<Message> {
        if self.held.is_empty() {
            return self.haunt();
        }
        let place = self.dice.below(self.held.len());
        let held = self.held[place];
        if !self.dice.one_in(10) {
            self.held.swap_remove(place);
            self.remember(held);
        }
        let says = self.ending(held);
        self.message(says)
    }

    fn ending(&mut self, Held { attempt, kind }: Held) -> Says {
        let fail = |kind| Says::Fail { attempt, kind };
        match self.dice.below(20) {
            0..2 => fail(FailureKind::Own),
            2..4 => fail(FailureKind::Infrastructure),
            4..6 => fail(FailureKind::Crash),
            6 if self.dice.one_in(3) => fail(FailureKind::Permanent),
            7..10 => Says::Release { attempt },
            _ => Says::Complete { attempt, kind },
        }
    }

    /// A zombie speaks: of an attempt that ended, under a session that is gone, or of an epoch that nobody has seen.
    fn haunt(&mut self) -> Arc<Message> {
        if self.dice.one_in(6)
            && let Some(session) = self.pick_past_session()
        {
            let attempts = self.past.iter().take(3).map(|held| held.attempt).collect();
            let says = match self.dice.below(4) {
                0 => Says::Claim { session, jobs: 1, wait_millis: 0 },
                1 => Says::Close { session },
                2 => Says::Open { session },
                _ => Says::Beat { session, attempts },
            };
            return self.message(says);
        }
        let Some(mut held) = self.pick_past() else { return self.submit_if_few() };
        if self.dice.one_in(4) {
            held.attempt.epoch += [-1, 1, 1, 2, 7][self.dice.below(5)];
            held.attempt.epoch = held.attempt.epoch.max(0);
        }
        let says = if self.dice.one_in(3) { self.reported(held) } else { self.ending(held) };
        self.message(says)
    }

    /// The session stops beating and its lease runs out; its attempts are gone for it, or not yet.
    fn fall_silent(&mut self, session: Uuid) -> Arc<Message> {
        if self.dice.one_in(2) {
            self.shared.push_lease(session);
        }
        self.leave_session();
        self.haunt()
    }

    fn steer(&mut self, says: impl FnOnce(String) -> Says) -> Arc<Message> {
        match self.shared.pick_sweep(&mut self.dice) {
            Some(sweep) => self.message(says(sweep)),
            None => self.submit(),
        }
    }

    fn submit(&mut self) -> Arc<Message> {
        let sweep = format!("sweep-{}", self.next_id);
        let seeds = [2, 5, 20, 40][self.dice.below(4)];
        self.message(Says::Submit { sweep, seeds })
    }

    /// A client that has nothing to do is one for which nothing is ready.
    fn submit_if_few(&mut self) -> Arc<Message> {
        match self.session {
            Some(session) if !self.dice.one_in(8) => self.claim(session),
            _ => self.submit(),
        }
    }

    /// Takes in an answer as a worker does that does not always listen.
    fn hear(&mut self, entry: &Entry) {
        match (&entry.message.says, &entry.answer) {
            (Says::Claim { session, .. }, Answer::Assigned(jobs)) => {
                let jobs = jobs.iter().map(|&(attempt, kind)| Held { attempt, kind });
                if self.session == Some(*session) {
                    self.held.extend(jobs);
                } else {
                    jobs.for_each(|held| self.remember(held));
                }
            }
            (Says::Beat { .. }, Answer::Beaten(abandoned)) if !self.dice.one_in(4) => {
                self.drop_held(|attempt| abandoned.contains(&attempt));
            }
            (
                Says::Open { session } | Says::Claim { session, .. } | Says::Beat { session, .. },
                Answer::SessionGone,
            ) if self.session == Some(*session) => self.leave_session(),
            (Says::Report { attempt, .. } | Says::Fail { attempt, .. }, Answer::Stale) if !self.dice.one_in(4) => {
                self.drop_held(|held| held == *attempt);
            }
            (Says::Submit { sweep, .. }, Answer::Done) => self.shared.add_sweep(sweep.clone()),
            _ => {}
        }
    }

    fn leave_session(&mut self) {
        self.past_sessions.extend(self.session.take());
        if self.past_sessions.len() > REMEMBERED {
            self.past_sessions.pop_front();
        }
        self.drop_held(|_| true);
    }

    fn drop_held(&mut self, ended: impl Fn(Attempt) -> bool) {
        let (gone, kept) = std::mem::take(&mut self.held).into_iter().partition(|held: &Held| ended(held.attempt));
        self.held = kept;
        let gone: Vec<Held> = gone;
        gone.into_iter().for_each(|held| self.remember(held));
    }

    fn remember(&mut self, held: Held) {
        self.past.push_back(held);
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
    }

    fn remember_late(&mut self, message: Arc<Message>) {
        self.late.push(message);
        if self.late.len() > REMEMBERED {
            // Lost for good.
            self.late.swap_remove(self.dice.below(REMEMBERED));
        }
    }

    fn pick_past(&mut self) -> Option<Held> {
        self.dice.pick(self.past.make_contiguous())
    }

    fn pick_past_session(&mut self) -> Option<Uuid> {
        self.dice.pick(self.past_sessions.make_contiguous())
    }

    fn message(&mut self, says: Says) -> Arc<Message> {
        self.next_id += 1;
        Arc::new(Message { id: self.next_id, says })
    }
}
