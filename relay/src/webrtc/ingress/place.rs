//! Where a publisher's next frame goes: groups as the cache wants them, of frames that had none.

use bytes::{BufMut as _, BytesMut};
use steadycast_codec_glue::rtp::Assembled;
use steadycast_codec_glue::wire::{DecoderConfig, FrameHeader, HEADER_LEN, TrackId, limits};

use crate::broadcast::{Frame, FrameError, MemoryError, PublisherSeat};

/// From here on a group is so long that its end is asked for (PROTOCOL 4.7).
const LONG_FRAMES: u32 = 450;
const LONG_BYTES: usize = 12 << 20;

/// Where the next frame goes.
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Place {
    group: u32,
    index: u32,
    bytes: usize,
    /// The group ends here: nothing more until the next keyframe.
    closed: bool,
}

impl Place {
    /// Makes room for a frame; false when it has to be left out.
    pub(in crate::webrtc) fn admit(&mut self, assembled: &Assembled) -> bool {
        let len = assembled.payload.len();
        if assembled.keyframe {
            *self = Self {
                group: self.group + u32::from(self.index > 0),
                ..Self::default()
            };
        } else if self.index == 0 || self.is_at_its_end(len) {
            self.closed = true;
        }
        if self.closed {
            return false;
        }
        self.bytes += len;
        self.index += 1;
        true
    }

    /// The group of the frame that was admitted last.
    pub(in crate::webrtc) fn group(&self) -> u32 {
        self.group
    }

    /// The frame that was admitted last cannot be sent, and what depends on it is worth nothing.
    pub(in crate::webrtc) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether it is time for the next keyframe.
    pub(in crate::webrtc) fn wants_keyframe(&self) -> bool {
        self.closed || self.index > LONG_FRAMES || self.bytes > LONG_BYTES
    }

    fn is_at_its_end(&self, len: usize) -> bool {
        let room = limits::GROUP_BYTES - (64 << 10);
        self.index >= limits::GROUP_FRAMES_V1 || self.bytes + len + self.index as usize * 64 > room
    }
}

/// Why a frame cannot be had.
#[derive(Debug, thiserror::Error)]
pub(in crate::webrtc) enum NoFrame {
    /// It is none that the wire knows.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// There is no memory for it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// A frame as publishers on WebTransport send it, in the memory of `seat`'s broadcast.
pub(in crate::webrtc) fn frame(
    assembled: &Assembled,
    config: Option<&DecoderConfig>,
    seat: &PublisherSeat,
    place: &Place,
    capture_us: u64,
) -> Result<Frame, NoFrame> {
    let mut described = BytesMut::new();
    if let Some(config) = config {
        config.encode(&mut described).map_err(FrameError::from)?;
    }
    let header = FrameHeader {
        keyframe: assembled.keyframe,
        refinement: false,
        sealed: false,
        track: TrackId::MAIN,
        layer: assembled.layer,
        epoch: seat.epoch(),
        group: place.group,
        index: place.index - 1,
        capture_us,
        payload_len: assembled.payload.len() as u32,
        config_len: described.len() as u16,
        colour: None,
    };
    let mut fixed = BytesMut::with_capacity(HEADER_LEN);
    header.encode(&mut fixed);
    let mut buffer = seat.account().buffer(HEADER_LEN + header.body_len())?;
    for part in [&fixed[..], &described, &assembled.payload] {
        buffer.spare().put_slice(part);
    }
    Ok(Frame::new(header, buffer.freeze())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assembled(keyframe: bool, len: usize) -> Assembled {
        Assembled {
            keyframe,
            payload: vec![0; len].into(),
            timestamp: 0,
            picture: None,
            layer: 0,
            disposable: false,
        }
    }

    #[test]
    fn frames_begin_with_a_keyframe_and_groups_count_up() {
        let mut place = Place::default();
        assert!(!place.admit(&assembled(false, 1)) && place.wants_keyframe());
        assert!(place.admit(&assembled(true, 1)) && !place.wants_keyframe());
        assert!(place.admit(&assembled(false, 1)));
        assert_eq!((place.group, place.index), (0, 2));
        assert!(place.admit(&assembled(true, 1)));
        assert_eq!((place.group, place.index), (1, 1));
    }

    #[test]
    fn a_long_group_wants_its_end_and_a_full_one_takes_nothing() {
        let mut place = Place::default();
        place.admit(&assembled(true, 1));
        let taken = (0..1_000).filter(|_| place.admit(&assembled(false, 1)));
        assert_eq!(taken.count() as u32, limits::GROUP_FRAMES_V1 - 1);
        assert!(place.wants_keyframe());
        assert!(place.admit(&assembled(true, 1)));
    }

    #[test]
    fn after_a_frame_that_cannot_be_sent_nothing_is_until_the_next_keyframe() {
        let mut place = Place::default();
        place.admit(&assembled(true, 1));
        place.close();
        assert!(!place.admit(&assembled(false, 1)));
        assert!(place.admit(&assembled(true, 1)));
        assert_eq!(place.group, 1);
    }
}
