//! Sessions: opening and closing them.

use domain::{SessionId, job::Event, lease::LeaseTerms};
use store::{LockedJob, NewSession};
use tracing::info;

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Opens a session, or finds it open, and tells the terms of its lease.
    ///
    /// # Errors
    /// [`LifecycleError::NoSession`] when it was closed before: a uuid names one process start.
    pub async fn open_session(&self, session: &NewSession) -> Result<LeaseTerms, LifecycleError> {
        if !self.store.open_session(session, self.lease.ttl).await? {
            return Err(LifecycleError::NoSession(session.id));
        }
        self.desk.remember(session.id);
        info!(session_id = %session.id, worker_id = session.worker_name, device = %session.offer.device, "session was opened");
        Ok(self.lease)
    }

    /// Closes a session and takes back what it still runs; closing it again changes nothing.
    ///
    /// # Errors
    /// [`LifecycleError::Store`].
    pub async fn close_session(&self, session: SessionId) -> Result<(), LifecycleError> {
        let mut transaction = self.store.begin().await?;
        if !transaction.close_session(session).await? {
            return Ok(());
        }
        self.desk.forget(session);
        let jobs = transaction.lock_running_of(session).await?;
        let release = |locked: LockedJob| {
            let epoch = locked.job.epoch;
            (locked, Event::Release { epoch })
        };
        let applied = transaction.apply(jobs.into_iter().map(release).collect()).await?;
        transaction.commit().await?;
        info!(session_id = %session, released = applied.changed, "session was closed");
        self.after(&applied);
        Ok(())
    }
}
