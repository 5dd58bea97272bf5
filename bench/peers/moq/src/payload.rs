//! What a frame of the load carries, so that a player can tell when it left and whether it arrived whole.
//!
//! Big-endian: capture time in microseconds (u64), group (u32), index in the group (u32), CRC-32 of everything but
//! itself (u32), then filler up to the frame's size.

use bytes::{BufMut, Bytes, BytesMut};

/// Bytes of the head that every frame begins with, and so the least that a frame can have.
pub(crate) const HEAD_LEN: usize = 20;

const CRC_AT: std::ops::Range<usize> = 16..HEAD_LEN;

/// When a frame was captured and where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Capture time in microseconds of [`crate::clock`].
    pub(crate) captured_us: u64,
    /// The group's number, from 0.
    pub(crate) group: u32,
    /// The frame's place in its group, 0 for the keyframe.
    pub(crate) index: u32,
}

/// Why a payload is not one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    /// The payload ends within the head.
    #[error("a frame of {0} bytes has no room for its head")]
    Short(usize),
    /// The checksum does not match the bytes.
    #[error("a frame's checksum does not match its bytes")]
    Checksum,
}

/// A whole frame of `len` bytes, or of [`HEAD_LEN`] when `len` is less.
pub(crate) fn encode(stamp: Stamp, len: usize) -> Bytes {
    let mut payload = BytesMut::with_capacity(len.max(HEAD_LEN));
    payload.put_u64(stamp.captured_us);
    payload.put_u32(stamp.group);
    payload.put_u32(stamp.index);
    payload.put_u32(0);
    // Not all zeroes, so that a part lost or shifted changes the checksum.
    payload.put_bytes(
        0xa5 ^ stamp.index.to_be_bytes()[3],
        len.saturating_sub(HEAD_LEN),
    );
    let crc = checksum(&payload);
    payload[CRC_AT].copy_from_slice(&crc.to_be_bytes());
    payload.freeze()
}

/// The stamp of a payload that arrived whole.
///
/// # Errors
/// [`Damage`], when it did not.
pub(crate) fn decode(payload: &[u8]) -> Result<Stamp, Damage> {
    let (head, _) = payload
        .split_first_chunk::<HEAD_LEN>()
        .ok_or(Damage::Short(payload.len()))?;
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if word(CRC_AT.start) != checksum(payload) {
        return Err(Damage::Checksum);
    }
    Ok(Stamp {
        captured_us: u64::from(word(0)) << 32 | u64::from(word(4)),
        group: word(8),
        index: word(12),
    })
}

/// CRC-32 of a payload that has at least a head, its own field left out.
fn checksum(payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&payload[..CRC_AT.start]);
    hasher.update(&payload[CRC_AT.end..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        captured_us: 0x0102_0304_0506_0708,
        group: 9,
        index: 10,
    };

    #[test]
    fn a_frame_comes_back_as_it_was() {
        let payload = encode(STAMP, 8000);
        assert_eq!(payload.len(), 8000);
        assert_eq!(decode(&payload), Ok(STAMP));
        assert_eq!(decode(&encode(STAMP, 0)), Ok(STAMP));
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let payload = encode(STAMP, 64);
        for at in 0..payload.len() {
            let mut damaged = payload.to_vec();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged), Err(Damage::Checksum), "byte {at}");
        }
        assert_eq!(decode(&payload[..63]), Err(Damage::Checksum));
        assert_eq!(decode(&payload[..19]), Err(Damage::Short(19)));
    }
}
