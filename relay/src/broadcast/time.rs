use std::ops::{Add, Sub};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment on the relay's clock (PROTOCOL 2.7): microseconds since the Unix epoch, never stepping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RelayTime(u64);

impl RelayTime {
    /// The moment `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub fn as_seconds(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The moment as people and programs read it (RFC 3339, in UTC); nothing past the year 9999.
    pub fn rfc3339(self) -> String {
        let nanos = i128::from(self.0) * 1_000;
        let time = OffsetDateTime::from_unix_timestamp_nanos(nanos);
        let text = time.ok().and_then(|time| time.format(&Rfc3339).ok());
        text.unwrap_or_default()
    }
}

/// One moment on both of the relay's clocks: the one that is told to others, and the one that
/// deadlines are kept by.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For what others see.
    pub relay: RelayTime,
    /// For deadlines.
    pub instant: Instant,
}

impl Add<Duration> for RelayTime {
    type Output = Self;

    fn add(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(delay.as_micros() as u64))
    }
}

impl Sub for RelayTime {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}
