//! Good frames at places where they may not be (PROTOCOL 4.1, 4.6, 4.7).

use steadycast_codec_glue::wire::Code::OutOfOrder;
use steadycast_codec_glue::wire::{CodecKind, FrameHeader, GROUP_STREAM, TrackId};

use super::super::frames::{Named, delta, keyframe};
use super::{Bad, Kind, bad};

pub(super) fn vectors() -> Vec<Bad> {
    let mut all: Vec<_> = first_frames()
        .into_iter()
        .map(|(name, frame)| bad(Kind::Group, name, &stream(&[frame]), OutOfOrder))
        .collect();
    for (name, frame) in second_frames() {
        let bytes = stream(&[keyframe(""), frame]);
        all.push(bad(Kind::Group, name, &bytes, OutOfOrder));
    }
    let late_gap = [keyframe(""), delta("", 1), delta("", 2), delta("", 4)];
    let name = "a gap after three frames";
    all.push(bad(Kind::Group, name, &stream(&late_gap), OutOfOrder));
    all
}

fn stream(frames: &[Named]) -> Vec<u8> {
    let mut bytes = vec![GROUP_STREAM];
    for frame in frames {
        bytes.extend(frame.bytes());
    }
    bytes
}

fn edited(mut frame: Named, edit: impl FnOnce(&mut FrameHeader)) -> Named {
    edit(&mut frame.header);
    frame
}

fn first_frames() -> Vec<(&'static str, Named)> {
    vec![
        ("a first frame that is no keyframe", delta("", 1)),
        (
            "a first frame with index 0 that is no keyframe",
            delta("", 0),
        ),
        (
            "a first keyframe with index 1",
            edited(keyframe(""), |h| h.index = 1),
        ),
        (
            "a first keyframe with the largest index",
            edited(keyframe(""), |h| h.index = u32::MAX),
        ),
    ]
}

fn second_frames() -> Vec<(&'static str, Named)> {
    let next = || delta("", 1);
    vec![
        ("the keyframe twice", keyframe("")),
        (
            "a second keyframe",
            edited(keyframe(""), |h| {
                h.index = 1;
                h.capture_us += 1;
            }),
        ),
        (
            "a keyframe of the next group",
            edited(keyframe(""), |h| h.group += 1),
        ),
        ("index 0 again", edited(next(), |h| h.index = 0)),
        ("a gap", delta("", 2)),
        ("the largest index", edited(next(), |h| h.index = u32::MAX)),
        ("a frame of the next group", edited(next(), |h| h.group = 2)),
        (
            "a frame of the previous group",
            edited(next(), |h| h.group = 0),
        ),
        (
            "a frame of another track",
            edited(next(), |h| h.track = TrackId::of(CodecKind::H264)),
        ),
        ("a frame of the next epoch", edited(next(), |h| h.epoch = 2)),
        (
            "a frame of the previous epoch",
            edited(next(), |h| h.epoch = 0),
        ),
        (
            "a capture time that falls",
            edited(next(), |h| h.capture_us = 1_789_999_999_999_999),
        ),
    ]
}
