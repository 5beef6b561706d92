//! Who goes next: priority, ageing, shares of users and sweeps, requirements, limits.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use domain::{
    SweepId, Timestamp,
    dispatch::{Board, Lane, LaneReady, Policy, SweepTerms},
    fleet::{DeviceKind, DeviceRequirement, Offer, Requirement},
    job::JobKind,
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

fn sweep(number: u128) -> SweepId {
    SweepId(Uuid::from_u128(number))
}

fn terms() -> SweepTerms {
    SweepTerms {
        priority: 50,
        weight: 1,
        max_running: None,
        requirement: Requirement { device: DeviceRequirement::Any, memory_bytes: 0, labels: BTreeSet::new() },
        user: "ada".into(),
        user_weight: 1.0,
    }
}

fn offer() -> Offer {
    Offer { device: DeviceKind::Cpu, memory_bytes: 1 << 30, labels: BTreeSet::new(), artifacts: Vec::new() }
}

fn ready(number: u128, kind: JobKind, oldest: i64) -> LaneReady {
    LaneReady { lane: Lane { sweep: sweep(number), kind }, oldest, since: NOW, jobs: 1 }
}

/// A board with one training lane for each sweep, the first one oldest.
fn board(sweeps: impl IntoIterator<Item = (u128, SweepTerms)>) -> Board {
    let mut board = Board::new(Policy::default());
    for (place, (number, terms)) in sweeps.into_iter().enumerate() {
        board.introduce(sweep(number), terms);
        board.open(ready(number, JobKind::Train, i64::try_from(place).unwrap()));
    }
    board
}

fn next(board: &Board) -> Option<u128> {
    board.best(&offer(), NOW).map(|lane| lane.sweep.0.as_u128())
}

/// Hands out `count` jobs that run for ever, and counts them by sweep.
fn hand_out(board: &mut Board, count: usize) -> HashMap<u128, usize> {
    let mut served = HashMap::new();
    for _ in 0..count {
        let lane = board.best(&offer(), NOW).unwrap();
        board.started(lane.sweep);
        *served.entry(lane.sweep.0.as_u128()).or_default() += 1;
    }
    served
}

#[test]
fn the_higher_priority_goes_first_whatever_it_runs() {
    let mut board = board([(1, terms()), (2, SweepTerms { priority: 90, ..terms() })]);
    assert_eq!(hand_out(&mut board, 10), HashMap::from([(2, 10)]));
}

#[test]
fn waiting_raises_a_lane_until_it_passes_a_higher_priority() {
    let policy = Policy { ageing: Some(Duration::from_secs(60)) };
    let mut board = Board::new(policy);
    board.introduce(sweep(1), SweepTerms { priority: 40, ..terms() });
    board.introduce(sweep(2), terms());
    let ten_minutes_ago = Timestamp::from_micros(NOW.as_micros() - 600_000_000);
    board.open(LaneReady { since: ten_minutes_ago, ..ready(1, JobKind::Train, 1) });
    board.open(ready(2, JobKind::Train, 0));
    // Ten minutes are ten points: level, and the older place decides.
    assert_eq!(next(&board), Some(2));
    // One minute more is a point more.
    let minute = Timestamp::from_micros(NOW.as_micros() + 60_000_000);
    board.open(LaneReady { since: minute, ..ready(2, JobKind::Train, -1) });
    assert_eq!(board.best(&offer(), minute).map(|lane| lane.sweep), Some(sweep(1)), "ageing fires");

    let without = Policy { ageing: None };
    assert_eq!(without.effective_priority(40, ten_minutes_ago, minute), 40);
}

#[test]
fn trainings_that_wait_long_do_not_go_before_evaluations_of_their_sweep() {
    let mut board = board([(1, terms())]);
    let an_hour_ago = Timestamp::from_micros(NOW.as_micros() - 3_600_000_000);
    board.open(LaneReady { since: an_hour_ago, ..ready(1, JobKind::Train, 1) });
    board.open(ready(1, JobKind::Evaluate, 2));

    assert_eq!(board.best(&offer(), NOW).map(|lane| lane.kind), Some(JobKind::Evaluate));
}

#[test]
fn sweeps_of_one_user_share_by_weight() {
    let mut board = board([(1, SweepTerms { weight: 3, ..terms() }), (2, terms())]);

    assert_eq!(hand_out(&mut board, 40), HashMap::from([(1, 30), (2, 10)]));
}

#[test]
fn users_share_alike_however_many_sweeps_they_have() {
    let of = |user: &str| SweepTerms { user: user.into(), ..terms() };
    let mut board = board([(1, of("ada")), (2, of("ada")), (3, of("ada")), (4, of("bob"))]);

    let served = hand_out(&mut board, 30);

    assert_eq!(served[&4], 15);
    assert_eq!((served[&1], served[&2], served[&3]), (5, 5, 5));
}

#[test]
fn a_user_with_twice_the_weight_has_twice_the_jobs() {
    let of = |user: &str, user_weight| SweepTerms { user: user.into(), user_weight, ..terms() };
    let mut board = board([(1, of("ada", 2.0)), (2, of("bob", 1.0))]);

    assert_eq!(hand_out(&mut board, 30), HashMap::from([(1, 20), (2, 10)]));
}

#[test]
fn one_worker_serves_two_sweeps_of_short_jobs_in_turn() {
    let mut board = board([(1, terms()), (2, terms())]);
    let mut served = HashMap::new();
    for _ in 0..20 {
        let lane = board.best(&offer(), NOW).unwrap();
        board.started(lane.sweep);
        board.ended(lane.sweep);
        *served.entry(lane.sweep.0.as_u128()).or_insert(0) += 1;
    }
    assert_eq!(served, HashMap::from([(1, 10), (2, 10)]));
}

#[test]
fn a_sweep_whose_jobs_take_ten_times_as_long_gets_a_tenth_of_them() {
    let mut board = board([(1, terms()), (2, terms())]);
    let mut served = HashMap::new();
    for _ in 0..220 {
        let lane = board.best(&offer(), NOW).unwrap();
        let number = lane.sweep.0.as_u128();
        board.started(lane.sweep);
        let seconds = if number == 1 { 100 } else { 10 };
        board.count_running(&HashMap::from([(lane.sweep, 1)]), Duration::from_secs(seconds));
        board.ended(lane.sweep);
        *served.entry(number).or_insert(0) += 1;
    }
    let share = f64::from(served[&2]) / f64::from(served[&1]);
    assert!((8.0..12.0).contains(&share), "{served:?}");
}

#[test]
fn a_new_sweep_is_not_owed_the_past() {
    let mut board = board([(1, terms())]);
    for _ in 0..1000 {
        board.started(sweep(1));
        board.ended(sweep(1));
    }
    board.introduce(sweep(2), terms());
    board.open(ready(2, JobKind::Train, 5000));

    let mut second = 0;
    for _ in 0..20 {
        let lane = board.best(&offer(), NOW).unwrap();
        board.started(lane.sweep);
        board.ended(lane.sweep);
        second += u32::from(lane.sweep == sweep(2));
    }
    assert_eq!(second, 10);
}

#[test]
fn within_a_sweep_evaluations_go_before_inspections_before_trainings() {
    let mut board = board([(1, terms())]);
    board.open(ready(1, JobKind::Inspect, 7));
    board.open(ready(1, JobKind::Evaluate, 9));
    let kind = |board: &Board| board.best(&offer(), NOW).map(|lane| lane.kind);

    assert_eq!(kind(&board), Some(JobKind::Evaluate));
    board.close(Lane { sweep: sweep(1), kind: JobKind::Evaluate });
    assert_eq!(kind(&board), Some(JobKind::Inspect));
    board.close(Lane { sweep: sweep(1), kind: JobKind::Inspect });
    assert_eq!(kind(&board), Some(JobKind::Train));
}

#[test]
fn a_sweep_at_its_limit_is_passed_over_until_a_job_ends() {
    let mut board = board([(1, SweepTerms { max_running: Some(2), priority: 90, ..terms() }), (2, terms())]);

    assert_eq!(hand_out(&mut board, 5), HashMap::from([(1, 2), (2, 3)]));
    board.ended(sweep(1));
    assert_eq!(next(&board), Some(1));
}

#[test]
fn a_lane_whose_demand_no_offer_meets_is_passed_over() {
    let requirement = Requirement { device: DeviceRequirement::Cuda, memory_bytes: 0, labels: BTreeSet::new() };
    let mut board = board([(1, SweepTerms { requirement, priority: 90, ..terms() })]);
    assert_eq!(next(&board), None);

    board.introduce(sweep(2), terms());
    board.open(ready(2, JobKind::Train, 1));
    assert_eq!(next(&board), Some(2));
}

#[test]
fn counting_replaces_what_was_believed() {
    let mut board = board([(1, terms()), (2, terms())]);
    board.started(sweep(1));
    assert_eq!(next(&board), Some(2));

    board.count_running(&HashMap::from([(sweep(2), 3)]), Duration::ZERO);
    assert_eq!(next(&board), Some(1));
    board.replace_lanes([ready(2, JobKind::Train, 1)]);
    assert_eq!(next(&board), Some(2));
    board.replace_lanes_of(&[sweep(2)], []);
    assert_eq!(next(&board), None);

    board.count_running(&HashMap::new(), Duration::ZERO);
    assert!(!board.knows(sweep(1)), "a sweep without work is forgotten");
}
