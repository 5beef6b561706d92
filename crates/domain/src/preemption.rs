//! Which trainings are told to stop at a checkpoint, so that jobs of much more important sweeps need not wait for their end.

use std::{cmp::Reverse, collections::HashMap, time::Duration};

use crate::{
    Epoch, JobId, SessionId, SweepId,
    fleet::{Offer, Requirement},
    job::JobKind,
    report::Attempt,
};

/// When a training makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long a job must have waited.
    pub after: Duration,
    /// By how much the priority of its sweep must be higher. Base priorities count: what a job gains by waiting does not.
    pub margin: i16,
    /// How long an attempt at a job that was preempted before runs at least before it is preempted again.
    pub minimum_run: Duration,
}

/// A ready job that nobody has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The job.
    pub job: JobId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its sweep.
    pub sweep: SweepId,
    /// The sweep's name.
    pub sweep_name: String,
    /// The sweep's priority.
    pub priority: i16,
    /// What it asks of a worker.
    pub requirement: Requirement,
    /// Since it became ready, or since room was last made for it.
    pub waited: Duration,
    /// How many more jobs of its sweep may run; absent when the sweep has no limit.
    pub room: Option<u32>,
    /// Whether a training was told to make room for it and has not stopped yet.
    pub awaited: bool,
}

/// A session that may claim, and what it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// The session.
    pub session: SessionId,
    /// What it offers.
    pub offer: Offer,
    /// What it runs; idle when empty.
    pub running: Vec<Running>,
}

/// An attempt that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// The attempt.
    pub attempt: Attempt,
    /// The job's sweep.
    pub sweep: SweepId,
    /// What it does.
    pub kind: JobKind,
    /// The sweep's priority.
    pub priority: i16,
    /// Whether the sweep lets its trainings be stopped.
    pub preemptible: bool,
    /// Since when it runs.
    pub ran: Duration,
    /// Whether it was told to make room already.
    pub told: bool,
    /// Whether an earlier attempt at the job was preempted.
    pub preempted_before: bool,
}

/// A training that is told to make room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preemption {
    /// The attempt that is to stop.
    pub victim: Attempt,
    /// Its sweep.
    pub sweep: SweepId,
    /// The job for which room is made.
    pub waiting: JobId,
    /// That job's epoch.
    pub waiting_epoch: Epoch,
    /// For people.
    pub reason: String,
}

impl Running {
    fn may_make_room_for(&self, waiting: &Waiting, terms: &Terms) -> bool {
        let rested = !self.preempted_before || self.ran >= terms.minimum_run;
        self.kind == JobKind::Train
            && self.preemptible
            && !self.told
            && rested
            && waiting.priority.saturating_sub(self.priority) >= terms.margin
    }
}

/// Chooses the trainings that make room, at most one for each waiting job.
///
/// A job that waited long enough gets one if no session that could take it is idle and its sweep may run one more. The training
/// of the lowest priority stops; among equals the one that started last, which loses least. A job whose room is on its way gets
/// no second one.
#[must_use]
pub fn choose(mut waiting: Vec<Waiting>, stations: &[Station], terms: &Terms) -> Vec<Preemption> {
    waiting.sort_by_key(|job| (Reverse(job.priority), Reverse(job.waited), job.job));
    let mut chosen: Vec<Preemption> = Vec::new();
    let mut granted: HashMap<SweepId, u32> = HashMap::new();
    for job in &waiting {
        let before = granted.entry(job.sweep).or_default();
        if job.room.is_some_and(|room| *before >= room) {
            continue;
        }
        if job.awaited {
            *before += 1;
            continue;
        }
        if job.waited < terms.after {
            continue;
        }
        let Some(victim) = victim(job, stations, &chosen, terms) else { continue };
        *before += 1;
        chosen.push(Preemption {
            victim: victim.attempt,
            sweep: victim.sweep,
            waiting: job.job,
            waiting_epoch: job.epoch,
            reason: reason(job, victim),
        });
    }
    chosen
}

fn victim<'a>(job: &Waiting, stations: &'a [Station], chosen: &[Preemption], terms: &Terms) -> Option<&'a Running> {
    let fitting = || stations.iter().filter(|station| job.requirement.is_met_by(&station.offer));
    if fitting().any(|station| station.running.is_empty()) {
        return None;
    }
    fitting()
        .flat_map(|station| &station.running)
        .filter(|running| running.may_make_room_for(job, terms))
        .filter(|running| chosen.iter().all(|earlier| earlier.victim != running.attempt))
        .min_by_key(|running| (running.priority, running.ran, running.attempt.job))
}

fn reason(job: &Waiting, victim: &Running) -> String {
    format!(
        "room for job {} of sweep {} (priority {} over {}), which had waited {} s",
        job.job,
        job.sweep_name,
        job.priority,
        victim.priority,
        job.waited.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use crate::fleet::{DeviceKind, DeviceRequirement};

    const TERMS: Terms = Terms { after: Duration::from_secs(60), margin: 20, minimum_run: Duration::from_secs(300) };

    fn waiting(job: i64, priority: i16) -> Waiting {
        Waiting {
            job: JobId(job),
            epoch: Epoch(0),
            sweep: SweepId(Uuid::from_u128(1)),
            sweep_name: "urgent".to_owned(),
            priority,
            requirement: Requirement { device: DeviceRequirement::Any, memory_bytes: 0, labels: BTreeSet::new() },
            waited: Duration::from_secs(61),
            room: None,
            awaited: false,
        }
    }

    fn training(job: i64, priority: i16, ran_secs: u64) -> Running {
        Running {
            attempt: Attempt { job: JobId(job), epoch: Epoch(2) },
            sweep: SweepId(Uuid::from_u128(2)),
            kind: JobKind::Train,
            priority,
            preemptible: true,
            ran: Duration::from_secs(ran_secs),
            told: false,
            preempted_before: false,
        }
    }

    fn station(running: Vec<Running>) -> Station {
        let offer =
            Offer { device: DeviceKind::Cpu, memory_bytes: 8 << 30, labels: BTreeSet::new(), artifacts: Vec::new() };
        Station { session: SessionId(Uuid::from_u128(3)), offer, running }
    }

    /// The pairs (waiting job, victim).
    fn pairs(waiting: Vec<Waiting>, stations: &[Station]) -> Vec<(i64, i64)> {
        choose(waiting, stations, &TERMS).iter().map(|one| (one.waiting.0, one.victim.job.0)).collect()
    }

    #[test]
    fn a_training_makes_room_for_a_far_more_important_job_and_says_why() {
        let chosen = choose(vec![waiting(1, 70)], &[station(vec![training(9, 50, 10)])], &TERMS);

        let [only] = &chosen[..] else { panic!("{chosen:?}") };
        assert_eq!(only.victim, Attempt { job: JobId(9), epoch: Epoch(2) });
        assert_eq!((only.waiting, only.waiting_epoch), (JobId(1), Epoch(0)));
        assert_eq!(only.reason, "room for job 1 of sweep urgent (priority 70 over 50), which had waited 61 s");
    }

    #[test]
    fn nothing_stops_unless_every_condition_holds() {
        let usual = || training(9, 50, 10);
        let huge = Requirement { memory_bytes: 16 << 30, ..waiting(1, 70).requirement };
        let cases: [(&str, Waiting, Running); 11] = [
            ("too short a wait", Waiting { waited: Duration::from_secs(59), ..waiting(1, 70) }, usual()),
            ("too small a difference", waiting(1, 69), usual()),
            ("a lower priority", waiting(1, 10), usual()),
            ("no fit", Waiting { requirement: huge, ..waiting(1, 70) }, usual()),
            ("room on its way", Waiting { awaited: true, ..waiting(1, 70) }, usual()),
            ("the sweep's own limit", Waiting { room: Some(0), ..waiting(1, 70) }, usual()),
            ("an evaluation", waiting(1, 70), Running { kind: JobKind::Evaluate, ..usual() }),
            ("an inspection", waiting(1, 70), Running { kind: JobKind::Inspect, ..usual() }),
            ("not preemptible", waiting(1, 70), Running { preemptible: false, ..usual() }),
            ("told already", waiting(1, 70), Running { told: true, ..usual() }),
            ("preempted a moment ago", waiting(1, 70), Running { preempted_before: true, ..training(9, 50, 299) }),
        ];
        for (why, waiting, running) in cases {
            assert_eq!(pairs(vec![waiting], &[station(vec![running])]), [], "{why}");
        }
        let rested = Running { preempted_before: true, ..training(9, 50, 300) };
        assert_eq!(pairs(vec![waiting(1, 70)], &[station(vec![rested])]), [(1, 9)]);
    }

    #[test]
    fn an_idle_session_that_fits_spares_every_training() {
        let busy = station(vec![training(9, 50, 10)]);
        assert_eq!(pairs(vec![waiting(1, 70)], &[busy.clone(), station(vec![])]), []);

        let small = Station { offer: Offer { memory_bytes: 0, ..busy.offer.clone() }, ..station(vec![]) };
        let needs = Requirement { memory_bytes: 1, ..waiting(1, 70).requirement };
        let job = Waiting { requirement: needs, ..waiting(1, 70) };
        assert_eq!(pairs(vec![job], &[busy, small]), [(1, 9)], "the idle one is too small");
    }

    #[test]
    fn the_lowest_priority_stops_and_among_equals_what_started_last() {
        let stations =
            [station(vec![training(7, 40, 5)]), station(vec![training(8, 30, 50)]), station(vec![training(9, 30, 10)])];

        assert_eq!(pairs(vec![waiting(1, 70)], &stations), [(1, 9)]);
        let three = (1..=4).map(|job| waiting(job, 70)).collect();
        assert_eq!(pairs(three, &stations), [(1, 9), (2, 8), (3, 7)], "one victim for each, as many as there are");
    }

    #[test]
    fn the_most_important_job_chooses_first_and_then_the_one_that_waited_longest() {
        let stations = [station(vec![training(9, 10, 10)])];
        let older = Waiting { waited: Duration::from_secs(100), ..waiting(2, 70) };

        assert_eq!(pairs(vec![waiting(1, 70), older.clone()], &stations), [(2, 9)]);
        assert_eq!(pairs(vec![older, waiting(3, 90)], &stations), [(3, 9)]);
    }

    #[test]
    fn a_sweep_gets_no_more_room_than_its_limit_leaves() {
        let stations = [station(vec![training(8, 30, 50)]), station(vec![training(9, 30, 10)])];
        let limited = |job| Waiting { room: Some(1), ..waiting(job, 70) };
        assert_eq!(pairs(vec![limited(1), limited(2)], &stations), [(1, 9)]);

        let coming = Waiting { awaited: true, ..limited(1) };
        assert_eq!(pairs(vec![coming, limited(2)], &stations), [], "the room on its way counts");
    }
}
