//! Messages that a client refuses (PROTOCOL 2.3).

use steadycast_codec_glue::wire::Code::{Malformed, TooLarge};

use super::{Bad, HUGE_LENGTHS, Kind, NOT_UTF8, bad, cuts, framed, trailing};

/// Version 1, session 9, broadcast "bc", no lineage, 250 ms, relay time 77, live, 5, 6, 7.
const WELCOME: [u8; 12] = [0, 1, 9, 2, b'b', b'c', 0, 250, 77, 1, 5, 6];
/// What a status ends with: its players.
const PLAYERS: [u8; 1] = [7];
/// Sequence 300, sent at 2, relay time 70,000.
const PONG: [u8; 10] = [1, 251, 0x2c, 0x01, 2, 252, 0x70, 0x11, 0x01, 0];
/// Held since 1,000, epoch 2, 3 players.
const STATUS: [u8; 7] = [2, 2, 251, 0xe8, 0x03, 2, 3];
/// Track 0.
const KEYFRAME_REQUEST: [u8; 2] = [3, 0];
/// Code 1, text "re", retry after 500 ms.
const GOODBYE: [u8; 9] = [4, 1, 2, b'r', b'e', 1, 251, 0xf4, 0x01];
/// H.264 for 5 players on track 1, VP8 for 300 on track 2.
const RENDITIONS: [u8; 10] = [5, 2, 1, 1, 5, 2, 3, 251, 0x2c, 0x01];
/// Preparing H.264 on track 1.
const SERVING: [u8; 5] = [6, 1, 1, 1, 1];
/// Opus, two channels.
const SOUND: [u8; 4] = [8, 1, 0, 2];
/// 300 players, two frames repeated.
const LISTENERS: [u8; 5] = [9, 251, 0x2c, 0x01, 2];
/// Narrow, carries 380 kbit/s.
const PATH: [u8; 6] = [64, 1, 1, 251, 0x7c, 0x01];
/// Two other relays.
const RELAYS: [u8; 7] = [66, 2, 2, b'a', b'b', 1, b'c'];
/// Within 300 ms.
const MOVE: [u8; 4] = [67, 251, 0x2c, 0x01];

pub(super) fn vectors() -> Vec<Bad> {
    let welcome = [&WELCOME[..], &PLAYERS].concat();
    let messages: [(&str, &[u8]); 9] = [
        ("welcome", &welcome),
        ("pong", &PONG),
        ("status", &STATUS),
        ("keyframe request", &KEYFRAME_REQUEST),
        ("goodbye", &GOODBYE),
        ("renditions", &RENDITIONS),
        ("serving", &SERVING),
        ("sound", &SOUND),
        ("listeners", &LISTENERS),
    ];
    let mut all = Vec::new();
    for (name, body) in messages {
        all.extend(cuts(Kind::Relay, name, body));
        all.push(trailing(Kind::Relay, name, body));
    }
    all.extend(cuts(Kind::Relay, "path", &PATH));
    all.extend(cuts(Kind::Relay, "other relays", &RELAYS));
    all.extend(cuts(Kind::Relay, "move", &MOVE));
    all.extend(other_relays());
    all.extend(enums());
    all.extend(renditions());
    all.extend(integers());
    all.extend(texts());
    all
}

fn malformed(name: impl Into<String>, body: &[u8]) -> Bad {
    bad(Kind::Relay, name, &framed(body), Malformed)
}

fn enums() -> Vec<Bad> {
    const LINEAGE: usize = 6;
    const PHASE: usize = 9;
    let welcome =
        |at: usize, bytes: &[u8]| [&WELCOME[..at], bytes, &WELCOME[at + 1..], &PLAYERS].concat();
    vec![
        malformed("a phase that does not exist", &[2, 4, 0, 0, 0]),
        malformed("phase 250", &[2, 250, 0, 0, 0]),
        malformed("phase 65,535", &[2, 251, 0xff, 0xff, 0, 0, 0]),
        malformed(
            "a welcome in a phase that does not exist",
            &welcome(PHASE, &[4]),
        ),
        malformed("a lineage with tag 2", &welcome(LINEAGE, &[2])),
        malformed("a lineage of 5 bytes", &welcome(LINEAGE, &[1])),
        malformed("a retry with tag 2", &[4, 1, 0, 2, 5]),
        malformed("a retry with tag 1 and no time", &[4, 1, 0, 1]),
        malformed("no retry, but its time", &[4, 1, 0, 0, 5]),
        malformed("a path that is narrow twice", &[64, 2, 0]),
        malformed("sound with tag 2", &[8, 2, 0, 2]),
        malformed("no sound, but its codec", &[8, 0, 0, 2]),
        malformed("sound in a second codec", &[8, 1, 1, 2]),
        malformed("sound of no channels", &[8, 1, 0, 0]),
        malformed("sound of three channels", &[8, 1, 0, 3]),
        malformed("three frames repeated", &[9, 1, 3]),
        malformed("repeats of two bytes", &[9, 1, 251, 1, 0]),
        malformed("listeners of 64 bits", &[9, 253, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        malformed("a path that carries with tag 2", &[64, 1, 2, 5]),
        malformed(
            "a path that carries 64 bits",
            &[64, 1, 1, 253, 5, 0, 0, 0, 0, 0, 0, 0],
        ),
    ]
}

fn integers() -> Vec<Bad> {
    let beyond = [253, 0, 0, 0, 0, 0, 0, 0x20, 0];
    let largest = [253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    vec![
        malformed("a code of 32 bits", &[4, 252, 1, 0, 0, 0, 0, 0]),
        malformed(
            "a retry of 64 bits",
            &[4, 1, 0, 1, 253, 5, 0, 0, 0, 0, 0, 0, 0],
        ),
        malformed("a sequence with a reserved mark", &[1, 255, 2, 3]),
        malformed("a relay time of 2^53", &[&[1, 1, 2][..], &beyond].concat()),
        malformed(
            "a relay time of 2^64 - 1",
            &[&[1, 1, 2][..], &largest].concat(),
        ),
        malformed(
            "a status since 2^53",
            &[&[2, 1][..], &beyond, &[1, 1]].concat(),
        ),
        malformed(
            "a session of 2^53",
            &[&[0, 1][..], &beyond, &WELCOME[3..], &PLAYERS].concat(),
        ),
        malformed("a track of two bytes", &[3, 251, 0]),
        malformed("a keyframe of track 16", &[3, 16]),
        malformed("a keyframe of track 255", &[3, 255]),
    ]
}

fn texts() -> Vec<Bad> {
    let mut all = Vec::new();
    for (what, text) in NOT_UTF8 {
        let length = text.len() as u8;
        let broadcast = [&[0, 1, 9, length], text, &WELCOME[6..], &PLAYERS].concat();
        all.push(malformed(format!("a broadcast with {what}"), &broadcast));
        let goodbye = [&[4, 1, length], text, &[0]].concat();
        all.push(malformed(format!("a goodbye with {what}"), &goodbye));
    }
    for (what, length) in HUGE_LENGTHS {
        all.push(malformed(
            format!("a broadcast of {what}"),
            &[&[0, 1, 9][..], length].concat(),
        ));
        all.push(malformed(
            format!("a goodbye of {what}"),
            &[&[4, 1][..], length].concat(),
        ));
    }
    let long = [&[4, 1, 251, 0x01, 0x01][..], &[b'x'; 257], &[0]].concat();
    all.push(bad(
        Kind::Relay,
        "a goodbye of 257 bytes",
        &framed(&long),
        TooLarge,
    ));
    all
}

fn renditions() -> Vec<Bad> {
    let mut all = vec![
        malformed("a rendition of the main track", &[5, 1, 0, 0, 1]),
        malformed("a rendition of track 5", &[5, 1, 5, 1, 1]),
        malformed("a rendition in a fifth codec", &[5, 1, 1, 4, 1]),
        malformed("a rendition on another codec's track", &[5, 1, 1, 3, 1]),
        malformed("a rendition twice", &[5, 2, 1, 1, 1, 1, 1, 1]),
        malformed("renditions out of order", &[5, 2, 2, 3, 1, 1, 1, 1]),
        malformed(
            "players of 64 bits",
            &[5, 1, 1, 1, 253, 1, 0, 0, 0, 0, 0, 0, 0],
        ),
        malformed("the main track among others", &[7, 1, 0, 0, 1, 0, 1]),
        malformed("a wanted track 16", &[7, 1, 16, 0, 1, 0, 1]),
        malformed(
            "a track of a kind that does not exist",
            &[7, 1, 5, 1, 1, 0, 1],
        ),
        malformed("a wanted track in a fifth codec", &[7, 1, 5, 0, 4, 0, 1]),
        malformed("a limit with tag 2", &[7, 1, 5, 0, 1, 2, 1]),
        malformed(
            "a wanted track twice",
            &[7, 2, 5, 0, 1, 0, 1, 5, 0, 1, 0, 1],
        ),
        malformed("tracks out of order", &[7, 2, 6, 0, 1, 0, 1, 5, 0, 1, 0, 1]),
        malformed("a service that does not exist", &[6, 3, 1, 0]),
        malformed("a serving on track 16", &[6, 0, 16, 0]),
        malformed("a serving in a fifth codec", &[6, 0, 1, 1, 4]),
        malformed("a serving whose codec has tag 2", &[6, 0, 1, 2, 1]),
    ];
    for (what, length) in HUGE_LENGTHS {
        let body = [&[5][..], length].concat();
        all.push(malformed(format!("renditions of {what}"), &body));
        let body = [&[7][..], length].concat();
        all.push(malformed(format!("tracks of {what}"), &body));
    }
    all
}

fn other_relays() -> Vec<Bad> {
    let long = [&[66, 1, 251, 0x01, 0x01][..], &[b'x'; 257]].concat();
    let many = [66, 5, 1, b'a', 1, b'b', 1, b'c', 1, b'd', 1, b'e'];
    let mut all = vec![
        bad(Kind::Relay, "five other relays", &framed(&many), TooLarge),
        bad(
            Kind::Relay,
            "a relay's address of 257 bytes",
            &framed(&long),
            TooLarge,
        ),
    ];
    for (what, length) in HUGE_LENGTHS {
        let body = [&[66][..], length].concat();
        all.push(malformed(format!("other relays of {what}"), &body));
    }
    all
}
