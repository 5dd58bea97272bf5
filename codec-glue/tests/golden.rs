//! Bytes computed by hand from PROTOCOL.md, so that code and vectors cannot drift together.

use steadycast_codec_glue::wire::{
    ClientMessage, CodecKind, Colour, DecoderConfig, FrameHeader, MediaKind, Phase, RelayMessage,
    Rendition, ResumeSecret, Role, Service, Serving, SoundCodec, SoundFormat, SoundPacket, Status,
    TrackGroup, TrackId, WantedTrack, WireError, decode_client, decode_relay, decode_sound,
    encode_client, encode_relay, encode_sound,
};

fn client(message: ClientMessage, expected: &[u8]) {
    assert_eq!(encode_client(&message).as_deref(), Ok(expected));
    assert_eq!(decode_client(&expected[2..]), Ok(Some(message)));
}

fn relay(message: RelayMessage, expected: &[u8]) {
    assert_eq!(encode_relay(&message).as_deref(), Ok(expected));
    assert_eq!(decode_relay(&expected[2..]), Ok(Some(message)));
}

#[test]
fn hello_of_a_publisher_that_resumes() {
    client(
        ClientMessage::Hello {
            version: 1,
            role: Role::Publisher,
            token: "tök".into(),
            agent: String::new(),
            resume: Some(ResumeSecret(*b"0123456789abcdef")),
        },
        b"\x00\x1a\x00\x01\x00\x04t\xc3\xb6k\x00\x010123456789abcdef",
    );
}

#[test]
fn hello_of_a_player() {
    client(
        ClientMessage::Hello {
            version: 1,
            role: Role::Player,
            token: "a.b.c".into(),
            agent: "web".into(),
            resume: None,
        },
        b"\x00\x0e\x00\x01\x01\x05a.b.c\x03web\x00",
    );
}

#[test]
fn ping_in_every_width_of_integer() {
    let ping = |sequence, sent_us, expected| {
        client(ClientMessage::Ping { sequence, sent_us }, expected);
    };
    ping(250, 0, &[0, 3, 1, 250, 0]);
    ping(251, 0xffff, &[0, 7, 1, 251, 251, 0, 251, 0xff, 0xff]);
    ping(
        0x1_0000,
        0x1_0000_0000,
        &[0, 15, 1, 252, 0, 0, 1, 0, 253, 0, 0, 0, 0, 1, 0, 0, 0],
    );
}

#[test]
fn keyframe_request_and_report_of_a_player() {
    client(
        ClientMessage::KeyframeRequest {
            epoch: 2,
            group: 300,
        },
        &[0, 5, 3, 2, 251, 0x2c, 0x01],
    );
    client(
        ClientMessage::Report {
            received: 1,
            decoded: 2,
            shown: 3,
            black: 4,
            decoder_errors: 5,
            latency_us: 87_000,
        },
        &[0, 11, 4, 1, 2, 3, 4, 5, 252, 0xd8, 0x53, 0x01, 0x00],
    );
}

#[test]
fn welcome_to_a_player() {
    relay(
        RelayMessage::Welcome {
            version: 1,
            session: 9,
            broadcast: "b1".into(),
            resume: None,
            heartbeat_ms: 1_000,
            relay_us: 0x0102_0304_0506,
            status: Status {
                phase: Phase::Held,
                since_us: 5,
                epoch: 6,
                players: 7,
            },
        },
        &[
            0, 23, 0, 1, 9, 2, b'b', b'1', 0, 251, 0xe8, 0x03, 253, 6, 5, 4, 3, 2, 1, 0, 0, 2, 5,
            6, 7,
        ],
    );
}

#[test]
fn goodbye_with_and_without_retry() {
    let goodbye = |retry_after_ms, expected| {
        relay(
            RelayMessage::Goodbye {
                code: 4,
                message: "no".into(),
                retry_after_ms,
            },
            expected,
        );
    };
    goodbye(None, &[0, 6, 4, 4, 2, b'n', b'o', 0]);
    goodbye(Some(500), &[0, 9, 4, 4, 2, b'n', b'o', 1, 251, 0xf4, 0x01]);
}

#[test]
fn keyframe_request_to_a_publisher() {
    let request = |track| RelayMessage::KeyframeRequest { track };
    relay(request(TrackId::MAIN), &[0, 2, 3, 0]);
    relay(request(TrackId::of(CodecKind::Vp9)), &[0, 2, 3, 3]);
}

#[test]
fn a_pause_names_the_first_group_of_the_card_on_each_track() {
    let from = [(0, 300), (5, 1)].map(|(track, group)| TrackGroup {
        track: TrackId::from_number(track).unwrap(),
        group,
    });
    let pause = ClientMessage::Pause {
        from: from.to_vec(),
    };
    client(pause, &[0, 8, 7, 2, 0, 251, 0x2c, 1, 5, 1]);
    client(ClientMessage::Continue, &[0, 1, 8]);
}

#[test]
fn renditions_and_what_they_are_for() {
    let decodes = |codecs: &[CodecKind]| ClientMessage::Decodes {
        codecs: codecs.iter().copied().collect(),
    };
    client(decodes(&[CodecKind::Av1]), &[0, 2, 5, 1]);
    client(decodes(&CodecKind::ALL), &[0, 2, 5, 15]);
    let [av1, h264, vp9, vp8] = CodecKind::ALL;
    let refused = ClientMessage::RenditionRefused {
        track: TrackId::of(h264),
        reason: "no".into(),
    };
    client(refused, &[0, 5, 6, 1, 2, b'n', b'o']);
    let wanted = [(h264, 300), (vp8, 1), (vp9, 2), (av1, 3)].map(|(codec, players)| Rendition {
        track: TrackId::of(codec),
        codec,
        players,
    });
    relay(
        RelayMessage::Renditions {
            wanted: wanted.to_vec(),
        },
        &[0, 16, 5, 4, 1, 1, 251, 0x2c, 1, 2, 3, 1, 3, 2, 2, 4, 0, 3],
    );
    let narrow = WantedTrack {
        track: TrackId::from_number(5).unwrap(),
        kind: MediaKind::Video,
        codec: vp9,
        max_kbps: Some(700),
        players: 4,
    };
    relay(
        RelayMessage::Tracks {
            wanted: vec![narrow],
        },
        &[0, 10, 7, 1, 5, 0, 2, 1, 251, 0xbc, 2, 4],
    );
    let serving = Serving {
        service: Service::Unsupported,
        track: TrackId::MAIN,
        codec: Some(CodecKind::Vp9),
    };
    relay(RelayMessage::Serving { serving }, &[0, 5, 6, 2, 0, 1, 2]);
}

#[test]
fn what_the_path_to_a_player_carries() {
    let path = |narrow, carries_kbps, expected| {
        relay(
            RelayMessage::Path {
                narrow,
                carries_kbps,
            },
            expected,
        );
    };
    path(false, None, &[0, 3, 64, 0, 0]);
    path(true, Some(380), &[0, 6, 64, 1, 1, 251, 0x7c, 0x01]);
}

#[test]
fn a_keyframe_s_header_and_config() {
    let header = FrameHeader {
        keyframe: true,
        refinement: true,
        sealed: false,
        track: TrackId::of(CodecKind::Vp8),
        layer: 2,
        epoch: 0x0102_0304,
        group: 0x0506_0708,
        index: 0x090a_0b0c,
        capture_us: 0x000e_0f10_1112_1314,
        payload_len: 0x0015_1617,
        config_len: 12,
        colour: Colour::new("smpte170m", "bt709", "smpte170m", true),
    };
    let expected = [
        0xb3, 2, 2, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0x0e, 0x0f, 0x10, 0x11, 0x12,
        0x13, 0x14, 0, 0x15, 0x16, 0x17, 0, 12,
    ];
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    assert_eq!(bytes, expected);
    assert_eq!(FrameHeader::decode(&expected), Ok(header));

    let config = DecoderConfig {
        width: 1920,
        height: 1080,
        codec: "vp8".into(),
        description: vec![0xfe, 0xff],
    };
    let expected = [7, 128, 4, 56, 3, b'v', b'p', b'8', 0, 2, 0xfe, 0xff];
    let mut bytes = Vec::new();
    config.encode(&mut bytes).unwrap();
    assert_eq!(bytes, expected);
    assert_eq!(DecoderConfig::decode(&expected), Ok(config));
}

#[test]
fn integers_beyond_a_browser_s_numbers_are_refused_in_both_directions() {
    let beyond = RelayMessage::Pong {
        sequence: 1,
        sent_us: 2,
        relay_us: 1 << 53,
    };
    assert!(matches!(
        encode_relay(&beyond),
        Err(WireError::Malformed(_))
    ));
    assert!(matches!(
        decode_relay(&[1, 1, 2, 253, 0, 0, 0, 0, 0, 0, 0x20, 0]),
        Err(WireError::Malformed(_))
    ));
}

#[test]
fn what_is_said_of_sound() {
    let stereo = Some(SoundFormat {
        codec: SoundCodec::Opus,
        channels: 2,
    });
    client(ClientMessage::Sound { sound: stereo }, &[0, 4, 9, 1, 0, 2]);
    client(ClientMessage::Sound { sound: None }, &[0, 2, 9, 0]);
    client(ClientMessage::Listen { on: true }, &[0, 2, 10, 1]);
    relay(RelayMessage::Sound { sound: stereo }, &[0, 4, 8, 1, 0, 2]);
    let listeners = RelayMessage::Listeners {
        players: 300,
        repeat: 2,
    };
    relay(listeners, &[0, 5, 9, 251, 0x2c, 1, 2]);
}

#[test]
fn a_datagram_with_sound_that_repeats_a_frame() {
    let packet = SoundPacket {
        begins: false,
        sealed: false,
        epoch: 2,
        sequence: 258,
        capture_us: 0x0102_0304_0506,
        repeats: vec![(&b"before"[..]).into()],
        frame: (&b"now"[..]).into(),
    };
    let expected = b"\x01\x01\0\0\0\x02\0\0\x01\x02\0\0\x01\x02\x03\x04\x05\x06\0\x06beforenow";
    assert_eq!(encode_sound(&packet).as_deref(), Ok(&expected[..]));
    assert_eq!(decode_sound(&(&expected[..]).into()), Ok(Some(packet)));
}
