//! Datagrams with sound that are refused (PROTOCOL 9.3).

use steadycast_codec_glue::wire::Code::{self, Malformed, TooLarge};
use steadycast_codec_glue::wire::{encode_sound, limits};

use super::super::sound::packet;
use super::{Bad, Kind, bad};

const FLAGS: usize = 1;
const CAPTURE: usize = 10;
const HEADER: usize = 18;

pub(super) fn vectors() -> Vec<Bad> {
    let mut all = cuts();
    all.extend(flags());
    all.extend(lengths());
    all
}

fn good(repeats: u8) -> Vec<u8> {
    let bytes = encode_sound(&packet(repeats)).expect("a packet within its limits");
    bytes.into()
}

fn refused(name: impl Into<String>, bytes: &[u8], error: Code) -> Bad {
    bad(Kind::Sound, name, bytes, error)
}

/// Cut inside the header, and inside what is repeated: what is left of the newest frame may be any bytes.
fn cuts() -> Vec<Bad> {
    let bytes = good(2);
    let newest = HEADER + 2 * (2 + 3);
    (1..=newest)
        .map(|at| {
            refused(
                format!("sound cut after {at} bytes"),
                &bytes[..at],
                Malformed,
            )
        })
        .collect()
}

fn flags() -> Vec<Bad> {
    let with = |flags: u8, repeats| {
        let mut bytes = good(repeats);
        bytes[FLAGS] = flags;
        bytes
    };
    let mut all = vec![
        refused("sound that repeats three frames", &with(3, 2), Malformed),
        refused("sound that begins and repeats", &with(5, 1), Malformed),
        refused("sound with all flags", &with(0xff, 0), Malformed),
    ];
    for bit in 4..8 {
        let name = format!("sound with flag {bit}");
        all.push(refused(name, &with(1 << bit, 0), Malformed));
    }
    all
}

fn lengths() -> Vec<Bad> {
    let header = |flags: u8| {
        let mut bytes = good(0)[..HEADER].to_vec();
        bytes[FLAGS] = flags;
        bytes
    };
    let then = |flags, rest: &[u8]| [&header(flags)[..], rest].concat();
    let long = vec![7; limits::SOUND_FRAME + 1];
    let repeated = [&[3, 0xe9][..], &long, &[1]].concat();
    let whole = [&[2, 0x58][..], &[7; 600], &[7; 600]].concat();
    let mut late = good(0);
    late[CAPTURE..HEADER].copy_from_slice(&(1_u64 << 53).to_be_bytes());
    let mut never = good(0);
    never[CAPTURE..HEADER].fill(0xff);
    vec![
        refused(
            "a repeated frame of no bytes",
            &then(1, &[0, 0, 9]),
            Malformed,
        ),
        refused(
            "a repeated frame of 65,535 bytes in a short datagram",
            &then(1, &[0xff, 0xff, 9]),
            Malformed,
        ),
        refused("a frame of 1,001 bytes", &then(0, &long), TooLarge),
        refused(
            "a repeated frame of 1,001 bytes",
            &then(1, &repeated),
            TooLarge,
        ),
        refused("sound of more than 1,150 bytes", &then(1, &whole), TooLarge),
        refused("sound captured at 2^53", &late, Malformed),
        refused("sound captured at 2^64 - 1", &never, Malformed),
    ]
}
