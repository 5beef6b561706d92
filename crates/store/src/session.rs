//! Sessions and their leases.

use std::{collections::HashMap, time::Duration};

use domain::{SessionId, fleet::Offer};
use sqlx::{query_file, query_file_scalar};

use crate::{Store, StoreError, Transaction, column};

/// A session to open.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The worker's uuid for this process start.
    pub id: SessionId,
    /// A label for people.
    pub worker_name: String,
    /// Version of the worker.
    pub worker_version: String,
    /// What the worker offers.
    pub offer: Offer,
}

/// A session whose lease was renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewedSession {
    /// The session.
    pub id: SessionId,
    /// Whether it was told to drain.
    pub drain: bool,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStanding {
    /// It may claim.
    Leased,
    /// It is to drain, and may not claim.
    Draining,
    /// Its lease has run out; a heartbeat renews it.
    Lapsed,
    /// It is closed, or was never opened.
    Gone,
}

impl Store {
    /// Opens a session with a lease of `ttl`, or finds it open; `false` when it was closed before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_session(&self, session: &NewSession, ttl: Duration) -> Result<bool, StoreError> {
        let opened = query_file!(
            "queries/session/open.sql",
            session.id.0,
            session.worker_name,
            session.worker_version,
            session.offer.device.as_str(),
            column::bigint(session.offer.memory_bytes),
            &session.offer.labels.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ttl.as_secs_f64(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(opened.is_some())
    }

    /// Renews the leases of those of `sessions` that are open, in one statement.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_sessions(
        &self,
        sessions: &[SessionId],
        ttl: Duration,
    ) -> Result<Vec<RenewedSession>, StoreError> {
        let ids: Vec<_> = sessions.iter().map(|session| session.0).collect();
        let rows = query_file!("queries/session/renew.sql", &ids, ttl.as_secs_f64()).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|row| RenewedSession { id: SessionId(row.id), drain: row.drain }).collect())
    }

    /// Where each of `sessions` stands; those that were never opened are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_standings(
        &self,
        sessions: &[SessionId],
    ) -> Result<HashMap<SessionId, SessionStanding>, StoreError> {
        let ids: Vec<_> = sessions.iter().map(|session| session.0).collect();
        let rows = query_file!("queries/session/find.sql", &ids).fetch_all(&self.pool).await?;
        let standing = |open: bool, drain: bool, leased: bool| match (open, drain, leased) {
            (false, _, _) => SessionStanding::Gone,
            (true, true, _) => SessionStanding::Draining,
            (true, false, false) => SessionStanding::Lapsed,
            (true, false, true) => SessionStanding::Leased,
        };
        Ok(rows.into_iter().map(|row| (SessionId(row.id), standing(row.open, row.drain, row.leased))).collect())
    }

    /// Tells open sessions to drain: they claim no more, and their next heartbeats say so. Yields those that had not been told before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drain_sessions(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, StoreError> {
        let ids: Vec<_> = sessions.iter().map(|session| session.0).collect();
        let told = query_file_scalar!("queries/session/drain.sql", &ids).fetch_all(&self.pool).await?;
        Ok(told.into_iter().map(SessionId).collect())
    }

    /// At most `limit` open sessions whose lease ran out more than `grace` ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expired_sessions(&self, grace: Duration, limit: u32) -> Result<Vec<SessionId>, StoreError> {
        let rows = query_file!("queries/session/expired.sql", grace.as_secs_f64(), i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|row| SessionId(row.id)).collect())
    }
}

impl Transaction {
    /// Closes a session as lost if its lease ran out more than `grace` ago; `false` when it did not, or was closed already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lose_session(&mut self, session: SessionId, grace: Duration) -> Result<bool, StoreError> {
        let closed =
            query_file!("queries/session/lose.sql", session.0, grace.as_secs_f64()).execute(&mut *self.inner).await?;
        Ok(closed.rows_affected() > 0)
    }

    /// Closes a session at its worker's wish; `false` when it was closed already or never opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close_session(&mut self, session: SessionId) -> Result<bool, StoreError> {
        let closed = query_file!("queries/session/close.sql", session.0).execute(&mut *self.inner).await?;
        Ok(closed.rows_affected() > 0)
    }
}
