//! Frames of the wire as they are, in packets that pass for VP8 (RFC 7741; PROTOCOL 12.10).
//!
//! What is sealed no codec's payloader can cut, and no browser's depacketiser put together: they look
//! into the bitstream. Of VP8 they look at the first ten bytes alone, and those are made up here.

use super::payloads::{LONG_ID, Writer};
use super::vp8::{DESCRIPTOR, NUMBERING, START};
use super::{Numbering, PAYLOAD_LENGTHS, Payloads, RtpError};
use crate::wire::limits;

/// What VP8 begins a frame with (RFC 6386, 9.1): a frame that is shown, and whether it needs another.
const KEYFRAME: [u8; 3] = [0x10, 0, 0];
const OTHER: [u8; 3] = [0x11, 0, 0];
/// The bit of the first byte that keyframes do not have.
const NEEDS_ANOTHER: u8 = 1;
/// What VP8's keyframes have next.
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
/// Bytes of a picture's size, and of a frame's number.
const SIZE: usize = 4;
const NUMBER: usize = 2;

/// The most bytes of one frame of the wire, all of it.
const LONGEST: usize =
    crate::wire::HEADER_LEN + limits::CONFIG_MAX as usize + limits::PAYLOAD as usize;

/// Cuts a frame, header and config included, into RTP payloads of at most `max_payload` bytes. `size` is
/// that of its picture where it is a keyframe.
///
/// # Errors
/// [`RtpError::PayloadLength`], [`RtpError::Empty`] and [`RtpError::TooLarge`].
pub fn carry(
    frame: &[u8],
    size: Option<(u16, u16)>,
    max_payload: usize,
) -> Result<Payloads, RtpError> {
    if !PAYLOAD_LENGTHS.contains(&max_payload) {
        return Err(RtpError::PayloadLength(max_payload));
    }
    if frame.is_empty() {
        return Err(RtpError::Empty);
    }
    if frame.len() > LONGEST {
        return Err(RtpError::TooLarge);
    }
    let head = head(size);
    let mut writer = Writer::new(head.len() + frame.len(), DESCRIPTOR.len(), max_payload);
    let mut first = DESCRIPTOR;
    first[0] |= START;
    writer.put(&first);
    writer.put(&head);
    let room = max_payload - DESCRIPTOR.len();
    let (begin, rest) = frame.split_at(frame.len().min(room - head.len()));
    writer.put(begin);
    writer.end();
    for part in rest.chunks(room) {
        writer.put(&DESCRIPTOR);
        writer.put(part);
        writer.end();
    }
    Ok(writer.finish(Numbering {
        number: Some(DESCRIPTOR.len() + head.len() - NUMBER),
        ..NUMBERING
    }))
}

/// What stands before a frame.
fn head(size: Option<(u16, u16)>) -> Vec<u8> {
    let mut head = Vec::with_capacity(KEYFRAME.len() + START_CODE.len() + SIZE + NUMBER);
    match size {
        Some((width, height)) => {
            head.extend(KEYFRAME);
            head.extend(START_CODE);
            head.extend(width.to_le_bytes());
            head.extend(height.to_le_bytes());
        }
        None => head.extend(OTHER),
    }
    head.extend(LONG_ID.to_be_bytes());
    head
}

/// A frame as it comes out of packets that were put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    /// Whether it says that it needs no other.
    pub keyframe: bool,
    /// Counts, in 15 bits, what its receiver was sent.
    pub number: u16,
    /// The frame of the wire.
    pub frame: &'a [u8],
}

impl<'a> Carried<'a> {
    /// Takes off what packets needed.
    ///
    /// # Errors
    /// [`RtpError::Malformed`] for what nobody has carried.
    pub fn read(bytes: &'a [u8]) -> Result<Self, RtpError> {
        let short = RtpError::Malformed("a frame that ends before it begins");
        let keyframe = bytes.first().ok_or(short)? & NEEDS_ANOTHER == 0;
        let before = match keyframe {
            true => KEYFRAME.len() + START_CODE.len() + SIZE,
            false => OTHER.len(),
        };
        let rest = bytes.get(before..).ok_or(short)?;
        let (number, frame) = rest.split_first_chunk::<NUMBER>().ok_or(short)?;
        let number = u16::from_be_bytes(*number);
        match number & LONG_ID {
            0 => Err(RtpError::Malformed("a frame without a number")),
            _ => Ok(Self {
                keyframe,
                number: number & !LONG_ID,
                frame,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a receiver puts together of the payloads, each numbered for it.
    fn together(payloads: &Payloads, number: u16) -> Vec<u8> {
        let mut all = Vec::new();
        for (at, payload) in payloads.iter().enumerate() {
            let mut payload = payload.to_vec();
            payloads.numbering().write(&mut payload, number, 0);
            if at == 0 {
                payloads.numbering().write_first(&mut payload, number);
            }
            all.extend_from_slice(&payload[DESCRIPTOR.len()..]);
        }
        all
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in_whatever_its_length() {
        for length in [1, 43, 44, 45, 47, 48, 49, 59, 60, 61, 5_000] {
            let frame: Vec<u8> = (0..length).map(|at| at as u8).collect();
            for size in [None, Some((1_280, 720))] {
                let payloads = carry(&frame, size, 64).unwrap();
                assert!(payloads.iter().rev().skip(1).all(|part| part.len() == 64));
                let bytes = together(&payloads, 0x7abc);
                let carried = Carried::read(&bytes).unwrap();
                assert_eq!(carried.frame, frame, "{length} {size:?}");
                assert_eq!((carried.keyframe, carried.number), (size.is_some(), 0x7abc));
            }
        }
    }

    #[test]
    fn a_keyframe_passes_for_one_of_vp8() {
        let payloads = carry(&[7; 100], Some((1_280, 720)), 64).unwrap();
        let bytes = together(&payloads, 1);
        // What browsers look at, and nothing else (RFC 6386, 9.1).
        assert_eq!(bytes[0] & 1, 0);
        assert_eq!(bytes[3..10], [0x9d, 1, 0x2a, 0, 5, 0xd0, 2]);
    }

    #[test]
    fn frames_and_payloads_have_limits() {
        let of = |frame: &[u8], max| carry(frame, None, max).err();
        assert_eq!(of(&[1], 63), Some(RtpError::PayloadLength(63)));
        assert_eq!(of(&[], 64), Some(RtpError::Empty));
        assert_eq!(of(&vec![1; LONGEST], 1_200), None);
        assert_eq!(of(&vec![1; LONGEST + 1], 1_200), Some(RtpError::TooLarge));
    }

    #[test]
    fn what_nobody_has_carried_is_refused() {
        let whole = [0x10, 0, 0, 0x9d, 1, 0x2a, 0, 5, 0xd0, 2, 0x80, 1];
        for end in 0..whole.len() {
            assert!(Carried::read(&whole[..end]).is_err(), "{end}");
        }
        assert!(Carried::read(&whole).is_ok());
        assert!(Carried::read(&[0x11, 0, 0, 0, 1, 9]).is_err());
    }
}
