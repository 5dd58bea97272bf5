//! The order of frames on a group's stream (PROTOCOL 4.1, 4.6, 4.7).

use proptest::prelude::*;
use proptest::sample::Index;
use steadycast_codec_glue::wire::{
    Code, DecoderConfig, FrameHeader, GROUP_STREAM, GroupOrder, HEADER_LEN, TrackId, limits,
};

use super::frames::{header, track};
use super::{config, reader};

/// A group as its publisher sends it.
fn group(frames: std::ops::Range<usize>) -> impl Strategy<Value = Vec<FrameHeader>> {
    (
        header(),
        prop::collection::vec((header(), prop_oneof![Just(0u64), 0..50_000u64]), frames),
    )
        .prop_map(|(first, frames)| {
            // Far enough below the largest time that the group ends before it.
            let mut capture_us = first.capture_us / 2;
            let mut last = Vec::new();
            for (index, (frame, step)) in (0..).zip(frames) {
                capture_us += step;
                last.push(FrameHeader {
                    keyframe: index == 0,
                    track: first.track,
                    epoch: first.epoch,
                    group: first.group,
                    index,
                    capture_us,
                    config_len: if index == 0 { 10 } else { 0 },
                    colour: None,
                    ..frame
                });
            }
            last
        })
}

/// One thing wrong, or not, with one frame.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Key,
    Delta,
    Index(u32),
    Epoch(u32),
    Group(u32),
    Track(TrackId),
    Capture(u64),
    Earlier(u64),
    Drop,
    Repeat,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::Key),
        Just(Edit::Delta),
        (0u32..8).prop_map(Edit::Index),
        any::<u32>().prop_map(Edit::Epoch),
        any::<u32>().prop_map(Edit::Group),
        track().prop_map(Edit::Track),
        (0..=limits::INTEGER).prop_map(Edit::Capture),
        prop_oneof![Just(1u64), 0..100_000u64].prop_map(Edit::Earlier),
        Just(Edit::Drop),
        Just(Edit::Repeat),
    ]
}

fn apply(frames: &mut Vec<FrameHeader>, at: usize, edit: Edit) {
    let frame = &mut frames[at];
    match edit {
        Edit::Key => frame.keyframe = true,
        Edit::Delta => frame.keyframe = false,
        Edit::Index(index) => frame.index = index,
        Edit::Epoch(epoch) => frame.epoch = epoch,
        Edit::Group(group) => frame.group = group,
        Edit::Track(track) => frame.track = track,
        Edit::Capture(capture_us) => frame.capture_us = capture_us,
        Edit::Earlier(us) => frame.capture_us = frame.capture_us.saturating_sub(us),
        Edit::Drop => drop(frames.remove(at)),
        Edit::Repeat => {
            let copy = *frame;
            frames.insert(at, copy);
        }
    }
}

/// The rules said once more, of a whole stream instead of frame by frame.
fn legal(frames: &[FrameHeader]) -> bool {
    let bytes: usize = frames.iter().map(|f| HEADER_LEN + f.body_len()).sum();
    frames.iter().enumerate().all(|(at, frame)| {
        frame.index as usize == at
            && frame.keyframe == (at == 0)
            && frame.track == frames[0].track
            && frame.epoch == frames[0].epoch
            && frame.group == frames[0].group
    }) && frames.is_sorted_by_key(|frame| frame.capture_us)
        && frames.len() <= limits::GROUP_FRAMES as usize
        && bytes <= limits::GROUP_BYTES
}

/// How many frames are taken before the first refusal.
fn admitted(frames: &[FrameHeader]) -> usize {
    let mut order = GroupOrder::new();
    frames
        .iter()
        .take_while(|frame| order.admit(frame).is_ok())
        .count()
}

/// How many the rules allow: whatever begins a legal group is legal.
fn allowed(frames: &[FrameHeader]) -> usize {
    (0..=frames.len())
        .take_while(|&count| legal(&frames[..count]))
        .last()
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(config(1_500))]

    // Payloads of up to 4 MiB: longer groups go beyond 32 MiB and are cut short there.
    #[test]
    fn legal_groups_are_admitted_up_to_their_limits(frames in group(0..40)) {
        prop_assert_eq!(admitted(&frames), allowed(&frames));
    }

    #[test]
    fn edited_groups_are_admitted_as_far_as_they_are_legal(
        mut frames in group(1..8),
        edits in prop::collection::vec((any::<Index>(), edit()), 1..3),
    ) {
        for (at, edit) in edits {
            if !frames.is_empty() {
                let at = at.index(frames.len());
                apply(&mut frames, at, edit);
            }
        }
        prop_assert_eq!(admitted(&frames), allowed(&frames));
    }

    #[test]
    fn a_refusal_changes_nothing(frames in group(2..6), stranger in header()) {
        let mut order = GroupOrder::new();
        for frame in &frames {
            if order.clone().admit(&stranger).is_err() {
                let before = (order.frames(), order.bytes());
                order.admit(&stranger).unwrap_err();
                prop_assert_eq!((order.frames(), order.bytes()), before);
            }
            if let Err(error) = order.admit(frame) {
                prop_assert_eq!(error.code(), Code::TooLarge);
                break;
            }
        }
    }

    #[test]
    fn streams_come_back(frames in group(1..6)) {
        let mut stream = vec![GROUP_STREAM];
        let config = DecoderConfig {
            width: 640,
            height: 360,
            codec: "vp8".into(),
            description: Vec::new(),
        };
        let mut expected = Vec::new();
        for frame in frames {
            let header = FrameHeader { payload_len: 1 + frame.payload_len % 99, ..frame };
            header.encode(&mut stream);
            if header.keyframe {
                config.encode(&mut stream).unwrap();
            }
            let payload = vec![header.layer; header.payload_len as usize];
            stream.extend_from_slice(&payload);
            let config = header.keyframe.then(|| config.clone());
            expected.push(reader::Frame { header, config, payload });
        }
        prop_assert_eq!(reader::group(&stream), Ok(expected));
    }
}
