//! Chaos in short: real processes under a fixed schedule of faults. `cargo xtask chaos` runs longer ones.

use std::{collections::BTreeSet, time::Duration};

use e2e::chaos::{self, ChaosOptions, Kind, Members, Schedule, Size};

/// Fixes the faults of this test: a seed under which every part is killed.
const SEED: u64 = 2904;
/// How long there are faults.
const LENGTH: Duration = Duration::from_secs(40);
const WORKERS: usize = 3;

#[test]
fn the_short_run_kills_every_part_and_disturbs_every_link() {
    let schedule = Schedule::generate(SEED, LENGTH, Members { workers: WORKERS, coordinators: 2 });

    let kinds: BTreeSet<Kind> = schedule.faults.iter().map(|fault| fault.kind).collect();

    for kind in [
        Kind::WorkerKilled,
        Kind::WorkerStopped,
        Kind::ChildKilled,
        Kind::CoordinatorKilled,
        Kind::DatabaseKilled,
        Kind::WorkersCut,
        Kind::DatabaseCut,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} is missing: {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_changed_by_a_bit_under_chaos() {
    let options = ChaosOptions { seed: SEED, length: LENGTH, workers: WORKERS, size: Size::SMALL, logs: None };

    let tally = chaos::run(&options, |said| println!("{said}")).await.unwrap();

    println!("{tally}");
    assert!(tally.violations.is_empty(), "{tally}");
    assert!(tally.jobs >= Size::SMALL.jobs() && tally.equal[0] == tally.equal[1], "{tally}");
}
