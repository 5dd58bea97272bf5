use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::broadcast::{Moment, RelayTime};

/// The relay's clock (PROTOCOL 2.7): Unix time when it started plus monotonic time since.
#[derive(Debug, Clone, Copy)]
pub struct RelayClock {
    started: Instant,
    started_at: RelayTime,
}

impl RelayClock {
    /// Starts the clock from the system's time.
    pub fn start() -> Self {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            started: Instant::now(),
            started_at: RelayTime::from_micros(unix.as_micros() as u64),
        }
    }

    /// The same clock, set ahead of the system's.
    #[must_use]
    pub fn ahead(self, by: Duration) -> Self {
        Self {
            started_at: self.started_at + by,
            ..self
        }
    }

    /// The time at which it started; no other start of this relay has the same.
    pub fn started(&self) -> RelayTime {
        self.started_at
    }

    /// The time now.
    pub fn now(&self) -> RelayTime {
        self.started_at + self.started.elapsed()
    }

    /// How far the system's time is from the relay's by now: it has been set since the relay started.
    pub fn drift(&self) -> Duration {
        let system = Self::start().started_at;
        let own = self.now();
        (system - own).max(own - system)
    }

    /// This moment, on both clocks.
    pub fn moment(&self) -> Moment {
        let instant = Instant::now();
        Moment {
            relay: self.started_at + (instant - self.started),
            instant: instant.into_std(),
        }
    }

    /// When the clock will show `time`; at once for a time that has passed.
    pub fn instant(&self, time: RelayTime) -> Instant {
        self.started + time.since(self.started_at)
    }
}
