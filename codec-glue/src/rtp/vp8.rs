//! VP8 (RFC 7741).

use super::payloads::Writer;
use super::{FrameIn, Numbering, Payloads};

/// X and I set, a picture id of 15 bits; no `TL0PICIDX`, TID or KEYIDX (RFC 7741 4.2).
const DESCRIPTOR: [u8; 4] = [0x80, 0x80, 0x80, 0x00];
/// S in the first byte: here a partition begins, and this one always the first.
const START: u8 = 0x10;
const NUMBERING: Numbering = Numbering {
    picture_id: Some(2),
    tl0_pic_idx: None,
};

/// Payloads of one frame; their partition index is always 0, as if it had one partition.
pub(super) fn packetize(frame: FrameIn<'_>, max_payload: usize) -> Payloads {
    let room = max_payload - DESCRIPTOR.len();
    let count = frame.payload.len().div_ceil(room);
    let mut writer = Writer::new(frame.payload.len() + count * DESCRIPTOR.len(), count);
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
}
