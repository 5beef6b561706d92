//! Faults done to real processes and links, and undone.

use std::{collections::HashMap, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    field::{Field, Standing, resume},
    schedule::{Fault, Kind},
};
use crate::{Ending, Weather};

/// How slow a slow link is, for each piece and each way.
const SLOWNESS: Duration = Duration::from_millis(150);

/// Faults that have begun and what is needed to end them.
#[derive(Debug, Default)]
pub(super) struct Faults {
    stopped_children: HashMap<usize, Pid>,
}

impl Faults {
    /// Begins fault number `number`; `false` when there was nobody to strike.
    pub(super) fn begin(&mut self, field: &mut Field, number: usize, fault: Fault) -> anyhow::Result<bool> {
        let Fault { kind, index, .. } = fault;
        Ok(match kind {
            Kind::WorkerKilled => {
                let struck = field.workers[index] != Standing::Down;
                field.bereaved.extend(field.cluster.worker(index).children());
                field.cluster.worker(index).kill()?;
                field.workers[index] = Standing::Down;
                struck
            }
            Kind::WorkerTerminated => {
                let struck = field.workers[index] == Standing::Up;
                if struck {
                    field.workers[index] = Standing::Draining;
                    // One that ended in this moment is found by the next look.
                    let _ = field.cluster.worker(index).signal(Signal::TERM);
                }
                struck
            }
            Kind::WorkerStopped => field.cluster.worker(index).signal(Signal::STOP).is_ok(),
            Kind::ChildKilled => {
                let child = field.cluster.worker(index).children().first().copied();
                child.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
            }
            Kind::ChildStopped => {
                let child = field.cluster.worker(index).children().first().copied();
                let stopped = child.filter(|&pid| kill_process(pid, Signal::STOP).is_ok());
                stopped.map(|pid| self.stopped_children.insert(number, pid));
                stopped.is_some()
            }
            Kind::CoordinatorKilled => {
                let struck = field.coordinators[index] == Standing::Up;
                field.cluster.kill_coordinator(index)?;
                field.coordinators[index] = Standing::Down;
                struck
            }
            Kind::CoordinatorStopped => field.cluster.coordinator(index).signal(Signal::STOP).is_ok(),
            Kind::DatabaseRestarted => end_database(field, Ending::Fast)?,
            Kind::DatabaseAborted => end_database(field, Ending::Immediate)?,
            Kind::DatabaseKilled => end_database(field, Ending::Killed)?,
            Kind::WorkersCut | Kind::WorkersSilenced | Kind::WorkersSlowed => {
                field.cluster.link_to_workers(index).is_some_and(|link| strike(link, kind))
            }
            Kind::DatabaseCut | Kind::DatabaseSilenced | Kind::DatabaseSlowed => {
                field.cluster.link_to_database(index).is_some_and(|link| strike(link, kind))
            }
        })
    }

    /// Ends fault number `number`, if it still lasts.
    pub(super) fn end(&mut self, field: &mut Field, number: usize, fault: Fault) -> anyhow::Result<()> {
        let Fault { kind, index, .. } = fault;
        match kind {
            Kind::WorkerKilled if field.workers[index] == Standing::Down => field.revive_worker(index)?,
            Kind::CoordinatorKilled if field.coordinators[index] == Standing::Down => {
                field.revive_coordinator(index)?
            }
            Kind::WorkerKilled
            | Kind::CoordinatorKilled
            | Kind::WorkerTerminated
            | Kind::ChildKilled
            | Kind::WorkersCut
            | Kind::DatabaseCut => {}
            Kind::WorkerStopped => {
                // Another one may have taken its place, and was not stopped.
                let _ = field.cluster.worker(index).signal(Signal::CONT);
            }
            Kind::ChildStopped => self.stopped_children.remove(&number).into_iter().for_each(resume),
            Kind::CoordinatorStopped => {
                let _ = field.cluster.coordinator(index).signal(Signal::CONT);
            }
            Kind::DatabaseRestarted | Kind::DatabaseAborted | Kind::DatabaseKilled => {
                field.cluster.restart_database()?;
            }
            Kind::WorkersSilenced | Kind::WorkersSlowed => {
                field.cluster.link_to_workers(index).into_iter().for_each(|link| link.turn(Weather::Clear));
            }
            Kind::DatabaseSilenced | Kind::DatabaseSlowed => {
                field.cluster.link_to_database(index).into_iter().for_each(|link| link.turn(Weather::Clear));
            }
        }
        Ok(())
    }
}

fn end_database(field: &mut Field, ending: Ending) -> anyhow::Result<bool> {
    let struck = field.cluster.database_runs();
    field.cluster.end_database(ending)?;
    Ok(struck)
}

fn strike(link: &crate::Proxy, kind: Kind) -> bool {
    match kind {
        Kind::WorkersSilenced | Kind::DatabaseSilenced => link.turn(Weather::Silent),
        Kind::WorkersSlowed | Kind::DatabaseSlowed => link.turn(Weather::Slow(SLOWNESS)),
        _ => link.cut(),
    }
    true
}
