//! Heartbeats: the lease renewed, progress kept, directives brought back.

use domain::{SessionId, lease::Directive, report::Progress};

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Renews the session's lease, keeps the progress of its attempts, and says which of them are not its own any more or are to
    /// make room.
    ///
    /// # Errors
    /// [`LifecycleError::Batch`] or [`LifecycleError::Store`]: the lease may not have been renewed.
    pub async fn heartbeat(&self, session: SessionId, progress: &[Progress]) -> Result<Vec<Directive>, LifecycleError> {
        // Progress is written after the renewal: liveness must not wait for it.
        let Some(renewed) = self.renewals.renew(session).await? else {
            return Ok(vec![Directive::SessionLost]);
        };
        let mut directives = self.store.keep_progress(session, progress).await?;
        directives.extend(renewed.drain.then_some(Directive::Drain));
        Ok(directives)
    }
}
