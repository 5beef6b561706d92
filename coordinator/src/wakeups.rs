//! Who waits for what inside this coordinator, and what the other coordinators are to be told.
//!
//! A wake-up may be lost or come for nothing: whoever waits looks again every second anyway.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use store::Channel;
use tokio::sync::{Notify, watch};

/// The waiting rooms of one coordinator. Cheap to clone; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Wakeups {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ready: watch::Sender<()>,
    changed: watch::Sender<()>,
    ready_pending: AtomicBool,
    changed_pending: AtomicBool,
    pending: Notify,
}

impl Wakeups {
    /// Something happened here: wakes who waits here, and leaves word for the other coordinators.
    pub fn announce(&self, channel: Channel) {
        self.hear(channel);
        self.flag(channel).store(true, Ordering::Release);
        self.inner.pending.notify_one();
    }

    /// Something happened somewhere: wakes who waits here.
    pub fn hear(&self, channel: Channel) {
        self.room(channel).send_replace(());
    }

    /// A place in a waiting room: `changed` on it yields for whatever happens from now on, also for what happens before the wait.
    #[must_use]
    pub fn subscribe(&self, channel: Channel) -> watch::Receiver<()> {
        self.room(channel).subscribe()
    }

    /// Waits until there is something to tell the other coordinators.
    pub async fn pending(&self) {
        self.inner.pending.notified().await;
    }

    /// Takes what is to be told.
    #[must_use]
    pub fn take_pending(&self) -> Vec<Channel> {
        Channel::ALL.into_iter().filter(|channel| self.flag(*channel).swap(false, Ordering::AcqRel)).collect()
    }

    fn room(&self, channel: Channel) -> &watch::Sender<()> {
        match channel {
            Channel::Ready => &self.inner.ready,
            Channel::Changed => &self.inner.changed,
        }
    }

    fn flag(&self, channel: Channel) -> &AtomicBool {
        match channel {
            Channel::Ready => &self.inner.ready_pending,
            Channel::Changed => &self.inner.changed_pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_announcements_are_told_once() {
        let wakeups = Wakeups::default();
        wakeups.announce(Channel::Ready);
        wakeups.announce(Channel::Ready);

        wakeups.pending().await;

        assert_eq!(wakeups.take_pending(), [Channel::Ready]);
        assert_eq!(wakeups.take_pending(), []);
    }

    #[tokio::test]
    async fn what_is_heard_wakes_and_is_not_told_again() {
        let wakeups = Wakeups::default();
        let mut woken = wakeups.subscribe(Channel::Changed);

        wakeups.hear(Channel::Changed);

        woken.changed().await.unwrap();
        assert_eq!(wakeups.take_pending(), []);
    }
}
