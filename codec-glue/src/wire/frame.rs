//! Frames as they travel on group streams (PROTOCOL 4).

use bytes::{Buf, BufMut};

use super::colour::{self, Colour};
use super::{TrackId, WireError, limits};

/// The first byte of a stream that carries one group (PROTOCOL 4.1).
pub const GROUP_STREAM: u8 = 0x47;

/// Bytes of the fixed part of a frame (PROTOCOL 4.2).
pub const HEADER_LEN: usize = 30;

const KEYFRAME: u8 = 0b01;
const REFINEMENT: u8 = 0b10;
const SEALED: u8 = 0b100;
/// A flag of later versions without which a frame cannot be understood (PROTOCOL 2.12).
const UNKNOWN: u8 = 0b1000;

/// The fixed part of a frame (PROTOCOL 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Opens a group and can be decoded without any other frame.
    pub keyframe: bool,
    /// The same source picture encoded again, for quality.
    pub refinement: bool,
    /// The payload is sealed: only people with the link can open it (PROTOCOL 12).
    pub sealed: bool,
    /// The track.
    pub track: TrackId,
    /// The temporal layer; 0 is the base.
    pub layer: u8,
    /// The publisher's tenure.
    pub epoch: u32,
    /// The group; rises within an epoch.
    pub group: u32,
    /// The place in the group, from 0.
    pub index: u32,
    /// When the picture was captured, in microseconds on the relay's clock.
    pub capture_us: u64,
    /// Bytes of the payload.
    pub payload_len: u32,
    /// Bytes of the decoder config; 0 but for keyframes.
    pub config_len: u16,
    /// What the picture's samples mean; on keyframes, and only where the publisher knows.
    pub colour: Option<Colour>,
}

impl FrameHeader {
    /// Writes the header's [`HEADER_LEN`] bytes.
    pub fn encode(&self, out: &mut impl BufMut) {
        let flag = |said, bit| if said { bit } else { 0 };
        let flags = flag(self.keyframe, KEYFRAME)
            | flag(self.refinement, REFINEMENT)
            | flag(self.sealed, SEALED);
        let (colour_flags, colour) = self.colour.map_or((0, 0), Colour::to_header);
        out.put_u8(flags | colour_flags);
        out.put_u8(self.track.number());
        out.put_u8(self.layer);
        out.put_u8(colour);
        out.put_u32(self.epoch);
        out.put_u32(self.group);
        out.put_u32(self.index);
        out.put_u64(self.capture_us);
        out.put_u32(self.payload_len);
        out.put_u16(self.config_len);
    }

    /// Reads a header and checks every field that has a range. A colour that is not known, and what
    /// else is left to later versions, is forgotten (PROTOCOL 2.12).
    ///
    /// # Errors
    /// [`WireError::Malformed`] or [`WireError::TooLarge`].
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, WireError> {
        let mut input = &bytes[..];
        let flags = input.get_u8();
        let (track, layer, colour) = (input.get_u8(), input.get_u8(), input.get_u8());
        let keyframe = flags & KEYFRAME != 0;
        let header = Self {
            keyframe,
            refinement: flags & REFINEMENT != 0,
            sealed: flags & SEALED != 0,
            track: TrackId::from_number(track)
                .ok_or(WireError::Malformed("a track that does not exist"))?,
            layer,
            epoch: input.get_u32(),
            group: input.get_u32(),
            index: input.get_u32(),
            capture_us: input.get_u64(),
            payload_len: input.get_u32(),
            config_len: input.get_u16(),
            colour: keyframe
                .then(|| Colour::from_header(flags, colour))
                .flatten(),
        };
        if flags & UNKNOWN != 0 {
            return Err(WireError::Malformed("flags of a frame header"));
        }
        header.check()?;
        Ok(header)
    }

    /// Takes out of a header's bytes what sessions of version 1 were not promised (PROTOCOL 2.11).
    pub fn strip(bytes: &mut [u8; HEADER_LEN]) {
        bytes[0] &= !colour::FLAGS;
        bytes[3] = 0;
    }

    /// Bytes of config and payload: what follows the header.
    pub fn body_len(&self) -> usize {
        usize::from(self.config_len) + self.payload_len as usize
    }

    fn check(&self) -> Result<(), WireError> {
        if self.layer > limits::LAYER {
            return Err(WireError::Malformed("a layer above 7"));
        }
        WireError::check_integer(self.capture_us)?;
        if self.payload_len == 0 {
            return Err(WireError::Malformed("a frame without payload"));
        }
        WireError::check(
            "payload",
            self.payload_len as usize,
            limits::PAYLOAD as usize,
        )?;
        WireError::check(
            "decoder config",
            self.config_len.into(),
            limits::CONFIG_MAX.into(),
        )?;
        match (self.keyframe, self.config_len) {
            (true, len) if len < limits::CONFIG_MIN => {
                Err(WireError::Malformed("a keyframe without decoder config"))
            }
            (false, len) if len != 0 => Err(WireError::Malformed(
                "a decoder config on a frame that is no keyframe",
            )),
            _ => Ok(()),
        }
    }
}

/// What a decoder must know before a keyframe (PROTOCOL 4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoderConfig {
    /// Width of the picture, in pixels.
    pub width: u16,
    /// Height of the picture, in pixels.
    pub height: u16,
    /// The WebCodecs codec string.
    pub codec: String,
    /// The WebCodecs description; empty when there is none.
    pub description: Vec<u8>,
}

impl DecoderConfig {
    /// Writes the config.
    ///
    /// # Errors
    /// The same as [`DecoderConfig::decode`] would give for it.
    pub fn encode(&self, out: &mut impl BufMut) -> Result<(), WireError> {
        self.check()?;
        let codec_len =
            u8::try_from(self.codec.len()).map_err(|_| WireError::Malformed("codec length"))?;
        let description_len = u16::try_from(self.description.len())
            .map_err(|_| WireError::Malformed("description length"))?;
        out.put_u16(self.width);
        out.put_u16(self.height);
        out.put_u8(codec_len);
        out.put_slice(self.codec.as_bytes());
        out.put_u16(description_len);
        out.put_slice(&self.description);
        Ok(())
    }

    /// Reads a config from exactly its bytes.
    ///
    /// # Errors
    /// [`WireError::Malformed`] or [`WireError::TooLarge`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        const SHORT: WireError = WireError::Malformed("a decoder config that ends too early");
        let mut input = bytes;
        let width = input.try_get_u16().map_err(|_| SHORT)?;
        let height = input.try_get_u16().map_err(|_| SHORT)?;
        let codec_len = input.try_get_u8().map_err(|_| SHORT)?.into();
        let (codec, mut rest) = input.split_at_checked(codec_len).ok_or(SHORT)?;
        let description_len = usize::from(rest.try_get_u16().map_err(|_| SHORT)?);
        if rest.len() != description_len {
            return Err(WireError::Malformed(
                "a decoder config whose lengths do not add up",
            ));
        }
        let config = Self {
            width,
            height,
            codec: String::from_utf8(codec.to_vec())
                .map_err(|_| WireError::Malformed("a codec string that is not ASCII"))?,
            description: rest.to_vec(),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), WireError> {
        if self.width == 0 || self.height == 0 {
            return Err(WireError::Malformed("a picture without size"));
        }
        let side = usize::from(self.width.max(self.height));
        WireError::check("picture side", side, limits::PICTURE.into())?;
        if self.codec.is_empty() || !self.codec.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(WireError::Malformed("a codec string that is not ASCII"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FrameHeader = FrameHeader {
        keyframe: true,
        refinement: false,
        sealed: false,
        track: TrackId::MAIN,
        layer: 0,
        epoch: 0x0102_0304,
        group: 5,
        index: 0,
        capture_us: 6,
        payload_len: 7,
        config_len: limits::CONFIG_MIN,
        colour: None,
    };

    fn bytes(header: FrameHeader) -> [u8; HEADER_LEN] {
        let mut out = Vec::new();
        header.encode(&mut out);
        out.try_into().unwrap()
    }

    #[test]
    fn every_field_has_its_place() {
        let coded = bytes(KEY);
        let expected = [
            1, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 7, 0,
            8,
        ];
        assert_eq!(coded, expected);
        assert_eq!(FrameHeader::decode(&coded), Ok(KEY));
        assert_eq!(KEY.body_len(), 15);
    }

    #[test]
    fn what_has_a_range_is_held_to_it() {
        let delta = FrameHeader {
            keyframe: false,
            refinement: true,
            config_len: 0,
            ..KEY
        };
        for right in [
            FrameHeader {
                layer: limits::LAYER,
                ..delta
            },
            FrameHeader {
                capture_us: limits::INTEGER,
                ..delta
            },
            FrameHeader {
                payload_len: limits::PAYLOAD,
                ..delta
            },
            FrameHeader {
                config_len: limits::CONFIG_MAX,
                ..KEY
            },
        ] {
            assert_eq!(FrameHeader::decode(&bytes(right)), Ok(right));
        }
        for wrong in [
            FrameHeader {
                layer: limits::LAYER + 1,
                ..delta
            },
            FrameHeader {
                capture_us: limits::INTEGER + 1,
                ..delta
            },
            FrameHeader {
                payload_len: 0,
                ..delta
            },
            FrameHeader {
                payload_len: limits::PAYLOAD + 1,
                ..delta
            },
            FrameHeader {
                config_len: 1,
                ..delta
            },
            FrameHeader {
                config_len: limits::CONFIG_MIN - 1,
                ..KEY
            },
            FrameHeader {
                config_len: limits::CONFIG_MAX + 1,
                ..KEY
            },
        ] {
            assert!(FrameHeader::decode(&bytes(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn version_1_is_told_nothing_of_colours() {
        let coloured = FrameHeader {
            colour: Colour::new("bt709", "bt709", "bt709", true),
            ..KEY
        };
        let mut coded = bytes(coloured);
        assert_ne!(coded, bytes(KEY));
        FrameHeader::strip(&mut coded);
        assert_eq!(coded, bytes(KEY));
    }

    #[test]
    fn a_config_has_a_size_a_codec_in_ascii_and_nothing_behind_it() {
        let config = DecoderConfig {
            width: 640,
            height: limits::PICTURE,
            codec: "vp8".into(),
            description: vec![1, 2],
        };
        let mut coded = Vec::new();
        config.encode(&mut coded).unwrap();
        assert_eq!(DecoderConfig::decode(&coded), Ok(config.clone()));
        assert!(DecoderConfig::decode(&coded[..coded.len() - 1]).is_err());
        coded.push(3);
        assert!(DecoderConfig::decode(&coded).is_err());
        let sized = |width, height| DecoderConfig {
            width,
            height,
            ..config.clone()
        };
        let named = |codec: &str| DecoderConfig {
            codec: codec.into(),
            ..config.clone()
        };
        for wrong in [
            sized(0, 1),
            sized(1, 0),
            sized(limits::PICTURE + 1, 1),
            named(""),
            named("v\u{fc}"),
            named("\u{7f}"),
            named(&"v".repeat(256)),
        ] {
            assert!(wrong.encode(&mut Vec::new()).is_err(), "{wrong:?}");
        }
    }
}
