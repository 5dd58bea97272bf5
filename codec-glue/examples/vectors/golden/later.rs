//! What later versions may send and this one reads over (PROTOCOL 2.12).

use serde_json::{Value, to_value};
use steadycast_codec_glue::wire::{
    ClientMessage, Colour, GROUP_STREAM, RelayMessage, Role, TrackId, VERSION, encode_client,
    encode_relay,
};

use super::framed;
use super::frames::{delta, keyframe};
use super::json::{Client, Kind, Later, Relay, hex};

/// Messages that are skipped, messages and headers that say more than is known here.
pub(crate) fn vectors() -> Vec<Later> {
    let mut all = skipped();
    all.push(longer_hello());
    all.push(longer_path());
    all.extend(headers());
    all.extend(datagrams());
    all
}

fn later(name: impl Into<String>, kind: Kind, bytes: &[u8], values: Vec<Value>) -> Later {
    Later {
        name: name.into(),
        kind,
        hex: hex(bytes),
        values,
    }
}

/// Datagrams of other kinds are nobody's sound, whatever is in them.
fn datagrams() -> Vec<Later> {
    let others: [(&str, &[u8]); 4] = [
        ("a datagram of no bytes", &[]),
        ("a datagram that fills a path", &[0; 30]),
        ("a datagram of kind 2", &[2, 0xff, 1]),
        ("a datagram of kind 255", &[255]),
    ];
    others
        .map(|(name, bytes)| later(name, Kind::Sound, bytes, Vec::new()))
        .into()
}

/// Each alone, and between two messages that are known.
fn skipped() -> Vec<Later> {
    let unknown: [(&str, &[u8]); 6] = [
        ("variant 70", &[70]),
        ("variant 70 with a body", &[70, 1, 2, 3]),
        ("variant 250", &[250, 0xff, 0xff]),
        ("variant 251, in three bytes", &[251, 251, 0]),
        (
            "variant 70 in more bytes than it needs",
            &[252, 70, 0, 0, 0, 9],
        ),
        ("variant 2^32 - 1", &[252, 0xff, 0xff, 0xff, 0xff]),
    ];
    let ping = ClientMessage::Ping {
        sequence: 7,
        sent_us: 9,
    };
    let request = RelayMessage::KeyframeRequest {
        track: TrackId::MAIN,
    };
    let sides = [
        (
            Kind::Client,
            encode_client(&ping),
            value(&Client::from(&ping)),
        ),
        (
            Kind::Relay,
            encode_relay(&request),
            value(&Relay::from(&request)),
        ),
    ];
    let mut all = Vec::new();
    for (kind, known, value) in sides {
        let known = known.expect("a message within its limits");
        for (name, body) in unknown {
            let skipped = framed(body);
            all.push(later(name, kind, &skipped, Vec::new()));
            let name = format!("{name} between two messages");
            let bytes = [&known[..], &skipped, &known].concat();
            all.push(later(name, kind, &bytes, vec![value.clone(); 2]));
        }
    }
    // Version 2 brought it to players; what a client would mean by 64 is not known yet.
    all.push(later(
        "variant 64",
        Kind::Client,
        &framed(&[64, 1]),
        Vec::new(),
    ));
    all
}

fn value<T: serde::Serialize>(value: &T) -> Value {
    to_value(value).expect("vectors are plain data")
}

/// `bytes`, a framed message, with more bytes after its last field.
fn longer(bytes: &[u8]) -> Vec<u8> {
    framed(&[&bytes[2..], &[1, 2, 0xff]].concat())
}

fn longer_hello() -> Later {
    let hello = ClientMessage::Hello {
        version: VERSION + 1,
        role: Role::Player,
        token: "t".into(),
        agent: "a".into(),
        resume: None,
    };
    let bytes = longer(&encode_client(&hello).expect("a message within its limits"));
    let values = vec![value(&Client::from(&hello))];
    later(
        "a hello of the next version that says more",
        Kind::Client,
        &bytes,
        values,
    )
}

fn longer_path() -> Later {
    let path = RelayMessage::Path {
        narrow: true,
        carries_kbps: Some(380),
    };
    let bytes = longer(&encode_relay(&path).expect("a message within its limits"));
    let values = vec![value(&Relay::from(&path))];
    later("a path that says more", Kind::Relay, &bytes, values)
}

/// A keyframe and another frame, with bits in their headers that are left to later versions.
fn headers() -> Vec<Later> {
    let mut cases: Vec<(String, usize, u8)> = (4..8)
        .map(|bit| (format!("frames with flag bit {bit}"), 0, 1 << bit))
        .collect();
    cases.push(("frames with a byte of colour of 1".into(), 3, 1));
    cases.push(("frames with a byte of colour of 255".into(), 3, 255));
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, at, bits)| group(name, None, |bytes| bytes[at] |= bits))
        .collect();
    let colour = || Colour::new("bt709", "bt709", "bt709", true);
    // Not known is not this colour, but none.
    let unknown: [(&str, Edit); 3] = [
        ("primaries 6", |bytes| bytes[0] |= 0x60),
        ("transfer 7", |bytes| bytes[3] |= 0b111),
        ("matrix 6", |bytes| {
            bytes[3] = bytes[3] & !0b11_1000 | 6 << 3
        }),
    ];
    all.extend(unknown.map(|(name, edit)| {
        let coloured = move |bytes: &mut [u8]| {
            (bytes[0], bytes[3]) = (bytes[0] | 0x90, 0b01_0001);
            edit(bytes);
        };
        group(format!("frames with {name}"), None, coloured)
    }));
    all.push(group(
        "a colour on a frame that is no keyframe, and the two bits beside it".into(),
        colour(),
        |bytes| (bytes[0], bytes[3]) = (bytes[0] | 0x90, 0b1101_0001),
    ));
    all
}

/// A change of a frame's bytes.
type Edit = fn(&mut [u8]);

/// A keyframe and another frame, whose bytes `edit` has changed; a keyframe of this colour is read.
fn group(name: String, colour: Option<Colour>, edit: impl Fn(&mut [u8])) -> Later {
    let mut bytes = vec![GROUP_STREAM];
    let mut values = Vec::new();
    for mut frame in [keyframe(""), delta("", 1)] {
        let mut frame_bytes = frame.bytes();
        edit(&mut frame_bytes);
        bytes.extend(frame_bytes);
        frame.header.colour = colour.filter(|_| frame.header.keyframe);
        values.push(value(&frame.to_json()));
    }
    later(name, Kind::Group, &bytes, values)
}
