//! VP8 (RFC 7741).

use super::parts::{Described, Input};
use super::payloads::Writer;
use super::{FrameIn, Numbering, Payloads, RtpError};

/// X: a second byte says which fields follow.
const EXTENDED: u8 = 0x80;
/// S: here a partition begins.
pub(super) const START: u8 = 0x10;
/// PID: which partition.
const PARTITION: u8 = 0x07;

/// I, L, T and K of the second byte.
const PICTURE_ID: u8 = 0x80;
const TL0_PIC_IDX: u8 = 0x40;
const TID: u8 = 0x20;
const KEY_IDX: u8 = 0x10;

/// A picture id of 15 bits and nothing else (RFC 7741 4.2).
pub(super) const DESCRIPTOR: [u8; 4] = [EXTENDED, PICTURE_ID, 0x80, 0x00];
pub(super) const NUMBERING: Numbering = Numbering {
    picture_id: Some(2),
    tl0_pic_idx: None,
    number: None,
};

/// Payloads of one frame; their partition index is always 0, as if it had one partition.
pub(super) fn packetize(frame: FrameIn<'_>, max_payload: usize) -> Payloads {
    let room = max_payload - DESCRIPTOR.len();
    let mut writer = Writer::new(frame.payload.len(), DESCRIPTOR.len(), max_payload);
    for (number, part) in frame.payload.chunks(room).enumerate() {
        let mut descriptor = DESCRIPTOR;
        if number == 0 {
            descriptor[0] |= START;
        }
        writer.put(&descriptor);
        writer.put(part);
        writer.end();
    }
    writer.finish(NUMBERING)
}

/// Takes off a descriptor with any of its extensions (RFC 7741 4.2).
pub(super) fn read(payload: &[u8]) -> Result<Described<'_>, RtpError> {
    let mut input = Input(payload);
    let first = input.byte()?;
    let extensions = if first & EXTENDED != 0 {
        input.byte()?
    } else {
        0
    };
    if extensions & PICTURE_ID != 0 {
        input.picture_id()?;
    }
    if extensions & TL0_PIC_IDX != 0 {
        input.byte()?;
    }
    let mut layer = 0;
    if extensions & (TID | KEY_IDX) != 0 {
        let byte = input.byte()?;
        if extensions & TID != 0 {
            layer = byte >> 6;
        }
    }
    Ok(Described {
        begins: first & START != 0 && first & PARTITION == 0,
        layer,
        bytes: input.rest()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_into_equal_payloads_with_one_start() {
        let payload: Vec<u8> = (0..130).collect();
        let frame = FrameIn {
            keyframe: true,
            payload: &payload,
            description: &[],
            size: None,
        };
        let payloads = packetize(frame, 64);
        let expected = [
            [&[0x90, 0x80, 0x80, 0], &payload[..60]].concat(),
            [&[0x80, 0x80, 0x80, 0], &payload[60..120]].concat(),
            [&[0x80, 0x80, 0x80, 0], &payload[120..]].concat(),
        ];
        assert!(payloads.iter().eq(expected.iter()));
        let mut copy = payloads[1].to_vec();
        payloads.numbering().write(&mut copy, 0x7fff, 9);
        assert_eq!(copy[..5], [0x80, 0x80, 0xff, 0xff, 60]);
    }

    /// Whether a frame begins there, the layer and the first byte of what follows.
    fn of(payload: &[u8]) -> Result<(bool, u8, u8), RtpError> {
        read(payload).map(|part| (part.begins, part.layer, part.bytes[0]))
    }

    #[test]
    fn every_descriptor_is_read() {
        assert_eq!(of(&[0x10, 9]), Ok((true, 0, 9)));
        assert_eq!(of(&[0x00, 9]), Ok((false, 0, 9)));
        assert_eq!(of(&[0x11, 9]), Ok((false, 0, 9))); // a later partition
        assert_eq!(of(&[0x30, 9]), Ok((true, 0, 9))); // N: not referenced
        assert_eq!(of(&[0x90, 0x00, 9]), Ok((true, 0, 9)));
        assert_eq!(of(&[0x90, 0x80, 0x7f, 9]), Ok((true, 0, 9)));
        assert_eq!(of(&[0x90, 0x80, 0x80, 0x01, 9]), Ok((true, 0, 9)));
        assert_eq!(of(&[0x90, 0xc0, 0x81, 0x01, 0x55, 9]), Ok((true, 0, 9)));
        assert_eq!(of(&[0x90, 0x60, 0x55, 0x80, 9]), Ok((true, 2, 9)));
        assert_eq!(of(&[0x90, 0x10, 0xc1, 9]), Ok((true, 0, 9))); // TID without T is none
        assert_eq!(
            of(&[0x90, 0xf0, 0xff, 0xff, 0x55, 0x61, 9]),
            Ok((true, 1, 9))
        );
    }

    #[test]
    fn payloads_that_end_in_their_descriptor_are_refused() {
        let longest = [0x90, 0xf0, 0xff, 0xff, 0x55, 0x61];
        for end in 0..=longest.len() {
            let error = of(&longest[..end]).unwrap_err();
            assert!(matches!(error, RtpError::Malformed(_)), "{end}");
        }
    }
}
