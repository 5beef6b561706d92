//! One thread that makes items ahead of their use, a bounded number of them.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// Items ready before they are asked for: enough to hide the time one takes to make, few enough to cost no memory.
const AHEAD: usize = 2;

/// Items in the order in which a thread makes them. Dropping it stops and joins the thread.
pub struct Prefetch<T> {
    items: Option<Receiver<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts a thread that makes every item.
    pub fn start(items: impl Iterator<Item = T> + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(AHEAD);
        let thread = thread::spawn(move || {
            for item in items {
                if sender.send(item).is_err() {
                    return;
                }
            }
        });
        Self { items: Some(receiver), thread: Some(thread) }
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if let Some(item) = self.items.as_ref().and_then(|items| items.recv().ok()) {
            return Some(item);
        }
        // The thread is at its end: a panic there must not look like the end of the items.
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
        None
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        // A thread that waits for room in the channel wakes when the receiver is gone.
        self.items = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was for a consumer that no longer listens.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn items_come_in_order_and_end() {
        assert!(Prefetch::start(0..100).eq(0..100));
    }

    #[test]
    fn dropping_it_ends_the_thread() {
        let held = Arc::new(());
        let by_thread = held.clone();
        let mut items = Prefetch::start((0..).map(move |item| (item, Arc::strong_count(&by_thread))));
        assert_eq!(items.next().map(|(item, _)| item), Some(0));

        drop(items);

        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    #[should_panic(expected = "item 3 cannot be made")]
    fn panic_of_the_thread_reaches_the_consumer() {
        let _: Vec<i32> =
            Prefetch::start((0..).inspect(|&item| assert!(item < 3, "item {item} cannot be made"))).collect();
    }
}
