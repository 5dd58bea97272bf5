//! Frames, each as it stands on its group's stream (PROTOCOL 4.2 to 4.4).

use steadycast_codec_glue::wire::{
    Colour, DecoderConfig, FrameHeader, MATRICES, PRIMARIES, TRANSFERS, TrackId, limits,
};

use super::boundaries_u32;
use super::json::{FrameJson, Good, HeaderJson, hex};

/// Keyframes and others, at the edges of every field.
pub(crate) fn vectors() -> Vec<Good<FrameJson>> {
    let mut frames = keyframes();
    frames.extend(deltas());
    frames.into_iter().map(Named::into_vector).collect()
}

/// A frame whose lengths are still to be filled in.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) header: FrameHeader,
    pub(crate) config: Option<DecoderConfig>,
    pub(crate) payload: Vec<u8>,
}

impl Named {
    fn into_vector(self) -> Good<FrameJson> {
        Good {
            hex: hex(&self.bytes()),
            value: self.to_json(),
            name: self.name,
        }
    }

    /// What its bytes mean.
    pub(crate) fn to_json(&self) -> FrameJson {
        FrameJson {
            header: HeaderJson::from((&self.header, self.config.as_ref())),
            payload: hex(&self.payload),
        }
    }

    /// Header, config and payload.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut config = Vec::new();
        if let Some(fields) = &self.config {
            fields
                .encode(&mut config)
                .expect("a config within its limits");
        }
        let header = FrameHeader {
            payload_len: self.payload.len() as u32,
            config_len: config.len() as u16,
            ..self.header
        };
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        bytes.extend_from_slice(&config);
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

fn config(width: u16, height: u16, codec: &str, description: Vec<u8>) -> DecoderConfig {
    DecoderConfig {
        width,
        height,
        codec: codec.into(),
        description,
    }
}

/// A keyframe with everything usual.
pub(crate) fn keyframe(name: &str) -> Named {
    Named {
        name: name.into(),
        header: FrameHeader {
            keyframe: true,
            refinement: false,
            sealed: false,
            track: TrackId::MAIN,
            layer: 0,
            epoch: 1,
            group: 1,
            index: 0,
            capture_us: 1_790_000_000_000_000,
            payload_len: 0,
            config_len: 0,
            colour: None,
        },
        config: Some(config(1280, 720, "vp8", Vec::new())),
        payload: vec![1, 2, 3],
    }
}

/// The frame at `index` of the usual keyframe's group.
pub(crate) fn delta(name: &str, index: u32) -> Named {
    let key = keyframe(name);
    Named {
        header: FrameHeader {
            keyframe: false,
            index,
            capture_us: key.header.capture_us + u64::from(index) * 33_333,
            ..key.header
        },
        config: None,
        ..key
    }
}

fn keyframes() -> Vec<Named> {
    let mut all = configs();
    let mut zero = keyframe("keyframe with every number 0");
    (zero.header.epoch, zero.header.group) = (0, 0);
    zero.header.capture_us = 0;
    let mut full = keyframe("keyframe with every number at its largest");
    full.header = FrameHeader {
        refinement: true,
        layer: limits::LAYER,
        epoch: u32::MAX,
        group: u32::MAX,
        capture_us: (1 << 53) - 1,
        ..full.header
    };
    let mut refined = keyframe("keyframe that refines");
    refined.header.refinement = true;
    let mut sealed = keyframe("keyframe that is sealed");
    sealed.header.sealed = true;
    let mut ordered = keyframe("keyframe with numbers that show the order of bytes");
    ordered.header.epoch = 0x0102_0304;
    ordered.header.group = 0x0506_0708;
    ordered.header.capture_us = 0x0009_0a0b_0c0d_0e0f;
    let mut long = keyframe("keyframe with a payload of 300 bytes");
    long.payload = (0..300).map(|i| i as u8).collect();
    all.extend([zero, full, refined, sealed, ordered, long]);
    all.extend(TrackId::all().skip(1).map(|track| {
        let mut frame = keyframe(&format!("keyframe of track {track}"));
        frame.header.track = track;
        frame
    }));
    all.extend(colours());
    all
}

/// Every name of a colour once, and both ranges.
fn colours() -> impl Iterator<Item = Named> {
    (0..TRANSFERS.len()).map(|at| {
        let primaries = PRIMARIES[at % PRIMARIES.len()];
        let matrix = MATRICES[at % MATRICES.len()];
        let transfer = TRANSFERS[at];
        let mut frame = keyframe(&format!("keyframe in {primaries}, {transfer}, {matrix}"));
        frame.header.colour = Colour::new(primaries, transfer, matrix, at % 2 == 1);
        frame
    })
}

fn configs() -> Vec<Named> {
    usual_configs()
        .into_iter()
        .chain(extreme_configs())
        .map(|(name, config)| Named {
            config: Some(config),
            ..keyframe(&format!("keyframe {name}"))
        })
        .collect()
}

fn usual_configs() -> [(&'static str, DecoderConfig); 5] {
    let avcc = vec![
        1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0xc0, 0x1f, 1, 0, 2, 0x68, 0xce,
    ];
    [
        ("of vp8", config(1280, 720, "vp8", vec![])),
        ("of vp9", config(1920, 1080, "vp09.00.40.08", vec![])),
        ("of av1", config(1920, 1080, "av01.0.08M.08", vec![])),
        (
            "of h264 in Annex B",
            config(640, 360, "avc1.42C01F", vec![]),
        ),
        (
            "of h264 with a description",
            config(640, 360, "avc1.42C01F", avcc),
        ),
    ]
}

fn extreme_configs() -> [(&'static str, DecoderConfig); 6] {
    let printable: String = (' '..='~').collect();
    let room = usize::from(limits::CONFIG_MAX) - 7 - 3;
    [
        ("of the smallest picture", config(1, 1, "v", vec![0])),
        (
            "of the largest picture",
            config(limits::PICTURE, limits::PICTURE, "vp8", vec![]),
        ),
        (
            "whose width and height differ in both bytes",
            config(0x0102, 0x0304, "vp8", vec![]),
        ),
        (
            "whose codec has every printable character",
            config(320, 240, &printable, vec![]),
        ),
        (
            "whose codec is the longest",
            config(320, 240, &"c".repeat(255), vec![]),
        ),
        (
            "whose config is the longest",
            config(320, 240, "vp8", vec![0xa5; room]),
        ),
    ]
}

fn deltas() -> Vec<Named> {
    let mut all: Vec<_> = boundaries_u32()
        .into_iter()
        .filter(|&index| index > 0)
        .map(|index| {
            let mut frame = delta(&format!("frame {index}"), index);
            frame.header.capture_us = 5;
            frame
        })
        .collect();
    for layer in 1..=limits::LAYER {
        let mut frame = delta(&format!("frame of layer {layer}"), layer.into());
        frame.header.layer = layer;
        all.push(frame);
    }
    for track in TrackId::all().skip(1) {
        let mut frame = delta(&format!("frame of track {track}"), 1);
        frame.header.track = track;
        all.push(frame);
    }
    let mut refined = delta("frame that refines", 9);
    refined.header.refinement = true;
    let mut sealed = keyframe("keyframe that is sealed");
    sealed.header.sealed = true;
    let mut byte = delta("frame of one byte that looks like a stream", 1);
    byte.payload = vec![0x47];
    all.extend([refined, byte]);
    all
}
