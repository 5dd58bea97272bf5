//! What made-up frames begin with, so that they can be told where only their payload arrives (RTP).
//!
//! First what a VP8 frame begins with (RFC 6386, 9.1), so that it is taken for
//! one; then the capture time.

use bytes::{Bytes, BytesMut};

/// The frame tag (shown, its first partition 8 bytes long) and a keyframe's start code and size.
const VP8: [u8; 10] = [0x10, 0x01, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02];
/// Not a keyframe: the first bit of the frame tag.
const DELTA: u8 = 0x01;

/// Bytes at the beginning of a frame that a stamp takes.
pub const LEN: usize = VP8.len() + size_of::<u64>();

/// What a stamp says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The frame is a keyframe.
    pub keyframe: bool,
    /// Its capture time.
    pub capture_us: u64,
}

impl Stamp {
    /// Writes it over the beginning of a payload of at least [`LEN`] bytes.
    pub fn put(self, payload: &Bytes) -> Bytes {
        let mut stamped = BytesMut::with_capacity(payload.len());
        stamped.extend_from_slice(&VP8);
        if !self.keyframe {
            stamped[0] |= DELTA;
        }
        stamped.extend_from_slice(&self.capture_us.to_be_bytes());
        stamped.extend_from_slice(payload.get(LEN..).unwrap_or_default());
        stamped.freeze()
    }

    /// Reads it from the beginning of a payload.
    pub fn of(payload: &[u8]) -> Option<Self> {
        let (vp8, rest) = payload.split_at_checked(VP8.len())?;
        let time = rest.first_chunk()?;
        (vp8[1..] == VP8[1..]).then_some(Self {
            keyframe: vp8[0] & DELTA == 0,
            capture_us: u64::from_be_bytes(*time),
        })
    }
}

#[cfg(test)]
mod tests {
    use steadycast_codec_glue::bitstream::{Codec, inspect};

    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_put_and_looks_like_vp8() {
        let payload = Bytes::from(vec![7; 100]);
        for keyframe in [true, false] {
            let stamp = Stamp {
                keyframe,
                capture_us: 1_700_000_000_000_001,
            };
            let stamped = stamp.put(&payload);
            assert_eq!(Stamp::of(&stamped), Some(stamp));
            assert_eq!(stamped[LEN..], payload[LEN..]);
            assert_eq!(stamped.len(), payload.len());
            assert_eq!(inspect(Codec::Vp8, &stamped).unwrap().keyframe, keyframe);
        }
        assert_eq!(Stamp::of(&payload), None);
    }
}
