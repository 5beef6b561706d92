//! What follows for the jobs that wait for those which a transaction has moved.

use std::collections::HashMap;

use super::{Cascade, Dependency, Event, StateName, Transition};
use crate::JobId;

/// What a transaction has decided so far, as far as it concerns the jobs that wait.
///
/// Jobs are asked about in an order in which each comes after those that it waits for, and what is decided of them is recorded:
/// then an ending reaches whatever waits for it, however long the chain.
#[derive(Debug, Default)]
pub struct Cascades {
    decided: HashMap<JobId, Decided>,
}

#[derive(Debug)]
struct Decided {
    state: StateName,
    cascade: Option<Cascade>,
}

impl Cascades {
    /// Takes in what was decided of a job.
    pub fn record(&mut self, transition: &Transition) {
        let Transition { job, cascade, .. } = transition;
        self.decided.insert(job.id, Decided { state: job.state.name(), cascade: cascade.clone() });
    }

    /// Whether `job` was decided on.
    #[must_use]
    pub fn has(&self, job: JobId) -> bool {
        self.decided.contains_key(&job)
    }

    /// What happens to a job in `state` that waits for `parents`, each with its state before this transaction; nothing when none of
    /// them concerns it, or when another of them keeps it waiting.
    #[must_use]
    pub fn consequence(&self, state: StateName, parents: &[(JobId, StateName)]) -> Option<Event> {
        let mut causes = parents.iter().filter_map(|(parent, _)| self.decided.get(parent)?.cascade.as_ref()).peekable();
        causes.peek()?;
        let now = |(parent, before): &(JobId, StateName)| self.decided.get(parent).map_or(*before, |one| one.state);
        let dependency = Dependency::of(parents.iter().map(now));
        match state {
            StateName::Blocked => {
                let end = causes.find_map(|cause| match cause {
                    Cascade::End { end, reason } => Some(Event::DependencyEnded { end: *end, reason: reason.clone() }),
                    Cascade::Unblock | Cascade::Reopen => None,
                });
                end.or_else(|| (dependency == Dependency::Met).then_some(Event::DependencySucceeded))
            }
            StateName::Failed | StateName::Cancelled | StateName::Quarantined => {
                let reopened = causes.any(|cause| matches!(cause, Cascade::Reopen));
                (reopened && dependency != Dependency::Ended).then_some(Event::Retry { dependency })
            }
            StateName::Ready | StateName::Running | StateName::Succeeded | StateName::Stopped => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Epoch,
        job::{Budgets, DependencyEnd, Job, State},
    };

    const FIRST: JobId = JobId(1);
    const SECOND: JobId = JobId(2);

    fn decided(moves: &[(JobId, State, Option<Cascade>)]) -> Cascades {
        let mut cascades = Cascades::default();
        let limits = Budgets { failures: 1, infrastructure: 1, crashes: 1 };
        for (id, state, cascade) in moves.iter().cloned() {
            let job = Job { id, state, epoch: Epoch(0), spent: Budgets::default(), limits };
            cascades.record(&Transition { job, outcome: None, cascade, effects: Vec::new() });
        }
        cascades
    }

    fn failed() -> State {
        State::Failed { reason: "boom".to_owned() }
    }

    fn end() -> Option<Cascade> {
        Some(Cascade::End { end: DependencyEnd::Failed, reason: "boom".to_owned() })
    }

    #[test]
    fn only_the_last_parent_that_succeeds_releases_a_job() {
        let first = decided(&[(FIRST, State::Succeeded, Some(Cascade::Unblock))]);
        let both = decided(&[
            (FIRST, State::Succeeded, Some(Cascade::Unblock)),
            (SECOND, State::Succeeded, Some(Cascade::Unblock)),
        ]);
        let waits = |cascades: &Cascades, other| {
            cascades.consequence(StateName::Blocked, &[(FIRST, StateName::Running), (SECOND, other)])
        };

        assert_eq!(waits(&first, StateName::Running), None);
        assert_eq!(waits(&first, StateName::Succeeded), Some(Event::DependencySucceeded));
        assert_eq!(waits(&both, StateName::Running), Some(Event::DependencySucceeded));
        assert_eq!(waits(&Cascades::default(), StateName::Succeeded), None, "neither has moved");
    }

    #[test]
    fn any_parent_that_ends_without_success_ends_a_job() {
        let cascades = decided(&[(FIRST, State::Succeeded, Some(Cascade::Unblock)), (SECOND, failed(), end())]);
        let parents = [(FIRST, StateName::Running), (SECOND, StateName::Running)];

        let event = cascades.consequence(StateName::Blocked, &parents);

        assert_eq!(event, Some(Event::DependencyEnded { end: DependencyEnd::Failed, reason: "boom".to_owned() }));
        for state in StateName::ALL.into_iter().filter(|state| *state != StateName::Blocked) {
            assert_eq!(cascades.consequence(state, &parents), None, "{state}");
        }
    }

    #[test]
    fn job_reopens_when_no_parent_has_ended_any_more() {
        let reopened = |id| (id, State::Ready { not_before: None }, Some(Cascade::Reopen));
        let first = decided(&[reopened(FIRST)]);
        let both = decided(&[reopened(FIRST), reopened(SECOND)]);
        let parents = [(FIRST, StateName::Failed), (SECOND, StateName::Failed)];
        let again = Some(Event::Retry { dependency: Dependency::Pending });

        for state in [StateName::Failed, StateName::Cancelled, StateName::Quarantined] {
            assert_eq!(first.consequence(state, &parents), None, "the second one has failed");
            assert_eq!(both.consequence(state, &parents), again);
            assert_eq!(first.consequence(state, &[(FIRST, StateName::Failed), (SECOND, StateName::Succeeded)]), again);
        }
        assert_eq!(both.consequence(StateName::Stopped, &parents), None);
        assert_eq!(both.consequence(StateName::Succeeded, &parents), None);
    }

    #[test]
    fn parents_count_together() {
        use StateName::{Blocked, Failed, Ready, Running, Stopped, Succeeded};
        assert_eq!(Dependency::of([]), Dependency::Met);
        assert_eq!(Dependency::of([Succeeded, Succeeded]), Dependency::Met);
        for open in [Blocked, Ready, Running] {
            assert_eq!(Dependency::of([Succeeded, open]), Dependency::Pending);
        }
        assert_eq!(Dependency::of([Stopped, Running]), Dependency::Ended);
        assert_eq!(Dependency::of([Running, Failed, Succeeded]), Dependency::Ended);
    }
}
