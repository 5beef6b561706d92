//! Reports in mid-run: points of the training curve, checkpoints, lines of the log.

use domain::report::{Attempt, CheckpointRef, CurvePoint, LogLine};
use store::Currency;

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Keeps points, a checkpoint and lines of the log of an attempt that runs; what is there already stays as it is.
    ///
    /// # Errors
    /// [`LifecycleError::NotRunning`]: nothing was kept.
    pub async fn report(
        &self,
        attempt: Attempt,
        curve: &[CurvePoint],
        checkpoint: Option<CheckpointRef>,
        log: &[LogLine],
    ) -> Result<(), LifecycleError> {
        // The checkpoint first: should the points be refused then, what is kept is what a retry would keep.
        if let Some(checkpoint) = checkpoint {
            require_current(attempt, self.store.add_checkpoint(attempt, checkpoint).await?)?;
        }
        if !log.is_empty() {
            require_current(attempt, self.store.add_log_lines(attempt, log).await?)?;
        }
        if !curve.is_empty() || (checkpoint.is_none() && log.is_empty()) {
            require_current(attempt, self.store.add_curve_points(attempt, curve).await?)?;
        }
        Ok(())
    }
}

pub(super) fn require_current(attempt: Attempt, currency: Currency) -> Result<(), LifecycleError> {
    match currency {
        Currency::Current => Ok(()),
        Currency::Stale => Err(LifecycleError::NotRunning(attempt)),
    }
}
