//! Real signals to this process.

use process::Shutdown;
use rustix::process::{Signal, getpid, kill_process};

#[tokio::test]
async fn the_first_signal_requests_and_the_second_forces() {
    let shutdown = Shutdown::on_signals().unwrap();

    kill_process(getpid(), Signal::TERM).unwrap();
    shutdown.requested.cancelled().await;
    assert!(!shutdown.forced.is_cancelled());

    kill_process(getpid(), Signal::INT).unwrap();
    shutdown.forced.cancelled().await;
}
