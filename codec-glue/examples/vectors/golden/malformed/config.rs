//! Decoder configs that are refused (PROTOCOL 4.3).

use steadycast_codec_glue::wire::Code::{self, Malformed, TooLarge};
use steadycast_codec_glue::wire::{FrameHeader, GROUP_STREAM};

use super::super::frames::keyframe;
use super::{Bad, Kind, bad};

/// 320 x 240, "vp8", a description of two bytes.
const GOOD: [u8; 12] = [1, 64, 0, 240, 3, b'v', b'p', b'8', 0, 2, 0xd1, 0xd2];

pub(super) fn vectors() -> Vec<Bad> {
    let mut all: Vec<_> = lengths()
        .into_iter()
        .map(|(name, config)| refused(name, &config, Malformed))
        .collect();
    all.extend(pictures());
    all.extend(codecs());
    all
}

/// A keyframe with these bytes for a config.
fn refused(name: &str, config: &[u8], error: Code) -> Bad {
    let header = FrameHeader {
        payload_len: 1,
        config_len: config.len() as u16,
        ..keyframe("").header
    };
    let mut bytes = vec![GROUP_STREAM];
    header.encode(&mut bytes);
    bytes.extend_from_slice(config);
    bytes.push(0xaa);
    bad(Kind::Group, name, &bytes, error)
}

fn edited(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut config = GOOD.to_vec();
    config[at..at + bytes.len()].copy_from_slice(bytes);
    config
}

fn lengths() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a config of 6 bytes", GOOD[..6].to_vec()),
        ("a config that ends inside the codec", GOOD[..7].to_vec()),
        ("a config that ends after the codec", GOOD[..8].to_vec()),
        (
            "a config that ends inside the description's length",
            GOOD[..9].to_vec(),
        ),
        (
            "a config that ends before the description",
            GOOD[..10].to_vec(),
        ),
        (
            "a config that ends inside the description",
            GOOD[..11].to_vec(),
        ),
        (
            "a config with a byte after the description",
            [&GOOD[..], &[0]].concat(),
        ),
        ("a description longer than its config", edited(8, &[0, 3])),
        ("a description shorter than its config", edited(8, &[0, 1])),
        (
            "a description of 65,535 bytes in a short config",
            edited(8, &[0xff, 0xff]),
        ),
        ("a codec longer than its config", edited(4, &[255])),
        (
            "a codec that leaves no room for a description's length",
            edited(4, &[6]),
        ),
    ]
}

fn pictures() -> Vec<Bad> {
    vec![
        refused("a picture of width 0", &edited(0, &[0, 0]), Malformed),
        refused("a picture of height 0", &edited(2, &[0, 0]), Malformed),
        refused(
            "a picture of width 8,193",
            &edited(0, &[0x20, 0x01]),
            TooLarge,
        ),
        refused(
            "a picture of height 8,193",
            &edited(2, &[0x20, 0x01]),
            TooLarge,
        ),
        refused(
            "a picture of 65,535 x 65,535",
            &edited(0, &[0xff; 4]),
            TooLarge,
        ),
    ]
}

fn codecs() -> Vec<Bad> {
    let codec = |name: &str, bytes: &[u8; 3]| refused(name, &edited(5, bytes), Malformed);
    vec![
        refused(
            "a codec of no characters",
            &[1, 64, 0, 240, 0, 0, 2, 0xd1, 0xd2],
            Malformed,
        ),
        codec("a codec with a zero", b"v\08"),
        codec("a codec with a control character", b"v\x1f8"),
        codec("a codec with a delete", b"v\x7f8"),
        codec("a codec with a letter beyond ASCII", b"v\xc3\xa9"),
        codec("a codec that is not UTF-8", b"v\xff8"),
    ]
}
