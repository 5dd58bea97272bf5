//! Facts read from encoded video: is it a keyframe, what size, which decoder config.
//!
//! The relay forwards video without a look at it (PROTOCOL 4.5); this is for
//! its borders, where frames come without a Steadycast header. Everything here
//! is a pure function of bytes from strangers: no input panics, loops without
//! end or allocates more than a small multiple of its own size.

pub mod av1;
pub(crate) mod bits;
pub mod h264;
pub mod vp8;
pub mod vp9;

/// What the first frame of a payload says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Needs no earlier frame; a decoder can begin here when `picture` is known.
    pub keyframe: bool,
    /// How a keyframe's decoder is configured; `None` when the payload does not say.
    pub picture: Option<Picture>,
}

impl Facts {
    const DELTA: Self = Self {
        keyframe: false,
        picture: None,
    };

    fn keyframe(picture: Picture) -> Self {
        Self {
            keyframe: true,
            picture: Some(picture),
        }
    }
}

/// What a decoder must know before a keyframe (PROTOCOL 4.3), as the bitstream has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels, cropping applied.
    pub width: u16,
    /// Height in pixels, cropping applied.
    pub height: u16,
    /// The WebCodecs codec string.
    pub codec: String,
}

/// Why a payload could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BitstreamError {
    /// The payload ends inside something it announced.
    #[error("the bitstream ends early")]
    EndsEarly,
    /// The payload breaks the rules of its codec.
    #[error("not a valid bitstream: {0}")]
    Invalid(&'static str),
    /// The codec string names none of the four.
    #[error("no codec that is known here")]
    UnknownCodec,
}

/// A codec, with what must be known to cut its payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// VP8 (RFC 6386).
    Vp8,
    /// VP9 (VP9 Bitstream & Decoding Process Specification).
    Vp9,
    /// H.264 (ITU-T H.264, ISO/IEC 14496-10).
    H264(h264::Framing),
    /// AV1 (AV1 Bitstream & Decoding Process Specification).
    Av1,
}

impl Codec {
    /// The codec of a WebCodecs string and description (PROTOCOL 4.3, 4.4).
    ///
    /// # Errors
    /// [`BitstreamError::UnknownCodec`], or what is wrong with the `avcC` of an
    /// H.264 description.
    pub fn from_webcodecs(codec: &str, description: &[u8]) -> Result<Self, BitstreamError> {
        let family = codec.split_once('.').map_or(codec, |(family, _)| family);
        match family {
            "vp8" => Ok(Self::Vp8),
            "vp09" | "vp9" => Ok(Self::Vp9),
            "av01" => Ok(Self::Av1),
            "avc1" | "avc3" if description.is_empty() => Ok(Self::H264(h264::Framing::AnnexB)),
            "avc1" | "avc3" => {
                let config = h264::AvcConfig::parse(description)?;
                Ok(Self::H264(h264::Framing::Avc(config.length_size)))
            }
            _ => Err(BitstreamError::UnknownCodec),
        }
    }
}

/// The facts of one payload, which is one WebCodecs chunk (PROTOCOL 4.4).
///
/// # Errors
/// A [`BitstreamError`] when the part that holds the facts cannot be read.
pub fn inspect(codec: Codec, payload: &[u8]) -> Result<Facts, BitstreamError> {
    match codec {
        Codec::Vp8 => vp8::inspect(payload),
        Codec::Vp9 => vp9::inspect(payload),
        Codec::H264(framing) => h264::inspect(payload, framing),
        Codec::Av1 => av1::inspect(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_strings_name_their_codec() {
        let annex_b = Codec::H264(h264::Framing::AnnexB);
        for (string, codec) in [
            ("vp8", Codec::Vp8),
            ("vp09.00.10.08", Codec::Vp9),
            ("vp9", Codec::Vp9),
            ("av01.0.04M.08", Codec::Av1),
            ("avc1.42E01F", annex_b),
            ("avc3.42E01F", annex_b),
        ] {
            assert_eq!(Codec::from_webcodecs(string, &[]), Ok(codec), "{string}");
        }
        for string in ["", "vp80", "hvc1.1.6.L93.B0", "opus", "avc1x", ".vp8"] {
            assert_eq!(
                Codec::from_webcodecs(string, &[]),
                Err(BitstreamError::UnknownCodec),
                "{string}"
            );
        }
    }

    #[test]
    fn a_description_tells_the_length_of_lengths() {
        let avcc = [1, 0x42, 0xc0, 0x1f, 0xfd, 0xe0, 0];
        assert_eq!(
            Codec::from_webcodecs("avc1.42C01F", &avcc),
            Ok(Codec::H264(h264::Framing::Avc(h264::LengthSize::Two)))
        );
        assert_eq!(
            Codec::from_webcodecs("avc1.42C01F", &avcc[..5]),
            Err(BitstreamError::EndsEarly)
        );
    }
}
