//! Whether a publisher brings more than its token allows. RTP cannot be kept waiting as QUIC can.

use std::time::{Duration, Instant};

/// Over how long it is looked at: a keyframe now and then is nothing.
const OVER: Duration = Duration::from_secs(10);
/// How much more may come: encoders aim, and miss.
const MORE: f64 = 1.5;

/// What a session had brought when.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Meter {
    then: Option<(Instant, u64)>,
}

impl Meter {
    /// Of `bytes` in all: whether they came much faster than `kbps`, for the last ten seconds or more.
    pub(super) fn is_above(&mut self, kbps: u32, bytes: u64, now: Instant) -> bool {
        let (at, before) = *self.then.get_or_insert((now, bytes));
        let time = now.saturating_duration_since(at);
        if time < OVER {
            return false;
        }
        self.then = Some((now, bytes));
        let came = bytes.saturating_sub(before) as f64 * 8.0 / 1_000.0;
        came > f64::from(kbps) * MORE * time.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyframe_is_nothing_and_ten_seconds_of_twice_as_much_are_too_much() {
        let begun = Instant::now();
        let above = |bytes: fn(u64) -> u64| {
            let mut meter = Meter::default();
            let at = |second| begun + Duration::from_secs(second);
            (0..=20).any(|second| meter.is_above(1_000, bytes(second), at(second)))
        };
        assert!(!above(|second| second * 125_000));
        assert!(!above(|second| second * 125_000 + 400_000));
        assert!(above(|second| second * 250_000));
        assert!(above(|second| second.saturating_sub(10) * 250_000));
    }
}
