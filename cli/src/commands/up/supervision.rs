//! Keeping a program running: started again when it dies, with growing waits, said aloud.

use std::{process::ExitStatus, time::Duration};

use anyhow::anyhow;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use process::exit;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::running::{Invocation, Running};
use crate::failure::Failure;

/// A program that ran so long was well: the waits begin anew.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// How a program is told to stop.
#[derive(Debug, Clone)]
pub struct Stop {
    /// End in order.
    pub requested: CancellationToken,
    /// End now.
    pub forced: CancellationToken,
}

/// Runs a program until it is told to stop.
///
/// One that refuses its configuration is not started again: it would refuse again.
pub async fn keep_running(mut running: Running, stop: Stop) -> Result<(), Failure> {
    let mut delays = delays();
    loop {
        let started = Instant::now();
        let status = tokio::select! {
            ended = running.ended() => ended?,
            () = stop.requested.cancelled() => return running.stop(&stop.forced).await,
        };
        if status.code() == Some(exit::CONFIGURATION.into()) {
            return Err(refused(&running));
        }
        if started.elapsed() > WELL_AFTER {
            delays = self::delays();
        }
        let delay = delays.next().unwrap_or(WELL_AFTER);
        eprintln!("{}", obituary(running.invocation(), status, delay));
        tokio::select! {
            () = sleep(delay) => {}
            () = stop.requested.cancelled() => return Ok(()),
        }
        running = running.restart()?;
    }
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(30))
        .without_max_times()
        .build()
}

fn obituary(Invocation { name, log, .. }: &Invocation, status: ExitStatus, delay: Duration) -> String {
    format!(
        "{name} ended unexpectedly ({status}), see {}: starting it again in {:.1} s",
        log.display(),
        delay.as_secs_f64()
    )
}

fn refused(running: &Running) -> Failure {
    let Invocation { name, log, .. } = running.invocation();
    anyhow!("{name} refuses its configuration; the end of {} says:\n{}", log.display(), running.last_words()).into()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// A shell script as a program of the cluster.
    fn script(folder: &Path, script: &str) -> Invocation {
        Invocation {
            name: "worker-1".to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("FOLDER", folder.display().to_string())],
            log: folder.join("worker-1.log"),
        }
    }

    fn stop() -> Stop {
        Stop { requested: CancellationToken::new(), forced: CancellationToken::new() }
    }

    /// Waits until the log holds `text`, which the script writes.
    async fn logged(invocation: &Invocation, text: &str) {
        let waiting = async {
            while !fs::read_to_string(&invocation.log).is_ok_and(|log| log.contains(text)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the script writes its log");
    }

    #[tokio::test]
    async fn program_that_dies_is_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let dies_once =
            "if [ -e $FOLDER/died ]; then echo again; exec sleep 60; else touch $FOLDER/died; kill -9 $$; fi";
        let invocation = script(folder.path(), dies_once);
        let stop = stop();

        let task = tokio::spawn(keep_running(Running::start(invocation.clone()).unwrap(), stop.clone()));
        logged(&invocation, "again").await;
        stop.requested.cancel();

        task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn refused_configuration_is_an_error_with_the_end_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let invocation = script(folder.path(), "echo 'cuda is missing'; exit 64");
        fs::write(&invocation.log, "of an earlier start\n").unwrap();

        let ended = keep_running(Running::start(invocation).unwrap(), stop()).await;

        let text = ended.unwrap_err().to_string();
        assert!(text.contains("worker-1 refuses") && text.ends_with("says:\ncuda is missing"), "{text}");
    }

    #[tokio::test]
    async fn asked_to_stop_a_program_ends_in_its_own_way() {
        let folder = tempfile::tempdir().unwrap();
        let drains = "trap 'touch $FOLDER/drained; exit 0' TERM; echo up; while :; do sleep 0.05; done";
        let invocation = script(folder.path(), drains);
        let stop = stop();

        let task = tokio::spawn(keep_running(Running::start(invocation.clone()).unwrap(), stop.clone()));
        logged(&invocation, "up").await;
        stop.requested.cancel();

        task.await.unwrap().unwrap();
        assert!(folder.path().join("drained").exists());
    }

    #[tokio::test]
    async fn forced_to_stop_a_stubborn_program_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let invocation = script(folder.path(), "trap '' TERM; echo up; while :; do sleep 0.05; done");
        let stop = stop();

        let task = tokio::spawn(keep_running(Running::start(invocation.clone()).unwrap(), stop.clone()));
        logged(&invocation, "up").await;
        stop.requested.cancel();
        stop.forced.cancel();

        task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn program_outlives_nobody_who_held_its_watchdog() {
        let folder = tempfile::tempdir().unwrap();
        let invocation =
            script(folder.path(), "trap 'touch $FOLDER/asked; exit 0' TERM; echo up; while :; do sleep 0.05; done");
        let mut running = Running::start(invocation.clone()).unwrap();
        logged(&invocation, "up").await;

        running.let_go_of_watchdog();

        tokio::time::timeout(Duration::from_secs(30), running.ended()).await.unwrap().unwrap();
        assert!(fs::exists(folder.path().join("asked")).unwrap());
    }
}
