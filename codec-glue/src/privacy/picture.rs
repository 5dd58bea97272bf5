//! What is in a sealed picture, and what is sealed with it (PROTOCOL 12.4).

use super::{OpenError, SealError, Tenure};
use crate::wire::{FrameHeader, HEADER_LEN, TrackId};

/// Bytes before the encoded chunk: when it was captured, and which frame it follows.
pub(super) const INSIDE_LEN: usize = 9;
/// What relays of this version and later pass on as it stands: the flags and the colour that version 6 knows.
const FLAGS: u8 = 0b1111_0111;
const COLOUR: u8 = 0b0011_1111;

/// Where its host has put a picture, whatever numbers relays give it on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PicturePlace {
    /// The track.
    pub track: TrackId,
    /// The group; rises within a tenure, on each track for itself.
    pub group: u32,
    /// The place in the group, from 0.
    pub index: u32,
}

impl PicturePlace {
    /// That of a frame as its host writes it.
    pub fn of(header: &FrameHeader) -> Self {
        Self {
            track: header.track,
            group: header.group,
            index: header.index,
        }
    }

    pub(super) fn counter(self) -> u64 {
        u64::from(self.group) << 32 | u64::from(self.index)
    }
}

/// A picture that has been opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPicture {
    /// Whose it is.
    pub tenure: Tenure,
    /// Where it belongs.
    pub place: PicturePlace,
    /// When it was captured, in microseconds of Unix time by its host's own clock.
    pub captured_us: u64,
    /// How many frames before this one the newest stands that it needs; 0 for a keyframe.
    pub distance: u8,
    /// The WebCodecs encoded chunk.
    pub chunk: Vec<u8>,
}

/// What cannot be changed on the way without the frame failing to open, besides its place and what is in it.
pub(super) fn metadata(header: &FrameHeader, config: &[u8]) -> Vec<u8> {
    let mut fixed = Vec::with_capacity(HEADER_LEN);
    header.encode(&mut fixed);
    [&[fixed[0] & FLAGS, fixed[2], fixed[3] & COLOUR], config].concat()
}

/// What is sealed of a picture.
pub(super) fn inside(captured_us: u64, distance: u8, chunk: &[u8]) -> Vec<u8> {
    [&captured_us.to_be_bytes()[..], &[distance], chunk].concat()
}

/// What was sealed by [`inside`].
pub(super) fn read(
    (tenure, track): (Tenure, TrackId),
    counter: u64,
    mut inside: Vec<u8>,
) -> Result<OpenPicture, OpenError> {
    const SHORT: OpenError = OpenError::Malformed("a picture without its time");
    if inside.len() <= INSIDE_LEN {
        return Err(SHORT);
    }
    let place = PicturePlace {
        track,
        group: (counter >> 32) as u32,
        index: counter as u32,
    };
    let captured_us = u64::from_be_bytes(*inside.first_chunk().ok_or(SHORT)?);
    let distance = inside[INSIDE_LEN - 1];
    if (distance == 0) != (place.index == 0) || u32::from(distance) > place.index {
        return Err(OpenError::Malformed(
            "a picture that follows none of its group",
        ));
    }
    inside.drain(..INSIDE_LEN);
    Ok(OpenPicture {
        tenure,
        place,
        captured_us,
        distance,
        chunk: inside,
    })
}

/// Whether a distance can be said of a frame at this place.
pub(super) fn check(place: PicturePlace, distance: u8) -> Result<(), SealError> {
    let fits = (distance == 0) == (place.index == 0) && u32::from(distance) <= place.index;
    if fits { Ok(()) } else { Err(SealError) }
}
