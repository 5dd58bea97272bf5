//! Real encoders' frames, there and back.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use steadycast_codec_glue::bitstream::{Codec, inspect};

use crate::frames::{Frame, assert_same};
use crate::network::{Relay, packets};

/// One entry of `vectors/bitstream/facts.json`.
#[derive(Deserialize)]
struct Sample {
    file: String,
    codec: String,
    description: String,
    keyframe: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/bitstream")
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Each keyframe with those that follow it.
pub(crate) fn streams() -> Vec<Vec<Frame>> {
    let text = std::fs::read_to_string(folder().join("facts.json")).unwrap();
    let samples: Vec<Sample> = serde_json::from_str(&text).unwrap();
    let mut streams: Vec<Vec<Frame>> = Vec::new();
    for sample in samples {
        let description = unhex(&sample.description);
        let frame = Frame {
            codec: Codec::from_webcodecs(&sample.codec, &description).unwrap(),
            keyframe: sample.keyframe,
            payload: std::fs::read(folder().join(&sample.file)).unwrap(),
            description,
        };
        if sample.keyframe {
            streams.push(vec![frame]);
        } else {
            streams.last_mut().unwrap().push(frame);
        }
    }
    streams
}

#[test]
fn real_frames_come_back() {
    for frames in streams() {
        for max_payload in [64, 100, 333, 1200, 65_000] {
            let mut relay = Relay::new(frames[0].codec);
            relay.receive(packets(&frames, max_payload, 0));
            assert_eq!((&relay.errors[..], relay.losses), (&[][..], 0));
            assert_eq!(relay.frames.len(), frames.len());
            for (frame, assembled) in frames.iter().zip(&relay.frames) {
                assert_same(frame, assembled);
            }
        }
    }
}

#[test]
fn a_picture_is_the_same_after_its_travel() {
    for frames in streams() {
        let mut relay = Relay::new(frames[0].codec);
        relay.receive(packets(&frames, 1200, 0));
        let before = inspect(frames[0].codec, &frames[0].payload).unwrap();
        // An AVC stream keeps it in its description.
        if before.picture.is_some() {
            assert_eq!(relay.frames[0].picture, before.picture);
        }
    }
}
