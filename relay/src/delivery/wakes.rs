//! Who has something to do, told from elsewhere.

use std::collections::HashSet;
use std::hash::Hash;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Keys of those who have something to do, each once however often it is told.
#[derive(Debug)]
pub(crate) struct Wakes<K> {
    keys: Mutex<HashSet<K>>,
    notify: Notify,
}

impl<K> Default for Wakes<K> {
    fn default() -> Self {
        Self {
            keys: Mutex::default(),
            notify: Notify::new(),
        }
    }
}

impl<K: Eq + Hash> Wakes<K> {
    /// `key` has something to do.
    pub(crate) fn wake(&self, key: K) {
        let mut keys = self.keys.lock();
        let first = keys.is_empty();
        if keys.insert(key) && first {
            self.notify.notify_one();
        }
    }

    /// Waits for somebody who has something to do. Cancel-safe.
    pub(crate) async fn ready(&self) -> HashSet<K> {
        loop {
            let keys = std::mem::take(&mut *self.keys.lock());
            if !keys.is_empty() {
                return keys;
            }
            self.notify.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// The keys that are ready now; none: it would wait.
    fn ready_now(wakes: &Wakes<u8>) -> Option<HashSet<u8>> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(wakes.ready()).poll(&mut context) {
            Poll::Ready(keys) => Some(keys),
            Poll::Pending => None,
        }
    }

    #[test]
    fn all_that_were_woken_are_ready_at_once_and_each_once() {
        let wakes = Wakes::default();
        assert_eq!(ready_now(&wakes), None);
        for key in [3, 5, 3] {
            wakes.wake(key);
        }
        assert_eq!(ready_now(&wakes), Some([3, 5].into()));
        assert_eq!(ready_now(&wakes), None);
        wakes.wake(3);
        assert_eq!(ready_now(&wakes), Some([3].into()));
    }
}
