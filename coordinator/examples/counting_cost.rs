//! What counting costs: `cargo run --release --example counting_cost` prints nanoseconds for each kind of count, and the time of a scrape.

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use coordinator::{Telemetry, telemetry::ReportCall};
use domain::job::{JobKind, OutcomeKind, StateName};
use store::{Applied, Change, Connection, Store};

const ROUNDS: u32 = 1_000_000;

fn measure(what: &str, mut count: impl FnMut()) {
    let began = Instant::now();
    (0..ROUNDS).for_each(|_| count());
    println!("{what}: {:.0} ns", began.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS));
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = localdb::shared_for_tests()?.fresh_database()?;
    let connection = Connection { address, max_connections: 2, patience: Duration::from_secs(20) };
    let store = Store::connect(&connection).await?;
    store.migrate().await?;
    let telemetry = Telemetry::new(store, Duration::from_secs(30));
    let queue = telemetry.queue();
    let change = Change { kind: JobKind::Train, state: StateName::Succeeded, outcome: Some(OutcomeKind::Succeeded) };
    let applied = Applied { changes: vec![change], ..Applied::default() };

    measure("one job claimed", || queue.claimed(black_box([JobKind::Train]).into_iter()));
    measure("one claim waits and is served", || queue.claim_waits().served());
    measure("one attempt ended", || queue.applied(black_box(&applied)));
    measure("one result accepted", || queue.result_accepted());
    measure("one lease renewed", || queue.renewed(black_box(1), 0));
    measure("one stale report refused", || queue.stale(black_box(ReportCall::Complete), 1));
    let began = Instant::now();
    let bytes = telemetry.scrape().await.len();
    println!("first scrape, which looks at the database: {:.2} ms, {bytes} bytes", began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    black_box(telemetry.scrape().await);
    println!("second scrape: {:.2} ms", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
