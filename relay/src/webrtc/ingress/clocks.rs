//! The clock that a publisher's sources have in common, as its sender reports tell (RFC 3550, 6.4.1).

use crate::webrtc::rtcp::SenderTime;

/// Sources whose reports are remembered; the oldest makes way.
const SOURCES: usize = 8;

/// What sender reports have said last.
#[derive(Debug, Default)]
pub(super) struct Clocks(Vec<SenderTime>);

impl Clocks {
    pub(super) fn hear(&mut self, sender: SenderTime) {
        self.0.retain(|known| known.ssrc != sender.ssrc);
        if self.0.len() == SOURCES {
            self.0.remove(0);
        }
        self.0.push(sender);
    }

    /// The newest report of a source: an RTP time, and when that was on the common clock in microseconds.
    pub(super) fn report(&self, ssrc: u32) -> Option<(u32, i128)> {
        let known = self.0.iter().find(|known| known.ssrc == ssrc)?;
        // Who knows no time says 0 (RFC 3550, 6.4.1).
        (known.ntp != 0).then(|| (known.rtp, micros(known.ntp)))
    }

    /// When an RTP time of a source is on the common clock, in microseconds; `clock` units make a second.
    pub(super) fn time(&self, ssrc: u32, rtp: u32, clock: u32) -> Option<i128> {
        let (reported, at) = self.report(ssrc)?;
        let since = i128::from(rtp.wrapping_sub(reported) as i32);
        Some(at + since * 1_000_000 / i128::from(clock))
    }
}

/// Seconds with 32 bits of their fraction, in microseconds.
fn micros(ntp: u64) -> i128 {
    (i128::from(ntp) * 1_000_000) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(ssrc: u32, seconds: u64, rtp: u32) -> SenderTime {
        SenderTime {
            ssrc,
            ntp: seconds << 32,
            rtp,
        }
    }

    #[test]
    fn times_of_two_sources_are_of_one_clock() {
        let mut clocks = Clocks::default();
        clocks.hear(sender(1, 100, 90_000));
        clocks.hear(sender(2, 101, u32::MAX));
        assert_eq!(clocks.time(1, 45_000, 90_000), Some(99_500_000));
        assert_eq!(clocks.time(2, 47_999, 48_000), Some(102_000_000));
        clocks.hear(sender(1, 200, 0));
        assert_eq!(clocks.report(1), Some((0, 200_000_000)));
    }

    #[test]
    fn who_knows_no_time_is_in_time_with_nobody() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.time(1, 0, 48_000), None);
        clocks.hear(sender(1, 0, 7));
        assert_eq!(clocks.time(1, 7, 48_000), None);
    }

    #[test]
    fn of_many_sources_the_newest_are_known() {
        let mut clocks = Clocks::default();
        for ssrc in 0..100 {
            clocks.hear(sender(ssrc, 1, 0));
        }
        assert_eq!(clocks.0.len(), SOURCES);
        assert!(clocks.report(99).is_some() && clocks.report(0).is_none());
    }
}
