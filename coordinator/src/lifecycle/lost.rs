//! Sessions whose lease ran out.

use domain::{SessionId, job::Event};
use tracing::warn;

use super::{Lifecycle, LifecycleError};
use crate::telemetry::SessionEnd;

/// Sessions looked at in one go.
const BATCH: u32 = 100;

impl Lifecycle {
    /// Whether the database answers.
    ///
    /// # Errors
    /// [`LifecycleError::Store`] when it does not.
    pub async fn ask_database(&self) -> Result<(), LifecycleError> {
        self.store.now().await?;
        Ok(())
    }

    /// Takes back the jobs of every session whose lease ran out longer than the grace ago; returns how many sessions were lost.
    ///
    /// # Errors
    /// [`LifecycleError::Store`]; sessions before the failure stay lost.
    pub async fn lose_expired_sessions(&self) -> Result<usize, LifecycleError> {
        let expired = self.store.expired_sessions(self.lease.grace, BATCH).await?;
        let mut lost = 0;
        for session in expired {
            lost += usize::from(self.lose_session(session).await?);
        }
        Ok(lost)
    }

    /// One transaction for each session; `false` when a beat came in the meantime.
    async fn lose_session(&self, session: SessionId) -> Result<bool, LifecycleError> {
        let mut transaction = self.store.begin().await?;
        if !transaction.lose_session(session, self.lease.grace).await? {
            return Ok(false);
        }
        self.desk.forget(session);
        let jobs = transaction.lock_running_of(session).await?;
        let events = jobs.into_iter().map(|job| (job, Event::SessionLost { session })).collect();
        let applied = transaction.apply(events).await?;
        transaction.commit().await?;
        self.telemetry.queue().session_ended(SessionEnd::Lost);
        warn!(session_id = %session, jobs = applied.changed, "session was lost: its lease ran out");
        self.after(&applied);
        Ok(true)
    }
}
