//! What a publisher is told: how its packets arrive, which to send again, and when a keyframe is
//! needed (RFC 3550, RFC 4585).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc_rtcp::packet::{Packet, marshal};
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};

use super::arrivals::Arrivals;
use super::unwrapped;
use crate::webrtc::VIDEO_CLOCK;

/// How often a publisher hears how its packets arrive.
const REPORTS: Duration = Duration::from_millis(500);
/// What a publisher may send when nothing is lost, in bits per second, where it is not told when its
/// packets arrive and so cannot tell by itself. Without a word its encoder stays at a start value.
const WELCOME: f32 = 30e6;
/// A share of lost packets above which it may send less.
const MUCH: f64 = 0.1;

/// Control packets for one publisher, and what they are made from.
pub(in crate::webrtc) struct Control {
    ssrc: u32,
    source: Option<u32>,
    out: VecDeque<Vec<u8>>,
    next_report: Option<Instant>,
    counted: Counted,
    /// Where its packets have numbers for it: when they arrived.
    arrivals: Option<Arrivals>,
    /// The middle of the last sender report's NTP time, and when it came.
    sender: Option<(u32, Instant)>,
    allowed: f32,
}

/// Packets of one source (RFC 3550, A.3 and A.8).
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

impl Control {
    /// `transport_wide`: the publisher's packets have numbers by which it wants to be told of them.
    pub(in crate::webrtc) fn new(ssrc: u32, transport_wide: bool) -> Self {
        Self {
            ssrc,
            source: None,
            out: VecDeque::new(),
            next_report: None,
            counted: Counted::default(),
            arrivals: transport_wide.then(Arrivals::default),
            sender: None,
            allowed: WELCOME,
        }
    }

    pub(in crate::webrtc) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Another source is the one that is taken.
    pub(in crate::webrtc) fn follow(&mut self, source: u32) {
        self.source = Some(source);
        self.counted = Counted::default();
        self.sender = None;
    }

    /// Counts a packet that is new; repetitions under their own number.
    pub(in crate::webrtc) fn count(&mut self, sequence: u16, timestamp: u32, arrival: Duration) {
        self.counted.count(sequence, timestamp, arrival);
    }

    /// Takes a packet's transport-wide number, whatever it carries: `arrival` since the session began.
    pub(in crate::webrtc) fn arrived(&mut self, number: u16, arrival: Duration) {
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.take(number, arrival);
        }
    }

    /// Says when packets arrived, when it is time.
    pub(in crate::webrtc) fn say_arrivals(&mut self, now: Instant) {
        let (own, source) = (self.ssrc, self.source.unwrap_or_default());
        let arrivals = self.arrivals.as_mut();
        let messages = arrivals.map(|arrivals| arrivals.messages(own, source, now));
        for message in messages.unwrap_or_default() {
            self.say(&[Box::new(message)]);
        }
    }

    /// Takes a sender report's time.
    pub(in crate::webrtc) fn heard_report(&mut self, ntp: u64, now: Instant) {
        self.sender = Some(((ntp >> 16) as u32, now));
    }

    /// Asks for packets again.
    pub(in crate::webrtc) fn nack(&mut self, missing: &[u16]) {
        if let Some(media_ssrc) = self.source.filter(|_| !missing.is_empty()) {
            self.say(&[Box::new(TransportLayerNack {
                sender_ssrc: self.ssrc,
                media_ssrc,
                nacks: nack_pairs_from_sequence_numbers(missing),
            })]);
        }
    }

    /// Asks for a keyframe.
    pub(in crate::webrtc) fn pli(&mut self) {
        if let Some(source) = self.source {
            self.pli_of(source);
        }
    }

    /// Asks for a keyframe of another source than the one that is taken.
    pub(in crate::webrtc) fn pli_of(&mut self, media_ssrc: u32) {
        self.say(&[Box::new(PictureLossIndication {
            sender_ssrc: self.ssrc,
            media_ssrc,
        })]);
    }

    /// Says how packets arrive, when it is time.
    pub(in crate::webrtc) fn report(&mut self, now: Instant) {
        let Some(source) = self.source else { return };
        if self.next_report.is_some_and(|due| now < due) {
            return;
        }
        self.next_report = Some(now + REPORTS);
        let (lost, mut report) = self.counted.report(source);
        if let Some((middle, at)) = self.sender {
            report.last_sender_report = middle;
            report.delay = (now.duration_since(at).as_secs_f64() * 65_536.0) as u32;
        }
        self.allowed = match lost > MUCH {
            true => (self.allowed * (1.0 - lost as f32 / 2.0)).max(200e3),
            false => (self.allowed * 1.08).min(WELCOME),
        };
        let mut packets: Vec<Box<dyn Packet>> = vec![Box::new(ReceiverReport {
            ssrc: self.ssrc,
            reports: vec![report],
            ..ReceiverReport::default()
        })];
        if self.arrivals.is_none() {
            packets.push(Box::new(ReceiverEstimatedMaximumBitrate {
                sender_ssrc: self.ssrc,
                bitrate: self.allowed,
                ssrcs: vec![source],
            }));
        }
        self.say(&packets);
    }

    fn say(&mut self, packets: &[Box<dyn Packet>]) {
        if let Ok(bytes) = marshal(packets) {
            self.out.push_back(bytes.to_vec());
        }
    }

    /// The next packet to be protected and sent.
    pub(in crate::webrtc) fn poll(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }
}

impl Counted {
    fn count(&mut self, sequence: u16, timestamp: u32, arrival: Duration) {
        let number = unwrapped(self.first.map(|_| self.highest), sequence);
        self.first.get_or_insert(number);
        let newest = number >= self.highest;
        self.highest = self.highest.max(number);
        self.received += 1;
        if newest {
            let arrived = (arrival.as_secs_f64() * f64::from(VIDEO_CLOCK)) as i64;
            let transit = arrived - i64::from(timestamp);
            if let Some(before) = self.transit.replace(transit) {
                let change = (transit - before).unsigned_abs().min(9_000_000) as f64;
                self.jitter += (change - self.jitter) / 16.0;
            }
        }
    }

    /// The share that was lost since the last report, and the report.
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
        let mut counted = Counted::default();
        for sequence in (65_530u16..=65_535).chain([0, 1, 4, 5]) {
            counted.count(sequence, 0, Duration::ZERO);
        }
        let (lost, report) = counted.report(7);
        assert!((lost - 2.0 / 12.0).abs() < 1e-9);
        assert_eq!(
            (report.total_lost, report.last_sequence_number),
            (2, (1 << 16) + 5)
        );
        counted.count(6, 0, Duration::ZERO);
        assert_eq!(counted.report(7).0, 0.0);
    }

    #[test]
    fn nothing_is_said_before_there_is_a_source() {
        let mut control = Control::new(1, false);
        control.pli();
        control.nack(&[1]);
        control.report(Instant::now());
        assert_eq!(control.poll(), None);
        control.follow(7);
        control.pli();
        assert!(control.poll().is_some());
    }
}
