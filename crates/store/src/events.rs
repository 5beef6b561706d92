//! LISTEN and NOTIFY: hints between coordinators, never more. Whatever they miss is found by polling.

use sqlx::{postgres::PgListener, query_file_scalar};

use crate::{Store, StoreError};

/// What a hint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A job may have become ready.
    Ready,
    /// A sweep has changed.
    Changed,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Ready, Self::Changed];

    /// Its name in Postgres.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "spillway_ready",
            Self::Changed => "spillway_changed",
        }
    }
}

/// Hears the hints of every coordinator, this one included.
#[derive(Debug)]
pub struct Listener {
    inner: PgListener,
}

impl Store {
    /// Sends a hint, outside any transaction: commits with a pending NOTIFY queue behind one lock of the whole server.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notify(&self, channel: Channel) -> Result<(), StoreError> {
        query_file_scalar!("queries/notification/send.sql", channel.as_str()).fetch_one(&self.pool).await?;
        Ok(())
    }

    /// Starts to listen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn listen(&self) -> Result<Listener, StoreError> {
        let mut inner = PgListener::connect_with(&self.pool).await?;
        inner.listen_all(Channel::ALL.map(Channel::as_str)).await?;
        Ok(Listener { inner })
    }
}

impl Listener {
    /// The next hint. `None` when the connection was lost and is made again: hints may have been missed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be made again.
    pub async fn next(&mut self) -> Result<Option<Channel>, StoreError> {
        let heard = self.inner.try_recv().await?;
        Ok(heard.and_then(|hint| Channel::ALL.into_iter().find(|channel| channel.as_str() == hint.channel())))
    }
}
