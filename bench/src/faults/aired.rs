//! A broadcast, and which publisher of it is the newest.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::ground::Ground;
use super::host::{Shown, now_us};
use crate::target::Broadcast;

/// A broadcast that publishers and players come to.
#[derive(Debug)]
pub(super) struct Aired {
    pub(super) ground: Arc<Ground>,
    pub(super) tokens: Broadcast,
    /// Which publisher is the newest, and since when, in microseconds since the Unix epoch.
    newest: Mutex<(u32, u64)>,
}

impl Aired {
    pub(super) fn new(ground: Arc<Ground>, tokens: Broadcast) -> Self {
        Self {
            ground,
            tokens,
            newest: Mutex::default(),
        }
    }

    /// A publisher has been let in.
    pub(super) fn begins(&self, number: u32) {
        let mut newest = self.newest.lock();
        if newest.0 < number {
            *newest = (number, now_us());
        }
    }

    /// How long after a newer publisher had been let in this picture was captured; `None`: before that.
    pub(super) fn outdated(&self, shown: Shown) -> Option<Duration> {
        let (newest, since) = *self.newest.lock();
        let later = shown.captured.checked_sub(since)?;
        (shown.host < newest).then(|| Duration::from_micros(later))
    }
}
