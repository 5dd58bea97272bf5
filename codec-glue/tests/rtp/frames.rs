//! Frames to send, and what must arrive of them.

use proptest::collection::vec;
use proptest::prelude::*;
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::bitstream::av1::{ObuType, obus};
use steadycast_codec_glue::bitstream::h264::{AvcConfig, Framing, LengthSize, nal_units};
use steadycast_codec_glue::rtp::{Assembled, FrameIn, Payloads, RtpError, packetize};

/// A frame with all that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) codec: Codec,
    pub(crate) keyframe: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) description: Vec<u8>,
}

impl Frame {
    pub(crate) fn packetize(&self, max_payload: usize) -> Result<Payloads, RtpError> {
        let frame = FrameIn {
            keyframe: self.keyframe,
            payload: &self.payload,
            description: &self.description,
            size: Some((128, 96)),
        };
        packetize(self.codec, frame, max_payload)
    }

    /// The units that must arrive: one for VP8 and VP9.
    pub(crate) fn units(&self) -> Vec<Vec<u8>> {
        match self.codec {
            Codec::Vp8 | Codec::Vp9 => vec![self.payload.clone()],
            Codec::H264(framing) => {
                let mut units = sent(nals(&self.payload, framing));
                let in_band = units.iter().any(|unit| unit[0] & 0x1f == 7);
                if self.keyframe && !in_band {
                    let config = AvcConfig::parse(&self.description).unwrap();
                    units = [config.sps, config.pps, units].concat();
                }
                units
            }
            Codec::Av1 => elements(&self.payload),
        }
    }
}

/// The units of a frame that arrived.
pub(crate) fn arrived(codec: Codec, payload: &[u8]) -> Vec<Vec<u8>> {
    match codec {
        Codec::Vp8 | Codec::Vp9 => vec![payload.to_vec()],
        Codec::H264(_) => nals(payload, Framing::AnnexB),
        Codec::Av1 => {
            assert_eq!(payload[..2], [0x12, 0]);
            assert!(obus(payload).all(|obu| obu.unwrap().header[0] & 2 != 0));
            elements(payload)
        }
    }
}

pub(crate) fn assert_same(frame: &Frame, assembled: &Assembled) {
    assert_eq!(assembled.keyframe, frame.keyframe);
    assert_eq!(assembled.picture.is_some(), frame.keyframe);
    assert_eq!(arrived(frame.codec, &assembled.payload), frame.units());
}

pub(crate) fn nals(payload: &[u8], framing: Framing) -> Vec<Vec<u8>> {
    let units = nal_units(payload, framing).map(Result::unwrap);
    units.map(without_zeros).collect()
}

/// Zeros after a unit do not survive Annex B.
fn without_zeros(unit: &[u8]) -> Vec<u8> {
    let end = unit.iter().rposition(|byte| *byte != 0).unwrap();
    unit[..=end].to_vec()
}

/// Without delimiters and fillers.
fn sent(units: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let kept = |unit: &Vec<u8>| !matches!(unit[0] & 0x1f, 9 | 12);
    units.into_iter().filter(kept).collect()
}

/// OBUs as they travel.
pub(crate) fn elements(unit: &[u8]) -> Vec<Vec<u8>> {
    obus(unit)
        .map(Result::unwrap)
        .filter(|obu| {
            !matches!(
                obu.kind,
                ObuType::TemporalDelimiter | ObuType::TileList | ObuType::Padding
            )
        })
        .map(|obu| {
            let mut element = [obu.header, obu.payload].concat();
            element[0] &= !2;
            element
        })
        .collect()
}

/// A keyframe and what follows it, of any codec.
pub(crate) fn streams() -> impl Strategy<Value = Vec<Frame>> {
    prop_oneof![
        stream(Codec::Vp8),
        stream(Codec::Vp9),
        stream(Codec::H264(Framing::AnnexB)),
        stream(Codec::H264(Framing::Avc(LengthSize::Two))),
        stream(Codec::H264(Framing::Avc(LengthSize::Four))),
        stream(Codec::Av1),
    ]
}

fn stream(codec: Codec) -> impl Strategy<Value = Vec<Frame>> {
    let later = vec((prop::bool::weighted(0.3), any::<u64>()), 0..8);
    (any::<u64>(), later, vec(content(), 9)).prop_map(move |(first, later, contents)| {
        std::iter::once((true, first))
            .chain(later)
            .zip(contents)
            .map(|((keyframe, choices), content)| frame(codec, keyframe, choices, content))
            .collect()
    })
}

/// Mostly small, without zeros, so that it may stand in Annex B.
fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => vec(1u8.., 4..150),
        2 => vec(1u8.., 150..6000),
    ]
}

fn frame(codec: Codec, keyframe: bool, choices: u64, content: Vec<u8>) -> Frame {
    let payload = match codec {
        Codec::Vp8 if keyframe => {
            let header = [0x30, 0, 0, 0x9d, 1, 0x2a, 128, 0, 96, 0];
            [&header[..], &content].concat()
        }
        Codec::Vp8 => [&[0x31, 0, 0][..], &content].concat(),
        Codec::Vp9 if keyframe => {
            let header = [0x82, 0x49, 0x83, 0x42, 0x20, 0x07, 0xf0, 0x05, 0xf0];
            [&header[..], &content].concat()
        }
        Codec::Vp9 => [&[0x86][..], &content].concat(),
        Codec::H264(framing) => access_unit(framing, keyframe, choices, &content),
        Codec::Av1 => temporal_unit(keyframe, choices, &content),
    };
    let description = match codec {
        Codec::H264(Framing::Avc(size)) => description(size),
        _ => Vec::new(),
    };
    Frame {
        codec,
        keyframe,
        payload,
        description,
    }
}

const SPS: [u8; 8] = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xe4];
const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];

fn description(length_size: LengthSize) -> Vec<u8> {
    let config = AvcConfig {
        profile: 0x42,
        compatibility: 0xc0,
        level: 0x1f,
        length_size,
        sps: vec![SPS.to_vec()],
        pps: vec![PPS.to_vec()],
        high: None,
    };
    config.encode().unwrap()
}

/// Cuts content in up to so many parts, none empty.
fn parts(content: &[u8], most: u64) -> Vec<&[u8]> {
    let most = most as usize;
    content.chunks(content.len().div_ceil(most)).collect()
}

fn access_unit(framing: Framing, keyframe: bool, choices: u64, content: &[u8]) -> Vec<u8> {
    let mut units = Vec::new();
    if choices & 1 != 0 {
        units.push(vec![0x09, 0xf0]);
    }
    if keyframe && (choices & 2 != 0 || framing == Framing::AnnexB) {
        units.extend([SPS.to_vec(), PPS.to_vec()]);
    }
    if choices & 4 != 0 {
        units.push(vec![0x06, 0x05, 0x80]);
    }
    for (number, part) in parts(content, 1 + (choices >> 8) % 4).iter().enumerate() {
        let kind = if keyframe { 0x65 } else { 0x41 };
        let first_mb = if number == 0 { 0x88 } else { 0x48 };
        units.push([&[kind, first_mb], *part].concat());
    }
    if choices & 8 != 0 {
        units.push(vec![0x0c, 0xff, 0x80]);
    }
    units
        .iter()
        .flat_map(|unit| match framing {
            Framing::AnnexB => [&[0, 0, 0, 1], &unit[..]].concat(),
            Framing::Avc(size) => {
                let length = (unit.len() as u32).to_be_bytes();
                [&length[4 - size.bytes()..], unit].concat()
            }
        })
        .collect()
}

/// From `av1-chromium-128x96-key.bin`: the sequence header, and how the frame begins.
const SEQUENCE: [u8; 15] = [
    0x0a, 0x0d, 0, 0, 0, 0x03, 0x37, 0xfb, 0xe0, 0x0d, 0x10, 0x10, 0xd0, 0x18, 0x40,
];
const KEY_FRAME: [u8; 3] = [0x10, 0x44, 0x50];

fn temporal_unit(keyframe: bool, choices: u64, content: &[u8]) -> Vec<u8> {
    let mut unit = vec![0x12, 0];
    if keyframe {
        unit.extend(SEQUENCE);
    }
    let parts = parts(content, 1 + (choices >> 8) % 6);
    for (number, part) in parts.iter().enumerate() {
        let last = number + 1 == parts.len();
        let start: &[u8] = match (number, keyframe) {
            (0, true) => &KEY_FRAME,
            (0, false) => &[0x30],
            _ => &[],
        };
        let kind = match number {
            0 => 6,
            _ => [4, 5, 4, 8, 15][(choices >> (4 * number) & 0xf) as usize % 5],
        };
        let extension: &[u8] = if choices & 1 != 0 { &[0x20] } else { &[] };
        let unsized_obu = last && choices & 2 != 0;
        let has_size = if unsized_obu { 0 } else { 2 };
        unit.push(kind << 3 | (extension.len() as u8) << 2 | has_size);
        unit.extend(extension);
        if !unsized_obu {
            // Always two bytes, where one may be enough.
            let len = start.len() + part.len();
            unit.extend([len as u8 | 0x80, (len >> 7) as u8]);
        }
        unit.extend(start);
        unit.extend(*part);
    }
    unit
}
