//! Frames cut into what RTP packets carry: once each, for all players of all shards.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use steadycast_codec_glue::rtp::{FrameIn, Payloads, RtpError, carry, packetize};
use steadycast_codec_glue::wire::{CodecKind, FrameHeader};

use super::assembly::{Coding, Whole};
use crate::broadcast::{Account, Charge};
use crate::webrtc::VIDEO_CLOCK;

/// The most that a payload has, in bytes: with headers, protection and IPv6 it passes where
/// tunnels leave 1,280 bytes (RFC 8200, 5).
pub(in crate::webrtc) const PAYLOAD: usize = 1_156;
/// Bytes of payloads that are kept for those who come later; the cache has all frames anyway.
const KEPT: usize = 2 << 20;

/// What packets of sealed frames pass for (PROTOCOL 12.10).
pub(in crate::webrtc) const CARRIER: CodecKind = CodecKind::Vp8;

/// One frame, ready to be sent to anybody.
#[derive(Debug)]
pub(in crate::webrtc) struct Packets {
    pub(in crate::webrtc) header: FrameHeader,
    pub(in crate::webrtc) coding: Arc<Coding>,
    pub(in crate::webrtc) payloads: Payloads,
    /// Its part of the memory for pictures, until the last player has it.
    _charge: Option<Charge>,
}

impl Packets {
    /// The codec that its packets are of, or pass for.
    pub(in crate::webrtc) fn codec(&self) -> CodecKind {
        match self.header.sealed {
            true => CARRIER,
            false => self.coding.codec,
        }
    }

    /// The frame's time as RTP counts it, not yet wrapped (PROTOCOL 8.6).
    pub(in crate::webrtc) fn time(&self) -> u64 {
        rtp_time(self.header.capture_us)
    }
}

/// A time in units of [`VIDEO_CLOCK`].
pub(in crate::webrtc) fn rtp_time(micros: u64) -> u64 {
    const A_SECOND: u64 = 1_000_000;
    let clock = u64::from(VIDEO_CLOCK);
    micros / A_SECOND * clock + micros % A_SECOND * clock / A_SECOND
}

/// Where a frame belongs.
type Key = (u8, u32, u32, u32);

fn key(header: &FrameHeader) -> Key {
    (
        header.track.number(),
        header.epoch,
        header.group,
        header.index,
    )
}

/// The frames of one broadcast that have been cut lately.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Packetizer {
    recent: Mutex<Recent>,
    /// The broadcast's.
    account: Option<Arc<Account>>,
}

#[derive(Debug, Default)]
struct Recent {
    /// In the order in which they were asked for first.
    frames: VecDeque<(Key, Arc<Packets>)>,
    bytes: usize,
}

impl Packetizer {
    /// One whose packets are counted as the broadcast's.
    pub(in crate::webrtc) fn of(account: Arc<Account>) -> Self {
        Self {
            recent: Mutex::default(),
            account: Some(account),
        }
    }

    /// The packets of a frame; `None` when its payload is not what its codec says.
    pub(in crate::webrtc) fn packets(&self, whole: &Whole) -> Option<Arc<Packets>> {
        let wanted = key(&whole.header);
        // Held meanwhile, so that another shard waits instead of doing the same.
        let mut recent = self.recent.lock();
        if let Some(found) = recent.find(wanted) {
            return Some(found);
        }
        let coding = &whole.coding;
        let payloads = match cut(whole) {
            Ok(payloads) => payloads,
            Err(error) => {
                tracing::debug!(%error, "a frame that cannot go into RTP packets");
                return None;
            }
        };
        let account = self.account.as_ref();
        let packets = Arc::new(Packets {
            header: whole.header,
            coding: coding.clone(),
            _charge: account.map(|account| account.count(payloads.byte_len())),
            payloads,
        });
        if account.is_some_and(|account| account.is_to_make_way()) {
            *recent = Recent::default();
        }
        recent.keep(wanted, packets.clone());
        Some(packets)
    }
}

/// A sealed frame goes as it is, since nobody here can look into it; any other as its codec has it.
fn cut(whole: &Whole) -> Result<Payloads, RtpError> {
    let (header, config) = (&whole.header, &whole.coding.config);
    let size = (config.width, config.height);
    if header.sealed {
        let size = header.keyframe.then_some(size);
        return carry(&whole.bytes, size, PAYLOAD);
    }
    let frame = FrameIn {
        keyframe: header.keyframe,
        payload: &whole.payload,
        description: &config.description,
        size: Some(size),
    };
    packetize(whole.coding.framing, frame, PAYLOAD)
}

impl Recent {
    fn find(&self, wanted: Key) -> Option<Arc<Packets>> {
        // The newest is what nearly everybody wants.
        let mut newest_first = self.frames.iter().rev();
        let found = newest_first.find(|(key, _)| *key == wanted);
        found.map(|(_, packets)| packets.clone())
    }

    /// Keeps a frame. Those of the group before go when a keyframe comes, the oldest when all are
    /// too many.
    fn keep(&mut self, key: Key, packets: Arc<Packets>) {
        let (track, epoch, group, _) = key;
        if packets.header.keyframe {
            let older = |other: &Key| other.0 == track && (other.1, other.2) < (epoch, group);
            self.frames.retain(|(other, _)| !older(other));
            self.bytes = self
                .frames
                .iter()
                .map(|(_, kept)| kept.payloads.byte_len())
                .sum();
        }
        self.bytes += packets.payloads.byte_len();
        self.frames.push_back((key, packets));
        while self.bytes > KEPT
            && let Some((_, oldest)) = self.frames.pop_front()
        {
            self.bytes -= oldest.payloads.byte_len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtp_time_counts_ninety_thousand_a_second_and_never_overflows() {
        assert_eq!(rtp_time(1_000_000), 90_000);
        assert_eq!(rtp_time(11), 0);
        assert_eq!(rtp_time(12), 1);
        // The latest capture time that a frame may have (PROTOCOL 4.2).
        assert_eq!(rtp_time((1 << 53) - 1), 810_647_932_926_689);
    }
}
