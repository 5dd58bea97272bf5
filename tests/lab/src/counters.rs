//! What became of a link's packets.

use std::time::Duration;

/// What a link has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that it was given.
    pub offered: u64,
    /// Their bytes, IP headers included.
    pub offered_bytes: u64,
    /// Packets that have arrived, copies not counted.
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Packets for which the queue had no room.
    pub queue_drops: u64,
    /// Their bytes.
    pub queue_drop_bytes: u64,
    /// Packets lost by chance, each on its own.
    pub random_drops: u64,
    /// Packets lost in bursts.
    pub burst_drops: u64,
    /// Packets that were sent on twice.
    pub duplicates: u64,
    /// How long packets have waited for the wire, in microseconds, in the order of their leaving.
    waits: Vec<u32>,
}

impl Counters {
    pub(crate) fn waited(&mut self, time: Duration) {
        self.waits
            .push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    /// The longest that a packet has waited in the queue.
    pub fn longest_wait(&self) -> Duration {
        micros(self.waits.iter().max().copied().unwrap_or(0))
    }

    /// How long packets have waited in the queue, in the mean.
    pub fn mean_wait(&self) -> Duration {
        let all: u64 = self.waits.iter().copied().map(u64::from).sum();
        Duration::from_micros(all / (self.waits.len() as u64).max(1))
    }

    /// How long at most this share of all packets has waited, as 0.99 for 99 of 100.
    pub fn wait(&self, share: f64) -> Duration {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let at = (waits.len() as f64 * share).ceil() as usize;
        micros(waits.get(at.saturating_sub(1)).copied().unwrap_or(0))
    }

    /// Packets that never arrive, whatever the reason.
    pub fn lost(&self) -> u64 {
        self.queue_drops + self.random_drops + self.burst_drops
    }
}

fn micros(count: u32) -> Duration {
    Duration::from_micros(u64::from(count))
}
