use bytes::Bytes;

use super::parts::{Cuts, Parts, Whole};
use super::{Packet, RtpError, av1, h264, vp8, vp9};
use crate::bitstream::h264::Framing;
use crate::bitstream::{Codec, Picture, inspect};

/// A frame put together again from its packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// Needs no earlier frame.
    pub keyframe: bool,
    /// A WebCodecs chunk (PROTOCOL 4.4): a VP8 or VP9 frame, an H.264 access unit in Annex B,
    /// or an AV1 temporal unit in the low-overhead format, each OBU with its size.
    pub payload: Bytes,
    /// The timestamp of its packets.
    pub timestamp: u32,
    /// Size and codec; every keyframe has them.
    pub picture: Option<Picture>,
    /// The temporal layer (PROTOCOL 4.2), 0 where the packets do not tell.
    pub layer: u8,
    /// It says of itself that no other frame needs it (H.264 `nal_ref_idc` 0).
    pub disposable: bool,
}

/// Puts the frames of one stream together from packets in their order.
///
/// What comes out can be decoded: it begins with a keyframe, and after
/// packets were lost or refused it goes on with one.
#[derive(Debug)]
pub struct Assembler {
    codec: Codec,
    parts: Box<dyn Parts>,
    /// The timestamp of the frame that has begun.
    current: Option<u32>,
    /// The timestamp of a frame that is incomplete: its other packets are of no use.
    broken: Option<u32>,
    needs_keyframe: bool,
    /// Packets before the next one are lost.
    after_loss: bool,
    /// Bytes of the frame that has begun.
    bytes: usize,
}

impl Assembler {
    /// Waits for a keyframe. The framing of H.264 does not matter: the result is Annex B.
    pub fn new(codec: Codec) -> Self {
        let (codec, parts): (_, Box<dyn Parts>) = match codec {
            Codec::Vp8 => (codec, Box::new(Cuts::new(vp8::read))),
            Codec::Vp9 => (codec, Box::new(vp9::Layers::default())),
            Codec::H264(_) => (
                Codec::H264(Framing::AnnexB),
                Box::new(h264::Units::default()),
            ),
            Codec::Av1 => (codec, Box::new(av1::Obus::default())),
        };
        Self {
            codec,
            parts,
            current: None,
            broken: None,
            needs_keyframe: true,
            after_loss: false,
            bytes: 0,
        }
    }

    /// Bytes of the frame that has begun.
    pub fn bytes(&self) -> usize {
        self.current.map_or(0, |_| self.bytes)
    }

    /// Takes an H.264 parameter set that stands in the SDP (RFC 6184 8.2.1): for keyframes that have
    /// none, until another of its id comes. Other codecs have none.
    ///
    /// # Errors
    /// [`RtpError`] when it cannot be read, or they are too long.
    pub fn keep_parameter_set(&mut self, unit: &[u8]) -> Result<(), RtpError> {
        self.parts.keep_parameter_set(unit)
    }

    /// The codec of the frames.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Nothing comes out until the next keyframe, which somebody should ask for.
    pub fn needs_keyframe(&self) -> bool {
        self.needs_keyframe
    }

    /// Takes the next packet and gives the frames that it ends: the one before it, of
    /// another timestamp, and the one whose last packet it is.
    ///
    /// An error costs its frame, and all others up to the next keyframe.
    pub fn push(
        &mut self,
        packet: &Packet,
    ) -> impl Iterator<Item = Result<Assembled, RtpError>> + use<> {
        let mut ended = [None, None];
        // Padding only, as probes have it, is no part of any frame.
        if !packet.payload.is_empty() {
            if self.current.is_some_and(|time| time != packet.timestamp) {
                ended[0] = self.end().transpose();
            }
            ended[1] = self.add(packet).transpose();
        }
        ended.into_iter().flatten()
    }

    /// Packets before the next one are lost, or it begins another count.
    pub fn lost(&mut self) {
        if let Some(timestamp) = self.current.take() {
            self.drop_frame(timestamp);
        }
        self.needs_keyframe = true;
        self.after_loss = true;
    }

    fn add(&mut self, packet: &Packet) -> Result<Option<Assembled>, RtpError> {
        let after_loss = std::mem::take(&mut self.after_loss);
        if self.broken == Some(packet.timestamp) {
            return Ok(None);
        }
        self.broken = None;
        let added = match self.current {
            Some(_) => Ok(true),
            None => self.parts.begins(&packet.payload, after_loss),
        };
        let added = match added {
            Ok(true) => self.parts.add(&packet.payload).map(|()| true),
            otherwise => otherwise,
        };
        if added != Ok(true) {
            self.drop_frame(packet.timestamp);
            return added.map(|_| None);
        }
        let before = self.bytes();
        self.bytes = before + packet.payload.len();
        self.current = Some(packet.timestamp);
        if packet.marker { self.end() } else { Ok(None) }
    }

    /// Forgets a frame together with its packets to come.
    fn drop_frame(&mut self, timestamp: u32) {
        self.parts.clear();
        self.current = None;
        self.broken = Some(timestamp);
        self.needs_keyframe = true;
    }

    /// Ends the frame that has begun.
    fn end(&mut self) -> Result<Option<Assembled>, RtpError> {
        let Some(timestamp) = self.current.take() else {
            return Ok(None);
        };
        let frame = self.parts.finish().and_then(|whole| match whole {
            Some(whole) => self.judge(whole, timestamp),
            None => Ok(None),
        });
        if frame.is_err() {
            self.parts.clear();
            self.needs_keyframe = true;
        }
        frame
    }

    /// Reads a frame's facts and lets it pass when a decoder can take it.
    fn judge(&mut self, whole: Whole, timestamp: u32) -> Result<Option<Assembled>, RtpError> {
        let facts = inspect(self.codec, &whole.payload)?;
        if facts.keyframe && facts.picture.is_none() {
            return Err(RtpError::NoSequenceHeader);
        }
        self.needs_keyframe &= !facts.keyframe;
        if self.needs_keyframe {
            return Ok(None);
        }
        Ok(Some(Assembled {
            keyframe: facts.keyframe,
            payload: whole.payload.into(),
            timestamp,
            picture: facts.picture,
            layer: whole.layer,
            disposable: whole.disposable,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A VP8 keyframe of 16 x 16.
    const KEY: [u8; 12] = [0x50, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 0xaa, 0xbb];
    const DELTA: [u8; 5] = [0x51, 0, 0, 1, 2];

    fn packet(timestamp: u32, marker: bool, payload: &[&[u8]]) -> Packet {
        Packet {
            sequence: 0,
            timestamp,
            marker,
            payload: payload.concat().into(),
            arrival: Duration::ZERO,
        }
    }

    /// The first payload of a frame, and another one.
    fn first(timestamp: u32, marker: bool, frame: &[u8]) -> Packet {
        packet(timestamp, marker, &[&[0x10], frame])
    }

    fn later(timestamp: u32, marker: bool, frame: &[u8]) -> Packet {
        packet(timestamp, marker, &[&[0x00], frame])
    }

    fn push(assembler: &mut Assembler, packet: &Packet) -> Vec<(u32, Vec<u8>)> {
        let frames = assembler.push(packet).map(Result::unwrap);
        frames.map(|f| (f.timestamp, f.payload.to_vec())).collect()
    }

    fn vp8() -> Assembler {
        Assembler::new(Codec::Vp8)
    }

    fn begun() -> Assembler {
        let mut assembler = vp8();
        assert!(assembler.needs_keyframe());
        let key = push(&mut assembler, &first(1, true, &KEY));
        assert_eq!(key, [(1, KEY.to_vec())]);
        assert!(!assembler.needs_keyframe());
        assembler
    }

    #[test]
    fn a_keyframe_has_its_picture() {
        let frame = vp8().push(&first(7, true, &KEY)).next().unwrap().unwrap();
        let picture = Picture {
            width: 16,
            height: 16,
            codec: "vp8".into(),
        };
        assert_eq!((frame.keyframe, frame.timestamp, frame.layer), (true, 7, 0));
        assert_eq!(frame.picture, Some(picture));
    }

    #[test]
    fn a_marker_ends_a_frame_and_so_does_another_timestamp() {
        let mut assembler = begun();
        assert_eq!(push(&mut assembler, &first(2, false, &DELTA[..2])), []);
        let end = push(&mut assembler, &later(2, true, &DELTA[2..]));
        assert_eq!(end, [(2, DELTA.to_vec())]);
        assert_eq!(push(&mut assembler, &first(3, false, &DELTA)), []);
        let both = push(&mut assembler, &first(4, true, &DELTA));
        assert_eq!(both, [(3, DELTA.to_vec()), (4, DELTA.to_vec())]);
    }

    #[test]
    fn padding_is_no_part_of_a_frame() {
        let mut assembler = begun();
        push(&mut assembler, &first(2, false, &DELTA[..2]));
        assert_eq!(push(&mut assembler, &packet(1, true, &[])), []);
        let end = push(&mut assembler, &later(2, true, &DELTA[2..]));
        assert_eq!(end, [(2, DELTA.to_vec())]);
    }

    #[test]
    fn nothing_comes_before_a_keyframe() {
        let mut assembler = vp8();
        assert_eq!(push(&mut assembler, &first(1, true, &DELTA)), []);
        assert_eq!(push(&mut assembler, &later(2, true, &KEY)), []);
        assert!(assembler.needs_keyframe());
    }

    #[test]
    fn a_loss_costs_its_frame_and_all_up_to_the_next_keyframe() {
        let mut assembler = begun();
        push(&mut assembler, &first(2, false, &KEY[..5]));
        assembler.lost();
        assert!(assembler.needs_keyframe());
        // Even a beginning is of no use in a frame that lacks a part.
        assert_eq!(push(&mut assembler, &later(2, false, &KEY[7..])), []);
        assert_eq!(push(&mut assembler, &first(2, true, &KEY)), []);
        assert_eq!(push(&mut assembler, &first(3, true, &DELTA)), []);
        let key = push(&mut assembler, &first(4, true, &KEY));
        assert_eq!(key, [(4, KEY.to_vec())]);
    }

    #[test]
    fn a_frame_without_its_beginning_is_a_loss_too() {
        let mut assembler = begun();
        assert_eq!(push(&mut assembler, &later(2, true, &DELTA)), []);
        assert!(assembler.needs_keyframe());
    }

    #[test]
    fn an_error_costs_its_frame_and_not_the_one_before() {
        let mut assembler = begun();
        push(&mut assembler, &first(2, false, &DELTA));
        let ended: Vec<_> = assembler.push(&packet(3, false, &[&[0x90]])).collect();
        assert!(matches!(
            ended[..],
            [
                Ok(Assembled { timestamp: 2, .. }),
                Err(RtpError::Malformed(_))
            ]
        ));
        assert!(assembler.needs_keyframe());
        // Not a VP8 frame.
        let ended: Vec<_> = assembler.push(&first(4, true, &[0])).collect();
        assert!(matches!(ended[..], [Err(RtpError::Bitstream(_))]));
        assert_eq!(push(&mut assembler, &first(5, true, &KEY)).len(), 1);
    }

    #[test]
    fn a_frame_does_not_begin_twice() {
        let mut assembler = begun();
        push(&mut assembler, &first(2, false, &DELTA));
        let again = assembler.push(&first(2, true, &DELTA)).next();
        assert!(matches!(again, Some(Err(RtpError::Malformed(_)))));
    }

    #[test]
    fn a_keyframe_without_sequence_header_is_no_keyframe() {
        let mut assembler = Assembler::new(Codec::Av1);
        let frame = packet(1, true, &[&[0x10, 0x30, 0x10, 0]]);
        let ended = assembler.push(&frame).next();
        assert_eq!(ended, Some(Err(RtpError::NoSequenceHeader)));
        assert!(assembler.needs_keyframe());
    }

    #[test]
    fn the_bytes_of_a_frame_count_from_its_first_packet_to_its_last() {
        let mut assembler = begun();
        assert_eq!(assembler.bytes(), 0);
        push(&mut assembler, &first(2, false, &DELTA[..2]));
        assert_eq!(assembler.bytes(), 3);
        push(&mut assembler, &later(2, false, &DELTA[2..]));
        assert_eq!(assembler.bytes(), 7);
        push(&mut assembler, &first(3, false, &DELTA));
        assert_eq!(assembler.bytes(), 6);
        assembler.lost();
        assert_eq!(assembler.bytes(), 0);
    }

    #[test]
    fn parameter_sets_of_the_sdp_stand_before_a_keyframe_without_any() {
        let sps = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe4];
        let (pps, idr) = ([0x68, 0xce, 0x3c, 0x80], [0x65, 0x88, 0x84]);
        let mut assembler = Assembler::new(Codec::H264(Framing::AnnexB));
        let refused = assembler.push(&packet(1, true, &[&idr])).next();
        assert_eq!(refused, Some(Err(RtpError::NoParameterSets)));
        for set in [&sps[..], &pps] {
            assembler.keep_parameter_set(set).unwrap();
        }
        let start: &[u8] = &[0, 0, 0, 1];
        let whole = [start, &sps, start, &pps, start, &idr].concat();
        assert_eq!(
            push(&mut assembler, &packet(2, true, &[&idr])),
            [(2, whole)]
        );
    }
}
