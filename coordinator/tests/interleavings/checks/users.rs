//! What users asked for: sweeps stored once, cancels and retries that did what they said.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    str::FromStr,
};

use domain::job::StateName;

use super::{Case, Rule};
use crate::{
    history::Event,
    log::{Answer, Entry, Says},
    wire::{jobs_of, reason_of},
};

impl Case<'_> {
    pub(super) fn check_users(&mut self) {
        self.check_submits();
        self.check_cancels();
        self.check_retries();
    }

    /// A sweep is stored once, with all its jobs, if and only if that was acknowledged or may have been.
    fn check_submits(&mut self) {
        let (history, log) = (self.history, self.log);
        let stored: HashSet<&String> = history.sweeps.iter().collect();
        let mut jobs: HashMap<&String, u64> = HashMap::new();
        for job in history.jobs.values() {
            *jobs.entry(&job.sweep).or_default() += 1;
        }
        let mut created: HashMap<&String, u32> = HashMap::new();
        let mut asked: HashSet<&String> = HashSet::new();
        for entry in &log.entries {
            let Says::Submit { sweep, seeds } = &entry.message.says else { continue };
            if entry.may_be_done() {
                asked.insert(sweep);
            }
            if entry.is_acknowledged() {
                // One train and one evaluate job for each seed.
                let whole = stored.contains(sweep) && jobs.get(sweep) == Some(&jobs_of(*seeds));
                self.require(whole, Rule::AcknowledgedIsKept, || format!("{:?} jobs of {entry:?}", jobs.get(sweep)));
            }
            *created.entry(sweep).or_default() += u32::from(entry.answer == Answer::Done);
        }
        for (sweep, times) in created {
            self.require(times <= 1, Rule::UsersObeyed, || format!("sweep {sweep} was created {times} times"));
        }
        for sweep in &history.sweeps {
            self.require(asked.contains(sweep), Rule::OnlyWhatWasSent, || format!("nobody submitted {sweep}"));
        }
    }

    /// A cancel ended as many jobs as it said.
    fn check_cancels(&mut self) {
        let (history, log) = (self.history, self.log);
        let mut ended: HashMap<&str, u32> = HashMap::new();
        for event in history.events.iter().filter(|event| event.kind == StateName::Cancelled.as_str()) {
            *ended.entry(&event.detail).or_default() += 1;
        }
        let cancels = log.entries.iter().filter(|entry| matches!(entry.message.says, Says::Cancel { .. }));
        let mut by_message: BTreeMap<u64, Vec<&Entry>> = BTreeMap::new();
        for entry in cancels {
            by_message.entry(entry.message.id).or_default().push(entry);
        }
        for (id, sendings) in by_message {
            let happened = ended.remove(reason_of(id).as_str()).unwrap_or_default();
            let fits = agrees(happened, sendings.iter().copied());
            self.require(fits, Rule::UsersObeyed, || format!("{happened} jobs were cancelled: {sendings:?}"));
        }
        self.require(ended.is_empty(), Rule::OnlyWhatWasSent, || format!("cancelled by nobody: {ended:?}"));
    }

    /// A job that had ended goes on only while a retry of its sweep is under way, and retries say how many they opened.
    fn check_retries(&mut self) {
        let (history, log) = (self.history, self.log);
        let mut retries: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for entry in &log.entries {
            if let Says::Retry { sweep } = &entry.message.says {
                retries.entry(sweep).or_default().push(entry);
            }
        }
        let mut states: HashMap<i64, StateName> = HashMap::new();
        let mut reopened: HashMap<&str, u32> = HashMap::new();
        for event in &history.events {
            let Ok(state) = StateName::from_str(&event.kind) else { continue };
            let Some(job) = history.jobs.get(&event.job) else { continue };
            if states.insert(event.job, state).is_some_and(StateName::is_final) {
                *reopened.entry(&job.sweep).or_default() += 1;
                let known = retries.get(job.sweep.as_str()).map(Vec::as_slice).unwrap_or_default();
                let retried = known.iter().any(|entry| was_under_way(entry, event));
                self.require_in_time(retried, Rule::FinalStaysFinal, || format!("nobody retried: {event:?}"));
            }
        }
        for (sweep, sendings) in retries {
            let happened = reopened.get(sweep).copied().unwrap_or_default();
            let fits = agrees(happened, sendings.into_iter());
            self.require(fits, Rule::UsersObeyed, || format!("{happened} jobs of {sweep} were opened again"));
        }
    }
}

/// Whether what happened is the sum of what was said; without an answer it may be more.
fn agrees<'run>(happened: u32, sendings: impl Iterator<Item = &'run Entry> + Clone) -> bool {
    let told: u32 = sendings
        .clone()
        .map(|entry| match entry.answer {
            Answer::Changed(count) => count,
            _ => 0,
        })
        .sum();
    let unknown = sendings.clone().any(|entry| entry.answer == Answer::Unknown);
    told == happened || unknown && told < happened
}

fn was_under_way(entry: &Entry, event: &Event) -> bool {
    let open_end = entry.answer == Answer::Unknown;
    entry.may_be_done() && entry.sent_at <= event.at && (open_end || event.at <= entry.answered_at)
}
