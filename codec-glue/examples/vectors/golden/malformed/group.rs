//! Streams and headers that are refused wherever they stand (PROTOCOL 4.1, 4.2).

use steadycast_codec_glue::wire::Code::{self, Malformed, TooLarge};
use steadycast_codec_glue::wire::{GROUP_STREAM, HEADER_LEN};

use super::super::frames::{delta, keyframe};
use super::{Bad, Kind, bad};

pub(super) fn vectors() -> Vec<Bad> {
    let mut all = streams();
    all.extend(headers());
    all.extend(lengths());
    all
}

/// The usual keyframe alone in its group's stream.
fn opened() -> Vec<u8> {
    [&[GROUP_STREAM][..], &keyframe("").bytes()].concat()
}

fn streams() -> Vec<Bad> {
    let good = opened();
    let key_len = good.len();
    let whole = [&good[..], &delta("", 1).bytes()].concat();
    let mut all = vec![bad(Kind::Group, "a stream without bytes", &[], Malformed)];
    for first in [0x00, 0x46, 0x48, 0xff] {
        let mut bytes = good.clone();
        bytes[0] = first;
        let name = format!("a stream that begins with {first:#04x}");
        all.push(bad(Kind::Group, name, &bytes, Malformed));
    }
    let config = 1 + HEADER_LEN;
    let places = [
        ("before its first frame", 1),
        ("after a byte of header", 2),
        ("before the last byte of a header", config - 1),
        ("after a header", config),
        ("inside a decoder config", config + 4),
        ("before a payload", key_len - 3),
        ("inside a payload", key_len - 1),
        ("inside the second frame's header", key_len + 12),
        ("after the second frame's header", key_len + HEADER_LEN),
        ("inside the second frame's payload", whole.len() - 1),
    ];
    for (place, at) in places {
        let name = format!("a stream that ends {place}");
        all.push(bad(Kind::Group, name, &whole[..at], Malformed));
    }
    all
}

/// The usual stream with bytes of its first header replaced.
fn edited(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut stream = opened();
    stream[1 + at..1 + at + bytes.len()].copy_from_slice(bytes);
    stream
}

fn headers() -> Vec<Bad> {
    let mut cases: Vec<(String, _)> = Vec::new();
    let fields: [(&str, usize, &[u8]); 7] = [
        ("flag bit 3", 0, &[0b1001]),
        ("track 16", 1, &[16]),
        ("track 255", 1, &[255]),
        ("layer 8", 2, &[8]),
        ("layer 255", 2, &[255]),
        ("a capture time of 2^53", 16, &[0, 0x20, 0, 0, 0, 0, 0, 0]),
        ("a capture time of 2^64 - 1", 16, &[0xff; 8]),
    ];
    for (name, at, bytes) in fields {
        cases.push((name.into(), edited(at, bytes)));
    }
    cases
        .into_iter()
        .map(|(name, bytes)| bad(Kind::Group, name, &bytes, Malformed))
        .collect()
}

const PAYLOAD: usize = 24;
const CONFIG: usize = 28;

fn lengths() -> Vec<Bad> {
    let cases: [(&str, usize, &[u8], Code); 7] = [
        ("a payload of 0 bytes", PAYLOAD, &[0; 4], Malformed),
        (
            "a payload of 4 MiB and a byte",
            PAYLOAD,
            &[0, 0x40, 0, 1],
            TooLarge,
        ),
        ("a payload of 4 GiB", PAYLOAD, &[0xff; 4], TooLarge),
        ("a keyframe without config", CONFIG, &[0, 0], Malformed),
        (
            "a keyframe with a config of 5 bytes",
            CONFIG,
            &[0, 5],
            Malformed,
        ),
        (
            "a decoder config of 4,097 bytes",
            CONFIG,
            &[0x10, 0x01],
            TooLarge,
        ),
        (
            "a decoder config of 65,535 bytes",
            CONFIG,
            &[0xff, 0xff],
            TooLarge,
        ),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, at, bytes, error)| {
            // The header is refused before anything follows it.
            let mut stream = edited(at, bytes);
            stream.truncate(1 + HEADER_LEN);
            bad(Kind::Group, name, &stream, error)
        })
        .collect();
    all.push(delta_with_config());
    all
}

fn delta_with_config() -> Bad {
    let mut second = delta("", 1).bytes();
    second[CONFIG + 1] = 10;
    second.truncate(HEADER_LEN);
    let bytes = [opened(), second].concat();
    let name = "a frame that is no keyframe with a config";
    bad(Kind::Group, name, &bytes, Malformed)
}
