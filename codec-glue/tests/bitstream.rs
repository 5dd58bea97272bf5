//! Real encoders' frames, and the facts that other tools read from them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use steadycast_codec_glue::bitstream::h264::{self, AvcConfig, Framing, LengthSize, NalType};
use steadycast_codec_glue::bitstream::{Codec, Facts, Picture, inspect};

/// One entry of `vectors/bitstream/facts.json`.
#[derive(Deserialize)]
struct Sample {
    file: String,
    codec: String,
    /// The WebCodecs description, in hex.
    description: String,
    keyframe: bool,
    /// What the payload says.
    picture: Option<Size>,
    /// What the description says.
    described: Option<Size>,
}

#[derive(Deserialize)]
struct Size {
    width: u16,
    height: u16,
    codec: String,
}

impl From<Size> for Picture {
    fn from(size: Size) -> Self {
        Self {
            width: size.width,
            height: size.height,
            codec: size.codec,
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/bitstream")
}

fn samples() -> Vec<Sample> {
    let text = std::fs::read_to_string(folder().join("facts.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn units(payload: &[u8], framing: Framing) -> Vec<Vec<u8>> {
    h264::nal_units(payload, framing)
        .map(|unit| unit.unwrap().to_vec())
        .collect()
}

#[test]
fn every_frame_has_the_facts_that_other_tools_read() {
    for sample in samples() {
        let codec = Codec::from_webcodecs(&sample.codec, &unhex(&sample.description)).unwrap();
        let expected = Facts {
            keyframe: sample.keyframe,
            picture: sample.picture.map(Picture::from),
        };
        let facts = inspect(codec, &bytes(&sample.file));
        assert_eq!(facts, Ok(expected), "{}", sample.file);
    }
}

#[test]
fn every_sample_is_listed() {
    let mut listed: Vec<_> = samples().into_iter().map(|sample| sample.file).collect();
    let mut found: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".bin"))
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(found, listed);
}

#[test]
fn cuts_of_a_frame_never_change_its_facts() {
    for sample in samples() {
        let description = unhex(&sample.description);
        let codec = Codec::from_webcodecs(&sample.codec, &description).unwrap();
        let whole = bytes(&sample.file);
        // An H.264 slice more or less is another access unit, and so is a cut slice.
        if matches!(codec, Codec::H264(_)) {
            continue;
        }
        let facts = inspect(codec, &whole).unwrap();
        for end in 0..whole.len().min(200) {
            if let Ok(cut) = inspect(codec, &whole[..end]) {
                assert_eq!(cut, facts, "{} cut after {end}", sample.file);
            }
        }
    }
}

#[test]
fn descriptions_tell_size_and_codec_and_come_back() {
    let described = samples().into_iter().filter(|s| !s.description.is_empty());
    let mut seen = 0;
    for sample in described {
        let description = unhex(&sample.description);
        let config = AvcConfig::parse(&description).unwrap();
        let expected = sample.described.map(Picture::from).unwrap();
        assert_eq!(config.picture(), Ok(expected), "{}", sample.file);
        assert_eq!(config.encode().as_deref(), Ok(&description[..]));
        for end in 0..description.len() {
            let cut = AvcConfig::parse(&description[..end]);
            // Where the end of High profiles would begin, an old writer may have stopped.
            assert!(cut.is_err() || cut.unwrap().high.is_none());
        }
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn annex_b_becomes_avc_and_comes_back() {
    for sample in samples() {
        let codec = Codec::from_webcodecs(&sample.codec, &unhex(&sample.description)).unwrap();
        let Codec::H264(framing) = codec else {
            continue;
        };
        let original = bytes(&sample.file);
        let (avc, annex_b) = match framing {
            Framing::AnnexB => (h264::annex_b_to_avc(&original).unwrap(), original),
            Framing::Avc(size) => {
                let annex_b = h264::avc_to_annex_b(&original, size).unwrap();
                (original, annex_b)
            }
        };
        let in_avc = Framing::Avc(LengthSize::Four);
        assert_eq!(units(&avc, in_avc), units(&annex_b, Framing::AnnexB));
        assert_eq!(h264::annex_b_to_avc(&annex_b), Ok(avc.clone()));
        // The same access unit has the same facts in both framings.
        assert_eq!(
            inspect(Codec::H264(in_avc), &avc),
            inspect(Codec::H264(Framing::AnnexB), &annex_b)
        );
    }
}

/// Chromium gives one encoder's output in both formats.
#[test]
fn a_browser_converts_in_the_same_way() {
    for stream in ["baseline", "high"] {
        let name = |format| format!("h264-chromium-{stream}-{format}-126x98-key.bin");
        let annex_b = bytes(&name("annexb"));
        let avc = samples()
            .into_iter()
            .find(|sample| sample.file == name("avc"))
            .unwrap();
        let config = AvcConfig::from_annex_b(&annex_b).unwrap();
        let theirs = AvcConfig::parse(&unhex(&avc.description)).unwrap();
        assert_eq!(config.encode(), theirs.encode());
        // Parameter sets move into the description; the slices stay.
        let slices: Vec<_> = units(&annex_b, Framing::AnnexB)
            .into_iter()
            .filter(|unit| NalType::of(unit) == Ok(NalType::Idr))
            .collect();
        let in_avc = Framing::Avc(theirs.length_size);
        assert_eq!(units(&bytes(&avc.file), in_avc), slices);
    }
}
