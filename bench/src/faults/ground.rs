//! What clients know of the relays, and the run of them: which are whole, and which publisher is the newest.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use steadycast_tests::client::Target;

use super::host::{Shown, now_us};

/// The relays, for those who come to them.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) targets: Vec<Target>,
    /// Whether each has been whole, and since when.
    whole: Vec<Mutex<Option<Instant>>>,
    /// Which publisher is the newest, and since when, in microseconds since the Unix epoch.
    newest: Mutex<(u32, u64)>,
    numbers: AtomicU32,
    pub(super) over: AtomicBool,
}

impl Ground {
    pub(super) fn new(targets: Vec<Target>) -> Self {
        let now = Instant::now();
        Self {
            whole: targets.iter().map(|_| Mutex::new(Some(now))).collect(),
            targets,
            newest: Mutex::new((0, 0)),
            numbers: AtomicU32::new(1),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn relays(&self) -> usize {
        self.targets.len()
    }

    /// A relay is whole from now on, or is not.
    pub(super) fn is_whole(&self, relay: usize, whole: bool) {
        *self.whole[relay].lock() = whole.then(Instant::now);
    }

    /// Whether a relay has been whole for so long.
    pub(super) fn whole_for(&self, relay: usize, time: Duration) -> bool {
        let since = *self.whole[relay].lock();
        since.is_some_and(|since| since.elapsed() >= time)
    }

    /// The number of a publisher that is about to come.
    pub(super) fn number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
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

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
