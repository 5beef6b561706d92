//! Claiming: a long poll for the next jobs. Claims wait at a desk, which serves all of them with one statement a round.

mod count;
mod desk;
mod round;

use std::time::Duration;

use domain::{SessionId, fleet::Offer, report::Assignment};
use tokio::time::{Instant, sleep_until};

pub(crate) use count::Rounds;
pub(super) use desk::Desk;
pub use round::Served;

use super::{Lifecycle, LifecycleError};

/// Longest wait of one claim.
pub const MAX_CLAIM_WAIT: Duration = Duration::from_secs(30);
/// Most jobs of one claim.
pub const MAX_JOBS_PER_CLAIM: u32 = 64;
/// Time between two tries to take back a claim that is just being served.
const WITHDRAWAL_PAUSE: Duration = Duration::from_millis(5);

impl Lifecycle {
    /// The next jobs for `session`, at most `max_jobs`, as soon as there is one; none when none came in `wait`, or when this
    /// coordinator ends.
    ///
    /// # Errors
    /// [`LifecycleError::NoSession`] when the session is closed or unknown.
    pub async fn claim(
        &self,
        session: SessionId,
        offer: Offer,
        max_jobs: u32,
        wait: Duration,
    ) -> Result<Vec<Assignment>, LifecycleError> {
        let mut deadline = Instant::now() + wait.min(MAX_CLAIM_WAIT);
        let (ticket, mut answered) = self.desk.join(session, offer, max_jobs.clamp(1, MAX_JOBS_PER_CLAIM));
        // Even a claim that does not wait is looked at once.
        let mut looked = !wait.is_zero();
        loop {
            tokio::select! {
                biased;
                answer = &mut answered => return answer.unwrap_or(Ok(Vec::new())),
                () = ticket.looked_at(), if !looked => looked = true,
                () = self.shutdown.cancelled(), if looked && !deadline_passed(deadline) => deadline = Instant::now(),
                () = sleep_until(deadline), if looked => {
                    if ticket.withdraw() {
                        return Ok(Vec::new());
                    }
                    deadline = Instant::now() + WITHDRAWAL_PAUSE;
                }
            }
        }
    }
}

fn deadline_passed(deadline: Instant) -> bool {
    deadline <= Instant::now()
}
