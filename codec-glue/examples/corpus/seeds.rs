//! Bytes from the vectors, cut to what each fuzz target takes; shared with the tests.
#![allow(
    clippy::unwrap_used,
    reason = "vectors that cannot be read should stop everything"
)]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use steadycast_codec_glue::wire::HEADER_LEN;

/// A fuzz target's name and bytes for it.
pub(crate) type Seed = (&'static str, Vec<u8>);

/// Every seed, in the order of the files.
pub(crate) fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (file, kind) in [
        ("client_messages.json", Some("client")),
        ("relay_messages.json", Some("relay")),
        ("frames.json", Some("frame")),
        ("malformed.json", None),
    ] {
        for vector in read::<Vector>(file) {
            let kind = kind.or(vector.kind.as_deref()).unwrap();
            wire(&mut seeds, kind, &unhex(&vector.hex));
        }
    }
    for sample in read::<Sample>("bitstream/facts.json") {
        let bytes = std::fs::read(folder().join("bitstream").join(&sample.file)).unwrap();
        bitstream(&mut seeds, &sample, bytes);
    }
    seeds
}

#[derive(Deserialize)]
struct Vector {
    kind: Option<String>,
    hex: String,
}

#[derive(Deserialize)]
struct Sample {
    file: String,
    codec: String,
    description: String,
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
    let family = sample.codec.split('.').next().unwrap();
    let target = match family {
        "vp8" => "vp8",
        "vp09" => "vp9",
        "av01" => "av1",
        _ => "h264",
    };
    if target == "h264" {
        let description = unhex(&sample.description);
        // The first byte is the framing: 0 for Annex B, 3 for lengths of four bytes.
        let framing = if description.is_empty() { 0 } else { 3 };
        seeds.push(("h264_convert", [&[framing], &bytes[..]].concat()));
        seeds.push(("h264", description));
    }
    seeds.push((target, bytes));
}
