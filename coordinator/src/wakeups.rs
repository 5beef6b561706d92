//! Who waits for what inside this coordinator, and what the other coordinators are to be told.
//!
//! A wake-up may be lost or come for nothing: whoever waits looks again every second anyway.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::SweepId;
use store::{Channel, Hint};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// The waiting rooms of one coordinator. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub struct Wakeups {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// This process start, by which it knows its own hints.
    sender: Uuid,
    changed: watch::Sender<()>,
    changed_pending: AtomicBool,
    /// Sweeps that others must hear of.
    ready_pending: Mutex<BTreeSet<SweepId>>,
    pending: Notify,
    /// Sweeps that others told of, not looked at yet.
    unseen: Mutex<Unseen>,
    ready: Notify,
}

/// Sweeps in which jobs became ready elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unseen {
    /// None.
    #[default]
    Nothing,
    /// These.
    Sweeps(BTreeSet<SweepId>),
    /// Any.
    Anything,
}

impl Default for Wakeups {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                sender: Uuid::new_v4(),
                changed: watch::Sender::default(),
                changed_pending: AtomicBool::default(),
                ready_pending: Mutex::default(),
                pending: Notify::default(),
                unseen: Mutex::default(),
                ready: Notify::default(),
            }),
        }
    }
}

impl Wakeups {
    /// A sweep changed here: wakes who watches here, and leaves word for the other coordinators.
    pub fn announce_change(&self) {
        self.inner.changed.send_replace(());
        self.inner.changed_pending.store(true, Ordering::Release);
        self.inner.pending.notify_one();
    }

    /// Jobs became ready here: leaves word for the other coordinators. This one's claim desk knows of them.
    pub fn announce_ready(&self, sweeps: impl IntoIterator<Item = SweepId>) {
        locked(&self.inner.ready_pending).extend(sweeps);
        self.inner.pending.notify_one();
    }

    /// Something happened somewhere. A hint of this coordinator's own tells it nothing.
    pub fn hear(&self, hint: Hint) {
        if hint.sender == self.inner.sender {
            return;
        }
        match hint.channel {
            Channel::Changed => {
                self.inner.changed.send_replace(());
            }
            Channel::Ready => {
                let mut unseen = locked(&self.inner.unseen);
                *unseen = match (std::mem::take(&mut *unseen), hint.sweeps) {
                    (Unseen::Anything, _) => Unseen::Anything,
                    (_, sweeps) if sweeps.is_empty() => Unseen::Anything,
                    (Unseen::Nothing, sweeps) => Unseen::Sweeps(sweeps.into_iter().collect()),
                    (Unseen::Sweeps(known), sweeps) => Unseen::Sweeps(known.into_iter().chain(sweeps).collect()),
                };
                drop(unseen);
                self.inner.ready.notify_one();
            }
        }
    }

    /// Anything may have happened: hints may have been missed.
    pub fn hear_anything(&self) {
        self.inner.changed.send_replace(());
        *locked(&self.inner.unseen) = Unseen::Anything;
        self.inner.ready.notify_one();
    }

    /// A place in the waiting room of changes: `changed` on it yields for whatever happens from now on, also for what happens
    /// before the wait.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.inner.changed.subscribe()
    }

    /// Waits until jobs became ready elsewhere; for the claim desk alone.
    pub async fn ready_elsewhere(&self) {
        self.inner.ready.notified().await;
    }

    /// Takes the sweeps in which jobs became ready elsewhere.
    #[must_use]
    pub fn take_unseen(&self) -> Unseen {
        std::mem::take(&mut *locked(&self.inner.unseen))
    }

    /// Waits until there is something to tell the other coordinators.
    pub async fn pending(&self) {
        self.inner.pending.notified().await;
    }

    /// Takes what is to be told.
    #[must_use]
    pub fn take_pending(&self) -> Vec<Hint> {
        let sender = self.inner.sender;
        let sweeps: Vec<SweepId> = std::mem::take(&mut *locked(&self.inner.ready_pending)).into_iter().collect();
        let ready = (!sweeps.is_empty()).then_some(Hint { channel: Channel::Ready, sender, sweeps });
        let changed = self.inner.changed_pending.swap(false, Ordering::AcqRel);
        let changed = changed.then_some(Hint { channel: Channel::Changed, sender, sweeps: Vec::new() });
        ready.into_iter().chain(changed).collect()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(number: u128) -> SweepId {
        SweepId(Uuid::from_u128(number))
    }

    fn elsewhere(sweeps: &[SweepId]) -> Hint {
        Hint { channel: Channel::Ready, sender: Uuid::new_v4(), sweeps: sweeps.to_vec() }
    }

    #[tokio::test]
    async fn many_announcements_are_told_once() {
        let wakeups = Wakeups::default();
        wakeups.announce_ready([sweep(1), sweep(2)]);
        wakeups.announce_ready([sweep(1)]);
        wakeups.announce_change();

        wakeups.pending().await;

        let told: Vec<_> = wakeups.take_pending().into_iter().map(|hint| (hint.channel, hint.sweeps)).collect();
        assert_eq!(told, [(Channel::Ready, vec![sweep(1), sweep(2)]), (Channel::Changed, vec![])]);
        assert_eq!(wakeups.take_pending(), []);
    }

    #[tokio::test]
    async fn what_is_heard_wakes_and_is_not_told_again() {
        let wakeups = Wakeups::default();
        let mut woken = wakeups.subscribe();

        wakeups.hear(Hint { channel: Channel::Changed, sender: Uuid::new_v4(), sweeps: Vec::new() });

        woken.changed().await.unwrap();
        assert_eq!(wakeups.take_pending(), []);
    }

    #[tokio::test]
    async fn sweeps_heard_of_gather_until_they_are_taken() {
        let wakeups = Wakeups::default();
        wakeups.hear(elsewhere(&[sweep(1)]));
        wakeups.hear(elsewhere(&[sweep(2)]));

        wakeups.ready_elsewhere().await;
        assert_eq!(wakeups.take_unseen(), Unseen::Sweeps([sweep(1), sweep(2)].into()));
        assert_eq!(wakeups.take_unseen(), Unseen::Nothing);

        wakeups.hear(elsewhere(&[sweep(1)]));
        wakeups.hear(elsewhere(&[]));
        wakeups.hear(elsewhere(&[sweep(2)]));
        assert_eq!(wakeups.take_unseen(), Unseen::Anything);
    }

    #[test]
    fn own_hints_tell_nothing() {
        let wakeups = Wakeups::default();
        wakeups.announce_ready([sweep(1)]);

        for hint in wakeups.take_pending() {
            wakeups.hear(hint);
        }

        assert_eq!(wakeups.take_unseen(), Unseen::Nothing);
    }
}
