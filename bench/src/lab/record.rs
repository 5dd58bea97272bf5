//! What an emulator has carried.

use std::time::Duration;

use serde::Serialize;
use steadycast_lab::Counters;

use super::lateness::Lateness;

/// What an emulator has carried.
#[derive(Debug, Clone)]
pub struct Record {
    /// Path by path.
    pub paths: Vec<PathRecord>,
    /// How late it was itself.
    pub lateness: Lateness,
    /// Packets that the lab lost by itself.
    pub lost: u64,
}

impl Record {
    /// Why figures measured over this emulator mean nothing, if so.
    pub fn void(&self) -> Option<String> {
        if self.lost > 0 {
            return Some(format!("the lab itself lost {} packets", self.lost));
        }
        let late = Duration::from_micros(self.lateness.p99_us);
        (!self.lateness.is_sound()).then(|| format!("the emulator was {late:?} late at p99"))
    }
}

/// What went over one path.
#[derive(Debug, Clone, Default)]
pub struct PathRecord {
    /// To the player.
    pub down: Counters,
    /// To the relay.
    pub up: Counters,
    /// Of the bytes to the player, those of TCP.
    pub tcp_bytes: u64,
    /// Of the packets to the player, those of UDP.
    pub udp_packets: u64,
    /// Bytes to the player of RTP packets that were sent again.
    pub again_bytes: u64,
    /// The way down, ten times a second.
    pub moments: Vec<Moment>,
}

/// Sums of a way down so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Since paths began to change, in milliseconds.
    pub at_ms: u64,
    /// Bytes that were sent into it.
    pub offered_bytes: u64,
    /// Bytes that have come out.
    pub delivered_bytes: u64,
    /// Bytes for which its queue had no room.
    pub dropped_bytes: u64,
    /// Bytes that wait in its queue.
    pub queued_bytes: u64,
}
