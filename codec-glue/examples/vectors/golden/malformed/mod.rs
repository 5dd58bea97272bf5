//! Every way to be wrong, made by hand from bytes that are right.

mod client;
mod config;
mod control;
mod group;
mod order;
mod relay;
mod sound;

use steadycast_codec_glue::wire::Code;

use super::framed;
use super::json::{Bad, Kind, hex};

/// The refused bytes of all kinds, each with the code that refuses them.
pub(crate) fn vectors() -> Vec<Bad> {
    let mut all = control::vectors();
    all.extend(client::vectors());
    all.extend(relay::vectors());
    all.extend(group::vectors());
    all.extend(config::vectors());
    all.extend(order::vectors());
    all.extend(sound::vectors());
    all
}

fn bad(kind: Kind, name: impl Into<String>, bytes: &[u8], error: Code) -> Bad {
    Bad {
        name: name.into(),
        kind,
        hex: hex(bytes),
        error: error.name().into(),
    }
}

/// The message without its last bytes, in all the ways, each with a length that fits.
fn cuts(kind: Kind, what: &str, body: &[u8]) -> Vec<Bad> {
    (1..body.len())
        .map(|at| {
            let name = format!("{what} cut after {at} of {} bytes", body.len());
            bad(kind, name, &framed(&body[..at]), Code::Malformed)
        })
        .collect()
}

/// The message with a byte too many.
fn trailing(kind: Kind, what: &str, body: &[u8]) -> Bad {
    let bytes = framed(&[body, &[0]].concat());
    bad(
        kind,
        format!("{what} with a byte after it"),
        &bytes,
        Code::Malformed,
    )
}

/// Byte strings that no UTF-8 decoder may accept.
const NOT_UTF8: [(&str, &[u8]); 7] = [
    ("a lone continuation byte", &[0x80]),
    ("a character cut short", &[b'a', 0xe2, 0x82]),
    ("an overlong zero", &[0xc0, 0x80]),
    ("an overlong slash", &[0xe0, 0x80, 0xaf]),
    ("a surrogate", &[0xed, 0xa0, 0x80]),
    ("a character above U+10FFFF", &[0xf4, 0x90, 0x80, 0x80]),
    ("a byte that never occurs", &[0xff]),
];

/// Lengths of text that no message can hold, as varints.
const HUGE_LENGTHS: [(&str, &[u8]); 7] = [
    ("one byte more than there is", &[4, b'a', b'b', b'c']),
    ("65,535 bytes", &[251, 0xff, 0xff]),
    ("4 GiB", &[252, 0xff, 0xff, 0xff, 0xff]),
    ("2^53 bytes", &[253, 0, 0, 0, 0, 0, 0, 0x20, 0]),
    (
        "2^64 - 1 bytes",
        &[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ),
    (
        "a 128-bit number of bytes",
        &[254, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ),
    ("a reserved mark", &[255, 0, 0, 0]),
];
