//! Encoded frames as RTP payloads, and back.
//!
//! [`packetize`] cuts one WebCodecs chunk (PROTOCOL 4.4) for players that take
//! RTP, once for all of them: what differs from player to player stands at
//! fixed places ([`Numbering`]). RTP headers, timestamps and sequence numbers
//! are the sender's.
//!
//! The other way, packets from a publisher come back into order in a
//! [`Reorder`] and become chunks again in an [`Assembler`]. Frames of sound are payloads as they
//! are, alone or with earlier ones beside them ([`write_red`], [`read_red`]).
//!
//! Everything here is a pure function of bytes from strangers: no input
//! panics, loops without end or allocates more than a small multiple of its
//! own size.

mod assembler;
mod av1;
mod carried;
mod h264;
mod parts;
mod payloads;
mod red;
mod reorder;
mod vp8;
mod vp9;

pub use assembler::{Assembled, Assembler};
pub use carried::{Carried, carry};
pub use payloads::{Numbering, Payloads};
pub use red::{RED_AGE, RED_BLOCKS, RED_LENGTH, RedBlock, read_red, write_red};
pub use reorder::{Ordered, Packet, Placed, Reorder, ReorderConfig};

use std::ops::RangeInclusive;

use crate::bitstream::{BitstreamError, Codec};
use crate::wire::limits;

/// Lengths of the longest payload that [`packetize`] takes, in bytes.
///
/// Below, headers would outweigh what they carry; above, UDP has no room.
pub const PAYLOAD_LENGTHS: RangeInclusive<usize> = 64..=65_000;

/// The most NAL units or OBUs in one frame, both ways.
pub const FRAME_UNITS: usize = 4096;

/// Why a frame could not become payloads, or payloads no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// The frame holds nothing that could be sent.
    #[error("a frame of no bytes")]
    Empty,
    /// The frame is longer than any may be (PROTOCOL 4.2), or has too many parts.
    #[error("a frame above {} bytes or {FRAME_UNITS} units", limits::PAYLOAD)]
    TooLarge,
    /// The payload length asked for is not one of [`PAYLOAD_LENGTHS`].
    #[error("payloads of {0} bytes")]
    PayloadLength(usize),
    /// A payload breaks the rules of its format.
    #[error("not a valid payload: {0}")]
    Malformed(&'static str),
    /// A payload has something that is not understood here.
    #[error("{0} are not supported")]
    Unsupported(&'static str),
    /// The frame's bitstream cannot be read.
    #[error(transparent)]
    Bitstream(#[from] BitstreamError),
    /// An H.264 keyframe whose SPS and PPS are nowhere to be found.
    #[error("a keyframe without parameter sets")]
    NoParameterSets,
    /// An AV1 keyframe without its sequence header.
    #[error("a keyframe without sequence header")]
    NoSequenceHeader,
}

/// One encoded frame: a WebCodecs chunk and what belongs to it (PROTOCOL 4.2 to 4.4).
#[derive(Debug, Clone, Copy)]
pub struct FrameIn<'a> {
    /// Needs no earlier frame.
    pub keyframe: bool,
    /// The chunk.
    pub payload: &'a [u8],
    /// The WebCodecs description of the stream; only H.264 keyframes are asked for it.
    pub description: &'a [u8],
    /// Width and height in pixels, where known; VP9 keyframes say it in their first payload.
    pub size: Option<(u16, u16)>,
}

/// Cuts a frame into RTP payloads of at most `max_payload` bytes.
///
/// All have exactly that length, the last one excepted, so that they can be
/// sent in one go; in H.264 the last payload of each NAL unit is excepted too.
///
/// # Errors
/// [`RtpError::PayloadLength`] for a length that nobody should ask for; any
/// other when the frame is not what a decoder could take.
pub fn packetize(
    codec: Codec,
    frame: FrameIn<'_>,
    max_payload: usize,
) -> Result<Payloads, RtpError> {
    if !PAYLOAD_LENGTHS.contains(&max_payload) {
        return Err(RtpError::PayloadLength(max_payload));
    }
    if frame.payload.is_empty() {
        return Err(RtpError::Empty);
    }
    if frame.payload.len() > limits::PAYLOAD as usize {
        return Err(RtpError::TooLarge);
    }
    match codec {
        Codec::Vp8 => Ok(vp8::packetize(frame, max_payload)),
        Codec::Vp9 => Ok(vp9::packetize(frame, max_payload)),
        Codec::H264(framing) => h264::packetize(framing, frame, max_payload),
        Codec::Av1 => av1::packetize(frame, max_payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(payload: &[u8]) -> FrameIn<'_> {
        FrameIn {
            keyframe: false,
            payload,
            description: &[],
            size: None,
        }
    }

    #[test]
    fn frames_and_payloads_have_limits() {
        let of = |payload: &[u8], max| packetize(Codec::Vp8, delta(payload), max).err();
        assert_eq!(of(&[1], 63), Some(RtpError::PayloadLength(63)));
        assert_eq!(of(&[1], 65_001), Some(RtpError::PayloadLength(65_001)));
        assert_eq!(of(&[], 1200), Some(RtpError::Empty));
        let longest = vec![1; limits::PAYLOAD as usize];
        assert_eq!(of(&longest, 64), None);
        let longer = [&longest[..], &[1]].concat();
        assert_eq!(of(&longer, 1200), Some(RtpError::TooLarge));
    }
}
