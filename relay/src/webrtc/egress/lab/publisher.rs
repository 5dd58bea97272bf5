//! What the lab's clients publish: 30 frames a second of 8,000 bytes (2 Mbit/s), with a keyframe of
//! 150,000 bytes every 500 frames and whenever one is asked for.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use steadycast_codec_glue::wire::{DecoderConfig, FrameHeader, HEADER_LEN, ResumeSecret, TrackId};

use crate::broadcast::{Broadcast, Frame, PublisherSeat, RelayTime, Widths};

/// What a VP8 keyframe begins with (RFC 6386, 9.1); the rest of the stamp is the capture time.
const VP8: [u8; 10] = [0x10, 0x01, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02];
const KEYFRAME: usize = 150_000;
const FRAME: usize = 8_000;
const GROUP: u32 = 500;
const INTERVAL: Duration = Duration::from_nanos(33_333_333);

pub(super) struct Publisher {
    broadcast: Arc<Broadcast>,
    seat: PublisherSeat,
    group: u32,
    index: u32,
    asked: u64,
    /// When the next frame is captured.
    pub(super) next: Duration,
    /// When each frame was captured.
    pub(super) captured: Vec<Duration>,
    /// When each keyframe was.
    pub(super) keyframes: Vec<Duration>,
}

impl Publisher {
    pub(super) fn new(broadcast: &Arc<Broadcast>, begin: Duration, now: RelayTime) -> Self {
        let seat = broadcast.attach_publisher(None, ResumeSecret([7; 16]), Widths::One, now);
        Self {
            broadcast: broadcast.clone(),
            seat: seat.unwrap(),
            group: 0,
            index: 0,
            asked: 0,
            next: begin,
            captured: Vec::new(),
            keyframes: Vec::new(),
        }
    }

    /// Publishes the next frame, which is due.
    pub(super) fn publish(&mut self, now: RelayTime) {
        let asked = self.broadcast.snapshot().totals.keyframe_requests;
        if self.index > 0 && (asked > self.asked || self.index == GROUP) {
            (self.group, self.index) = (self.group + 1, 0);
        }
        self.asked = asked;
        let frame = frame(self.seat.epoch(), (self.group, self.index), self.next);
        self.seat.publish(frame, now).unwrap();
        self.captured.push(self.next);
        if self.index == 0 {
            self.keyframes.push(self.next);
        }
        self.index += 1;
        self.next += INTERVAL;
    }
}

fn frame(epoch: u32, (group, index): (u32, u32), captured: Duration) -> Frame {
    let keyframe = index == 0;
    let mut config = BytesMut::new();
    if keyframe {
        let decoder = DecoderConfig {
            width: 1280,
            height: 720,
            codec: "vp8".into(),
            description: vec![],
        };
        decoder.encode(&mut config).unwrap();
    }
    let payload_len = if keyframe { KEYFRAME } else { FRAME };
    let header = FrameHeader {
        keyframe,
        refinement: false,
        sealed: false,
        colour: None,
        track: TrackId::MAIN,
        layer: 0,
        epoch,
        group,
        index,
        capture_us: captured.as_micros() as u64,
        payload_len: payload_len as u32,
        config_len: config.len() as u16,
    };
    let mut bytes = BytesMut::new();
    header.encode(&mut bytes);
    bytes.extend_from_slice(&config);
    let [first, rest @ ..] = VP8;
    bytes.extend_from_slice(&[first | u8::from(!keyframe)]);
    bytes.extend_from_slice(&rest);
    bytes.extend_from_slice(&header.capture_us.to_be_bytes());
    bytes.resize(HEADER_LEN + header.body_len(), 0xab);
    Frame::new(header, bytes.freeze()).unwrap()
}

/// What a frame's payload says of it: whether it is a keyframe, and its capture time.
pub(super) fn stamp(payload: &[u8]) -> (bool, Duration) {
    let (vp8, rest) = payload.split_at(VP8.len());
    assert_eq!(vp8[1..], VP8[1..]);
    let captured = u64::from_be_bytes(*rest.first_chunk().unwrap());
    (vp8[0] & 1 == 0, Duration::from_micros(captured))
}
