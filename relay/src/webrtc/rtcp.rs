//! What a peer says of the media: RTCP (RFC 3550, RFC 4585), all of a compound packet.

use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::{Packet, unmarshal};
use rtc_rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

use super::arrivals::arrivals;
use crate::path::Received;

/// Lost packets that one compound packet may name; more are for a keyframe.
const LOST: usize = 512;
/// Senders that one may tell the time of.
const SENDERS: usize = 16;

/// What one compound packet says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Feedback {
    /// Packets of pictures that are to be sent again.
    pub(super) lost: Vec<u16>,
    /// A keyframe is needed.
    pub(super) keyframe: bool,
    /// How the pictures arrive.
    pub(super) report: Option<Report>,
    /// The same of sound.
    pub(super) sound_lost: Vec<u16>,
    pub(super) sound_report: Option<Report>,
    /// What the peer believes the way takes, in bits per second.
    pub(super) estimate: Option<f64>,
    /// What senders say of their clocks.
    pub(super) senders: Vec<SenderTime>,
    /// Which packets have arrived, and when.
    pub(super) arrivals: Vec<Received>,
    /// The peer has left.
    pub(super) goodbye: bool,
}

/// A receiver's report on one source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Report {
    /// The share of packets that did not come.
    pub(super) lost: f64,
    /// The time of the sender report that it has seen last, and how long ago; both in 1/65,536 s.
    pub(super) last: u32,
    pub(super) delay: u32,
}

/// What a sender report says of time: both are of the same moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SenderTime {
    pub(super) ssrc: u32,
    /// In seconds, 32 bits of them and of their fraction.
    pub(super) ntp: u64,
    pub(super) rtp: u32,
}

/// The sources that feedback is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sources {
    pub(super) pictures: u32,
    pub(super) sound: Option<u32>,
}

impl Feedback {
    /// Reads a compound packet, as far as it is about these. What does not parse says nothing.
    pub(super) fn parse(packet: &[u8], about: Sources) -> Self {
        let mut feedback = Self::default();
        let Ok(packets) = unmarshal(&mut &packet[..]) else {
            return feedback;
        };
        for packet in packets {
            feedback.take(packet.as_ref(), about);
        }
        feedback
    }

    fn take(&mut self, packet: &dyn Packet, about: Sources) {
        let ssrc = about.pictures;
        let any = packet.as_any();
        if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            let known = match nack.media_ssrc {
                pictures if pictures == ssrc => &mut self.lost,
                other if Some(other) == about.sound => &mut self.sound_lost,
                _ => return,
            };
            let lost = nack.nacks.iter().flat_map(|pair| pair.packet_list());
            let room = LOST - known.len().min(LOST);
            known.extend(lost.take(room));
        } else if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
            self.keyframe |= pli.media_ssrc == ssrc;
        } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
            self.keyframe |= fir.fir.iter().any(|entry| entry.ssrc == ssrc);
        } else if let Some(receiver) = any.downcast_ref::<ReceiverReport>() {
            self.reports(&receiver.reports, about);
        } else if let Some(sender) = any.downcast_ref::<SenderReport>() {
            if self.senders.len() < SENDERS {
                self.senders.push(SenderTime {
                    ssrc: sender.ssrc,
                    ntp: sender.ntp_time,
                    rtp: sender.rtp_time,
                });
            }
            self.reports(&sender.reports, about);
        } else if let Some(remb) = any.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
            self.estimate = Some(f64::from(remb.bitrate)).filter(|bits| bits.is_finite());
        } else if let Some(feedback) = any.downcast_ref::<TransportLayerCc>() {
            self.arrivals.extend(arrivals(feedback));
        } else if any.is::<Goodbye>() {
            self.goodbye = true;
        }
    }

    fn reports(&mut self, reports: &[ReceptionReport], about: Sources) {
        let on = |ssrc| reports.iter().find(|report| Some(report.ssrc) == ssrc);
        let pictures = on(Some(about.pictures)).map(Report::of);
        self.report = self.report.or(pictures);
        let sound = on(about.sound).map(Report::of);
        self.sound_report = self.sound_report.or(sound);
    }
}

impl Report {
    fn of(report: &ReceptionReport) -> Self {
        Self {
            lost: f64::from(report.fraction_lost) / 256.0,
            last: report.last_sender_report,
            delay: report.delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtc_rtcp::packet::marshal;
    use rtc_rtcp::transport_feedbacks::transport_layer_nack::nack_pairs_from_sequence_numbers;

    use super::*;

    const ABOUT: Sources = Sources {
        pictures: 7,
        sound: Some(9),
    };

    #[test]
    fn a_compound_packet_is_read_to_its_end() {
        let packets: Vec<Box<dyn Packet>> = vec![
            Box::new(ReceiverReport {
                ssrc: 1,
                reports: vec![ReceptionReport {
                    ssrc: 7,
                    fraction_lost: 64,
                    last_sender_report: 5,
                    delay: 6,
                    ..ReceptionReport::default()
                }],
                ..ReceiverReport::default()
            }),
            Box::new(SenderReport {
                ssrc: 3,
                ntp_time: 1 << 40,
                rtp_time: 70,
                reports: vec![ReceptionReport {
                    ssrc: 9,
                    fraction_lost: 128,
                    ..ReceptionReport::default()
                }],
                ..SenderReport::default()
            }),
            Box::new(TransportLayerNack {
                sender_ssrc: 1,
                media_ssrc: 7,
                nacks: nack_pairs_from_sequence_numbers(&[3, 5, 65_535]),
            }),
            Box::new(TransportLayerNack {
                sender_ssrc: 1,
                media_ssrc: 9,
                nacks: nack_pairs_from_sequence_numbers(&[4]),
            }),
            Box::new(PictureLossIndication {
                sender_ssrc: 1,
                media_ssrc: 7,
            }),
            Box::new(ReceiverEstimatedMaximumBitrate {
                sender_ssrc: 1,
                bitrate: 300_000.0,
                ssrcs: vec![7],
            }),
        ];
        let feedback = Feedback::parse(&marshal(&packets).unwrap(), ABOUT);
        assert_eq!(feedback.lost, [3, 5, 65_535]);
        assert_eq!(feedback.sound_lost, [4]);
        assert_eq!(feedback.sound_report.unwrap().lost, 0.5);
        let sender = SenderTime {
            ssrc: 3,
            ntp: 1 << 40,
            rtp: 70,
        };
        assert_eq!(feedback.senders, [sender]);
        assert!(feedback.keyframe && !feedback.goodbye);
        assert_eq!(feedback.report.unwrap().lost, 0.25);
        assert!((feedback.estimate.unwrap() - 300_000.0).abs() < 1_000.0);
    }

    #[test]
    fn what_is_about_others_is_not_taken() {
        let packets: Vec<Box<dyn Packet>> = vec![Box::new(PictureLossIndication {
            sender_ssrc: 1,
            media_ssrc: 8,
        })];
        let feedback = Feedback::parse(&marshal(&packets).unwrap(), ABOUT);
        assert_eq!(feedback, Feedback::default());
    }

    proptest! {
        #[test]
        fn no_packet_breaks_it(mut packet: Vec<u8>, kind in 200u8..=207) {
            if packet.len() > 2 {
                packet[0] = packet[0] & 0x3f | 0x80;
                packet[1] = kind;
            }
            Feedback::parse(&packet, ABOUT);
        }
    }
}
