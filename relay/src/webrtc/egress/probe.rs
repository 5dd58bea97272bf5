//! When nothing follows a frame, its last packet is sent once more: nothing else shows that it was
//! lost.

use std::time::{Duration, Instant};

/// When nothing has followed a frame for this long, its last packet is sent again; and so after
/// twice that time, and twice that again.
const PAUSE: Duration = Duration::from_millis(70);
/// How often: that all are lost has to be unlikely, for on a screen that stands still nothing else
/// may come for long.
const PROBES: u8 = 4;

/// When the last packet is sent once more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    pub(super) at: Instant,
    pause: Duration,
    left: u8,
}

impl Probe {
    /// The first after a packet.
    pub(super) fn after(now: Instant, round_trip: Duration) -> Self {
        let pause = PAUSE.max(round_trip);
        Self {
            at: now + pause,
            pause,
            left: PROBES - 1,
        }
    }

    /// The one after this; `None` when it was the last.
    pub(super) fn next(self, now: Instant) -> Option<Self> {
        let pause = self.pause * 2;
        Some(Self {
            at: now + pause,
            pause,
            left: self.left.checked_sub(1)?,
        })
    }
}
