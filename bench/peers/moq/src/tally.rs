//! What publisher and players count together: frames sent and received in the window, latencies, joins, damage.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use tokio::sync::watch;

use crate::clock::now_us;

/// Latencies above this are counted as this: a minute, far past anything that is still live.
const LATENCY_MAX_US: u64 = 60_000_000;

/// The shared count; all its methods are short and never wait for anybody.
pub(crate) struct Tally {
    counts: Mutex<Counts>,
    ready: watch::Sender<u32>,
}

/// A copy of everything counted so far.
#[derive(Clone)]
pub(crate) struct Counts {
    /// Capture times that count, in microseconds, the end excluded; nothing does before the window opens.
    window: std::ops::Range<u64>,
    /// Frames published in the window.
    pub(crate) published: u64,
    /// Frames of the window received, all players together.
    pub(crate) received: u64,
    /// Their payload bytes.
    pub(crate) bytes: u64,
    /// Frames that failed a check, whenever they came.
    pub(crate) bad: u64,
    /// Capture to last byte, in microseconds.
    pub(crate) latency: Histogram<u64>,
    /// Start of dialling to the last byte of a first frame, in microseconds.
    pub(crate) join: Histogram<u64>,
}

impl Tally {
    /// An empty count, its window not open yet.
    ///
    /// # Errors
    /// Never in practice: the histograms' bounds are constants.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let latency = Histogram::new_with_max(LATENCY_MAX_US, 3)?;
        let counts = Counts {
            window: u64::MAX..u64::MAX,
            published: 0,
            received: 0,
            bytes: 0,
            bad: 0,
            join: latency.clone(),
            latency,
        };
        Ok(Self {
            counts: Mutex::new(counts),
            ready: watch::Sender::new(0),
        })
    }

    /// From now on captured frames count.
    pub(crate) fn open_window(&self) {
        self.lock().window.start = now_us();
    }

    /// Frames captured from now on do not count any more.
    pub(crate) fn close_window(&self) {
        self.lock().window.end = now_us();
    }

    /// A frame was handed to moq.
    pub(crate) fn published(&self, captured_us: u64) {
        let mut counts = self.lock();
        counts.published += u64::from(counts.window.contains(&captured_us));
    }

    /// A player has received a frame whole and found it right.
    pub(crate) fn received(&self, captured_us: u64, bytes: usize) {
        let latency = now_us().saturating_sub(captured_us);
        let mut counts = self.lock();
        if counts.window.contains(&captured_us) {
            counts.received += 1;
            counts.bytes += bytes as u64;
            counts.latency.saturating_record(latency);
        }
    }

    /// A player has received a frame that is not what was sent, or not where it belongs.
    pub(crate) fn bad(&self) {
        self.lock().bad += 1;
    }

    /// A player that began to dial at `dialled_us` has its first frame.
    pub(crate) fn joined(&self, dialled_us: u64) {
        self.lock()
            .join
            .saturating_record(now_us().saturating_sub(dialled_us));
        self.ready.send_modify(|ready| *ready += 1);
    }

    /// How many players have had a first frame, to read or to wait on.
    pub(crate) fn ready(&self) -> watch::Receiver<u32> {
        self.ready.subscribe()
    }

    /// Everything counted so far.
    pub(crate) fn counts(&self) -> Counts {
        self.lock().clone()
    }

    /// Whether `players` have received every frame of the window.
    pub(crate) fn is_complete(&self, players: u32) -> bool {
        let counts = self.lock();
        counts.received >= counts.published * u64::from(players)
    }

    /// A count is whole after every line that changes it, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_frames_captured_in_the_window_count() -> Result<(), hdrhistogram::CreationError> {
        let tally = Tally::new()?;
        let before = now_us();
        tally.published(before);
        tally.open_window();
        let inside = now_us();
        tally.published(inside);
        assert!(!tally.is_complete(1));
        tally.received(before.saturating_sub(1), 10);
        tally.received(inside, 10);
        assert!(tally.is_complete(1));
        tally.close_window();
        std::thread::sleep(std::time::Duration::from_micros(10));
        tally.published(now_us());

        let counts = tally.counts();
        assert_eq!(
            (counts.published, counts.received, counts.bytes),
            (1, 1, 10)
        );
        Ok(())
    }
}
