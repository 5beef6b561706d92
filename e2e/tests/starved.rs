//! A machine that is busy with other things, apart from other tests: it would starve them too.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use e2e::{Cluster, ClusterOptions, eventually, tiny_sweep};

/// Enough steps that training outlasts the test.
const STEPS: u32 = 100_000;
/// Processes for each core that do nothing but keep it busy, at the priority of the worker itself.
const HOGS_PER_CORE: usize = 8;
/// Leases that pass meanwhile.
const LEASES: usize = 4;

/// A process that spins until it is dropped.
struct Hog(std::process::Child);

impl Hog {
    fn start() -> Self {
        Self(std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap())
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_healthy_job_stays_with_its_worker_while_others_hog_every_core() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("starved", &[1], STEPS)).await.unwrap();
    cluster.await_mid_training("starved").await.unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    let hogs: Vec<_> = (0..HOGS_PER_CORE * cores).map(|_| Hog::start()).collect();

    // Several leases long: one that was not renewed in time would be lost meanwhile.
    for _ in 0..LEASES {
        let renewed = cluster.sql("select extract(epoch from max(lease_until)) from session").unwrap();
        let later = format!("select max(lease_until) > to_timestamp({}) + interval '3 s' from session", renewed.trim());
        eventually("a lease is renewed beyond its whole length", || async {
            Ok((cluster.sql(&later)?.trim() == "t").then_some(()))
        })
        .await
        .unwrap();
    }
    drop(hogs);

    let train = cluster.jobs("starved").await.unwrap().into_iter().find(|job| job.kind == "train").unwrap();
    assert_eq!((train.state.as_str(), train.attempts, train.crashes), ("running", 1, 0));
    assert_eq!(cluster.sql("select count(*) from session").unwrap().trim(), "1", "the session was replaced");
}
