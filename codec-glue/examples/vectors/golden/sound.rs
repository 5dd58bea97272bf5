//! Datagrams with sound (PROTOCOL 9.3).

use bytes::Bytes;
use steadycast_codec_glue::wire::{SoundPacket, encode_sound, limits};

use super::json::{Good, SoundJson, hex};
use super::{boundaries, boundaries_u32};

/// Packets at the edges of every field.
pub(crate) fn vectors() -> Vec<Good<SoundJson>> {
    let mut packets = usual();
    packets.extend(numbers());
    packets.extend(longest());
    packets
        .into_iter()
        .map(|(name, packet)| Good {
            name,
            hex: hex(&encode_sound(&packet).expect("a packet within its limits")),
            value: SoundJson::from(&packet),
        })
        .collect()
}

type Named = (String, SoundPacket);

/// A packet that repeats so many frames.
pub(crate) fn packet(repeats: u8) -> SoundPacket {
    let frame = |age: u8| Bytes::from(vec![0xfc, 0xa0 | age, age]);
    SoundPacket {
        begins: false,
        sealed: false,
        epoch: 3,
        sequence: 70_000,
        capture_us: 1_790_000_000_000_000,
        repeats: (1..=repeats).rev().map(frame).collect(),
        frame: frame(0),
    }
}

fn usual() -> Vec<Named> {
    let first = SoundPacket {
        begins: true,
        sequence: 0,
        ..packet(0)
    };
    let mut all = vec![("sound: the first frame".into(), first)];
    for repeats in 0..=limits::SOUND_REPEATS {
        all.push((format!("sound: {repeats} frames repeated"), packet(repeats)));
    }
    let sealed = SoundPacket {
        sealed: true,
        ..packet(1)
    };
    all.push(("sound: sealed frames".into(), sealed));
    let byte = SoundPacket {
        repeats: vec![Bytes::from_static(&[1])],
        frame: Bytes::from_static(&[1]),
        ..packet(0)
    };
    all.push(("sound: frames of one byte".into(), byte));
    all
}

fn numbers() -> Vec<Named> {
    let ordered = SoundPacket {
        epoch: 0x0102_0304,
        sequence: 0x0506_0708,
        capture_us: 0x0009_0a0b_0c0d_0e0f,
        ..packet(1)
    };
    let mut all = vec![("sound: the order of bytes".into(), ordered)];
    for bound in boundaries_u32() {
        let packet = SoundPacket {
            epoch: bound,
            sequence: bound,
            ..packet(0)
        };
        all.push((format!("sound: epoch and frame {bound}"), packet));
    }
    for capture_us in boundaries(u64::MAX) {
        let packet = SoundPacket {
            capture_us,
            ..packet(0)
        };
        all.push((format!("sound: captured at {capture_us}"), packet));
    }
    all
}

fn longest() -> Vec<Named> {
    let bytes = |len| Bytes::from(vec![0x5a; len]);
    let frame = SoundPacket {
        frame: bytes(limits::SOUND_FRAME),
        ..packet(0)
    };
    // Two lengths of two bytes, and eighteen before them.
    let each = (limits::SOUND_DATAGRAM - 22) / 3;
    let whole = SoundPacket {
        repeats: vec![bytes(each); 2],
        frame: bytes(limits::SOUND_DATAGRAM - 22 - 2 * each),
        ..packet(0)
    };
    vec![
        ("sound: the longest frame".into(), frame),
        ("sound: the longest datagram".into(), whole),
    ]
}
