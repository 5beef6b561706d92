//! Chaos in short: real processes under a fixed schedule of faults. `cargo xtask chaos` runs longer ones.

use std::time::Duration;

use e2e::chaos::{self, ChaosOptions, Size};

/// Fixes the faults of this test.
const SEED: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_changed_by_a_bit_under_chaos() {
    let options =
        ChaosOptions { seed: SEED, length: Duration::from_secs(40), workers: 3, size: Size::SMALL, logs: None };

    let tally = chaos::run(&options, |said| println!("{said}")).await.unwrap();

    println!("{tally}");
    assert!(tally.violations.is_empty(), "{tally}");
    assert!(tally.jobs >= Size::SMALL.jobs() && tally.equal[0] == tally.equal[1], "{tally}");
}
