//! What all players of a run count together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::checker::Seen;
use crate::sound::Heard;
use crate::transport::Way;

/// Times in microseconds, to three digits; a minute at most.
pub type Times = Histogram<u64>;

/// An empty histogram of times.
///
/// # Panics
/// Never: the bounds are right.
#[expect(clippy::expect_used, reason = "the bounds are constants")]
pub fn times() -> Times {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds that histograms take")
}

/// A frame that was wrong, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// No publisher sent this.
    Unknown,
    /// Its payload is another.
    Corrupt,
    /// It does not follow the one before it.
    OutOfOrder,
    /// The first of a stream is no keyframe.
    NoKeyframe,
    /// A stream or session broke.
    Broken,
    /// A packet is not what the relay's keys make.
    Forged,
}

/// What happened to RTP packets of healthy players.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Packets {
    /// Came, as what they are: neither again nor in place of others.
    pub came: u64,
    /// Came after later ones.
    pub late: u64,
    /// Came again.
    pub again: u64,
    /// Missed, and asked for.
    pub missed: u64,
    /// Of them, those that came when asked for.
    pub repaired: u64,
}

impl Packets {
    /// Adds what has come to be `now`, where `before` was added already.
    pub fn add_since(&mut self, now: &Self, before: &Self) {
        self.came += now.came - before.came;
        self.late += now.late - before.late;
        self.again += now.again - before.again;
        self.missed += now.missed - before.missed;
        self.repaired += now.repaired - before.repaired;
    }
}

/// A whole frame as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glimpse {
    /// When it was captured.
    pub capture_us: u64,
    /// When its last byte came, on the same clock.
    pub arrived_us: u64,
}

/// The figures of all healthy players.
#[derive(Debug)]
pub struct Tally {
    /// Only frames captured in this time count.
    pub window: Range<u64>,
    /// Frames that count.
    pub frames: u64,
    /// Bytes of their headers, configs and payloads.
    pub bytes: u64,
    /// From capture time to the frame's last byte.
    pub latency: Times,
    /// The same for keyframes.
    pub key_latency: Times,
    /// The same for other frames.
    pub delta_latency: Times,
    /// From opening a session to its first whole frame.
    pub join: Times,
    /// The same from capture time, of players behind narrow paths; as many as their frames.
    pub narrow: Times,
    /// Latency of those by WebTransport.
    pub webtransport: Times,
    /// Latency of those by WebRTC.
    pub webrtc: Times,
    /// What came of RTP packets.
    pub packets: Packets,
    /// What was heard beside the pictures.
    pub sound: Heard,
    /// Latencies since the last look, for the plot over time.
    pub recent: Times,
    /// Every single frame, where that is asked for.
    pub log: Option<Vec<Glimpse>>,
    /// Players that have had a picture, the unhealthy included.
    pub ready: usize,
    /// Groups that the relay cut off.
    pub skips: u64,
    /// Bytes that came on group streams to any player, whatever became of them.
    pub received: u64,
    /// Healthy sessions that ended before the run did.
    pub closed: u64,
    /// Why the first of them did.
    pub first_end: Option<String>,
    /// Frames that were wrong.
    pub faults: BTreeMap<Fault, u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            window: u64::MAX..u64::MAX,
            frames: 0,
            bytes: 0,
            latency: times(),
            key_latency: times(),
            delta_latency: times(),
            join: times(),
            narrow: times(),
            webtransport: times(),
            webrtc: times(),
            packets: Packets::default(),
            sound: Heard::default(),
            recent: times(),
            log: None,
            ready: 0,
            skips: 0,
            received: 0,
            closed: 0,
            first_end: None,
            faults: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// A whole frame that is as it should be.
    pub fn frame(&mut self, seen: &Seen, now_us: u64, way: Way) {
        let latency = now_us.saturating_sub(seen.capture_us);
        self.recent.saturating_record(latency);
        if let Some(log) = &mut self.log {
            log.push(Glimpse {
                capture_us: seen.capture_us,
                arrived_us: now_us,
            });
        }
        if !self.window.contains(&seen.capture_us) {
            return;
        }
        self.frames += 1;
        self.bytes += seen.bytes as u64;
        self.latency.saturating_record(latency);
        let kind = match seen.keyframe {
            true => &mut self.key_latency,
            false => &mut self.delta_latency,
        };
        kind.saturating_record(latency);
        match way {
            Way::WebTransport => self.webtransport.saturating_record(latency),
            Way::WebRtc => self.webrtc.saturating_record(latency),
            // There are no others beside them.
            Way::WebSocket => {}
        }
    }

    /// A whole frame of a player behind a narrow path.
    pub fn narrow_frame(&mut self, seen: &Seen, now_us: u64) {
        if self.window.contains(&seen.capture_us) {
            let latency = now_us.saturating_sub(seen.capture_us);
            self.narrow.saturating_record(latency);
        }
    }

    /// A player's first picture.
    pub fn joined(&mut self, took: Duration) {
        self.ready += 1;
        self.join.saturating_record(took.as_micros() as u64);
    }

    /// A healthy session ended, or was never opened.
    pub fn closed(&mut self, error: &anyhow::Error) {
        self.closed += 1;
        self.first_end.get_or_insert_with(|| format!("{error:#}"));
    }

    /// Something was wrong.
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Everything that was wrong.
    pub fn bad(&self) -> u64 {
        self.faults.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_window_counts() {
        let mut tally = Tally {
            window: 100..200,
            ..Tally::default()
        };
        for capture_us in [99, 100, 199, 200] {
            let seen = Seen {
                capture_us,
                place: None,
                keyframe: false,
                crc: 0,
                bytes: 10,
            };
            tally.frame(&seen, capture_us + 50, Way::WebRtc);
        }
        assert_eq!((tally.frames, tally.bytes), (2, 20));
        assert_eq!(tally.recent.len(), 4);
        assert_eq!(tally.delta_latency.max(), 50);
        assert_eq!(tally.key_latency.len(), 0);
        assert_eq!((tally.webrtc.len(), tally.webtransport.len()), (2, 0));
    }
}
