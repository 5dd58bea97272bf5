//! Bytes that are what each target takes.

use rtc_rtcp::packet::{Packet, marshal};
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::bitstream::h264::Framing;
use steadycast_codec_glue::rtp::{FrameIn, packetize, write_red};

use super::media::{SOURCE, keys};
use super::sdp::credentials;
use super::transport::identity;
use crate::webrtc::ice::check;
use crate::webrtc::offers::{PLAYERS, PUBLISHERS, with_sound};

/// A fuzz target's name and bytes for it.
pub type Seed = (&'static str, Vec<u8>);

/// Every seed.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (_, offer) in PLAYERS.iter().chain(&PUBLISHERS) {
        seeds.push(("offer", offer.as_bytes().to_vec()));
    }
    let restart = "a=ice-ufrag:abcd\r\na=ice-pwd:aPasswordOfTheClient\r\n";
    let candidate = "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 9 typ host\r\n";
    for fragment in [restart, candidate] {
        seeds.push(("fragment", fragment.as_bytes().to_vec()));
    }
    let (ufrag, password) = (credentials().ufrag.as_str(), credentials().password());
    for nominates in [false, true] {
        let crypto = identity().provider().crypto();
        seeds.push(("check", check(ufrag, password, nominates, crypto)));
    }
    let checks = [check(ufrag, password, true, identity().provider().crypto())];
    seeds.push((
        "frames",
        [vec![7], framed(checks), framed([vec![]])].concat(),
    ));
    for target in ["hello", "dtls"] {
        seeds.push((target, framed([client_hello()])));
        let parts = client_hello_in_parts();
        seeds.push((target, framed(parts)));
    }
    seeds.push(("feedback", compound()));
    seeds.push(("srtp", protected()));
    seeds.push(("offer", with_sound().into_bytes()));
    seeds.extend(streams().into_iter().map(|stream| ("upstream", stream)));
    seeds.push(("upstream", speech()));
    seeds
}

/// Three packets of sound, as `upstream` takes them; the last has a frame beside its own that did not come.
fn speech() -> Vec<u8> {
    const OPUS: u8 = 17;
    const RED: u8 = 18;
    let frame = [31 << 3, 7, 7];
    let mut redundant = Vec::new();
    write_red(&mut redundant, 111, [(960, &frame[..])].into_iter(), &frame);
    let packets = [
        (OPUS, 1, &frame[..]),
        (OPUS, 1, &frame),
        (RED, 2, &redundant),
    ];
    let mut stream = Vec::new();
    for (kind, step, payload) in packets {
        stream.extend([kind, step, 96, 20]);
        stream.extend((payload.len() as u16).to_be_bytes());
        stream.extend(payload);
    }
    stream
}

/// Datagrams with their lengths before them.
fn framed(datagrams: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let framed = datagrams.into_iter().flat_map(|datagram| {
        let length = (datagram.len() as u16).to_be_bytes();
        [&length[..], &datagram].concat()
    });
    framed.collect()
}

/// The body of a ClientHello that offers ECDSA, P-256 and two SRTP profiles.
fn hello_body() -> Vec<u8> {
    let extensions: [&[u8]; 5] = [
        // Groups, point formats, signature algorithms, SRTP profiles, extended master secret.
        &[0, 10, 0, 4, 0, 2, 0, 23],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
        &[0, 14, 0, 7, 0, 4, 0, 1, 0, 7, 0],
        &[0, 23, 0, 0],
    ];
    let extensions = extensions.concat();
    let mut body = vec![0xfe, 0xfd];
    body.extend([7; 32]);
    body.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    body
}

fn client_hello() -> Vec<u8> {
    let body = hello_body();
    part(&body, 0, body.len(), 0)
}

fn client_hello_in_parts() -> [Vec<u8>; 2] {
    let body = hello_body();
    [part(&body, 0, 40, 0), part(&body, 40, body.len(), 1)]
}

/// A record with some of a hello.
fn part(body: &[u8], from: usize, to: usize, number: u8) -> Vec<u8> {
    let three = |number: usize| (number as u32).to_be_bytes()[1..].to_vec();
    let message = [
        vec![1],
        three(body.len()),
        vec![0, 0],
        three(from),
        three(to - from),
        body[from..to].to_vec(),
    ]
    .concat();
    let length = (message.len() as u16).to_be_bytes();
    let head = [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, number];
    [&head[..], &length, &message].concat()
}

fn compound() -> Vec<u8> {
    let report = ReceptionReport {
        ssrc: SOURCE,
        fraction_lost: 64,
        ..ReceptionReport::default()
    };
    let packets: Vec<Box<dyn Packet>> = vec![
        Box::new(ReceiverReport {
            ssrc: 1,
            reports: vec![report.clone()],
            ..ReceiverReport::default()
        }),
        Box::new(SenderReport {
            ssrc: 1,
            reports: vec![report],
            ..SenderReport::default()
        }),
        Box::new(TransportLayerNack {
            sender_ssrc: 1,
            media_ssrc: SOURCE,
            nacks: vec![NackPair {
                packet_id: 3,
                lost_packets: 0xffff,
            }],
        }),
        Box::new(PictureLossIndication {
            sender_ssrc: 1,
            media_ssrc: SOURCE,
        }),
        Box::new(ReceiverEstimatedMaximumBitrate {
            sender_ssrc: 1,
            bitrate: 300_000.0,
            ssrcs: vec![SOURCE],
        }),
    ];
    marshal(&packets).unwrap().to_vec()
}

fn protected() -> Vec<u8> {
    let (mut peer, _) = keys(true);
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5];
    packet.extend([7; 20]);
    peer.rtp(&mut packet, 0, 12).unwrap();
    let control = peer.rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 5]).unwrap();
    framed([packet, control.to_vec()])
}

/// A keyframe and another frame of each codec, as `upstream` takes packets.
fn streams() -> Vec<Vec<u8>> {
    let av1 = [
        0x12, 0, 0x0a, 0x0d, 0, 0, 0, 0x03, 0x37, 0xfb, 0xe0, 0x0d, 0x10, 0x10, 0xd0, 0x18, 0x40,
        0x32, 5, 0x10, 0x44, 0x50, 7, 7,
    ];
    let h264 = [
        &[0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xe4][..],
        &[
            0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65, 0x88, 7, 7,
        ],
    ]
    .concat();
    let vp8 = [0x30, 0, 0, 0x9d, 1, 0x2a, 128, 0, 96, 0, 7, 7];
    let vp9 = [0x82, 0x49, 0x83, 0x42, 0x20, 0x07, 0xf0, 0x05, 0xf0, 7, 7];
    // The place of each codec among the formats of Chromium's offer.
    [
        (1u8, Codec::Vp8, &vp8[..], &[0x31, 0, 0, 7][..]),
        (
            3,
            Codec::H264(Framing::AnnexB),
            &h264,
            &[0, 0, 0, 1, 0x41, 0x9a, 7],
        ),
        (9, Codec::Av1, &av1, &[0x12, 0, 0x32, 3, 0x30, 7, 7]),
        (11, Codec::Vp9, &vp9, &[0x86, 7, 7]),
    ]
    .into_iter()
    .map(|(kind, codec, key, delta)| {
        let mut stream = Vec::new();
        for (keyframe, payload) in [(true, key), (false, delta)] {
            let frame = FrameIn {
                keyframe,
                payload,
                description: &[],
                size: Some((128, 96)),
            };
            let payloads = packetize(codec, frame, 64).unwrap();
            for (at, payload) in payloads.iter().enumerate() {
                let marker = u8::from(at + 1 == payloads.len()) << 7;
                stream.extend([kind | marker, 1, 90, 5]);
                stream.extend((payload.len() as u16).to_be_bytes());
                stream.extend(payload);
            }
        }
        stream
    })
    .collect()
}
