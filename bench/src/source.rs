//! What publishers send: made-up frames of fixed sizes, or a recording.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use steadycast_codec_glue::bitstream::h264::{Framing, nal_units};
use steadycast_codec_glue::bitstream::{Codec, inspect};
use steadycast_codec_glue::wire::{CodecKind, DecoderConfig, limits};

use crate::load::Picture;

/// A frame without its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The decoder config as it is on the wire; keyframes have one.
    pub config: Option<Bytes>,
    /// The payload.
    pub payload: Bytes,
}

/// An endless sequence of frames that begins with a keyframe.
#[derive(Debug, Clone)]
pub enum Source {
    /// Frames of two sizes.
    Synthetic {
        /// Random bytes that payloads are cut from.
        noise: Bytes,
        /// The decoder config.
        config: Bytes,
        /// Sizes and group length.
        picture: Picture,
        /// Frames made so far.
        made: usize,
    },
    /// A recording, again and again.
    Recorded {
        /// Its frames.
        frames: Vec<Encoded>,
        /// The one that is next.
        next: usize,
    },
}

/// How far apart the payloads of two frames begin, so that no two are alike.
const STRIDE: usize = 61;

impl Source {
    /// The source of a picture.
    ///
    /// # Errors
    /// When the recording cannot be read.
    pub fn of(picture: &Picture) -> Result<Self> {
        let Some(input) = &picture.input else {
            return Self::made_up(picture, CodecKind::Vp8);
        };
        let frames = read(input).with_context(|| format!("reading {}", input.display()))?;
        Ok(Self::Recorded { frames, next: 0 })
    }

    /// Made-up frames that claim to be of a codec.
    ///
    /// # Errors
    /// Never: the configs are right.
    pub fn made_up(picture: &Picture, codec: CodecKind) -> Result<Self> {
        let codec = match codec {
            CodecKind::Av1 => "av01.0.05M.08",
            CodecKind::H264 => "avc1.42001f",
            CodecKind::Vp9 => "vp09.00.31.08",
            CodecKind::Vp8 => "vp8",
        };
        Ok(Self::Synthetic {
            noise: noise_for(picture),
            config: config(1280, 720, codec.to_owned())?,
            picture: picture.clone(),
            made: 0,
        })
    }

    /// Whether its frames are made up, and are to be stamped.
    pub fn is_made_up(&self) -> bool {
        matches!(self, Self::Synthetic { .. })
    }

    /// Has the next frame be a keyframe. Those of recordings come when they come.
    pub fn restart(&mut self) {
        if let Self::Synthetic { made, .. } = self {
            *made = 0;
        }
    }

    /// Frames are of these sizes from now on, where they are made up.
    pub fn resize(&mut self, to: &Picture) {
        if let Self::Synthetic { noise, picture, .. } = self {
            *noise = noise_for(to);
            picture.clone_from(to);
        }
    }

    /// The next frame.
    pub fn next_frame(&mut self) -> Encoded {
        match self {
            Self::Synthetic {
                noise,
                config,
                picture,
                made,
            } => {
                let index = *made % picture.group;
                *made += 1;
                let len = picture.payload_len(index);
                let start = STRIDE * index;
                Encoded {
                    config: (index == 0).then(|| config.clone()),
                    payload: noise.slice(start..start + len),
                }
            }
            Self::Recorded { frames, next } => {
                let frame = frames[*next].clone();
                *next = (*next + 1) % frames.len();
                frame
            }
        }
    }
}

/// Enough to cut the payloads of a group from.
fn noise_for(picture: &Picture) -> Bytes {
    let longest = picture.key_bytes.max(picture.delta_bytes);
    noise(longest + STRIDE * picture.group)
}

/// Bytes that do not compress, from a fixed seed (xorshift64).
fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = BytesMut::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.freeze()
}

fn config(width: u16, height: u16, codec: String) -> Result<Bytes> {
    let mut bytes = BytesMut::new();
    DecoderConfig {
        width,
        height,
        codec,
        description: Vec::new(),
    }
    .encode(&mut bytes)?;
    Ok(bytes.freeze())
}

fn read(path: &Path) -> Result<Vec<Encoded>> {
    let bytes = Bytes::from(std::fs::read(path)?);
    let (codec, payloads) = if bytes.starts_with(b"DKIF") {
        ivf(&bytes)?
    } else {
        (Codec::H264(Framing::AnnexB), access_units(&bytes)?)
    };
    let frames = payloads
        .into_iter()
        .map(|payload| encoded(codec, payload))
        .collect::<Result<Vec<_>>>()?;
    check(&frames)?;
    Ok(frames)
}

fn encoded(codec: Codec, payload: Bytes) -> Result<Encoded> {
    let facts = inspect(codec, &payload)?;
    let config = match facts.picture.filter(|_| facts.keyframe) {
        Some(picture) => Some(config(picture.width, picture.height, picture.codec)?),
        None => None,
    };
    Ok(Encoded { config, payload })
}

/// What no relay would take is refused here, with a better word.
fn check(frames: &[Encoded]) -> Result<()> {
    let first = frames.first().context("there are no frames")?;
    ensure!(
        first.config.is_some(),
        "the recording does not begin with a keyframe"
    );
    let mut run = 0;
    for frame in frames {
        run = if frame.config.is_some() { 1 } else { run + 1 };
        ensure!(
            run <= limits::GROUP_FRAMES_V1 as usize,
            "more than {} frames without a keyframe",
            limits::GROUP_FRAMES_V1
        );
    }
    Ok(())
}

/// Frames of an IVF file: a 32-byte header, then a 12-byte header and the payload of each.
fn ivf(bytes: &Bytes) -> Result<(Codec, Vec<Bytes>)> {
    let codec = match bytes.get(8..12).context("cut off in the header")? {
        b"VP80" => Codec::Vp8,
        b"VP90" => Codec::Vp9,
        b"AV01" => Codec::Av1,
        b"H264" => Codec::H264(Framing::AnnexB),
        other => bail!(
            "the codec {:?} is not known",
            String::from_utf8_lossy(other)
        ),
    };
    let mut at = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
    let mut frames = Vec::new();
    while let Some(head) = bytes.get(at..at + 4) {
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let start = at + 12;
        ensure!(start + len <= bytes.len(), "cut off in a frame");
        frames.push(bytes.slice(start..start + len));
        at = start + len;
    }
    Ok((codec, frames))
}

/// The access units of an Annex B stream: each begins with the first unit that no slice is, or
/// with the first slice of a picture (ITU-T H.264, 7.4.1.2.3).
fn access_units(bytes: &Bytes) -> Result<Vec<Bytes>> {
    const START: &[u8] = &[0, 0, 0, 1];
    let (mut done, mut open, mut has_slice) = (Vec::new(), BytesMut::new(), false);
    for unit in nal_units(bytes, Framing::AnnexB) {
        let unit = unit?;
        let kind = unit.first().map_or(0, |head| head & 0x1f);
        let slice = matches!(kind, 1 | 5);
        // A picture's first slice begins with first_mb_in_slice = 0, one bit.
        let first_slice = slice && unit.get(1).is_some_and(|byte| byte & 0x80 != 0);
        if has_slice && (first_slice || matches!(kind, 6..=9 | 14..=18)) {
            done.push(open.split().freeze());
            has_slice = false;
        }
        has_slice |= slice;
        open.extend_from_slice(START);
        open.extend_from_slice(unit);
    }
    if has_slice {
        done.push(open.freeze());
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ivf_frames_are_found() {
        let mut file = b"DKIF\0\0\x20\0VP80".to_vec();
        file.resize(32, 0);
        for payload in [&b"one"[..], b"three"] {
            file.extend((payload.len() as u32).to_le_bytes());
            file.extend([0; 8]);
            file.extend(payload);
        }
        let (codec, frames) = ivf(&Bytes::from(file.clone())).unwrap();
        assert_eq!(codec, Codec::Vp8);
        assert_eq!(frames, [&b"one"[..], b"three"]);
        file.pop();
        assert!(ivf(&Bytes::from(file)).is_err());
    }

    #[test]
    fn access_units_end_where_the_next_picture_begins() {
        let sps = [0, 0, 0, 1, 0x67, 1];
        let key = [0, 0, 1, 0x65, 0x88];
        let key_rest = [0, 0, 1, 0x65, 0x08];
        let delta = [0, 0, 1, 0x41, 0x9a];
        let stream = [&sps[..], &key, &key_rest, &delta, &delta].concat();
        let units = access_units(&Bytes::from(stream)).unwrap();
        assert_eq!(units.len(), 3);
        assert_eq!(units[0].len(), 6 + 6 + 6, "with the slice that follows");
    }
}
