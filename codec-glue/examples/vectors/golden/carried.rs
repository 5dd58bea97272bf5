//! Sealed frames in RTP payloads (PROTOCOL 12.10).

use steadycast_codec_glue::rtp::carry;

use super::frames::{self, Named};
use super::json::{Carried, Carries, hex};

const MAX_PAYLOAD: usize = 64;
/// What VP8's descriptor takes of each payload.
const DESCRIPTOR: usize = 4;

/// Frames, then bytes that are none.
pub(crate) fn vectors() -> Vec<Carried> {
    let sealed = |mut frame: Named, length: usize| {
        frame.header.sealed = true;
        frame.payload = (0..length).map(|at| at as u8).collect();
        frame
    };
    let mut all = vec![
        carried(
            &sealed(frames::keyframe("a keyframe in several packets"), 300),
            1,
        ),
        carried(
            &sealed(frames::keyframe("a keyframe of the last number"), 1),
            0x7fff,
        ),
        carried(&sealed(frames::delta("a frame in one packet", 1), 20), 0),
        carried(&sealed(frames::delta("a frame in two packets", 2), 40), 300),
    ];
    all.extend(refused());
    all
}

fn carried(frame: &Named, number: u16) -> Carried {
    let bytes = frame.bytes();
    let size = frame
        .config
        .as_ref()
        .map(|config| (config.width, config.height));
    let payloads = carry(&bytes, size, MAX_PAYLOAD).expect("a frame within its limits");
    let numbering = payloads.numbering();
    let copies = payloads.iter().enumerate().map(|(at, payload)| {
        let mut copy = payload.to_vec();
        numbering.write(&mut copy, number, 0);
        if at == 0 {
            numbering.write_first(&mut copy, number);
        }
        copy
    });
    let copies: Vec<_> = copies.collect();
    let whole: Vec<u8> = copies
        .iter()
        .flat_map(|copy| &copy[DESCRIPTOR..])
        .copied()
        .collect();
    Carried {
        name: frame.name.clone(),
        hex: hex(&whole),
        carries: Some(Carries {
            keyframe: frame.header.keyframe,
            number,
            frame: hex(&bytes),
            size,
            max_payload: MAX_PAYLOAD,
            payloads: copies.iter().map(|copy| hex(copy)).collect(),
        }),
        error: None,
    }
}

fn refused() -> Vec<Carried> {
    let keyframe = [0x10, 0, 0, 0x9d, 1, 0x2a, 0, 5, 0xd0, 2, 0x80, 1];
    let spoiled = |name: &str, bytes: &[u8]| Carried {
        name: name.into(),
        hex: hex(bytes),
        carries: None,
        error: Some("malformed".into()),
    };
    vec![
        spoiled("no bytes", &[]),
        spoiled("a keyframe that ends in its size", &keyframe[..9]),
        spoiled("a keyframe that ends in its number", &keyframe[..11]),
        spoiled("another frame that ends in its number", &[0x11, 0, 0, 0x80]),
        spoiled("a frame without a number", &[0x11, 0, 0, 0, 1, 9]),
    ]
}
