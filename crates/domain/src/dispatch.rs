//! The choice of the sweep to serve next; the claim itself is one SQL statement in `store`.

use crate::{SweepId, job::JobKind};

/// A sweep that has jobs of one kind ready for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The sweep.
    pub sweep: SweepId,
    /// The kind of its ready jobs.
    pub kind: JobKind,
    /// Priority of its jobs; higher goes first.
    pub priority: i16,
    /// Its jobs that run now.
    pub running: i64,
    /// Place of its oldest ready job of this kind in the queue.
    pub oldest_ready_seq: i64,
}

/// Orders candidates: priority first, then the sweep with the fewest running jobs, then evaluations before inspections before
/// trainings, then the oldest ready job.
///
/// Fewest-running-first is fair share with equal weights: a sweep of ten thousand jobs cannot starve one of ten. Evaluations go
/// first so that a sweep's table fills while the rest of it still trains. Inspections follow: they pass a few hundred images
/// where a training passes many thousands, and show early what a sweep learns.
#[must_use]
pub fn order(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(|candidate| {
        let turn = match candidate.kind {
            JobKind::Evaluate => 0,
            JobKind::Inspect => 1,
            JobKind::Train => 2,
        };
        (-i32::from(candidate.priority), candidate.running, turn, candidate.oldest_ready_seq)
    });
    candidates
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn candidate(sweep: u128, priority: i16, running: i64, oldest_ready_seq: i64) -> Candidate {
        Candidate { sweep: SweepId(Uuid::from_u128(sweep)), kind: JobKind::Train, priority, running, oldest_ready_seq }
    }

    fn order_of(candidates: Vec<Candidate>) -> Vec<u128> {
        order(candidates).into_iter().map(|candidate| candidate.sweep.0.as_u128()).collect()
    }

    #[test]
    fn higher_priority_goes_first() {
        assert_eq!(order_of(vec![candidate(1, 10, 0, 1), candidate(2, 90, 5, 9)]), [2, 1]);
    }

    #[test]
    fn the_sweep_with_fewer_running_jobs_goes_first() {
        assert_eq!(order_of(vec![candidate(1, 50, 3, 1), candidate(2, 50, 0, 9)]), [2, 1]);
    }

    #[test]
    fn an_evaluation_goes_before_an_older_training() {
        let evaluation = Candidate { kind: JobKind::Evaluate, ..candidate(2, 50, 1, 9) };

        assert_eq!(order_of(vec![candidate(1, 50, 1, 3), evaluation]), [2, 1]);
    }

    #[test]
    fn an_inspection_goes_after_a_younger_evaluation_and_before_an_older_training() {
        let of = |kind, sweep, oldest_ready_seq| Candidate { kind, ..candidate(sweep, 50, 1, oldest_ready_seq) };

        let candidates = vec![of(JobKind::Train, 1, 1), of(JobKind::Inspect, 2, 2), of(JobKind::Evaluate, 3, 3)];

        assert_eq!(order_of(candidates), [3, 2, 1]);
    }

    #[test]
    fn the_oldest_ready_job_breaks_the_tie() {
        assert_eq!(order_of(vec![candidate(1, 50, 1, 8), candidate(2, 50, 1, 3)]), [2, 1]);
    }
}
