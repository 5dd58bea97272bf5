//! Frames that look as encoders make them, of every codec that the relay bridges.

use anyhow::Result;
use bytes::{BufMut, Bytes, BytesMut};
use steadycast_codec_glue::bitstream::av1::{ObuType, obus};
use steadycast_codec_glue::bitstream::h264::{Framing, nal_units};
pub use steadycast_codec_glue::wire::CodecKind as Kind;
use steadycast_codec_glue::wire::{DecoderConfig, FrameHeader, TrackId};

use crate::publisher::Publisher;

/// As WebCodecs names a codec.
fn webcodecs(kind: Kind) -> &'static str {
    match kind {
        Kind::Vp8 => "vp8",
        Kind::Vp9 => "vp09.00.10.08",
        Kind::H264 => "avc1.42c01f",
        Kind::Av1 => "av01.0.04M.08",
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// Its codec.
    pub kind: Kind,
    /// Whether it needs no other.
    pub keyframe: bool,
    /// What the encoder gave.
    pub payload: Vec<u8>,
}

const SPS: [u8; 8] = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xe4];
const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
/// What a real encoder began with, at 128x96.
const AV1_SEQUENCE: [u8; 15] = [
    0x0a, 0x0d, 0, 0, 0, 0x03, 0x37, 0xfb, 0xe0, 0x0d, 0x10, 0x10, 0xd0, 0x18, 0x40,
];
const AV1_KEY: [u8; 3] = [0x10, 0x44, 0x50];

/// A frame, with in-band parameter sets in H.264 (Annex B), whose content is `len` bytes that `number` alone determines.
pub fn coded(kind: Kind, keyframe: bool, number: u32, len: usize) -> Coded {
    let content = content(number, len);
    let payload = match (kind, keyframe) {
        (Kind::Vp8, true) => return vp8_keyframe((128, 96), number, len),
        (Kind::Vp8, false) => [&[0x31, 0, 0], &content[..]].concat(),
        (Kind::Vp9, true) => {
            let header = [0x82, 0x49, 0x83, 0x42, 0x20, 0x07, 0xf0, 0x05, 0xf0];
            [&header[..], &content].concat()
        }
        (Kind::Vp9, false) => [&[0x86], &content[..]].concat(),
        (Kind::H264, true) => {
            let start = [0, 0, 0, 1];
            let slice = [&[0x65, 0x88], &content[..]].concat();
            [&start[..], &SPS, &start, &PPS, &start, &slice].concat()
        }
        (Kind::H264, false) => [&[0, 0, 0, 1, 0x41, 0x9a], &content[..]].concat(),
        (Kind::Av1, true) => [&[0x12, 0], &AV1_SEQUENCE[..], &obu(&AV1_KEY, &content)].concat(),
        (Kind::Av1, false) => [&[0x12, 0], &obu(&[0x30], &content)[..]].concat(),
    };
    Coded {
        kind,
        keyframe,
        payload,
    }
}

/// A VP8 keyframe of a size.
pub fn vp8_keyframe((width, height): (u16, u16), number: u32, len: usize) -> Coded {
    let [w, h] = [width, height].map(u16::to_le_bytes);
    let header = [0x30, 0, 0, 0x9d, 1, 0x2a, w[0], w[1], h[0], h[1]];
    Coded {
        kind: Kind::Vp8,
        keyframe: true,
        payload: [&header[..], &content(number, len)].concat(),
    }
}

/// A frame OBU with its size, in as many bytes as it takes.
fn obu(begin: &[u8], content: &[u8]) -> Vec<u8> {
    let mut size = begin.len() + content.len();
    let mut obu = vec![0x32];
    while size >= 0x80 {
        obu.push(size as u8 | 0x80);
        size >>= 7;
    }
    obu.push(size as u8);
    [&obu[..], begin, content].concat()
}

/// Bytes without zeros, so that they may stand in Annex B.
fn content(number: u32, len: usize) -> Vec<u8> {
    let mut random = Random::new(u64::from(number));
    (0..len)
        .map(|_| (random.number() % 255) as u8 + 1)
        .collect()
}

/// Numbers that only the seed determines (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, share: u32) -> bool {
        self.number() % 100 < share
    }
}

/// What of a frame has to arrive: without delimiters and in one framing.
///
/// # Errors
/// When the payload is not what its codec says.
pub fn units(kind: Kind, payload: &[u8]) -> Result<Vec<Vec<u8>>> {
    match kind {
        Kind::Vp8 | Kind::Vp9 => Ok(vec![payload.to_vec()]),
        Kind::H264 => nal_units(payload, Framing::AnnexB)
            .filter(|unit| unit.as_ref().map_or(true, |unit| unit[0] & 0x1f != 9))
            .map(|unit| Ok(unit?.to_vec()))
            .collect(),
        Kind::Av1 => obus(payload)
            .filter(|obu| {
                let delimiter = |kind| kind == ObuType::TemporalDelimiter;
                obu.as_ref().map_or(true, |obu| !delimiter(obu.kind))
            })
            .map(|obu| {
                let obu = obu?;
                let mut unit = [obu.header, obu.payload].concat();
                unit[0] &= !2;
                Ok(unit)
            })
            .collect(),
    }
}

impl Coded {
    /// The units that have to arrive.
    ///
    /// # Errors
    /// When the payload is not what its codec says.
    pub fn units(&self) -> Result<Vec<Vec<u8>>> {
        units(self.kind, &self.payload)
    }

    /// The frame as the wire has it.
    fn encode(
        &self,
        (epoch, track): (u32, TrackId),
        (group, index): (u32, u32),
        capture_us: u64,
    ) -> Result<Bytes> {
        let mut config = BytesMut::new();
        if self.keyframe {
            let decoder = DecoderConfig {
                width: 128,
                height: 96,
                codec: webcodecs(self.kind).into(),
                description: Vec::new(),
            };
            decoder.encode(&mut config)?;
        }
        let header = FrameHeader {
            keyframe: self.keyframe,
            refinement: false,
            sealed: false,
            track,
            layer: 0,
            epoch,
            group,
            index,
            capture_us,
            payload_len: self.payload.len() as u32,
            config_len: config.len() as u16,
            colour: None,
        };
        let mut bytes = BytesMut::new();
        header.encode(&mut bytes);
        bytes.put(config);
        bytes.put(&self.payload[..]);
        Ok(bytes.freeze())
    }
}

impl Publisher {
    /// Sends a frame that was captured then, in a group of its own where it is a keyframe.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn send_coded(&mut self, coded: &Coded, capture_us: u64) -> Result<()> {
        self.send_coded_on(TrackId::MAIN, coded, capture_us).await
    }

    /// As [`Publisher::send_coded`], on a track.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn send_coded_on(
        &mut self,
        track: TrackId,
        coded: &Coded,
        capture_us: u64,
    ) -> Result<()> {
        let place = self.place(track, coded.keyframe).await?;
        let frame = coded.encode((self.epoch(), track), place, capture_us)?;
        self.write(track, &frame).await
    }
}
