//! VP9 (RFC 9628), as one layer in non-flexible mode.

use super::payloads::Writer;
use super::{FrameIn, Numbering, Payloads};

/// I: a picture id.
const PICTURE_ID: u8 = 0x80;
/// P: predicted from other pictures.
const PREDICTED: u8 = 0x40;
/// L: layer indices.
const LAYERS: u8 = 0x20;
/// B: here a frame begins.
const BEGIN: u8 = 0x08;
/// E: here a frame ends.
const END: u8 = 0x04;
/// V: a scalability structure.
const STRUCTURE: u8 = 0x02;

/// The first byte, a picture id of 15 bits, the layer indices (TID 0, U 0, SID 0, D 0)
/// and `TL0PICIDX`, which stands there because F is 0 (RFC 9628 4.2).
const DESCRIPTOR: [u8; 5] = [PICTURE_ID | LAYERS, 0x80, 0x00, 0x00, 0x00];
const NUMBERING: Numbering = Numbering {
    picture_id: Some(1),
    tl0_pic_idx: Some(4),
};

/// A scalability structure of one spatial layer (N_S 0) and without picture group (G 0),
/// with the size (Y 1) where it is known (RFC 9628 4.2.1).
fn structure(size: Option<(u16, u16)>) -> ([u8; 5], usize) {
    let Some((width, height)) = size else {
        return ([0; 5], 1);
    };
    let ([w0, w1], [h0, h1]) = (width.to_be_bytes(), height.to_be_bytes());
    ([0x10, w0, w1, h0, h1], 5)
}

/// Payloads of one chunk, superframes included, which RTP takes for one frame.
pub(super) fn packetize(frame: FrameIn<'_>, max_payload: usize) -> Payloads {
    let (structure, structure_len) = structure(frame.size);
    let structure = if frame.keyframe {
        &structure[..structure_len]
    } else {
        &[]
    };
    let room = max_payload - DESCRIPTOR.len();
    let count = (structure.len() + frame.payload.len()).div_ceil(room);
    let total = structure.len() + frame.payload.len() + count * DESCRIPTOR.len();
    let mut writer = Writer::new(total, count);
    let mut rest = frame.payload;
    for number in 0..count {
        let structure = if number == 0 { structure } else { &[] };
        let mut descriptor = DESCRIPTOR;
        for (bit, set) in [
            (PREDICTED, !frame.keyframe),
            (BEGIN, number == 0),
            (END, number + 1 == count),
            (STRUCTURE, !structure.is_empty()),
        ] {
            descriptor[0] |= if set { bit } else { 0 };
        }
        let (part, after) = rest.split_at(rest.len().min(room - structure.len()));
        writer.put(&descriptor);
        writer.put(structure);
        writer.put(part);
        writer.end();
        rest = after;
    }
    writer.finish(NUMBERING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payloads(keyframe: bool, payload: &[u8], size: Option<(u16, u16)>) -> Vec<Vec<u8>> {
        let frame = FrameIn {
            keyframe,
            payload,
            description: &[],
            size,
        };
        let payloads = packetize(frame, 64);
        payloads.iter().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_keyframe_tells_its_size_once() {
        let payload: Vec<u8> = (0..140).collect();
        let expected = [
            [
                &[0xaa, 0x80, 0, 0, 0, 0x10, 0x05, 0x00, 0x02, 0xd0],
                &payload[..54],
            ]
            .concat(),
            [&[0xa0, 0x80, 0, 0, 0], &payload[54..113]].concat(),
            [&[0xa4, 0x80, 0, 0, 0], &payload[113..]].concat(),
        ];
        assert_eq!(payloads(true, &payload, Some((1280, 720))), expected);
    }

    #[test]
    fn a_keyframe_of_unknown_size_has_an_empty_structure() {
        assert_eq!(payloads(true, &[9], None), [[0xae, 0x80, 0, 0, 0, 0, 9]]);
    }

    #[test]
    fn other_frames_are_predicted() {
        let size = Some((1280, 720));
        assert_eq!(payloads(false, &[9], size), [[0xec, 0x80, 0, 0, 0, 9]]);
        let payload = [7; 60];
        let expected = [
            [&[0xe8, 0x80, 0, 0, 0], &payload[..59]].concat(),
            [&[0xe4, 0x80, 0, 0, 0], &payload[59..]].concat(),
        ];
        assert_eq!(payloads(false, &payload, size), expected);
    }

    #[test]
    fn numbers_are_written_into_every_payload() {
        let frame = FrameIn {
            keyframe: false,
            payload: &[9; 100],
            description: &[],
            size: None,
        };
        let payloads = packetize(frame, 64);
        for payload in payloads.iter() {
            let mut copy = payload.to_vec();
            payloads.numbering().write(&mut copy, 0x0102, 0x33);
            assert_eq!(copy[1..6], [0x81, 0x02, 0x00, 0x33, 9]);
        }
    }
}
