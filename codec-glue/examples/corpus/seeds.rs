//! Bytes from the vectors, cut to what each fuzz target takes; shared with the tests.
#![allow(
    clippy::unwrap_used,
    reason = "vectors that cannot be read should stop everything"
)]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::rtp::{FrameIn, packetize, write_red};
use steadycast_codec_glue::wire::{DecoderConfig, FrameHeader, HEADER_LEN, TrackId};

/// A fuzz target's name and bytes for it.
pub(crate) type Seed = (&'static str, Vec<u8>);

/// Every seed, in the order of the files.
pub(crate) fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (file, kind) in [
        ("client_messages.json", Some("client")),
        ("relay_messages.json", Some("relay")),
        ("frames.json", Some("frame")),
        ("sound.json", Some("sound")),
        ("later.json", None),
        ("malformed.json", None),
    ] {
        for vector in read::<Vector>(file) {
            let kind = kind.or(vector.kind.as_deref()).unwrap();
            wire(&mut seeds, kind, &unhex(&vector.hex));
        }
    }
    for vector in read::<Sealed>("sealed.json") {
        seeds.push(("sealed", vector.seed()));
    }
    for vector in read::<Vector>("carried.json") {
        seeds.push(("rtp_carried", unhex(&vector.hex)));
    }
    let mut stream = Vec::new();
    for sample in read::<Sample>("bitstream/facts.json") {
        let bytes = std::fs::read(folder().join("bitstream").join(&sample.file)).unwrap();
        if sample.keyframe {
            stream.clear();
        }
        rtp(&mut seeds, &mut stream, &sample, &bytes);
        bitstream(&mut seeds, &sample, bytes);
    }
    seeds.push(("rtp_reorder", orders()));
    for earlier in 0..3 {
        seeds.push(("rtp_red", redundant(earlier)));
    }
    seeds
}

/// A frame of sound with so many before it.
fn redundant(earlier: u32) -> Vec<u8> {
    let mut payload = Vec::new();
    let frames = (1..=earlier)
        .rev()
        .map(|before| (before * 960, &[0xf8, 7, 7][..]));
    write_red(&mut payload, 111, frames, &[0xf8, 1, 2]);
    payload
}

#[derive(Deserialize)]
struct Vector {
    kind: Option<String>,
    hex: String,
}

/// A sealed frame of `sealed.json`.
#[derive(Deserialize)]
struct Sealed {
    hex: String,
    header: Option<Sent>,
}

/// What its header says, as far as it counts for opening it.
#[derive(Deserialize)]
struct Sent {
    keyframe: bool,
    refinement: bool,
    sealed: bool,
    layer: u8,
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    width: u16,
    height: u16,
    codec: String,
    description: String,
}

impl Sealed {
    /// Header, config and payload; sound has the header of a frame that is no keyframe.
    fn seed(&self) -> Vec<u8> {
        let (payload, mut config) = (unhex(&self.hex), Vec::new());
        if let Some(said) = self.header.as_ref().and_then(|sent| sent.config.as_ref()) {
            let (width, height) = (said.width, said.height);
            let (codec, description) = (said.codec.clone(), unhex(&said.description));
            let fields = DecoderConfig {
                width,
                height,
                codec,
                description,
            };
            fields.encode(&mut config).unwrap();
        }
        let said = self.header.as_ref();
        let header = FrameHeader {
            keyframe: said.is_some_and(|sent| sent.keyframe),
            refinement: said.is_some_and(|sent| sent.refinement),
            sealed: said.is_none_or(|sent| sent.sealed),
            track: TrackId::MAIN,
            layer: said.map_or(0, |sent| sent.layer),
            epoch: 1,
            group: 1,
            index: 0,
            capture_us: 1,
            payload_len: payload.len().max(1) as u32,
            config_len: config.len() as u16,
            colour: None,
        };
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        [bytes, config, payload].concat()
    }
}

#[derive(Deserialize)]
struct Sample {
    file: String,
    codec: String,
    description: String,
    keyframe: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn read<T: for<'a> Deserialize<'a>>(file: &str) -> Vec<T> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn wire(seeds: &mut Vec<Seed>, kind: &str, bytes: &[u8]) {
    // Targets take bodies: the length before them is not theirs to check.
    let body = bytes.get(2..).unwrap_or_default().to_vec();
    match kind {
        "client" => seeds.push(("control_client", body)),
        "relay" => seeds.push(("control_relay", body)),
        "sound" => seeds.push(("sound", bytes.to_vec())),
        "group" => frames(seeds, bytes.get(1..).unwrap_or_default()),
        _ => frames(seeds, bytes),
    }
}

/// Headers and configs of frames that follow one another.
fn frames(seeds: &mut Vec<Seed>, mut bytes: &[u8]) {
    let mut headers = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_LEN>() {
        let payload_len = u32::from_be_bytes([header[24], header[25], header[26], header[27]]);
        let config_len = u16::from_be_bytes([header[28], header[29]]);
        let config = rest.get(..config_len.into()).unwrap_or_default();
        let next = usize::from(config_len) + payload_len as usize;
        headers.extend_from_slice(header);
        if headers.len() <= 2 * HEADER_LEN {
            seeds.push(("frame_header", header.to_vec()));
        }
        if !config.is_empty() {
            seeds.push(("decoder_config", config.to_vec()));
        }
        bytes = rest.get(next..).unwrap_or_default();
    }
    seeds.push(("group_order", headers));
}

fn bitstream(seeds: &mut Vec<Seed>, sample: &Sample, bytes: Vec<u8>) {
    let [target, ..] = targets(sample);
    if target == "h264" {
        let description = unhex(&sample.description);
        // The first byte is the framing: 0 for Annex B, 3 for lengths of four bytes.
        let framing = if description.is_empty() { 0 } else { 3 };
        seeds.push(("h264_convert", [&[framing], &bytes[..]].concat()));
        seeds.push(("h264", description));
    }
    seeds.push((target, bytes));
}

/// The targets of a codec: its bitstream, frames to send, packets received.
fn targets(sample: &Sample) -> [&'static str; 3] {
    match sample.codec.split('.').next().unwrap() {
        "vp8" => ["vp8", "rtp_send_vp8", "rtp_receive_vp8"],
        "vp09" => ["vp9", "rtp_send_vp9", "rtp_receive_vp9"],
        "av01" => ["av1", "rtp_send_av1", "rtp_receive_av1"],
        _ => ["h264", "rtp_send_h264", "rtp_receive_h264"],
    }
}

/// A frame to send, and the packets of its stream so far, of which `stream` has the others.
fn rtp(seeds: &mut Vec<Seed>, stream: &mut Vec<u8>, sample: &Sample, bytes: &[u8]) {
    let [_, send, receive] = targets(sample);
    let description = unhex(&sample.description);
    let framing = if description.is_empty() { 0 } else { 3 };
    let choices = framing | u8::from(sample.keyframe) << 2 | 8;
    let head = [choices, 136, description.len() as u8];
    seeds.push((send, [&head[..], &description, bytes].concat()));
    let frame = FrameIn {
        keyframe: sample.keyframe,
        payload: bytes,
        description: &description,
        size: Some((128, 96)),
    };
    let codec = Codec::from_webcodecs(&sample.codec, &description).unwrap();
    let payloads = packetize(codec, frame, 200).unwrap();
    for (index, payload) in payloads.iter().enumerate() {
        let marker = index + 1 == payloads.len();
        stream.push(u8::from(marker) | u8::from(index == 0) << 2);
        stream.extend((payload.len() as u16).to_be_bytes());
        stream.extend(payload);
    }
    seeds.push((receive, stream.clone()));
}

/// Packets in order, out of order, twice, after a gap that stays, and from elsewhere.
fn orders() -> Vec<u8> {
    let ahead = [1, 1, 1, 100];
    let back = [1, 255, 1, 100];
    let skip = [1, 3, 1, 100];
    let later = [255, 1, 1, 100];
    let away = [1, 100, 100, 100];
    [
        ahead, ahead, skip, back, back, ahead, ahead, ahead, skip, later, later, ahead, away,
        ahead, ahead, skip, away, back, ahead, ahead,
    ]
    .concat()
}
