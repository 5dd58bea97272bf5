//! VP9 (RFC 9628): sent as one layer in non-flexible mode, received with any number of spatial layers.

use super::parts::{Input, Parts, Whole, append};
use super::payloads::Writer;
use super::{FrameIn, Numbering, Payloads, RtpError};

/// I: a picture id.
const PICTURE_ID: u8 = 0x80;
/// P: predicted from other pictures.
const PREDICTED: u8 = 0x40;
/// L: layer indices.
const LAYERS: u8 = 0x20;
/// F: flexible mode.
const FLEXIBLE: u8 = 0x10;
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
    number: None,
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
    let carried = structure.len() + frame.payload.len();
    let count = carried.div_ceil(room);
    let mut writer = Writer::new(carried, DESCRIPTOR.len(), max_payload);
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

/// Spatial layers that a picture may have: a superframe has room for eight frames.
const SPATIAL_LAYERS: usize = 8;

/// The spatial layers of a picture, together one chunk.
///
/// Decoders take them as a superframe (VP9 specification, Annex B), and show the highest.
#[derive(Debug, Default)]
pub(super) struct Layers {
    bytes: Vec<u8>,
    /// Where each layer begins, and which it is.
    begins: Vec<(usize, u8)>,
    temporal: u8,
}

impl Parts for Layers {
    /// After a loss only the lowest layer does: the others need it.
    fn begins(&self, payload: &[u8], after_loss: bool) -> Result<bool, RtpError> {
        let part = read(payload)?;
        Ok(part.begins && (part.spatial == 0 || !after_loss))
    }

    fn add(&mut self, payload: &[u8]) -> Result<(), RtpError> {
        let part = read(payload)?;
        let last = self.begins.last().map(|(_, layer)| *layer);
        match (part.begins, last) {
            (true, None) => self.temporal = part.temporal,
            (true, Some(last)) if last < part.spatial && self.begins.len() < SPATIAL_LAYERS => {}
            (false, Some(last)) if last == part.spatial => {}
            _ => return Err(RtpError::Malformed("a frame that begins inside another")),
        }
        if part.begins {
            self.begins.push((self.bytes.len(), part.spatial));
        }
        append(&mut self.bytes, part.bytes)
    }

    fn finish(&mut self) -> Result<Option<Whole>, RtpError> {
        let mut payload = std::mem::take(&mut self.bytes);
        let begins = std::mem::take(&mut self.begins);
        if begins.len() > 1 {
            let ends = begins.iter().skip(1).map(|(begin, _)| *begin);
            let ends = ends.chain([payload.len()]);
            let sizes = begins.iter().zip(ends).map(|((begin, _), end)| end - begin);
            let index = superframe_index(&sizes.collect::<Vec<_>>());
            append(&mut payload, &index)?;
        }
        Ok(Some(Whole {
            payload,
            layer: self.temporal,
            disposable: false,
        }))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.begins.clear();
    }
}

/// What stands behind the frames of a superframe: their sizes, four bytes each.
fn superframe_index(sizes: &[usize]) -> Vec<u8> {
    let marker = 0b110 << 5 | 0b11 << 3 | (sizes.len() as u8).wrapping_sub(1) & 0b111;
    // A frame is shorter than 4 GiB (PROTOCOL 4.2).
    let sizes = sizes.iter().flat_map(|size| (*size as u32).to_le_bytes());
    [marker].into_iter().chain(sizes).chain([marker]).collect()
}

/// What a descriptor says.
#[derive(Debug, PartialEq, Eq)]
struct Described<'a> {
    /// A frame of one layer begins here.
    begins: bool,
    temporal: u8,
    spatial: u8,
    bytes: &'a [u8],
}

/// Takes off a descriptor of either mode (RFC 9628 4.2).
fn read(payload: &[u8]) -> Result<Described<'_>, RtpError> {
    let mut input = Input(payload);
    let first = input.byte()?;
    if first & PICTURE_ID != 0 {
        input.picture_id()?;
    }
    let mut layers = 0;
    if first & LAYERS != 0 {
        layers = input.byte()?;
        if first & FLEXIBLE == 0 {
            let _tl0_pic_idx = input.byte()?;
        }
    }
    if first & FLEXIBLE != 0 && first & PREDICTED != 0 {
        skip_references(&mut input)?;
    }
    if first & STRUCTURE != 0 {
        skip_structure(&mut input)?;
    }
    Ok(Described {
        begins: first & BEGIN != 0,
        temporal: layers >> 5,
        spatial: layers >> 1 & 0b111,
        bytes: input.rest()?,
    })
}

/// Up to three P_DIFF, each with a bit that says whether another follows (N).
fn skip_references(input: &mut Input<'_>) -> Result<(), RtpError> {
    for _ in 0..3 {
        if input.byte()? & 1 == 0 {
            return Ok(());
        }
    }
    Err(RtpError::Malformed("a VP9 frame with four references"))
}

/// A scalability structure (RFC 9628 4.2.1); the frames themselves say what matters.
fn skip_structure(input: &mut Input<'_>) -> Result<(), RtpError> {
    let first = input.byte()?;
    let layers = usize::from(first >> 5) + 1;
    let has_sizes = first & 0x10 != 0;
    let has_group = first & 0x08 != 0;
    if has_sizes {
        input.take(4 * layers)?;
    }
    let pictures = if has_group { input.byte()? } else { 0 };
    for _ in 0..pictures {
        let references = input.byte()? >> 2 & 0b11;
        input.take(references.into())?;
    }
    Ok(())
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
    fn a_layer_begins_once_and_each_above_the_one_before() {
        /// Begins a frame of this spatial layer, which is one byte.
        const fn begins(spatial: u8) -> [u8; 4] {
            [LAYERS | BEGIN, spatial << 1, 0, 7]
        }
        let takes = |layers: &[u8]| {
            let mut parts = Layers::default();
            layers
                .iter()
                .all(|layer| parts.add(&begins(*layer)).is_ok())
        };
        assert!(takes(&[0, 1, 2]) && takes(&[1, 3]));
        assert!(!takes(&[0, 0]) && !takes(&[1, 1]) && !takes(&[2, 1]));
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

    /// Whether a frame begins there, the layer and the first byte of what follows.
    fn of(payload: &[u8]) -> Result<(bool, u8, u8), RtpError> {
        read(payload).map(|part| (part.begins, part.temporal, part.bytes[0]))
    }

    /// Three layers with sizes, and a group of three pictures with 0, 1 and 3 references.
    const GROUP: [u8; 21] = [
        0x58, 0, 80, 0, 45, 0, 160, 0, 90, 1, 64, 0, 180, 3, 0x00, 0x44, 1, 0x4c, 1, 2, 3,
    ];

    #[test]
    fn every_descriptor_is_read() {
        assert_eq!(of(&[0x08, 9]), Ok((true, 0, 9)));
        assert_eq!(of(&[0x04, 9]), Ok((false, 0, 9)));
        assert_eq!(of(&[0x8c, 0x7f, 9]), Ok((true, 0, 9)));
        assert_eq!(of(&[0x8d, 0x80, 0x01, 9]), Ok((true, 0, 9)));
        // Non-flexible: layers and TL0PICIDX.
        assert_eq!(of(&[0xe8, 0x80, 0x01, 0x50, 0x33, 9]), Ok((true, 2, 9)));
        // Flexible: layers, then one to three references.
        assert_eq!(of(&[0xb8, 0x01, 0x20, 9]), Ok((true, 1, 9)));
        assert_eq!(of(&[0xf8, 0x01, 0x20, 0x02, 9]), Ok((true, 1, 9)));
        assert_eq!(
            of(&[0xf8, 0x01, 0x20, 0x03, 0x05, 0x06, 9]),
            Ok((true, 1, 9))
        );
        // Structures.
        assert_eq!(of(&[0x0a, 0x00, 9]), Ok((true, 0, 9)));
        let layered = [&[0x0a][..], &GROUP, &[9]].concat();
        assert_eq!(of(&layered), Ok((true, 0, 9)));
    }

    #[test]
    fn broken_descriptors_are_refused() {
        let longest = [&[0xfa, 0x81, 0x01, 0x20, 0x03, 0x05, 0x06][..], &GROUP].concat();
        for end in 0..=longest.len() {
            let error = of(&longest[..end]).unwrap_err();
            assert!(matches!(error, RtpError::Malformed(_)), "{end}");
        }
        let four = [0xf8, 0x01, 0x20, 0x03, 0x05, 0x07, 0x08, 9];
        assert!(matches!(of(&four), Err(RtpError::Malformed(_))));
    }

    /// A payload of a spatial layer, with its first and last byte of a frame.
    fn layer(spatial: u8, bits: u8, bytes: &[u8]) -> Vec<u8> {
        [&[0xa0 | bits, 0x01, spatial << 1, 0x00], bytes].concat()
    }

    #[test]
    fn spatial_layers_become_one_superframe() {
        let mut layers = Layers::default();
        let payloads = [
            layer(0, BEGIN, &[1, 2]),
            layer(0, END, &[3]),
            layer(2, BEGIN | END, &[4, 5]),
        ];
        assert_eq!(layers.begins(&payloads[0], true), Ok(true));
        assert_eq!(layers.begins(&payloads[1], false), Ok(false));
        assert_eq!(layers.begins(&payloads[2], false), Ok(true));
        assert_eq!(layers.begins(&payloads[2], true), Ok(false));
        for payload in &payloads {
            layers.add(payload).unwrap();
        }
        let whole = layers.finish().unwrap().unwrap();
        let index = [0xd9, 3, 0, 0, 0, 2, 0, 0, 0, 0xd9];
        assert_eq!(whole.payload, [&[1, 2, 3, 4, 5][..], &index].concat());
        // Nothing of it is left.
        layers.add(&layer(0, BEGIN | END, &[9])).unwrap();
        assert_eq!(layers.finish().unwrap().unwrap().payload, [9]);
    }

    #[test]
    fn layers_rise_within_a_picture() {
        for [first, second] in [
            [layer(1, BEGIN, &[1]), layer(1, BEGIN, &[2])],
            [layer(1, BEGIN, &[1]), layer(0, BEGIN, &[2])],
            [layer(0, BEGIN, &[1]), layer(1, 0, &[2])],
        ] {
            let mut layers = Layers::default();
            layers.add(&first).unwrap();
            assert!(matches!(layers.add(&second), Err(RtpError::Malformed(_))));
        }
    }

    #[test]
    fn a_structure_may_cost_one_more_payload() {
        let payload: Vec<u8> = (0..114).collect();
        assert_eq!(payloads(false, &payload, None).len(), 2);
        let keyframe = payloads(true, &payload, Some((1280, 720)));
        let lengths: Vec<_> = keyframe.iter().map(Vec::len).collect();
        assert_eq!(lengths, [64, 64, 6]);
        assert_eq!(keyframe[2], [0xa4, 0x80, 0, 0, 0, 113]);
        // Filled to the last byte.
        let keyframe = payloads(true, &payload[..113], Some((1280, 720)));
        assert_eq!(keyframe.len(), 2);
        assert_eq!(keyframe[1].len(), 64);
    }

    #[test]
    fn both_layers_stand_in_one_byte() {
        let part = [0xa8, 0x01, 0xff, 0x33, 9];
        let part = read(&part).unwrap();
        assert_eq!((part.temporal, part.spatial), (7, 7));
        // TID 2, U, SID 3, D.
        let part = [0xa8, 0x01, 0x57, 0x33, 9];
        let part = read(&part).unwrap();
        assert_eq!((part.temporal, part.spatial), (2, 3));
    }

    #[test]
    fn a_picture_has_up_to_eight_layers_and_the_temporal_one_of_its_first() {
        let mut layers = Layers::default();
        for spatial in 0..8 {
            let indices = 2 << 5 | spatial << 1;
            layers.add(&[0xac, 0x01, indices, 0x00, spatial]).unwrap();
        }
        let whole = layers.finish().unwrap().unwrap();
        let index = [&[0xdf][..], &[1, 0, 0, 0].repeat(8), &[0xdf]].concat();
        assert_eq!(
            whole.payload,
            [&[0, 1, 2, 3, 4, 5, 6, 7][..], &index].concat()
        );
        assert_eq!(whole.layer, 2);
    }

    #[test]
    fn nothing_is_left_of_a_picture_that_was_dropped() {
        let mut layers = Layers::default();
        layers.add(&layer(0, BEGIN, &[1])).unwrap();
        layers.clear();
        layers.add(&layer(0, BEGIN | END, &[2])).unwrap();
        assert_eq!(layers.finish().unwrap().unwrap().payload, [2]);
    }
}
