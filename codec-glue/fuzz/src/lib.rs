//! What every fuzz target asserts of the bytes it is given.
//!
//! Plain functions, so that the tests of `codec-glue` run the same assertions
//! over the vectors (`tests/replay.rs`).
#![allow(clippy::unwrap_used, reason = "a target that fails should stop")]

pub mod rtp;

use std::cell::RefCell;
use std::fmt::Debug;

use bytes::Bytes;
use steadycast_codec_glue::bitstream::h264::{self, AvcConfig, Framing, LengthSize};
use steadycast_codec_glue::bitstream::{BitstreamError, Codec, Facts, inspect};
use steadycast_codec_glue::privacy::{LinkKey, OpenError, Opener};
use steadycast_codec_glue::wire::{
    DecoderConfig, FrameHeader, GroupOrder, HEADER_LEN, WireError, decode_client, decode_relay,
    decode_sound, encode_client, encode_relay, encode_sound, limits, opus_duration_us,
};

/// A fuzz target: its name and what it does with its bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its binary.
pub const TARGETS: [Target; 23] = [
    ("control_client", control_client),
    ("control_relay", control_relay),
    ("frame_header", frame_header),
    ("decoder_config", decoder_config),
    ("group_order", group_order),
    ("sound", sound),
    ("sealed", sealed),
    ("vp8", vp8),
    ("vp9", vp9),
    ("h264", h264),
    ("h264_convert", h264_convert),
    ("av1", av1),
    ("rtp_send_vp8", rtp::rtp_send_vp8),
    ("rtp_send_vp9", rtp::rtp_send_vp9),
    ("rtp_send_h264", rtp::rtp_send_h264),
    ("rtp_send_av1", rtp::rtp_send_av1),
    ("rtp_receive_vp8", rtp::rtp_receive_vp8),
    ("rtp_receive_vp9", rtp::rtp_receive_vp9),
    ("rtp_receive_h264", rtp::rtp_receive_h264),
    ("rtp_receive_av1", rtp::rtp_receive_av1),
    ("rtp_reorder", rtp::rtp_reorder),
    ("rtp_red", rtp::rtp_red),
    ("rtp_carried", rtp::rtp_carried),
];

const FRAMINGS: [Framing; 4] = [
    Framing::AnnexB,
    Framing::Avc(LengthSize::One),
    Framing::Avc(LengthSize::Two),
    Framing::Avc(LengthSize::Four),
];

/// The body of a client's message.
pub fn control_client(data: &[u8]) {
    message(data, decode_client, encode_client);
}

/// The body of a relay's message.
pub fn control_relay(data: &[u8]) {
    message(data, decode_relay, encode_relay);
}

/// Whatever decodes encodes to no more bytes, which decode to the same.
fn message<M: PartialEq + Debug>(
    data: &[u8],
    decode: fn(&[u8]) -> Result<Option<M>, WireError>,
    encode: fn(&M) -> Result<Vec<u8>, WireError>,
) {
    let Ok(Some(message)) = decode(data) else {
        return;
    };
    let encoded = encode(&message).unwrap();
    let (length, body) = encoded.split_first_chunk().unwrap();
    assert_eq!(usize::from(u16::from_be_bytes(*length)), body.len());
    assert!(body.len() <= data.len());
    assert_eq!(decode(body), Ok(Some(message)));
}

/// A frame's fixed header.
pub fn frame_header(data: &[u8]) {
    let Some(bytes) = data.first_chunk::<HEADER_LEN>() else {
        return;
    };
    let Ok(header) = FrameHeader::decode(bytes) else {
        return;
    };
    let most = limits::PAYLOAD as usize + usize::from(limits::CONFIG_MAX);
    assert!((1..=most).contains(&header.body_len()));
    let mut encoded = Vec::new();
    header.encode(&mut encoded);
    // What is left to later versions is forgotten.
    let mut known = *bytes;
    match header.colour {
        Some(_) => known[3] &= 0x3f,
        None => {
            known[0] &= 0x0f;
            known[3] = 0;
        }
    }
    assert_eq!(encoded, known);
}

/// A datagram with sound, and how long its frames last.
pub fn sound(data: &[u8]) {
    let datagram = Bytes::copy_from_slice(data);
    let Ok(Some(packet)) = decode_sound(&datagram) else {
        return;
    };
    for frame in packet.repeats.iter().chain([&packet.frame]) {
        if let Some(us) = opus_duration_us(frame) {
            assert!((2_500..=120_000).contains(&us));
        }
    }
    assert_eq!(encode_sound(&packet), Ok(datagram));
}

thread_local! {
    static OPENER: RefCell<Opener> = RefCell::new(Opener::new(LinkKey::new(core::array::from_fn(
        |at| if at == 31 { 255 } else { at as u8 },
    ))));
}

/// A frame's fixed header, then config and payload, sealed with the key of the vectors; then the payload as sound.
pub fn sealed(data: &[u8]) {
    let Some((fixed, body)) = data.split_first_chunk::<HEADER_LEN>() else {
        return;
    };
    let Ok(header) = FrameHeader::decode(fixed) else {
        return;
    };
    let Some((config, payload)) = body.split_at_checked(header.config_len.into()) else {
        return;
    };
    OPENER.with_borrow_mut(|opener| {
        if let Ok(open) = opener.picture((&header, config), payload) {
            assert!(header.sealed && !open.chunk.is_empty() && open.chunk.len() < payload.len());
            assert_eq!(header.keyframe, open.place.index == 0);
            assert!(u32::from(open.distance) <= open.place.index);
            // Whatever is changed of it, it opens no more.
            let mut other = payload.to_vec();
            *other.last_mut().unwrap() ^= 1;
            let opened = opener.picture((&header, config), &other);
            assert_eq!(opened, Err(OpenError::Forged));
        }
        if let Ok(open) = opener.sound(payload) {
            assert!(!open.frame.is_empty() && open.frame.len() < payload.len());
        }
    });
}

/// A keyframe's decoder config.
pub fn decoder_config(data: &[u8]) {
    let Ok(config) = DecoderConfig::decode(data) else {
        return;
    };
    let mut encoded = Vec::new();
    config.encode(&mut encoded).unwrap();
    assert_eq!(encoded, data);
}

/// The fixed headers of a group's stream, without what stands between them.
pub fn group_order(data: &[u8]) {
    let mut order = GroupOrder::new();
    let headers = data.chunks_exact(HEADER_LEN).filter_map(|bytes| {
        let bytes = bytes.first_chunk()?;
        FrameHeader::decode(bytes).ok()
    });
    let mut last: Option<FrameHeader> = None;
    for header in headers {
        let before = (order.frames(), order.bytes());
        if order.admit(&header).is_err() {
            assert_eq!((order.frames(), order.bytes()), before);
            continue;
        }
        assert_eq!(header.index, before.0);
        assert_eq!(header.keyframe, last.is_none());
        assert!(order.frames() <= limits::GROUP_FRAMES && order.bytes() <= limits::GROUP_BYTES);
        if let Some(last) = last {
            assert_eq!((header.epoch, header.group), (last.epoch, last.group));
            assert!(header.capture_us >= last.capture_us);
        }
        last = Some(header);
    }
}

/// A VP8 frame.
pub fn vp8(data: &[u8]) {
    facts(inspect(Codec::Vp8, data));
}

/// A VP9 frame or superframe.
pub fn vp9(data: &[u8]) {
    facts(inspect(Codec::Vp9, data));
}

/// An AV1 temporal unit.
pub fn av1(data: &[u8]) {
    facts(inspect(Codec::Av1, data));
}

fn facts(facts: Result<Facts, BitstreamError>) {
    let Ok(facts) = facts else { return };
    if let Some(picture) = facts.picture {
        assert!(facts.keyframe);
        assert!(picture.width > 0 && picture.height > 0);
        assert!(Codec::from_webcodecs(&picture.codec, &[]).is_ok());
    }
}

/// An H.264 access unit in any framing, or the description of one.
pub fn h264(data: &[u8]) {
    for framing in FRAMINGS {
        facts(inspect(Codec::H264(framing), data));
    }
    for config in [AvcConfig::parse(data), AvcConfig::from_annex_b(data)] {
        let Ok(config) = config else { continue };
        let _ = config.picture();
        if let Ok(encoded) = config.encode() {
            assert_eq!(AvcConfig::parse(&encoded), Ok(config));
        }
    }
}

/// A framing, then an access unit in it: the other framing holds the same NAL units.
pub fn h264_convert(data: &[u8]) {
    let Some((choice, payload)) = data.split_first() else {
        return;
    };
    match FRAMINGS[usize::from(choice % 4)] {
        Framing::AnnexB => {
            let Ok(avc) = h264::annex_b_to_avc(payload) else {
                return;
            };
            let in_avc = Framing::Avc(LengthSize::Four);
            assert_eq!(units(&avc, in_avc), units(payload, Framing::AnnexB));
            assert!(avc.len() <= 2 * payload.len());
            if let Ok(back) = h264::avc_to_annex_b(&avc, LengthSize::Four) {
                assert_eq!(h264::annex_b_to_avc(&back), Ok(avc));
            }
        }
        Framing::Avc(size) => {
            let Ok(annex_b) = h264::avc_to_annex_b(payload, size) else {
                return;
            };
            let mut expected = units(payload, Framing::Avc(size));
            for unit in &mut expected {
                let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
                *unit = &unit[..unit.len() - zeros];
            }
            assert_eq!(units(&annex_b, Framing::AnnexB), expected);
            assert!(annex_b.len() <= 5 * payload.len());
        }
    }
}

fn units(payload: &[u8], framing: Framing) -> Vec<&[u8]> {
    h264::nal_units(payload, framing)
        .map(Result::unwrap)
        .collect()
}
