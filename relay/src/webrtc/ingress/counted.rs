//! How the packets of one source arrive, as its sender is told (RFC 3550, A.3 and A.8).

use std::time::{Duration, Instant};

use rtc_rtcp::reception_report::ReceptionReport;

use super::unwrapped;
use crate::webrtc::rtcp::SenderTime;

/// A change of delay that says nothing of jitter: so many seconds are another clock.
const ANOTHER_CLOCK: u64 = 100;

/// The source that is taken of one kind of media.
#[derive(Debug)]
pub(super) struct Followed {
    /// Units of its RTP time in a second.
    clock: u32,
    source: Option<u32>,
    counted: Counted,
    /// The middle of the last sender report's NTP time, and when it came.
    sender: Option<(u32, Instant)>,
}

#[derive(Debug, Default)]
struct Counted {
    first: Option<u64>,
    highest: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    transit: Option<i64>,
    jitter: f64,
}

impl Followed {
    pub(super) fn new(clock: u32) -> Self {
        Self {
            clock,
            source: None,
            counted: Counted::default(),
            sender: None,
        }
    }

    pub(super) fn source(&self) -> Option<u32> {
        self.source
    }

    /// Another source is the one that is taken.
    pub(super) fn follow(&mut self, source: u32) {
        *self = Self {
            source: Some(source),
            ..Self::new(self.clock)
        };
    }

    pub(super) fn count(&mut self, sequence: u16, timestamp: u32, arrival: Duration) {
        let arrived = (arrival.as_secs_f64() * f64::from(self.clock)) as i64;
        let transit = arrived - i64::from(timestamp);
        let most = ANOTHER_CLOCK * u64::from(self.clock);
        self.counted.count(sequence, transit, most);
    }

    /// Takes a sender report's time, where it is of this source.
    pub(super) fn hear(&mut self, sender: &SenderTime, now: Instant) {
        if self.source == Some(sender.ssrc) {
            self.sender = Some(((sender.ntp >> 16) as u32, now));
        }
    }

    /// The share that was lost since the last report, and the report.
    pub(super) fn report(&mut self, now: Instant) -> Option<(f64, ReceptionReport)> {
        let (lost, mut report) = self.counted.report(self.source?);
        if let Some((middle, at)) = self.sender {
            report.last_sender_report = middle;
            report.delay = (now.duration_since(at).as_secs_f64() * 65_536.0) as u32;
        }
        Some((lost, report))
    }
}

impl Counted {
    fn count(&mut self, sequence: u16, transit: i64, most: u64) {
        let number = unwrapped(self.first.map(|_| self.highest), sequence);
        self.first.get_or_insert(number);
        let newest = number >= self.highest;
        self.highest = self.highest.max(number);
        self.received += 1;
        if newest && let Some(before) = self.transit.replace(transit) {
            let change = (transit - before).unsigned_abs().min(most) as f64;
            self.jitter += (change - self.jitter) / 16.0;
        }
    }

    fn report(&mut self, ssrc: u32) -> (f64, ReceptionReport) {
        let expected = self.first.map_or(0, |first| self.highest - first + 1);
        let lately = expected - self.expected_before.min(expected);
        let came = self.received - self.received_before.min(self.received);
        self.expected_before = expected;
        self.received_before = self.received;
        let lost = match lately {
            0 => 0.0,
            _ => lately.saturating_sub(came) as f64 / lately as f64,
        };
        let total = expected.saturating_sub(self.received);
        let report = ReceptionReport {
            ssrc,
            fraction_lost: (lost * 256.0).min(255.0) as u8,
            total_lost: total.min(0x7f_ffff) as u32,
            last_sequence_number: (self.highest.saturating_sub(1 << 16)) as u32,
            jitter: self.jitter as u32,
            ..ReceptionReport::default()
        };
        (lost, report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_what_did_not_come_since_the_last() {
        let mut followed = Followed::new(90_000);
        assert_eq!(followed.report(Instant::now()), None);
        followed.follow(7);
        for sequence in (65_530u16..=65_535).chain([0, 1, 4, 5]) {
            followed.count(sequence, 0, Duration::ZERO);
        }
        let (lost, first) = followed.report(Instant::now()).unwrap();
        assert!((lost - 2.0 / 12.0).abs() < 1e-9);
        assert_eq!(
            (first.total_lost, first.last_sequence_number),
            (2, (1 << 16) + 5)
        );
        followed.count(6, 0, Duration::ZERO);
        assert_eq!(followed.report(Instant::now()).unwrap().0, 0.0);
    }

    #[test]
    fn a_sender_is_told_when_its_own_report_came() {
        let mut followed = Followed::new(48_000);
        followed.follow(7);
        let now = Instant::now();
        let sender = |ssrc| SenderTime {
            ssrc,
            ntp: 0x1_2345_6789,
            rtp: 0,
        };
        followed.hear(&sender(8), now);
        let (_, report) = followed.report(now).unwrap();
        assert_eq!(report.last_sender_report, 0);
        followed.hear(&sender(7), now);
        let (_, report) = followed.report(now + Duration::from_millis(500)).unwrap();
        assert_eq!(
            (report.last_sender_report, report.delay),
            (0x1_2345, 0x8000)
        );
    }
}
