//! The cluster under chaos: who is meant to run, who ended unasked, and how everything is mended.

use std::{path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

use super::{WrongClock, schedule::Members};
use crate::{Cluster, ClusterOptions, Links, Persistence, Weather};

/// Wall clocks of workers, one after another, in seconds: right, ten minutes late, ten minutes early.
const SKEWS: [i64; 3] = [0, -600, 600];
/// Longest drain of a worker, in seconds.
const GRACE_SECS: &str = "10";

/// Where a program stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is meant to run.
    Up,
    /// It was killed, and comes back with the end of that fault.
    Down,
    /// It was told to drain, and comes back when it has ended.
    Draining,
}

/// A cluster and what is known of its programs.
pub(super) struct Field {
    pub(super) cluster: Cluster,
    pub(super) workers: Vec<Standing>,
    pub(super) coordinators: Vec<Standing>,
    /// Children of workers that were killed: none of them may live on.
    pub(super) bereaved: Vec<Pid>,
    /// Programs that ended although nobody had asked them to, with what they printed last.
    pub(super) deserters: Vec<String>,
    clock: WrongClock,
    starts: usize,
}

impl Field {
    pub(super) async fn start(members: Members) -> anyhow::Result<Self> {
        let options = ClusterOptions {
            persistence: Persistence::Restartable,
            links: Links::Proxied,
            ..ClusterOptions::default()
        };
        let mut cluster = Cluster::start(options).await?;
        for _ in 1..members.coordinators {
            cluster.add_coordinator().await?;
        }
        let clock = WrongClock::build(cluster.folder())?;
        let mut field = Self {
            cluster,
            workers: vec![Standing::Up; members.workers],
            coordinators: vec![Standing::Up; members.coordinators],
            bereaved: Vec::new(),
            deserters: Vec::new(),
            clock,
            starts: 0,
        };
        for index in 0..members.workers {
            field.cluster.add_worker()?;
            // Started anew for the clock.
            field.cluster.worker(index).kill()?;
            field.revive_worker(index)?;
        }
        Ok(field)
    }

    pub(super) fn revive_worker(&mut self, index: usize) -> anyhow::Result<()> {
        let mut command = self.cluster.worker_command(index)?;
        command.args(["--grace-secs", GRACE_SECS]);
        self.clock.skew(&mut command, SKEWS[self.starts % SKEWS.len()]);
        self.starts += 1;
        self.cluster.revive_worker(index, command)?;
        self.workers[index] = Standing::Up;
        Ok(())
    }

    pub(super) fn revive_coordinator(&mut self, index: usize) -> anyhow::Result<()> {
        self.cluster.revive_coordinator(index)?;
        self.coordinators[index] = Standing::Up;
        Ok(())
    }

    /// Starts again what has ended by itself.
    pub(super) fn tend(&mut self) -> anyhow::Result<()> {
        for index in 0..self.workers.len() {
            let Some(status) = self.cluster.worker(index).try_wait()? else { continue };
            match self.workers[index] {
                Standing::Down => {}
                Standing::Draining => self.revive_worker(index)?,
                Standing::Up => {
                    let output = self.cluster.worker(index).output();
                    self.deserters.push(format!("worker {index} ended with {status}: {}", last_lines(&output)));
                    self.revive_worker(index)?;
                }
            }
        }
        for index in 0..self.coordinators.len() {
            let Some(status) = self.cluster.coordinator(index).try_wait()? else { continue };
            if self.coordinators[index] == Standing::Up {
                let output = self.cluster.coordinator(index).output();
                self.deserters.push(format!("coordinator {index} ended with {status}: {}", last_lines(&output)));
                self.revive_coordinator(index)?;
            }
        }
        Ok(())
    }

    /// Ends every fault.
    pub(super) fn mend(&mut self) -> anyhow::Result<()> {
        self.cluster.restart_database()?;
        for index in 0..self.coordinators.len() {
            for link in [self.cluster.link_to_workers(index), self.cluster.link_to_database(index)] {
                link.into_iter().for_each(|link| link.turn(Weather::Clear));
            }
            // One that is gone cannot be continued, and is revived.
            let _ = self.cluster.coordinator(index).signal(Signal::CONT);
            if self.coordinators[index] == Standing::Down {
                self.revive_coordinator(index)?;
            }
        }
        for index in 0..self.workers.len() {
            let children = self.cluster.worker(index).children();
            children.into_iter().for_each(resume);
            let _ = self.cluster.worker(index).signal(Signal::CONT);
            if self.workers[index] == Standing::Down {
                self.revive_worker(index)?;
            }
        }
        Ok(())
    }

    /// Children that outlived their workers.
    pub(super) fn orphans(&self) -> Vec<Pid> {
        let lives = |pid: &&Pid| {
            let command = std::fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            let dead = stat.is_ok_and(|stat| stat.contains(") Z"));
            !dead && command.is_ok_and(|command| command.contains("run-child"))
        };
        self.bereaved.iter().filter(lives).copied().collect()
    }

    /// Folders of workers in the place where they make them.
    pub(super) fn scratch_folders(&self) -> usize {
        std::fs::read_dir(self.cluster.scratch()).map_or(0, Iterator::count)
    }

    /// Lines in the logs of all programs of a kind that contain `phrase`.
    pub(super) fn count_in_logs(&self, program: &str, phrase: &str) -> usize {
        let logs = std::fs::read_dir(self.cluster.folder()).into_iter().flatten().flatten().filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(program) && Path::new(&*name).extension().is_some_and(|extension| extension == "log")
        });
        let count = |path: &Path| {
            let text = std::fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&text).lines().filter(|line| line.contains(phrase)).count()
        };
        logs.map(|entry| count(&entry.path())).sum()
    }
}

/// Lets a stopped process go on, if it is still there.
pub(super) fn resume(pid: Pid) {
    let _ = kill_process(pid, Signal::CONT);
}

fn last_lines(output: &str) -> String {
    const LINES: usize = 8;
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n    ")
}

/// Time between two looks at the programs.
pub(super) const LOOK: Duration = Duration::from_millis(200);
