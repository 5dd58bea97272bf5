//! The memory for pictures, which all broadcasts share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A share of the memory that all caches together may hold.
#[derive(Debug)]
pub(super) struct Budget {
    used: Arc<AtomicUsize>,
    mine: AtomicUsize,
    limit: usize,
}

impl Budget {
    /// A share of `used`, which nobody may bring above `limit` bytes.
    pub(super) fn new(used: Arc<AtomicUsize>, limit: usize) -> Self {
        Self {
            used,
            mine: AtomicUsize::new(0),
            limit,
        }
    }

    /// Bytes that nobody has taken.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Records that this broadcast caches `now` bytes. Called under the broadcast's lock.
    pub(super) fn record(&self, now: usize) {
        let before = self.mine.swap(now, Ordering::Relaxed);
        if now >= before {
            self.used.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.used.fetch_sub(before - now, Ordering::Relaxed);
        }
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.record(0);
    }
}
