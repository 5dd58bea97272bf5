//! What a player tells the relay: how packets arrive, and which are missing (RFC 3550, RFC 4585).

use std::time::Instant;

use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::{Packet, marshal};
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc_shared::error::Result;

use super::arrivals::Arrivals;

/// As which a player speaks; it sends no media, so that nobody minds that all are the same.
const OURS: u32 = 1;

/// Keeps count for one player's reports.
pub(super) struct Reports {
    /// The relay's media.
    theirs: u32,
    /// The last sender report: the middle of its time, and when it came.
    last: Option<(u32, Instant)>,
    /// Where numbers stood before the first packet.
    base: Option<u32>,
    /// Packets that should have come, and that came, at the last report.
    before: (u32, u32),
}

impl Reports {
    /// For a session whose media comes as `theirs`.
    pub(super) fn new(theirs: u32) -> Self {
        Self {
            theirs,
            last: None,
            base: None,
            before: (0, 0),
        }
    }

    /// Takes what the relay says of this media.
    pub(super) fn heard(&mut self, report: &SenderReport, now: Instant) {
        self.last = Some(((report.ntp_time >> 16) as u32, now));
    }

    /// As what its media comes.
    pub(super) fn theirs(&self) -> u32 {
        self.theirs
    }

    /// A report, where `newest` is the highest number and so many packets came, not counting what
    /// was repaired. The jitter, which nobody asks for, is left out.
    pub(super) fn receiver(&mut self, newest: u32, came: u64, now: Instant) -> ReceptionReport {
        let came = came as u32;
        let base = *self.base.get_or_insert_with(|| newest.wrapping_sub(came));
        let expected = newest.wrapping_sub(base);
        let (expected_before, came_before) = std::mem::replace(&mut self.before, (expected, came));
        let expected_since = expected.wrapping_sub(expected_before);
        let lost_since = expected_since.saturating_sub(came.wrapping_sub(came_before));
        let (last_sender_report, delay) = match self.last {
            Some((time, at)) => {
                let delay = now.duration_since(at).as_secs_f64() * 65_536.0;
                (time, delay as u32)
            }
            None => (0, 0),
        };
        ReceptionReport {
            ssrc: self.theirs,
            fraction_lost: (lost_since * 256 / expected_since.max(1)).min(255) as u8,
            total_lost: expected.saturating_sub(came),
            last_sequence_number: newest,
            jitter: 0,
            last_sender_report,
            delay,
        }
    }

    /// Tells the relay all of that.
    pub(super) fn tell(reports: Vec<ReceptionReport>) -> Result<Vec<u8>> {
        compound(Box::new(ReceiverReport {
            ssrc: OURS,
            reports,
            ..ReceiverReport::default()
        }))
    }

    /// Asks for packets.
    pub(super) fn missing(&self, lost: &[u16]) -> Result<Vec<u8>> {
        compound(Box::new(TransportLayerNack {
            sender_ssrc: OURS,
            media_ssrc: self.theirs,
            nacks: nack_pairs_from_sequence_numbers(lost),
        }))
    }

    /// Asks for a keyframe.
    pub(super) fn picture_lost(&self) -> Result<Vec<u8>> {
        compound(Box::new(PictureLossIndication {
            sender_ssrc: OURS,
            media_ssrc: self.theirs,
        }))
    }

    /// Which packets have arrived, and when.
    pub(super) fn arrived(&self, arrivals: &mut Arrivals, now: Instant) -> Option<Result<Vec<u8>>> {
        let feedback = arrivals.poll(OURS, self.theirs, now)?;
        Some(compound(Box::new(feedback)))
    }

    /// Leaves.
    pub(super) fn goodbye() -> Result<Vec<u8>> {
        compound(Box::new(Goodbye {
            sources: vec![OURS],
            ..Goodbye::default()
        }))
    }
}

fn compound(packet: Box<dyn Packet>) -> Result<Vec<u8>> {
    marshal(&[packet]).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_counted_from_one_report_to_the_next() {
        let (mut reports, now) = (Reports::new(7), Instant::now());
        let first = reports.receiver(109, 10, now);
        assert_eq!((first.fraction_lost, first.total_lost), (0, 0));
        let second = reports.receiver(209, 85, now);
        assert_eq!((second.fraction_lost, second.total_lost), (64, 25));
        let third = reports.receiver(309, 185, now);
        assert_eq!((third.fraction_lost, third.total_lost), (0, 25));
        assert_eq!((third.ssrc, third.last_sequence_number), (7, 309));
    }
}
