//! From a publisher's RTP times to capture times on the relay's clock.

use std::time::Duration;

use crate::broadcast::RelayTime;

/// How long the least delay is looked for before the clocks are brought together again.
const WINDOW: Duration = Duration::from_secs(10);

/// A publisher's RTP clock, as it runs against the relay's.
///
/// The first frame is taken to have arrived at once. Clocks drift: capture
/// times never lie in the future, never fall, and follow when all frames of a
/// window seem to have been late.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Timeline {
    last: Option<Last>,
    /// Relay time of RTP time 0, in microseconds; may be before the beginning of time.
    offset: i128,
    /// The least delay since the window began.
    least: Option<i128>,
    window: Option<RelayTime>,
    capture: u64,
    /// The last frame was captured before the one that came before it.
    reordered: bool,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    timestamp: u32,
    /// Not wrapped, in 1/90,000 s.
    time: i128,
}

impl Timeline {
    /// The publisher counts from somewhere else now.
    pub(in crate::webrtc) fn restart(&mut self) {
        self.last = None;
    }

    /// The capture time of a frame that arrived at `now`, in microseconds.
    pub(in crate::webrtc) fn capture(&mut self, timestamp: u32, now: RelayTime) -> u64 {
        let arrival = i128::from(now.as_micros());
        let time = match self.last {
            // The nearest time that has this timestamp (RFC 3550, A.1).
            Some(last) => last.time + i128::from(timestamp.wrapping_sub(last.timestamp) as i32),
            None => {
                self.offset = arrival - micros(i128::from(timestamp));
                self.least = None;
                i128::from(timestamp)
            }
        };
        self.reordered = self.last.is_some_and(|last| time < last.time);
        self.last = Some(Last { timestamp, time });
        let mut capture = self.offset + micros(time);
        if capture > arrival {
            self.offset -= capture - arrival;
            capture = arrival;
        }
        self.follow(arrival - capture, now);
        self.capture = self.capture.max(capture.max(0) as u64);
        self.capture
    }

    /// Whether the last frame is shown before one that was sent earlier, as B-frames are.
    pub(in crate::webrtc) fn is_reordered(&self) -> bool {
        self.reordered
    }

    fn follow(&mut self, delay: i128, now: RelayTime) {
        let least = self.least.map_or(delay, |least| least.min(delay));
        let began = *self.window.get_or_insert(now);
        if now - began < WINDOW {
            self.least = Some(least);
            return;
        }
        self.offset += least;
        self.least = None;
        self.window = Some(now);
    }
}

fn micros(time: i128) -> i128 {
    time * 100 / 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_are_shown_in_another_order_than_they_are_sent_are_seen() {
        let mut timeline = Timeline::default();
        let mut sent = |timestamp| {
            timeline.capture(timestamp, RelayTime::from_micros(1_000_000));
            timeline.is_reordered()
        };
        assert_eq!(
            [0, 9_000, 3_000, 6_000].map(&mut sent),
            [false, false, true, false]
        );
        assert!(!sent(18_000));
    }

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(1_000_000_000 + ms * 1_000)
    }

    #[test]
    fn times_go_on_where_the_timestamp_wraps() {
        let mut timeline = Timeline::default();
        let first = timeline.capture(u32::MAX - 44, at(0));
        assert_eq!(first, at(0).as_micros());
        assert_eq!(timeline.capture(45, at(3)) - first, 1_000);
    }

    #[test]
    fn times_never_fall_and_are_never_in_the_future() {
        let mut timeline = Timeline::default();
        timeline.capture(90_000, at(0));
        // A fast clock: it says that two seconds have passed.
        assert_eq!(timeline.capture(270_000, at(1_000)), at(1_000).as_micros());
        // Out of nowhere.
        assert_eq!(timeline.capture(90_000, at(1_010)), at(1_000).as_micros());
    }

    #[test]
    fn a_slow_clock_is_followed() {
        let mut timeline = Timeline::default();
        let mut delay = 0;
        for ms in (0..120_000).step_by(100) {
            // 0.1 % slow: after two minutes it would be 120 ms behind.
            let capture = timeline.capture((ms * 90 - ms * 90 / 1_000) as u32, at(ms));
            delay = at(ms).as_micros() - capture;
        }
        assert!(delay < 25_000, "{delay}");
    }
}
