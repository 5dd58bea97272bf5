//! What the golden vectors hold; shared by the generator and the tests.
#![allow(
    clippy::expect_used,
    reason = "a generator that cannot go on should stop"
)]

mod carried;
mod client;
mod frames;
pub(crate) mod json;
mod later;
mod malformed;
mod relay;
mod sealed;
mod sound;

use serde::Serialize;

/// Name and text of every file, in the order of the clauses.
pub(crate) fn files() -> [(&'static str, String); 8] {
    [
        ("client_messages.json", text(&client::vectors())),
        ("relay_messages.json", text(&relay::vectors())),
        ("frames.json", text(&frames::vectors())),
        ("sound.json", text(&sound::vectors())),
        ("sealed.json", text(&sealed::vectors())),
        ("carried.json", text(&carried::vectors())),
        ("later.json", text(&later::vectors())),
        ("malformed.json", text(&malformed::vectors())),
    ]
}

/// An indented array and a final newline.
fn text<T: Serialize>(entries: &[T]) -> String {
    let mut text = serde_json::to_string_pretty(entries).expect("vectors are plain data");
    text.push('\n');
    text
}

/// The body with its length in front (PROTOCOL 2.1).
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("a short body");
    [&length.to_be_bytes(), body].concat()
}

/// The varints on both sides of every change of width, up to `max`.
pub(crate) fn boundaries(max: u64) -> Vec<u64> {
    const ALL: [u64; 9] = [
        0,
        1,
        250,
        251,
        0xffff,
        0x1_0000,
        0xffff_ffff,
        0x1_0000_0000,
        (1 << 53) - 1,
    ];
    ALL.into_iter().filter(|&n| n <= max).collect()
}

/// The 32-bit ones of [`boundaries`].
pub(crate) fn boundaries_u32() -> Vec<u32> {
    boundaries(u32::MAX.into())
        .into_iter()
        .map(|n| n as u32)
        .collect()
}

/// The 16-bit ones of [`boundaries`].
pub(crate) fn boundaries_u16() -> Vec<u16> {
    boundaries(u16::MAX.into())
        .into_iter()
        .map(|n| n as u16)
        .collect()
}
