//! Where a publisher's next frame goes: groups as the cache wants them, of frames that had none.

use bytes::BytesMut;
use steadycast_codec_glue::rtp::Assembled;
use steadycast_codec_glue::wire::{DecoderConfig, FrameHeader, TrackId, limits};

use crate::broadcast::{Frame, FrameError};

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

/// A frame as publishers on WebTransport send it.
pub(in crate::webrtc) fn frame(
    assembled: &Assembled,
    config: Option<&DecoderConfig>,
    epoch: u32,
    place: &Place,
    capture_us: u64,
) -> Result<Frame, FrameError> {
    let mut described = BytesMut::new();
    if let Some(config) = config {
        config.encode(&mut described)?;
    }
    let header = FrameHeader {
        keyframe: assembled.keyframe,
        refinement: false,
        track: TrackId::MAIN,
        layer: assembled.layer,
        epoch,
        group: place.group,
        index: place.index - 1,
        capture_us,
        payload_len: assembled.payload.len() as u32,
        config_len: described.len() as u16,
    };
    let mut bytes = BytesMut::with_capacity(64 + described.len() + assembled.payload.len());
    header.encode(&mut bytes);
    bytes.extend_from_slice(&described);
    bytes.extend_from_slice(&assembled.payload);
    Frame::new(header, bytes.freeze())
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
