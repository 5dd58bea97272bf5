//! Sealed frames, and what does not open (PROTOCOL 12).

use steadycast_codec_glue::privacy::{LinkKey, Sealer, Tenure};
use steadycast_codec_glue::wire::{Colour, FrameHeader, TrackId};

use super::frames::{self, Named};
use super::json::{HeaderJson, Opened, Sealed, hex};

const KEY: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 255,
];
const TENURE: [u8; 7] = [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6];
const CAPTURED_US: u64 = 1_790_000_000_123_456;

/// Frames that open, then some that do not.
pub(crate) fn vectors() -> Vec<Sealed> {
    let mut all: Vec<_> = pictures()
        .iter()
        .map(|(frame, distance)| picture(frame, *distance))
        .collect();
    all.extend([1, 7, 8, 70_000, u32::MAX].map(sound));
    all.push(numbered_anew());
    all.extend(refused());
    all
}

fn sealer() -> Sealer {
    Sealer::new(LinkKey::new(KEY), Tenure::new(TENURE))
}

fn sealed_one(mut frame: Named) -> Named {
    frame.header.sealed = true;
    frame
}

fn key(name: &str) -> Named {
    sealed_one(frames::keyframe(name))
}

fn delta(name: &str, index: u32) -> Named {
    sealed_one(frames::delta(name, index))
}

fn pictures() -> Vec<(Named, u8)> {
    let mut refined = delta("a refinement", 2);
    refined.header.refinement = true;
    let mut coloured = key("a keyframe with a colour");
    coloured.header.colour = Colour::new("bt709", "iec61966-2-1", "bt709", true);
    let mut layered = delta("a frame of layer 2 that follows one three before it", 9);
    layered.header.layer = 2;
    let mut far = delta(
        "the last frame of the last group of the last track",
        u32::MAX,
    );
    (far.header.group, far.header.track) = (u32::MAX, track(15));
    let mut zero = key("a keyframe of group 0");
    zero.header.group = 0;
    let mut long = key("a keyframe of 300 bytes");
    long.payload = (0..300).map(|at| at as u8).collect();
    vec![
        (key("a keyframe"), 0),
        (delta("a frame that follows a keyframe", 1), 1),
        (refined, 1),
        (coloured, 0),
        (layered, 3),
        (far, 255),
        (zero, 0),
        (long, 0),
    ]
}

fn track(number: u8) -> TrackId {
    TrackId::from_number(number).expect("a track")
}

fn config(frame: &Named) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(config) = &frame.config {
        config
            .encode(&mut bytes)
            .expect("a config within its limits");
    }
    bytes
}

fn payload(frame: &Named, distance: u8) -> Vec<u8> {
    let config = config(frame);
    sealer()
        .picture(
            (&frame.header, &config),
            (CAPTURED_US, distance),
            &frame.payload,
        )
        .expect("a distance within the group")
}

fn picture(frame: &Named, distance: u8) -> Sealed {
    Sealed {
        name: frame.name.clone(),
        key: hex(&KEY),
        header: Some(json(frame)),
        hex: hex(&payload(frame, distance)),
        opened: Some(opened(&frame.header, distance, &frame.payload)),
        error: None,
    }
}

fn json(frame: &Named) -> HeaderJson {
    HeaderJson::from((&frame.header, frame.config.as_ref()))
}

fn opened(header: &FrameHeader, distance: u8, chunk: &[u8]) -> Opened {
    Opened {
        tenure: hex(&TENURE),
        track: Some(header.track.number()),
        group: Some(header.group),
        index: Some(header.index),
        sequence: None,
        captured_us: CAPTURED_US,
        distance: Some(distance),
        chunk: hex(chunk),
    }
}

fn spoken(sequence: u32, frame: &[u8]) -> Vec<u8> {
    sealer()
        .sound(sequence, CAPTURED_US, frame)
        .expect("a cipher that works")
}

fn sound(sequence: u32) -> Sealed {
    let frame = [0xfc, 0xaa, 0xbb];
    Sealed {
        name: format!("frame {sequence} of sound"),
        key: hex(&KEY),
        header: None,
        hex: hex(&spoken(sequence, &frame)),
        opened: Some(Opened {
            tenure: hex(&TENURE),
            track: None,
            group: None,
            index: None,
            sequence: Some(sequence),
            captured_us: CAPTURED_US,
            distance: None,
            chunk: hex(&frame),
        }),
        error: None,
    }
}

/// Epoch, group, track and capture time are the relay's, the place that is sealed is the host's.
fn numbered_anew() -> Sealed {
    let written = delta("a frame that relays have numbered anew", 4);
    let mut passed_on = written.clone();
    passed_on.header = FrameHeader {
        track: track(6),
        epoch: 70,
        group: 80,
        capture_us: 90,
        ..written.header
    };
    Sealed {
        header: Some(json(&passed_on)),
        ..picture(&written, 1)
    }
}

fn refused() -> Vec<Sealed> {
    let good = key("a keyframe");
    let bytes = payload(&good, 0);
    let spoiled = |name: &str, error: &str, header: Option<HeaderJson>, bytes: &[u8]| Sealed {
        name: name.into(),
        key: hex(&KEY),
        header,
        hex: hex(bytes),
        opened: None,
        error: Some(error.into()),
    };
    let as_it_was = || Some(json(&good));
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut wider = good.clone();
    if let Some(config) = &mut wider.config {
        config.width += 2;
    }
    let mut refined = good.clone();
    refined.header.refinement = true;
    let mut open = good.clone();
    open.header.sealed = false;
    let sound = spoken(9, &[0xfc]);
    let empty = spoken(9, &[]);
    let (forged, malformed) = ("forged", "malformed");
    vec![
        Sealed {
            key: hex(&[7; 32]),
            ..spoiled("another key", forged, as_it_was(), &bytes)
        },
        spoiled("another tenure", forged, as_it_was(), &flipped(2)),
        spoiled("another counter", forged, as_it_was(), &flipped(13)),
        spoiled("another payload", forged, as_it_was(), &flipped(20)),
        spoiled(
            "another tag",
            forged,
            as_it_was(),
            &flipped(bytes.len() - 1),
        ),
        spoiled(
            "a payload cut short",
            forged,
            as_it_was(),
            &bytes[..bytes.len() - 1],
        ),
        spoiled("a header alone", forged, as_it_was(), &bytes[..14]),
        spoiled("a header cut short", malformed, as_it_was(), &bytes[..13]),
        spoiled("no bytes", malformed, as_it_was(), &[]),
        spoiled("another width", forged, Some(json(&wider)), &bytes),
        spoiled(
            "a refinement that was none",
            forged,
            Some(json(&refined)),
            &bytes,
        ),
        spoiled("said not to be sealed", forged, Some(json(&open)), &bytes),
        spoiled(
            "sound in place of a picture",
            malformed,
            as_it_was(),
            &sound,
        ),
        spoiled("a picture in place of sound", malformed, None, &bytes),
        spoiled(
            "a number longer than it has to be",
            malformed,
            None,
            &[0x80, 1, 2, 3],
        ),
        spoiled("sound of no bytes", malformed, None, &empty),
    ]
}
