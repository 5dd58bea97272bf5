//! The golden vectors say the same as the code, and the generator as the files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../examples/vectors/golden/mod.rs"]
mod golden;
mod reader;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use golden::json::{
    Bad, Carried as CarriedJson, Client, ColourJson, ConfigJson, FormatJson, FrameJson, Good,
    HeaderJson, Kind, Later, Opened, Relay, RenditionJson, Sealed, ServingJson, SoundJson,
    StatusJson, WantedTrackJson,
};
use serde::de::DeserializeOwned;
use steadycast_codec_glue::privacy::{LinkKey, OpenError, Opener, Sealer, Tenure};
use steadycast_codec_glue::rtp::{Carried, carry};
use steadycast_codec_glue::wire::{
    Branch, ClientMessage, CodecKind, Colour, DecoderConfig, FrameHeader, HEADER_LEN, Hop,
    MediaKind, Phase, RelayMessage, Rendition, ResumeSecret, Role, Service, Serving, SoundCodec,
    SoundFormat, SoundPacket, Status, TrackGroup, TrackId, WantedTrack, WireError, decode_client,
    decode_relay, decode_sound, encode_client, encode_relay, encode_sound,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn text(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

fn read<T: DeserializeOwned>(file: &str) -> Vec<T> {
    serde_json::from_str(&text(file)).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "{hex}");
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn the_files_are_what_the_generator_writes() {
    for (file, expected) in golden::files() {
        // Not assert_eq: nobody wants to read two files of hex.
        assert!(
            text(file) == expected,
            "{file} is stale: run `cargo run -p steadycast-codec-glue --example vectors`"
        );
    }
}

#[test]
fn every_file_belongs_to_the_generator() {
    let known: HashSet<_> = golden::files().map(|(name, _)| name.into()).into();
    let found: HashSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name: &String| name.ends_with(".json"))
        .collect();
    assert_eq!(found, known);
}

#[test]
fn client_messages_decode_and_encode() {
    for Good { name, hex, value } in read("client_messages.json") {
        let (bytes, message) = (unhex(&hex), client(value));
        assert_eq!(
            reader::control(&bytes, decode_client).as_deref(),
            Ok(&[message.clone()][..]),
            "{name}"
        );
        assert_eq!(encode_client(&message), Ok(bytes), "{name}");
    }
}

#[test]
fn relay_messages_decode_and_encode() {
    for Good { name, hex, value } in read("relay_messages.json") {
        let (bytes, message) = (unhex(&hex), relay(value));
        assert_eq!(
            reader::control(&bytes, decode_relay).as_deref(),
            Ok(&[message.clone()][..]),
            "{name}"
        );
        assert_eq!(encode_relay(&message), Ok(bytes), "{name}");
    }
}

#[test]
fn frames_decode_and_encode() {
    for Good { name, hex, value } in read::<Good<FrameJson>>("frames.json") {
        let bytes = unhex(&hex);
        let (header, body) = bytes.split_first_chunk::<HEADER_LEN>().unwrap();
        let header = FrameHeader::decode(header).unwrap();
        let decoded = reader::frame(header, body).unwrap();
        let expected = frame(value);
        assert_eq!(decoded, expected, "{name}");
        let mut encoded = Vec::new();
        header.encode(&mut encoded);
        if let Some(config) = &expected.config {
            config.encode(&mut encoded).unwrap();
        }
        encoded.extend_from_slice(&expected.payload);
        assert_eq!(encoded, bytes, "{name}");
    }
}

#[test]
fn sound_decodes_and_encodes() {
    for Good { name, hex, value } in read("sound.json") {
        let (bytes, packet) = (unhex(&hex), sound(value));
        assert_eq!(
            decode_sound(&bytes.clone().into()),
            Ok(Some(packet.clone())),
            "{name}"
        );
        assert_eq!(encode_sound(&packet), Ok(bytes.into()), "{name}");
    }
}

#[test]
fn sealed_frames_open_or_are_refused() {
    for sealed in read::<Sealed>("sealed.json") {
        let mut opener = Opener::new(link_key(&sealed.key));
        let payload = unhex(&sealed.hex);
        let found = match &sealed.header {
            Some(json) => {
                let (header, config) = header_and_config(json);
                opener
                    .picture((&header, &config), &payload)
                    .map(|open| Opened {
                        tenure: golden::json::hex(&open.tenure.bytes()),
                        track: Some(open.place.track.number()),
                        group: Some(open.place.group),
                        index: Some(open.place.index),
                        sequence: None,
                        captured_us: open.captured_us,
                        distance: Some(open.distance),
                        chunk: golden::json::hex(&open.chunk),
                    })
            }
            None => opener.sound(&payload).map(|open| Opened {
                tenure: golden::json::hex(&open.tenure.bytes()),
                track: None,
                group: None,
                index: None,
                sequence: Some(open.sequence),
                captured_us: open.captured_us,
                distance: None,
                chunk: golden::json::hex(&open.frame),
            }),
        };
        let expected = match (sealed.opened, sealed.error.as_deref()) {
            (Some(opened), None) => Ok(opened),
            (None, Some(error)) => Err(error.to_owned()),
            _ => panic!("{} neither opens nor fails", sealed.name),
        };
        assert_eq!(
            found.map_err(|error| name(error).to_owned()),
            expected,
            "{}",
            sealed.name
        );
    }
}

#[test]
fn what_opens_is_sealed_to_the_same_bytes() {
    for sealed in read::<Sealed>("sealed.json") {
        let Some(opened) = &sealed.opened else {
            continue;
        };
        let tenure = Tenure::new(unhex(&opened.tenure).try_into().unwrap());
        let mut sealer = Sealer::new(link_key(&sealed.key), tenure);
        let (captured_us, chunk) = (opened.captured_us, unhex(&opened.chunk));
        let bytes = match (&sealed.header, opened.sequence) {
            (Some(json), None) => {
                let (header, config) = header_and_config(json);
                let written = FrameHeader {
                    track: track(opened.track.unwrap()),
                    group: opened.group.unwrap(),
                    ..header
                };
                let inside = (captured_us, opened.distance.unwrap());
                sealer.picture((&written, &config), inside, &chunk).unwrap()
            }
            (None, Some(sequence)) => sealer.sound(sequence, captured_us, &chunk).unwrap(),
            _ => panic!("{} is neither picture nor sound", sealed.name),
        };
        assert_eq!(bytes, unhex(&sealed.hex), "{}", sealed.name);
    }
}

#[test]
fn carried_frames_are_cut_and_read() {
    for vector in read::<CarriedJson>("carried.json") {
        let (name, bytes) = (&vector.name, unhex(&vector.hex));
        let found = Carried::read(&bytes);
        let Some(carries) = vector.carries else {
            assert!(found.is_err() && vector.error.is_some(), "{name}");
            continue;
        };
        let frame = unhex(&carries.frame);
        let expected = Carried {
            keyframe: carries.keyframe,
            number: carries.number,
            frame: &frame,
        };
        assert_eq!(found, Ok(expected), "{name}");
        let payloads = carry(&frame, carries.size, carries.max_payload).unwrap();
        let cut: Vec<_> = payloads.iter().map(<[u8]>::to_vec).collect();
        let lengths = carries.payloads.iter().map(|payload| payload.len() / 2);
        assert!(cut.iter().map(Vec::len).eq(lengths), "{name}");
    }
}

fn link_key(hex: &str) -> LinkKey {
    LinkKey::new(unhex(hex).try_into().unwrap())
}

fn name(error: OpenError) -> &'static str {
    match error {
        OpenError::Malformed(_) => "malformed",
        OpenError::Forged => "forged",
    }
}

fn header_and_config(json: &HeaderJson) -> (FrameHeader, Vec<u8>) {
    let json = serde_json::to_value(json)
        .and_then(serde_json::from_value)
        .unwrap();
    let frame = frame(FrameJson {
        header: json,
        payload: "00".into(),
    });
    let mut config = Vec::new();
    if let Some(fields) = frame.config {
        fields.encode(&mut config).unwrap();
    }
    (frame.header, config)
}

#[test]
fn what_a_later_version_says_is_read_over() {
    for later in read::<Later>("later.json") {
        let (bytes, name) = (unhex(&later.hex), &later.name);
        match later.kind {
            Kind::Client => assert_eq!(
                reader::control(&bytes, decode_client),
                Ok(values(&later).map(client).collect()),
                "{name}"
            ),
            Kind::Relay => assert_eq!(
                reader::control(&bytes, decode_relay),
                Ok(values(&later).map(relay).collect()),
                "{name}"
            ),
            Kind::Group => assert_eq!(
                reader::group(&bytes),
                Ok(values(&later).map(frame).collect()),
                "{name}"
            ),
            Kind::Sound => assert_eq!(
                decode_sound(&bytes.into()),
                Ok(values(&later).map(sound).next()),
                "{name}"
            ),
        }
    }
}

fn values<T: DeserializeOwned>(later: &Later) -> impl Iterator<Item = T> {
    let read = |value: &serde_json::Value| serde_json::from_value(value.clone()).unwrap();
    later.values.iter().map(read)
}

#[test]
fn malformed_bytes_are_refused_with_their_code() {
    for Bad {
        name,
        kind,
        hex,
        error,
    } in read("malformed.json")
    {
        let bytes = unhex(&hex);
        let refusal: Option<WireError> = match kind {
            Kind::Client => reader::control(&bytes, decode_client).err(),
            Kind::Relay => reader::control(&bytes, decode_relay).err(),
            Kind::Group => reader::group(&bytes).err(),
            Kind::Sound => decode_sound(&bytes.into()).err(),
        };
        let code = refusal.as_ref().map(|error| error.code().name());
        assert_eq!(code, Some(error.as_str()), "{kind:?} {name}: {refusal:?}");
    }
}

#[test]
fn names_are_unique_in_their_file() {
    let mut seen = HashSet::new();
    for Bad { name, kind, .. } in read("malformed.json") {
        assert!(seen.insert(format!("{kind:?} {name}")), "{name} twice");
    }
    for Later { name, kind, .. } in read("later.json") {
        assert!(
            seen.insert(format!("later {kind:?} {name}")),
            "{name} twice"
        );
    }
    for file in [
        "client_messages.json",
        "relay_messages.json",
        "frames.json",
        "sound.json",
    ] {
        for Good { name, .. } in read::<Good<serde_json::Value>>(file) {
            assert!(seen.insert(format!("{file} {name}")), "{name} twice");
        }
    }
}

fn lineage(hex: Option<String>) -> Option<ResumeSecret> {
    hex.map(|hex| ResumeSecret(unhex(&hex).try_into().unwrap()))
}

fn client(json: Client) -> ClientMessage {
    match json {
        Client::Hello {
            version,
            role,
            token,
            agent,
            resume,
        } => ClientMessage::Hello {
            version,
            role: match role.as_str() {
                "publisher" => Role::Publisher,
                "player" => Role::Player,
                other => panic!("role {other}"),
            },
            token,
            agent,
            resume: lineage(resume),
        },
        Client::Ping { sequence, sent_us } => ClientMessage::Ping { sequence, sent_us },
        Client::Goodbye { code, message } => ClientMessage::Goodbye { code, message },
        Client::KeyframeRequest { epoch, group } => ClientMessage::KeyframeRequest { epoch, group },
        Client::Report {
            received,
            decoded,
            shown,
            black,
            decoder_errors,
            latency_us,
        } => ClientMessage::Report {
            received,
            decoded,
            shown,
            black,
            decoder_errors,
            latency_us,
        },
        Client::Decodes { codecs } => ClientMessage::Decodes {
            codecs: codecs.iter().map(|name| codec(name)).collect(),
        },
        Client::RenditionRefused {
            track: number,
            reason,
        } => ClientMessage::RenditionRefused {
            track: track(number),
            reason,
        },
        Client::Pause { from } => ClientMessage::Pause {
            from: track_groups(&from),
        },
        Client::Continue => ClientMessage::Continue,
        Client::Sound { sound } => ClientMessage::Sound {
            sound: sound.map(format),
        },
        Client::Listen { on } => ClientMessage::Listen { on },
        Client::Pull {
            version,
            broadcast,
            relays,
        } => ClientMessage::Pull {
            version,
            broadcast,
            relays: ids(&relays),
        },
        Client::Audience { players, listeners } => ClientMessage::Audience { players, listeners },
        Client::Needs {
            codec: name,
            max_kbps,
        } => ClientMessage::Needs {
            codec: codec(&name),
            max_kbps,
        },
        Client::Branch {
            place,
            region,
            vain,
            children,
            relays,
            links,
        } => ClientMessage::Branch {
            place,
            region,
            vain,
            branch: Branch {
                children,
                relays,
                links,
            },
        },
    }
}

fn ids(relays: &[String]) -> Vec<Hop> {
    let id = |hex: &String| Hop(unhex(hex).try_into().unwrap());
    relays.iter().map(id).collect()
}

fn track_groups(from: &[golden::json::TrackGroup]) -> Vec<TrackGroup> {
    let place = |place: &golden::json::TrackGroup| TrackGroup {
        track: track(place.track),
        group: place.group,
    };
    from.iter().map(place).collect()
}

fn track(number: u8) -> TrackId {
    TrackId::from_number(number).unwrap()
}

fn codec(name: &str) -> CodecKind {
    CodecKind::ALL
        .into_iter()
        .find(|codec| codec.name() == name)
        .unwrap()
}

fn format(json: FormatJson) -> SoundFormat {
    assert_eq!(json.codec, SoundCodec::Opus.name());
    SoundFormat {
        codec: SoundCodec::Opus,
        channels: json.channels,
    }
}

fn sound(json: SoundJson) -> SoundPacket {
    let bytes = |hex: &String| unhex(hex).into();
    SoundPacket {
        begins: json.begins,
        sealed: json.sealed,
        epoch: json.epoch,
        sequence: json.sequence,
        capture_us: json.capture_us,
        repeats: json.repeats.iter().map(bytes).collect(),
        frame: bytes(&json.frame),
    }
}

fn rendition(json: RenditionJson) -> Rendition {
    Rendition {
        track: track(json.track),
        codec: codec(&json.codec),
        players: json.players,
    }
}

fn wanted_track(json: WantedTrackJson) -> WantedTrack {
    assert_eq!(json.kind, MediaKind::Video.name());
    WantedTrack {
        track: track(json.track),
        kind: MediaKind::Video,
        codec: codec(&json.codec),
        max_kbps: json.max_kbps,
        players: json.players,
    }
}

fn serving(json: ServingJson) -> Serving {
    let services = [Service::Ready, Service::Preparing, Service::Unsupported];
    Serving {
        service: services
            .into_iter()
            .find(|s| s.name() == json.service)
            .unwrap(),
        track: track(json.track),
        codec: json.codec.as_deref().map(codec),
    }
}

fn relay(json: Relay) -> RelayMessage {
    match json {
        Relay::Welcome {
            version,
            session,
            broadcast,
            resume,
            heartbeat_ms,
            relay_us,
            status: now,
        } => RelayMessage::Welcome {
            version,
            session,
            broadcast,
            resume: lineage(resume),
            heartbeat_ms,
            relay_us,
            status: status(now),
        },
        Relay::Pong {
            sequence,
            sent_us,
            relay_us,
        } => RelayMessage::Pong {
            sequence,
            sent_us,
            relay_us,
        },
        Relay::Status { status: now } => RelayMessage::Status {
            status: status(now),
        },
        Relay::KeyframeRequest { track: number } => RelayMessage::KeyframeRequest {
            track: track(number),
        },
        Relay::Goodbye {
            code,
            message,
            retry_after_ms,
        } => RelayMessage::Goodbye {
            code,
            message,
            retry_after_ms,
        },
        Relay::Renditions { wanted } => RelayMessage::Renditions {
            wanted: wanted.into_iter().map(rendition).collect(),
        },
        Relay::Tracks { wanted } => RelayMessage::Tracks {
            wanted: wanted.into_iter().map(wanted_track).collect(),
        },
        Relay::Serving { serving: json } => RelayMessage::Serving {
            serving: serving(json),
        },
        Relay::Sound { sound } => RelayMessage::Sound {
            sound: sound.map(format),
        },
        Relay::Listeners { players, repeat } => RelayMessage::Listeners { players, repeat },
        Relay::Ask { relay } => RelayMessage::Ask { relay },
        Relay::Through { relays } => RelayMessage::Through {
            relays: ids(&relays),
        },
        Relay::Pause { epoch, from } => RelayMessage::Pause {
            epoch,
            from: track_groups(&from),
        },
        Relay::Continue => RelayMessage::Continue,
        Relay::Path {
            narrow,
            carries_kbps,
        } => RelayMessage::Path {
            narrow,
            carries_kbps,
        },
        Relay::Arrived { bytes, relay_us } => RelayMessage::Arrived { bytes, relay_us },
        Relay::Relays { relays } => RelayMessage::Relays { relays },
        Relay::Move { within_ms } => RelayMessage::Move { within_ms },
    }
}

fn status(json: StatusJson) -> Status {
    Status {
        phase: match json.phase.as_str() {
            "waiting" => Phase::Waiting,
            "live" => Phase::Live,
            "held" => Phase::Held,
            "paused" => Phase::Paused,
            other => panic!("phase {other}"),
        },
        since_us: json.since_us,
        epoch: json.epoch,
        players: json.players,
    }
}

fn frame(json: FrameJson) -> reader::Frame {
    let payload = unhex(&json.payload);
    let HeaderJson { config, .. } = json.header;
    let colour = config
        .as_ref()
        .and_then(|config| colour(config.colour.as_ref()?));
    let config = config.map(decoder_config);
    let config_len = config
        .as_ref()
        .map_or(0, |c| 7 + c.codec.len() + c.description.len());
    reader::Frame {
        header: FrameHeader {
            keyframe: json.header.keyframe,
            refinement: json.header.refinement,
            sealed: json.header.sealed,
            track: track(json.header.track),
            layer: json.header.layer,
            epoch: json.header.epoch,
            group: json.header.group,
            index: json.header.index,
            capture_us: json.header.capture_us,
            payload_len: payload.len() as u32,
            config_len: config_len as u16,
            colour,
        },
        config,
        payload,
    }
}

fn colour(json: &ColourJson) -> Option<Colour> {
    let named = Colour::new(
        &json.primaries,
        &json.transfer,
        &json.matrix,
        json.full_range,
    );
    Some(named.unwrap())
}

fn decoder_config(json: ConfigJson) -> DecoderConfig {
    DecoderConfig {
        width: json.width,
        height: json.height,
        codec: json.codec,
        description: unhex(&json.description),
    }
}
