//! What a publisher is told: how its packets arrive, which to send again, and when a keyframe is
//! needed (RFC 3550, RFC 4585).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc_rtcp::packet::{Packet, marshal};
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};

use super::arrivals::Arrivals;
use super::counted::Followed;
use crate::webrtc::rtcp::SenderTime;
use crate::webrtc::{SOUND_CLOCK, VIDEO_CLOCK};

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
    pictures: Followed,
    sound: Followed,
    out: VecDeque<Vec<u8>>,
    next_report: Option<Instant>,
    /// Where its packets have numbers for it: when they arrived.
    arrivals: Option<Arrivals>,
    allowed: f32,
}

impl Control {
    /// `transport_wide`: the publisher's packets have numbers by which it wants to be told of them.
    pub(in crate::webrtc) fn new(ssrc: u32, transport_wide: bool) -> Self {
        Self {
            ssrc,
            pictures: Followed::new(VIDEO_CLOCK),
            sound: Followed::new(SOUND_CLOCK),
            out: VecDeque::new(),
            next_report: None,
            arrivals: transport_wide.then(Arrivals::default),
            allowed: WELCOME,
        }
    }

    pub(in crate::webrtc) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Another source of pictures is the one that is taken.
    pub(in crate::webrtc) fn follow(&mut self, source: u32) {
        self.pictures.follow(source);
    }

    /// The same of sound.
    pub(in crate::webrtc) fn follow_sound(&mut self, source: u32) {
        self.sound.follow(source);
    }

    /// Counts a packet of pictures that is new; repetitions under their own number.
    pub(in crate::webrtc) fn count(&mut self, sequence: u16, timestamp: u32, arrival: Duration) {
        self.pictures.count(sequence, timestamp, arrival);
    }

    /// The same of sound.
    pub(in crate::webrtc) fn count_sound(
        &mut self,
        sequence: u16,
        timestamp: u32,
        arrival: Duration,
    ) {
        self.sound.count(sequence, timestamp, arrival);
    }

    /// Takes a packet's transport-wide number, whatever it carries: `arrival` since the session began.
    pub(in crate::webrtc) fn arrived(&mut self, number: u16, arrival: Duration) {
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.take(number, arrival);
        }
    }

    /// Says when packets arrived, when it is time.
    pub(in crate::webrtc) fn say_arrivals(&mut self, now: Instant) {
        let (own, source) = (self.ssrc, self.pictures.source().unwrap_or_default());
        let arrivals = self.arrivals.as_mut();
        let messages = arrivals.map(|arrivals| arrivals.messages(own, source, now));
        for message in messages.unwrap_or_default() {
            self.say(&[Box::new(message)]);
        }
    }

    /// Takes a sender report's time.
    pub(in crate::webrtc) fn heard_report(&mut self, sender: &SenderTime, now: Instant) {
        for followed in [&mut self.pictures, &mut self.sound] {
            followed.hear(sender, now);
        }
    }

    /// Asks for packets of pictures again.
    pub(in crate::webrtc) fn nack(&mut self, missing: &[u16]) {
        self.nack_of(self.pictures.source(), missing);
    }

    /// The same of sound.
    pub(in crate::webrtc) fn nack_sound(&mut self, missing: &[u16]) {
        self.nack_of(self.sound.source(), missing);
    }

    fn nack_of(&mut self, source: Option<u32>, missing: &[u16]) {
        if let Some(media_ssrc) = source.filter(|_| !missing.is_empty()) {
            self.say(&[Box::new(TransportLayerNack {
                sender_ssrc: self.ssrc,
                media_ssrc,
                nacks: nack_pairs_from_sequence_numbers(missing),
            })]);
        }
    }

    /// Asks for a keyframe.
    pub(in crate::webrtc) fn pli(&mut self) {
        if let Some(source) = self.pictures.source() {
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
        if self.next_report.is_some_and(|due| now < due) {
            return;
        }
        let pictures = self.pictures.report(now);
        let sound = self.sound.report(now);
        let (lost, sources) = match (&pictures, &sound) {
            (None, None) => return,
            (Some((lost, report)), _) => (*lost, vec![report.ssrc]),
            (None, Some(_)) => (0.0, Vec::new()),
        };
        self.next_report = Some(now + REPORTS);
        self.allowed = match lost > MUCH {
            true => (self.allowed * (1.0 - lost as f32 / 2.0)).max(200e3),
            false => (self.allowed * 1.08).min(WELCOME),
        };
        let mut packets: Vec<Box<dyn Packet>> = vec![Box::new(ReceiverReport {
            ssrc: self.ssrc,
            reports: [pictures, sound]
                .into_iter()
                .flatten()
                .map(|(_, report)| report)
                .collect(),
            ..ReceiverReport::default()
        })];
        if self.arrivals.is_none() && !sources.is_empty() {
            packets.push(Box::new(ReceiverEstimatedMaximumBitrate {
                sender_ssrc: self.ssrc,
                bitrate: self.allowed,
                ssrcs: sources,
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

#[cfg(test)]
mod tests {
    use super::*;

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
