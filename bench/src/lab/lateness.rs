//! How late the emulator is.

use std::time::Duration;

use serde::Serialize;

use crate::tally::{Times, times};

/// An emulator that was later than this for one packet of a hundred has measured itself.
const BOUND: Duration = Duration::from_millis(1);

/// How much later than they should packets arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Lateness {
    /// The median, in microseconds.
    pub p50_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// The latest.
    pub max_us: u64,
}

impl Lateness {
    /// Whether figures that were measured over this emulator mean something.
    pub fn is_sound(&self) -> bool {
        self.p99_us <= BOUND.as_micros() as u64
    }
}

/// Measures it.
pub(super) struct Watchman(Times);

impl Default for Watchman {
    fn default() -> Self {
        Self(times())
    }
}

impl Watchman {
    pub(super) fn arrived(&mut self, due: Duration, now: Duration) {
        let late = now.saturating_sub(due).as_micros() as u64;
        self.0.saturating_record(late);
    }

    pub(super) fn lateness(&self) -> Lateness {
        Lateness {
            p50_us: self.0.value_at_quantile(0.5),
            p99_us: self.0.value_at_quantile(0.99),
            max_us: self.0.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_packet_of_a_hundred_is_no_matter_and_two_are() {
        let mut watchman = Watchman::default();
        let (due, late) = (Duration::from_millis(5), Duration::from_millis(8));
        for _ in 0..99 {
            watchman.arrived(due, due + Duration::from_micros(80));
        }
        watchman.arrived(due, late);
        assert!(watchman.lateness().is_sound());
        watchman.arrived(due, late);
        watchman.arrived(due, late);
        assert!(!watchman.lateness().is_sound());
        assert!(watchman.lateness().max_us.abs_diff(3_000) < 10);
    }
}
