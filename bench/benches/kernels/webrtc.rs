//! WebRTC: a frame cut into packets, and what each of its players costs after that.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use rtc_srtp::protection_profile::ProtectionProfile;
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::rtp::{FrameIn, packetize};
use steadycast_codec_glue::wire::{DecoderConfig, FrameHeader, Role, TrackId};
use steadycast_relay::webrtc::{Offer, Trial};

use super::{Kernel, Work};

pub(super) const KERNELS: [Kernel; 4] = [
    Kernel {
        name: "RTP, 8000 B into payloads",
        prepare: cut,
    },
    Kernel {
        name: "RTP, 8000 B to a player, AES-GCM",
        prepare: || send(ProtectionProfile::AeadAes128Gcm, DELTA_BYTES),
    },
    Kernel {
        name: "RTP, 8000 B to a player, HMAC-SHA1",
        prepare: || send(ProtectionProfile::Aes128CmHmacSha1_80, DELTA_BYTES),
    },
    Kernel {
        name: "RTP, 100000 B to a player, AES-GCM",
        prepare: || send(ProtectionProfile::AeadAes128Gcm, KEY_BYTES),
    },
];

const DELTA_BYTES: usize = 8_000;
const KEY_BYTES: usize = 100_000;
/// What the relay gives an RTP packet to carry.
const PAYLOAD: usize = 1_156;

/// As a browser offers to watch VP8.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:actpass\r\na=mid:0\r\n\
    a=extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
    a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n\
    a=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n\
    a=fmtp:97 apt=96\r\n";

/// One call: a frame is cut, once for all players.
fn cut() -> Work {
    let payload = vec![0xab; DELTA_BYTES];
    Box::new(move || {
        let frame = FrameIn {
            keyframe: false,
            payload: black_box(&payload),
            description: &[],
            size: None,
        };
        black_box(packetize(Codec::Vp8, frame, PAYLOAD).unwrap());
    })
}

/// One call: a player's packets of one frame, up to the system call.
fn send(profile: ProtectionProfile, payload: usize) -> Work {
    let fingerprint = ["AB"; 32].join(":");
    let offer = format!("{OFFER}a=fingerprint:sha-256 {fingerprint}\r\n");
    let offer = Offer::parse(&offer, Role::Player).unwrap();
    let mut trial = Trial::new(&offer, profile, [keyframe(payload)]).unwrap();
    Box::new(move || {
        black_box(trial.send());
    })
}

fn keyframe(payload: usize) -> Bytes {
    let config = DecoderConfig {
        width: 1280,
        height: 720,
        codec: "vp8".to_owned(),
        description: Vec::new(),
    };
    let mut encoded = BytesMut::new();
    config.encode(&mut encoded).unwrap();
    let header = FrameHeader {
        keyframe: true,
        refinement: false,
        sealed: false,
        track: TrackId::MAIN,
        layer: 0,
        epoch: 1,
        group: 1,
        index: 0,
        capture_us: 1_700_000_000_000_000,
        payload_len: payload as u32,
        config_len: encoded.len() as u16,
        colour: None,
    };
    let mut bytes = BytesMut::new();
    header.encode(&mut bytes);
    bytes.extend_from_slice(&encoded);
    bytes.resize(bytes.len() + payload, 0xab);
    bytes.freeze()
}
