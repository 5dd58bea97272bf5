//! Messages that a relay refuses (PROTOCOL 2.2).

use steadycast_codec_glue::wire::Code::{Malformed, TooLarge};
use steadycast_codec_glue::wire::limits;

use super::{Bad, HUGE_LENGTHS, Kind, NOT_UTF8, bad, cuts, framed, trailing};

/// Version 1, a player, token "tok", agent "ag", a lineage of sevens.
const HELLO: [u8; 27] = [
    0, 1, 1, 3, b't', b'o', b'k', 2, b'a', b'g', 1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
];
/// Sequence 300, sent at 70,000.
const PING: [u8; 9] = [1, 251, 0x2c, 0x01, 252, 0x70, 0x11, 0x01, 0];
/// Code 0, text "by".
const GOODBYE: [u8; 5] = [2, 0, 2, b'b', b'y'];
/// Epoch 3, group 4.
const KEYFRAME_REQUEST: [u8; 3] = [3, 3, 4];
/// Totals 1 to 4, 5 decoder errors, 6 us.
const REPORT: [u8; 7] = [4, 1, 2, 3, 4, 5, 6];
/// AV1 and H.264.
const DECODES: [u8; 2] = [5, 3];
/// Track 1, text "no".
const REFUSED: [u8; 5] = [6, 1, 2, b'n', b'o'];
/// Opus, two channels.
const SOUND: [u8; 4] = [9, 1, 0, 2];
const LISTEN: [u8; 2] = [10, 1];
/// Version 6, broadcast "b", a relay of sevens.
const PULL: [u8; 21] = [
    11, 6, 1, b'b', 1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
];
/// Three players, two of which listen.
const AUDIENCE: [u8; 3] = [12, 3, 2];
/// VP9, at most 200 kbit/s.
const NEEDS: [u8; 4] = [13, 2, 1, 200];

pub(super) fn vectors() -> Vec<Bad> {
    let messages: [(&str, &[u8]); 12] = [
        ("hello", &HELLO),
        ("ping", &PING),
        ("goodbye", &GOODBYE),
        ("keyframe request", &KEYFRAME_REQUEST),
        ("report", &REPORT),
        ("decodes", &DECODES),
        ("refusal", &REFUSED),
        ("sound", &SOUND),
        ("listen", &LISTEN),
        ("pull", &PULL),
        ("audience", &AUDIENCE),
        ("needs", &NEEDS),
    ];
    let mut all = Vec::new();
    for (name, body) in messages {
        all.extend(cuts(Kind::Client, name, body));
        all.push(trailing(Kind::Client, name, body));
    }
    all.extend(enums());
    all.extend(integers());
    all.extend(texts());
    all
}

fn malformed(name: impl Into<String>, body: &[u8]) -> Bad {
    bad(Kind::Client, name, &framed(body), Malformed)
}

/// Hello with the bytes from `at` on replaced.
fn hello_with(at: usize, bytes: &[u8]) -> Vec<u8> {
    [&HELLO[..at], bytes].concat()
}

fn enums() -> Vec<Bad> {
    const ROLE: usize = 2;
    const OPTION: usize = 10;
    let role = |mark: &[u8]| [&HELLO[..ROLE], mark, &HELLO[ROLE + 1..]].concat();
    let option = |tag: u8| [&HELLO[..OPTION], &[tag], &HELLO[OPTION + 1..]].concat();
    vec![
        malformed("a role that does not exist", &role(&[2])),
        malformed("role 250", &role(&[250])),
        malformed("role 2^32 - 1", &role(&[252, 0xff, 0xff, 0xff, 0xff])),
        malformed("a lineage with tag 2", &option(2)),
        malformed("a lineage with tag 255", &option(255)),
        malformed("no lineage, but its bytes", &option(0)),
        malformed("a lineage of 15 bytes", &HELLO[..HELLO.len() - 1]),
        malformed("a fifth codec", &[5, 0x10]),
        malformed("a fifth codec among others", &[5, 0x1f]),
        malformed("eight codecs", &[5, 0xff]),
        malformed("codecs of two bytes", &[5, 251, 3, 0]),
        malformed("a refusal of the main track", &[6, 0, 0]),
        malformed("a refusal of track 16", &[6, 16, 0]),
        malformed("a refusal of track 255", &[6, 255, 0]),
        malformed("sound with tag 2", &[9, 2, 0, 2]),
        malformed("no sound, but its codec", &[9, 0, 0, 2]),
        malformed("sound in a second codec", &[9, 1, 1, 2]),
        malformed("sound of no channels", &[9, 1, 0, 0]),
        malformed("sound of three channels", &[9, 1, 0, 3]),
        malformed("sound of 255 channels", &[9, 1, 0, 255]),
        malformed("who listens twice", &[10, 2]),
        malformed("a pull through no relay", &[11, 6, 1, b'b', 0]),
        malformed("a need of a fifth codec", &[13, 4, 0]),
    ]
}

fn integers() -> Vec<Bad> {
    let largest = [0xff; 8];
    let beyond = [0, 0, 0, 0, 0, 0, 0x20, 0];
    vec![
        malformed(
            "a version of 32 bits",
            &[0, 252, 1, 0, 0, 0, 1, 0, 0, 0], // then player, "", "", no lineage
        ),
        malformed(
            "a sequence of 64 bits",
            &[1, 253, 1, 0, 0, 0, 0, 0, 0, 0, 2],
        ),
        malformed(
            "a time of 128 bits",
            &[1, 1, 254, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        malformed("a time with a reserved mark", &[1, 1, 255]),
        malformed("a time of 2^53", &[&[1, 1, 253][..], &beyond].concat()),
        malformed("a time of 2^64 - 1", &[&[1, 1, 253][..], &largest].concat()),
        malformed(
            "a total of 2^53",
            &[&[4, 1, 2, 3, 253][..], &beyond, &[5, 6]].concat(),
        ),
    ]
}

fn texts() -> Vec<Bad> {
    const TOKEN: usize = 3;
    let mut all = Vec::new();
    for (what, text) in NOT_UTF8 {
        let token = [&[text.len() as u8], text, &[0, 0]].concat();
        all.push(malformed(
            format!("a token with {what}"),
            &hello_with(TOKEN, &token),
        ));
        let goodbye = [&[2, 0, text.len() as u8], text].concat();
        all.push(malformed(format!("a goodbye with {what}"), &goodbye));
        let refusal = [&[6, 1, text.len() as u8], text].concat();
        all.push(malformed(format!("a refusal with {what}"), &refusal));
    }
    for (what, length) in HUGE_LENGTHS {
        all.push(malformed(
            format!("a token of {what}"),
            &hello_with(TOKEN, length),
        ));
        all.push(malformed(
            format!("a goodbye of {what}"),
            &[&[2, 0][..], length].concat(),
        ));
    }
    all.extend(long_texts());
    all
}

/// A text of 251 to 65,535 bytes with its length in front.
fn text(unit: &str, count: usize) -> Vec<u8> {
    let text = unit.repeat(count);
    let length = (text.len() as u16).to_le_bytes();
    [&[251][..], &length, text.as_bytes()].concat()
}

fn long_texts() -> Vec<Bad> {
    let large = |name: &str, body: &[u8]| bad(Kind::Client, name, &framed(body), TooLarge);
    let token = text("t", limits::TOKEN + 1);
    let broadcast = [&[65][..], &[b'b'; limits::BROADCAST + 1]].concat();
    let way = vec![7; 16 * (limits::RELAYS + 1)];
    let agent = [&[(limits::AGENT + 1) as u8][..], &[b'a'; limits::AGENT + 1]].concat();
    // 86 characters, but 258 bytes.
    let wide = text("日", limits::GOODBYE_TEXT / 3 + 1);
    vec![
        large(
            "a token of 4,097 bytes",
            &[&[0, 1, 1][..], &token, &[0, 0]].concat(),
        ),
        large(
            "an agent of 129 bytes",
            &[&[0, 1, 1, 0][..], &agent, &[0]].concat(),
        ),
        large(
            "a pull of a broadcast of 65 letters",
            &[&[11, 6][..], &broadcast, &PULL[4..]].concat(),
        ),
        large(
            "a pull through five relays",
            &[&PULL[..4], &[5], &way].concat(),
        ),
        large(
            "a goodbye of 257 bytes",
            &[&[2, 0][..], &text("x", limits::GOODBYE_TEXT + 1)].concat(),
        ),
        large(
            "a refusal of 257 bytes",
            &[&[6, 1][..], &text("x", limits::REFUSAL_TEXT + 1)].concat(),
        ),
        large(
            "a goodbye of 86 three-byte characters",
            &[&[2, 0][..], &wide].concat(),
        ),
    ]
}
