//! The sound of one player: which frames came, how late, and which packets are asked for (RFC 7587, RFC 2198).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc_rtcp::sender_report::SenderReport;
use steadycast_codec_glue::rtp::read_red;

use super::rtp::{Head, unwrapped};
use super::sdp::RED;
use crate::sound::{Came, Ear};
use crate::tally::Fault;

/// How long a missing packet is asked for, and how often.
const PATIENCE: Duration = Duration::from_millis(300);
const AGAIN: Duration = Duration::from_millis(50);
/// Missing packets that are asked for at once.
const ASKED: usize = 64;
/// Of RTP times of sound, in a second.
const RATE: i64 = 48_000;
/// Seconds from 1900, where NTP begins, to 1970.
const NTP_AHEAD_S: u64 = 2_208_988_800;

/// What one player hears.
pub(super) struct Hearing {
    /// As what it comes.
    pub(super) ssrc: u32,
    ear: Ear,
    /// The highest number, not wrapped.
    newest: Option<u64>,
    /// Packets that came, each once.
    pub(super) came: u64,
    missing: BTreeMap<u64, Missing>,
    /// Which RTP time was when, in microseconds of the relay's clock.
    told: Option<(u32, u64)>,
}

struct Missing {
    since: Instant,
    asked: Option<Instant>,
}

/// What a packet brought, and when its frame was captured, as far as the relay has told.
pub(super) struct Heard {
    pub(super) came: Came,
    pub(super) capture_us: Option<u64>,
}

impl Hearing {
    pub(super) fn new(ssrc: u32) -> Self {
        Self {
            ssrc,
            ear: Ear::default(),
            newest: None,
            came: 0,
            missing: BTreeMap::new(),
            told: None,
        }
    }

    /// The highest number so far, for reports.
    pub(super) fn newest(&self) -> u32 {
        self.newest.unwrap_or_default() as u32
    }

    /// Takes a sender report of this sound (RFC 3550, 6.4.1).
    pub(super) fn told(&mut self, report: &SenderReport) {
        let seconds = (report.ntp_time >> 32).saturating_sub(NTP_AHEAD_S);
        let fraction = ((report.ntp_time & 0xffff_ffff) * 1_000_000) >> 32;
        self.told = Some((report.rtp_time, seconds * 1_000_000 + fraction));
    }

    /// Takes a packet of it.
    pub(super) fn take(
        &mut self,
        head: &Head,
        payload: &Bytes,
        now: Instant,
    ) -> Result<Heard, Fault> {
        let repeats = match head.kind {
            RED => read_red(payload)
                .map_err(|_| Fault::Broken)?
                .len()
                .saturating_sub(1),
            _ => 0,
        };
        let number = unwrapped(head.sequence, self.newest);
        let newest = *self.newest.get_or_insert(number);
        for missed in newest + 1..number {
            let missing = Missing {
                since: now,
                asked: None,
            };
            self.missing.insert(missed, missing);
        }
        self.newest = Some(newest.max(number));
        self.missing.remove(&number);
        let came = self.ear.take(number, repeats as u64);
        self.came += u64::from(came.new > 0);
        let captured = |(time, at): (u32, u64)| {
            let since = i64::from(head.time.wrapping_sub(time) as i32) * 1_000_000 / RATE;
            at.saturating_add_signed(since)
        };
        Ok(Heard {
            came,
            capture_us: self.told.map(captured),
        })
    }

    /// Packets to ask for now.
    pub(super) fn ask(&mut self, now: Instant) -> Vec<u16> {
        self.missing
            .retain(|_, missing| now.duration_since(missing.since) < PATIENCE);
        let due = self.missing.iter_mut().filter(|(_, missing)| {
            missing
                .asked
                .is_none_or(|asked| now.duration_since(asked) >= AGAIN)
        });
        let asked = due.take(ASKED).map(|(number, missing)| {
            missing.asked = Some(now);
            *number as u16
        });
        asked.collect()
    }

    /// When there may be something to ask for at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        let dues = self
            .missing
            .values()
            .map(|missing| missing.asked.map_or(missing.since, |asked| asked + AGAIN));
        dues.min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sdp::OPUS;
    use super::*;

    fn head(sequence: u16, time: u32) -> Head {
        Head {
            kind: OPUS,
            marker: false,
            sequence,
            time,
            ssrc: 5,
            wide: None,
            payload: 0..0,
        }
    }

    #[test]
    fn a_missing_packet_is_asked_for_until_it_comes() {
        let (mut hearing, now) = (Hearing::new(5), Instant::now());
        let frame = Bytes::from_static(b"x");
        for sequence in [65_534, 65_535, 1] {
            hearing.take(&head(sequence, 0), &frame, now).unwrap();
        }
        assert_eq!(hearing.ask(now), [0]);
        assert_eq!(hearing.ask(now), [0_u16; 0]);
        assert_eq!(hearing.ask(now + AGAIN), [0]);
        let heard = hearing.take(&head(0, 0), &frame, now + AGAIN).unwrap();
        assert_eq!((heard.came.new, heard.capture_us), (1, None));
        assert_eq!(hearing.ask(now + AGAIN * 2), [0_u16; 0]);
    }

    #[test]
    fn sender_reports_tell_when_a_frame_was_captured() {
        let mut hearing = Hearing::new(5);
        hearing.told(&SenderReport {
            ssrc: 5,
            ntp_time: ((NTP_AHEAD_S + 10) << 32) | (1 << 31),
            rtp_time: u32::MAX,
            ..SenderReport::default()
        });
        let frame = Bytes::from_static(b"x");
        let later = hearing.take(&head(1, 959), &frame, Instant::now());
        assert_eq!(later.unwrap().capture_us, Some(10_520_000));
        let earlier = hearing.take(&head(2, u32::MAX - 960), &frame, Instant::now());
        assert_eq!(earlier.unwrap().capture_us, Some(10_480_000));
    }
}
