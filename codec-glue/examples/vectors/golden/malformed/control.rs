//! What both sides of the control stream refuse alike (PROTOCOL 2.1, 2.4).

use steadycast_codec_glue::wire::Code::{self, Malformed, TooLarge, UnknownMessage};

use super::{Bad, Kind, bad, framed};

pub(super) fn vectors() -> Vec<Bad> {
    [Kind::Client, Kind::Relay]
        .into_iter()
        .flat_map(|kind| {
            framing()
                .chain(variants(kind))
                .map(move |(name, bytes, error)| bad(kind, name, &bytes, error))
        })
        .collect()
}

type Case = (&'static str, Vec<u8>, Code);

fn framing() -> impl Iterator<Item = Case> {
    let whole = vec![0; 16_384];
    [
        ("half a length", vec![0], Malformed),
        ("a length of 0", vec![0, 0], Malformed),
        ("a length without a message", vec![0, 1], Malformed),
        (
            "a length beyond the end of the stream",
            vec![0, 5, 1, 7],
            Malformed,
        ),
        ("a length of 16,385", vec![0x40, 0x01], TooLarge),
        ("a length of 65,535", vec![0xff, 0xff], TooLarge),
        ("16,384 bytes of zeros", framed(&whole), Malformed),
    ]
    .into_iter()
}

fn variants(kind: Kind) -> impl Iterator<Item = Case> {
    // A good message, then a bad one: the first does not excuse the second.
    let good: &[u8] = match kind {
        Kind::Client => &[1, 7, 9],
        Kind::Relay | Kind::Group | Kind::Sound => &[3, 0],
    };
    let first = match kind {
        Kind::Client => 15,
        Kind::Relay | Kind::Group | Kind::Sound => 14,
    };
    let second = [framed(good), framed(&[first])].concat();
    unknown(first).into_iter().chain([
        ("an unknown variant after a message", second, UnknownMessage),
        ("a variant cut short", framed(&[251, 5]), Malformed),
        (
            "a variant of 64 bits",
            framed(&[253, 0, 0, 0, 0, 0, 0, 0, 0]),
            Malformed,
        ),
        (
            "a variant with a reserved mark",
            framed(&[255, 0, 0]),
            Malformed,
        ),
    ])
}

/// `first` is the first that is not known.
fn unknown(first: u8) -> [Case; 4] {
    [
        (
            "the first unknown variant",
            framed(&[first]),
            UnknownMessage,
        ),
        (
            "an unknown variant with a body",
            framed(&[first + 1, 1, 2, 3]),
            UnknownMessage,
        ),
        (
            "the last variant that may not be skipped",
            framed(&[63]),
            UnknownMessage,
        ),
        (
            "an unknown variant in more bytes than it needs",
            framed(&[251, first, 0]),
            UnknownMessage,
        ),
    ]
}
