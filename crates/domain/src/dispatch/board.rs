//! The board: which lanes are believed to have ready jobs, how much each sweep and user has, and who is next.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use super::{
    Lane, Policy, SweepTerms,
    order::{Rank, Usage},
};
use crate::{SweepId, Timestamp, fleet::Offer};

/// Charged with each job that is handed out, in device-seconds: jobs shorter than the time between two counts are paid for too.
const CLAIM_CHARGE: f64 = 1.0;

/// As many ready jobs as are counted in a lane: there may be more.
pub const MANY: u32 = 64;

/// A lane that has a ready job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneReady {
    /// The lane.
    pub lane: Lane,
    /// Place of its oldest ready job in the queue.
    pub oldest: i64,
    /// Since when that job is ready.
    pub since: Timestamp,
    /// Its ready jobs, counted up to [`MANY`].
    pub jobs: u32,
}

/// What one coordinator believes about the queue. Counted anew from rows again and again; between two counts it follows what
/// this coordinator does itself.
#[derive(Debug, Default)]
pub struct Board {
    lanes: BTreeMap<Lane, Place>,
    sweeps: HashMap<SweepId, SweepShare>,
    users: HashMap<Arc<str>, UserShare>,
    policy: Policy,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    oldest: i64,
    since: Timestamp,
    /// Ready jobs that are not planned for yet.
    jobs: u32,
    /// Whether there may be more of them than that.
    more: bool,
}

impl From<LaneReady> for Place {
    fn from(ready: LaneReady) -> Self {
        let LaneReady { lane: _, oldest, since, jobs } = ready;
        Self { oldest, since, jobs, more: jobs >= MANY }
    }
}

#[derive(Debug)]
struct SweepShare {
    terms: SweepTerms,
    share: Share,
}

#[derive(Debug)]
struct UserShare {
    weight: f64,
    share: Share,
}

#[derive(Debug, Clone, Copy, Default)]
struct Share {
    running: u32,
    served: f64,
}

impl Share {
    fn level_with(level: f64, weight: f64) -> Self {
        Self { running: 0, served: level * weight }
    }

    fn count(&mut self, running: u32, elapsed: Duration) {
        self.running = running;
        self.served += f64::from(running) * elapsed.as_secs_f64();
    }

    fn usage(self, weight: f64) -> Usage {
        Usage { running: f64::from(self.running) / weight, served: self.served / weight }
    }
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Whether the board knows the terms of `sweep`.
    #[must_use]
    pub fn knows(&self, sweep: SweepId) -> bool {
        self.sweeps.contains_key(&sweep)
    }

    /// The terms of a sweep that the board knows.
    #[must_use]
    pub fn terms(&self, sweep: SweepId) -> Option<&SweepTerms> {
        self.sweeps.get(&sweep).map(|known| &known.terms)
    }

    /// Takes in the terms of a sweep. A new sweep, or a new user, starts level with the least served one: neither owed the past
    /// nor behind.
    pub fn introduce(&mut self, sweep: SweepId, terms: SweepTerms) {
        let level = least_served(self.users.values().map(|user| (user.share, user.weight)));
        let user = UserShare { weight: terms.user_weight, share: Share::level_with(level, terms.user_weight) };
        self.users.entry(Arc::clone(&terms.user)).or_insert(user);

        let of_user = self.sweeps.values().filter(|other| other.terms.user == terms.user);
        let level = least_served(of_user.map(|other| (other.share, f64::from(other.terms.weight))));
        let share = Share::level_with(level, f64::from(terms.weight));
        self.sweeps.entry(sweep).or_insert(SweepShare { terms, share });
    }

    /// Opens a lane, or tells of more jobs in it.
    pub fn open(&mut self, ready: LaneReady) {
        match self.lanes.entry(ready.lane) {
            Entry::Vacant(lane) => drop(lane.insert(ready.into())),
            Entry::Occupied(mut lane) => {
                let known = lane.get_mut();
                known.jobs = known.jobs.saturating_add(ready.jobs);
                known.more |= ready.jobs >= MANY;
                if ready.oldest < known.oldest {
                    (known.oldest, known.since) = (ready.oldest, ready.since);
                }
            }
        }
    }

    /// Closes a lane that had no job for a claim.
    pub fn close(&mut self, lane: Lane) {
        self.lanes.remove(&lane);
    }

    /// Plans one job of the lane for somebody; yields the place from which to look for it.
    pub fn plan(&mut self, lane: Lane) -> Option<i64> {
        let place = self.lanes.get_mut(&lane)?;
        place.jobs = place.jobs.saturating_sub(1);
        let oldest = place.oldest;
        self.started(lane.sweep);
        Some(oldest)
    }

    /// A planned claim took the job at `place` of the lane: what lies before it is gone.
    pub fn took(&mut self, lane: Lane, place: i64) {
        if let Some(known) = self.lanes.get_mut(&lane) {
            known.oldest = known.oldest.max(place);
        }
    }

    /// A planned claim was not made, since whoever it was for may not claim.
    pub fn unplan(&mut self, lane: Lane) {
        if let Some(place) = self.lanes.get_mut(&lane) {
            place.jobs = place.jobs.saturating_add(1);
        }
        self.withdrawn(lane.sweep);
    }

    /// A planned claim found no job: the lane is empty.
    pub fn missed(&mut self, lane: Lane) {
        self.lanes.remove(&lane);
        self.withdrawn(lane.sweep);
    }

    /// After a round of claims: lanes of which every job is taken are closed, and where there may be more, more are believed in.
    pub fn settle(&mut self) {
        self.lanes.retain(|_, place| {
            if place.jobs == 0 && place.more {
                place.jobs = 2 * MANY;
            }
            place.jobs > 0
        });
    }

    /// Replaces the lanes by what was counted.
    pub fn replace_lanes(&mut self, ready: impl IntoIterator<Item = LaneReady>) {
        self.lanes = ready.into_iter().map(|ready| (ready.lane, ready.into())).collect();
    }

    /// Replaces the lanes of some sweeps by what was counted.
    pub fn replace_lanes_of(&mut self, sweeps: &[SweepId], ready: impl IntoIterator<Item = LaneReady>) {
        self.lanes.retain(|lane, _| !sweeps.contains(&lane.sweep));
        for ready in ready {
            self.open(ready);
        }
    }

    /// Replaces the numbers of running jobs by what was counted, and charges what ran in the `elapsed` time since the last count.
    /// Sweeps with neither a lane nor a running job are forgotten.
    pub fn count_running(&mut self, counted: &HashMap<SweepId, u32>, elapsed: Duration) {
        let lanes = &self.lanes;
        let has_lane =
            |sweep: SweepId| lanes.range(first_lane(sweep)..).next().is_some_and(|(lane, _)| lane.sweep == sweep);
        self.sweeps.retain(|sweep, _| counted.contains_key(sweep) || has_lane(*sweep));
        let mut users: HashMap<&Arc<str>, u32> = HashMap::new();
        for (sweep, known) in &mut self.sweeps {
            known.share.count(counted.get(sweep).copied().unwrap_or(0), elapsed);
            *users.entry(&known.terms.user).or_default() += known.share.running;
        }
        self.users.retain(|user, _| users.contains_key(user));
        for (user, known) in &mut self.users {
            known.share.count(users.get(user).copied().unwrap_or(0), elapsed);
        }
    }

    /// Sweeps that have a lane and whose terms are not known.
    #[must_use]
    pub fn strangers(&self) -> Vec<SweepId> {
        let mut strangers: Vec<SweepId> = self.lanes.keys().map(|lane| lane.sweep).collect();
        strangers.dedup();
        strangers.retain(|sweep| !self.knows(*sweep));
        strangers
    }

    /// A job of the sweep was handed out.
    pub fn started(&mut self, sweep: SweepId) {
        self.change(sweep, |share| {
            share.running = share.running.saturating_add(1);
            share.served += CLAIM_CHARGE;
        });
    }

    fn withdrawn(&mut self, sweep: SweepId) {
        self.change(sweep, |share| {
            share.running = share.running.saturating_sub(1);
            share.served = (share.served - CLAIM_CHARGE).max(0.0);
        });
    }

    /// A job of the sweep left `running`.
    pub fn ended(&mut self, sweep: SweepId) {
        self.change(sweep, |share| share.running = share.running.saturating_sub(1));
    }

    fn change(&mut self, sweep: SweepId, change: impl Fn(&mut Share)) {
        if let Some(known) = self.sweeps.get_mut(&sweep) {
            change(&mut known.share);
            if let Some(user) = self.users.get_mut(&known.terms.user) {
                change(&mut user.share);
            }
        }
    }

    /// Whether no lane is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// The lane to serve next for a worker with this offer: the highest priority (with ageing), then the user and then the sweep
    /// with the fewest running jobs for its weight and the fewest device-seconds, then evaluations, scores, inspections, probes and
    /// trainings in this order, then the oldest job. Sweeps at their limit are passed over.
    #[must_use]
    pub fn best(&self, offer: &Offer, now: Timestamp) -> Option<Lane> {
        // Lanes stand sweep by sweep.
        let open: Vec<(&Lane, &Place)> =
            self.lanes.iter().filter(|(lane, place)| self.is_open(lane, place, offer)).collect();
        let sweeps = open.chunk_by(|(one, _), (other, _)| one.sweep == other.sweep);
        let ranked = sweeps.flat_map(|lanes| {
            // A sweep ages as a whole: else its trainings, which wait from the beginning, would soon go before its evaluations.
            let since = lanes.iter().map(|(_, place)| place.since).min();
            lanes.iter().filter_map(move |(lane, place)| Some((**lane, self.rank(lane, place, since?, now)?)))
        });
        ranked.min_by(|(_, one), (_, other)| one.compare(other)).map(|(lane, _)| lane)
    }

    fn rank(&self, lane: &Lane, place: &Place, since: Timestamp, now: Timestamp) -> Option<Rank> {
        let SweepShare { terms, share } = self.sweeps.get(&lane.sweep)?;
        let user = self.users.get(&terms.user)?;
        Some(Rank {
            priority: self.policy.effective_priority(terms.priority, since, now),
            user: user.share.usage(user.weight),
            sweep: share.usage(f64::from(terms.weight)),
            kind: lane.kind,
            oldest: place.oldest,
        })
    }

    /// Whether a lane has a job for a worker with this offer.
    fn is_open(&self, lane: &Lane, place: &Place, offer: &Offer) -> bool {
        self.sweeps.get(&lane.sweep).is_some_and(|SweepShare { terms, share }| {
            let full = terms.max_running.is_some_and(|most| share.running >= most);
            !full && place.jobs > 0 && terms.requirement.is_met_for(lane.kind, offer)
        })
    }
}

fn least_served(shares: impl Iterator<Item = (Share, f64)>) -> f64 {
    shares.map(|(share, weight)| share.usage(weight).served).min_by(f64::total_cmp).unwrap_or(0.0)
}

fn first_lane(sweep: SweepId) -> Lane {
    Lane { sweep, kind: crate::job::JobKind::Train }
}
