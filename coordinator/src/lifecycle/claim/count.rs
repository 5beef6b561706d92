//! What a round knows: lanes and running jobs counted from rows, now all of them, now those of the sweeps that others told of.

use std::{collections::HashMap, time::Duration};

use domain::{SweepId, Timestamp};
use store::StoreError;
use tokio::time::Instant;

use crate::{Unseen, lifecycle::Lifecycle};

/// Longest time between two counts of everything.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);
/// A count of everything is not repeated before this many times its own duration: thousands of lanes cost a twentieth of a
/// processor and no more.
const COUNT_SHARE: u32 = 20;
/// How long the database's clock is told from this process's.
const CLOCK_TRUSTED_FOR: Duration = Duration::from_secs(60);

/// What rounds remember of each other.
#[derive(Debug, Default)]
pub struct Rounds {
    counted: Option<Counted>,
    count_wanted: bool,
    clock: Option<(Timestamp, Instant)>,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    at: Instant,
    cost: Duration,
}

impl Rounds {
    /// Forgets when everything was counted last: what is believed may be wrong.
    pub(super) fn distrust(&mut self) {
        self.counted = None;
    }

    fn count_is_due(&self) -> bool {
        let Some(Counted { at, cost }) = self.counted else { return true };
        let pause = cost * COUNT_SHARE;
        at.elapsed() >= if self.count_wanted { pause } else { pause.max(COUNT_INTERVAL) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.map_or(Timestamp::from_micros(0), |(time, at)| time + at.elapsed())
    }
}

impl Lifecycle {
    /// Brings the board up to date.
    pub(super) async fn look(&self, rounds: &mut Rounds) -> Result<(), StoreError> {
        let unseen = self.wakeups.take_unseen();
        rounds.count_wanted |= unseen == Unseen::Anything;
        if rounds.count_is_due() {
            self.count(rounds).await?;
        } else if let Unseen::Sweeps(sweeps) = unseen {
            let sweeps: Vec<SweepId> = sweeps.into_iter().collect();
            let lanes = self.store.ready_lanes_of(&sweeps).await?;
            self.desk.board().replace_lanes_of(&sweeps, lanes);
        }
        let strangers = self.desk.board().strangers();
        if !strangers.is_empty() {
            let terms = self.store.sweep_terms(&strangers).await?;
            let mut board = self.desk.board();
            terms.into_iter().for_each(|(sweep, terms)| board.introduce(sweep, terms));
        }
        Ok(())
    }

    /// Counts everything anew: backoffs that ended, hints that were lost, jobs of other coordinators.
    async fn count(&self, rounds: &mut Rounds) -> Result<(), StoreError> {
        let began = Instant::now();
        if rounds.clock.is_none_or(|(_, at)| at.elapsed() > CLOCK_TRUSTED_FOR) {
            rounds.clock = Some((self.store.now().await?, Instant::now()));
        }
        let lanes = self.store.ready_lanes().await?;
        let running = if lanes.is_empty() { None } else { Some(self.store.running_jobs().await?) };
        let unknown: Vec<SweepId> = {
            let mut board = self.desk.board();
            board.replace_lanes(lanes);
            let running = running.iter().flat_map(HashMap::keys);
            running.copied().filter(|sweep| !board.knows(*sweep)).collect()
        };
        if !unknown.is_empty() {
            let terms = self.store.sweep_terms(&unknown).await?;
            let mut board = self.desk.board();
            terms.into_iter().for_each(|(sweep, terms)| board.introduce(sweep, terms));
        }
        if let Some(running) = running {
            let elapsed = rounds.counted.map_or(Duration::ZERO, |counted| counted.at.elapsed());
            self.desk.board().count_running(&running, elapsed);
        }
        rounds.counted = Some(Counted { at: Instant::now(), cost: began.elapsed() });
        rounds.count_wanted = false;
        Ok(())
    }
}
