//! What another implementation makes of our payloads, and we of its.

use std::time::Duration;

use proptest::prelude::*;
use rtc_rtp::codec::av1::{Av1Depacketizer, Av1Payloader};
use rtc_rtp::codec::h264::{H264Packet, H264Payloader};
use rtc_rtp::codec::vp8::{Vp8Packet, Vp8Payloader};
use rtc_rtp::codec::vp9::{Vp9Packet, Vp9Payloader};
use rtc_rtp::packetizer::{Depacketizer, Payloader};
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::bitstream::h264::{Framing, avc_to_annex_b};
use steadycast_codec_glue::rtp::{Assembler, Packet};

use crate::frames::{Frame, arrived, assert_same, elements, nals, streams};
use crate::{config, samples};

/// What theirs reads from our payloads, put together.
fn theirs_of_ours(frame: &Frame, max_payload: usize) -> Vec<u8> {
    let payloads = frame.packetize(max_payload).unwrap();
    let mut h264 = H264Packet::default();
    let mut av1 = Av1Depacketizer::new();
    let mut whole = Vec::new();
    for (index, payload) in payloads.iter().enumerate() {
        let mut bytes = payload.to_vec();
        payloads.numbering().write(&mut bytes, 0x1234, 0x56);
        let bytes = bytes.into();
        let first = index == 0;
        let part = match frame.codec {
            Codec::Vp8 => {
                let mut packet = Vp8Packet::default();
                let part = packet.depacketize(&bytes).unwrap();
                assert_eq!((packet.picture_id, packet.s), (0x1234, first.into()));
                assert_eq!((packet.pid, packet.l, packet.t, packet.k), (0, 0, 0, 0));
                part
            }
            Codec::Vp9 => {
                let mut packet = Vp9Packet::default();
                let part = packet.depacketize(&bytes).unwrap();
                let last = index + 1 == payloads.len();
                assert_eq!((packet.picture_id, packet.tl0picidx), (0x1234, 0x56));
                assert_eq!((packet.b, packet.e), (first, last));
                assert_eq!((packet.p, packet.f), (!frame.keyframe, false));
                assert_eq!(packet.v, first && frame.keyframe);
                if packet.v {
                    assert_eq!(
                        (&packet.width[..], &packet.height[..]),
                        (&[128][..], &[96][..])
                    );
                }
                part
            }
            Codec::H264(_) => h264.depacketize(&bytes).unwrap(),
            Codec::Av1 => {
                let part = av1.depacketize(&bytes).unwrap();
                assert_eq!(av1.n, first && frame.keyframe);
                part
            }
        };
        whole.extend_from_slice(&part);
    }
    whole
}

fn assert_read_by_theirs(frame: &Frame, max_payload: usize) {
    let whole = theirs_of_ours(frame, max_payload);
    let units = match frame.codec {
        Codec::Vp8 | Codec::Vp9 => vec![whole],
        Codec::H264(_) => nals(&whole, Framing::AnnexB),
        Codec::Av1 => elements(&whole),
    };
    assert_eq!(units, frame.units());
}

/// Payloads that theirs makes of a frame.
fn theirs(frame: &Frame, max_payload: usize) -> Vec<bytes::Bytes> {
    let payload = match frame.codec {
        Codec::H264(Framing::Avc(size)) => avc_to_annex_b(&frame.payload, size).unwrap(),
        _ => frame.payload.clone(),
    };
    let mut payloader: Box<dyn Payloader> = match frame.codec {
        Codec::Vp8 => Box::new(Vp8Payloader::default()),
        Codec::Vp9 => Box::new(Vp9Payloader::default()),
        Codec::H264(_) => Box::new(H264Payloader::default()),
        Codec::Av1 => Box::new(Av1Payloader::default()),
    };
    payloader.payload(max_payload, &payload.into()).unwrap()
}

/// We read what theirs makes of a keyframe.
fn assert_theirs_is_read(frame: &Frame, max_payload: usize) {
    let payloads = theirs(frame, max_payload);
    let mut assembler = Assembler::new(frame.codec);
    let mut frames = Vec::new();
    for (index, payload) in payloads.iter().enumerate() {
        let packet = Packet {
            sequence: index as u16,
            timestamp: 7,
            marker: index + 1 == payloads.len(),
            payload: payload.clone(),
            arrival: Duration::ZERO,
        };
        frames.extend(assembler.push(&packet).map(Result::unwrap));
    }
    assert_eq!(frames.len(), 1);
    if matches!(frame.codec, Codec::H264(_)) {
        // It puts SPS and PPS together, wherever they were.
        let mut units = arrived(frame.codec, &frames[0].payload);
        let mut expected = frame.units();
        units.sort();
        expected.sort();
        assert_eq!(units, expected);
    } else {
        assert_same(frame, &frames[0]);
    }
}

#[test]
fn real_frames_are_read_on_both_sides() {
    for frames in samples::streams() {
        for max_payload in [64, 200, 1200] {
            for frame in &frames {
                assert_read_by_theirs(frame, max_payload);
            }
            // Theirs does not know descriptions.
            if frames[0].description.is_empty() {
                assert_theirs_is_read(&frames[0], max_payload);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn theirs_reads_ours(frames in streams(), max_payload in 100..1500usize) {
        for frame in &frames {
            assert_read_by_theirs(frame, max_payload);
        }
    }

    #[test]
    fn ours_reads_theirs(frames in streams(), max_payload in 100..1500usize) {
        let key = &frames[0];
        if key.description.is_empty() {
            assert_theirs_is_read(key, max_payload);
        }
    }
}
