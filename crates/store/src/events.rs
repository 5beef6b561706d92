//! LISTEN and NOTIFY: hints between coordinators, never more. Whatever they miss is found by polling.

use domain::SweepId;
use sqlx::{postgres::PgListener, query_file_scalar};
use uuid::Uuid;

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

/// Most sweeps that a hint names; about more it says nothing, which means any.
const MAX_NAMED_SWEEPS: usize = 100;

/// A hint: something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What it is about.
    pub channel: Channel,
    /// The coordinator's process start that sent it.
    pub sender: Uuid,
    /// The sweeps; none means any.
    pub sweeps: Vec<SweepId>,
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
    pub async fn notify(&self, hint: &Hint) -> Result<(), StoreError> {
        query_file_scalar!("queries/notification/send.sql", hint.channel.as_str(), hint.payload())
            .fetch_one(&self.pool)
            .await?;
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

impl Hint {
    /// Who sent it and which sweeps it is about, separated by spaces: at most 3.8 kB of the 8 kB that Postgres allows.
    fn payload(&self) -> String {
        let mut text = self.sender.simple().to_string();
        if self.sweeps.len() <= MAX_NAMED_SWEEPS {
            for sweep in &self.sweeps {
                text.push(' ');
                text.push_str(&sweep.0.simple().to_string());
            }
        }
        text
    }

    fn parse(channel: Channel, payload: &str) -> Self {
        let mut ids = payload.split(' ').map(Uuid::try_parse);
        let sender = ids.next().and_then(Result::ok).unwrap_or_default();
        let sweeps = ids.map(|id| id.map(SweepId)).collect::<Result<_, _>>().unwrap_or_default();
        Self { channel, sender, sweeps }
    }
}

impl Listener {
    /// The next hint. `None` when the connection was lost and is made again: hints may have been missed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be made again.
    pub async fn next(&mut self) -> Result<Option<Hint>, StoreError> {
        let heard = self.inner.try_recv().await?;
        Ok(heard.and_then(|heard| {
            let channel = Channel::ALL.into_iter().find(|channel| channel.as_str() == heard.channel())?;
            Some(Hint::parse(channel, heard.payload()))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(sweeps: usize) -> Hint {
        let sweeps = (0..sweeps).map(|_| SweepId(Uuid::new_v4())).collect();
        Hint { channel: Channel::Ready, sender: Uuid::new_v4(), sweeps }
    }

    #[test]
    fn a_hint_arrives_as_it_was_sent() {
        for sweeps in [0, 1, MAX_NAMED_SWEEPS] {
            let sent = hint(sweeps);

            assert_eq!(Hint::parse(Channel::Ready, &sent.payload()), sent);
            assert!(sent.payload().len() < 8000);
        }
    }

    #[test]
    fn a_hint_about_many_sweeps_is_about_any() {
        let sent = hint(MAX_NAMED_SWEEPS + 1);

        assert_eq!(Hint::parse(Channel::Ready, &sent.payload()), Hint { sweeps: Vec::new(), ..sent });
    }

    #[test]
    fn what_nobody_understands_is_about_any_sweep() {
        for payload in ["", "nonsense", "a b c"] {
            assert_eq!(Hint::parse(Channel::Ready, payload).sweeps, []);
        }
    }
}
