use super::{FrameHeader, HEADER_LEN, WireError, limits};

/// The order and size of the frames on one group's stream (PROTOCOL 4.1, 4.6, 4.7).
///
/// It knows one stream only: whether the group is newer than another, or of
/// the right epoch, is for its owner to say.
#[derive(Debug, Clone, Default)]
pub struct GroupOrder {
    last: Option<FrameHeader>,
    frames: u32,
    bytes: usize,
}

impl GroupOrder {
    /// The state at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next header of the stream; after an error the state is as before.
    ///
    /// # Errors
    /// [`WireError::OutOfOrder`] when the frame may not stand here, and
    /// [`WireError::TooLarge`] when the group grows beyond its limits.
    pub fn admit(&mut self, header: &FrameHeader) -> Result<(), WireError> {
        self.check_order(header)?;
        let frames = self.frames + 1;
        let bytes = self.bytes + HEADER_LEN + header.body_len();
        WireError::check(
            "frames of a group",
            frames as usize,
            limits::GROUP_FRAMES as usize,
        )?;
        WireError::check("bytes of a group", bytes, limits::GROUP_BYTES)?;
        self.last = Some(*header);
        self.frames = frames;
        self.bytes = bytes;
        Ok(())
    }

    /// Frames admitted so far.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Bytes admitted so far, headers and configs included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn check_order(&self, header: &FrameHeader) -> Result<(), WireError> {
        let Some(last) = &self.last else {
            return if header.keyframe && header.index == 0 {
                Ok(())
            } else {
                Err(WireError::OutOfOrder(
                    "a group that does not begin with its keyframe",
                ))
            };
        };
        if (header.track, header.epoch, header.group) != (last.track, last.epoch, last.group) {
            return Err(WireError::OutOfOrder("a frame of another group"));
        }
        // The first index is 0 and the frames are counted, so this cannot overflow.
        if header.keyframe || header.index != last.index + 1 {
            return Err(WireError::OutOfOrder("a frame that is not the next one"));
        }
        if header.capture_us < last.capture_us {
            return Err(WireError::OutOfOrder("a capture time that falls"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CodecKind, TrackId};
    use super::*;

    fn frame(index: u32) -> FrameHeader {
        FrameHeader {
            keyframe: index == 0,
            refinement: false,
            sealed: false,
            track: TrackId::MAIN,
            layer: 0,
            epoch: 3,
            group: 7,
            index,
            capture_us: 1_000 + u64::from(index),
            payload_len: 1,
            config_len: if index == 0 { 10 } else { 0 },
            colour: None,
        }
    }

    fn begun() -> GroupOrder {
        let mut order = GroupOrder::new();
        order.admit(&frame(0)).unwrap();
        order
    }

    fn out_of_order(result: Result<(), WireError>) -> bool {
        matches!(result, Err(WireError::OutOfOrder(_)))
    }

    #[test]
    fn a_group_begins_with_its_keyframe() {
        assert!(out_of_order(GroupOrder::new().admit(&frame(1))));
        let late = FrameHeader {
            index: 1,
            ..frame(0)
        };
        assert!(out_of_order(GroupOrder::new().admit(&late)));
    }

    #[test]
    fn gaps_repeats_and_strangers_are_out_of_order_and_change_nothing() {
        let mut order = begun();
        let next = frame(1);
        let wrong = [
            frame(0),
            frame(2),
            FrameHeader { index: 0, ..next },
            FrameHeader {
                keyframe: true,
                config_len: 10,
                ..next
            },
            FrameHeader { group: 8, ..next },
            FrameHeader { epoch: 4, ..next },
            FrameHeader {
                track: TrackId::of(CodecKind::H264),
                ..next
            },
            FrameHeader {
                capture_us: 999,
                ..next
            },
        ];
        for header in &wrong {
            assert!(out_of_order(order.admit(header)), "{header:?}");
        }
        order.admit(&next).unwrap();
        assert_eq!((order.frames(), order.bytes()), (2, 2 * 31 + 10));
    }

    #[test]
    fn a_group_ends_at_its_frame_limit() {
        let mut order = GroupOrder::new();
        for index in 0..limits::GROUP_FRAMES {
            order.admit(&frame(index)).unwrap();
        }
        let error = order.admit(&frame(limits::GROUP_FRAMES)).unwrap_err();
        assert!(matches!(error, WireError::TooLarge { .. }));
    }

    #[test]
    fn a_group_ends_at_its_byte_limit() {
        let large = |index| FrameHeader {
            payload_len: limits::PAYLOAD,
            ..frame(index)
        };
        let mut order = GroupOrder::new();
        for index in 0..7 {
            order.admit(&large(index)).unwrap();
        }
        assert!(matches!(
            order.admit(&large(7)),
            Err(WireError::TooLarge { .. })
        ));
        // Exactly full is still allowed.
        let room = limits::GROUP_BYTES - order.bytes() - HEADER_LEN;
        let last = FrameHeader {
            payload_len: room as u32,
            ..frame(7)
        };
        order.admit(&last).unwrap();
        assert_eq!(order.bytes(), limits::GROUP_BYTES);
    }

    #[test]
    fn two_frames_may_be_captured_at_the_same_time() {
        let mut order = begun();
        let capture_us = frame(0).capture_us;
        let next = FrameHeader {
            capture_us,
            ..frame(1)
        };
        assert_eq!(order.admit(&next), Ok(()));
    }
}
