//! Control messages (PROTOCOL 2).

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use steadycast_codec_glue::wire::{
    Branch, ClientMessage, CodecKind, CodecSet, Hop, MediaKind, Phase, RelayMessage, Rendition,
    ResumeSecret, Role, Service, Serving, SoundCodec, SoundFormat, Status, TrackGroup, TrackId,
    WantedTrack, WireError, decode_client, decode_relay, encode_client, encode_relay, limits,
};

use super::frames::track;
use super::{config, reader};

/// As often at the edges of a varint's widths as anywhere.
fn integer(max: u64) -> impl Strategy<Value = u64> {
    let edges = [0, 1, 250, 251, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000];
    prop_oneof![
        prop::sample::select(edges.to_vec()).prop_map(move |n| n.min(max)),
        (0u32..64).prop_flat_map(move |bits| 0..=max.min(1 << bits)),
        0..=max,
    ]
}

fn int16() -> impl Strategy<Value = u16> {
    integer(u16::MAX.into()).prop_map(|n| n as u16)
}

fn int32() -> impl Strategy<Value = u32> {
    integer(u32::MAX.into()).prop_map(|n| n as u32)
}

fn int64() -> impl Strategy<Value = u64> {
    integer(limits::INTEGER)
}

fn text(max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..=max / 4).prop_map(|chars| chars.into_iter().collect())
}

fn lineage() -> impl Strategy<Value = Option<ResumeSecret>> {
    prop::option::of(any::<[u8; 16]>().prop_map(ResumeSecret))
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        (
            int16(),
            prop::sample::select(vec![Role::Publisher, Role::Player]),
            text(limits::TOKEN),
            text(limits::AGENT),
            lineage(),
        )
            .prop_map(|(version, role, token, agent, resume)| {
                ClientMessage::Hello {
                    version,
                    role,
                    token,
                    agent,
                    resume,
                }
            }),
        (int32(), int64())
            .prop_map(|(sequence, sent_us)| ClientMessage::Ping { sequence, sent_us }),
        (int16(), text(limits::GOODBYE_TEXT))
            .prop_map(|(code, message)| ClientMessage::Goodbye { code, message }),
        (int32(), int32())
            .prop_map(|(epoch, group)| ClientMessage::KeyframeRequest { epoch, group }),
        (int64(), int64(), int64(), int64(), int32(), int32()).prop_map(report),
        (0..CodecSet::COUNT as u8).prop_map(|bits| ClientMessage::Decodes {
            codecs: CodecSet::from_bits(bits).unwrap(),
        }),
        (codec(), text(limits::REFUSAL_TEXT)).prop_map(|(codec, reason)| {
            ClientMessage::RenditionRefused {
                track: TrackId::of(codec),
                reason,
            }
        }),
        (
            int32(),
            subsequence(
                TrackId::all().skip(1).collect::<Vec<_>>(),
                0..TrackId::COUNT
            )
        )
            .prop_map(|(group, tracks)| {
                let tracks = std::iter::once(TrackId::MAIN).chain(tracks);
                let from = tracks.map(|track| TrackGroup { track, group }).collect();
                ClientMessage::Pause { from }
            }),
        Just(ClientMessage::Continue),
        format().prop_map(|sound| ClientMessage::Sound { sound }),
        any::<bool>().prop_map(|on| ClientMessage::Listen { on }),
        (int16(), text(limits::BROADCAST), relays()).prop_map(|(version, broadcast, relays)| {
            ClientMessage::Pull {
                version,
                broadcast,
                relays,
            }
        }),
        (int32(), int32())
            .prop_map(|(players, listeners)| ClientMessage::Audience { players, listeners }),
        (codec(), prop::option::of(int32()))
            .prop_map(|(codec, max_kbps)| ClientMessage::Needs { codec, max_kbps }),
        (
            prop::option::of(text(limits::PLACE)),
            prop::option::of(text(limits::REGION)),
            prop::collection::vec(text(limits::PLACE), 0..=limits::PLACES),
            (int32(), int32(), any::<u8>()),
        )
            .prop_map(|(place, region, vain, (children, relays, links))| {
                let branch = Branch {
                    children,
                    relays,
                    links,
                };
                ClientMessage::Branch {
                    place,
                    region,
                    vain,
                    branch,
                }
            }),
    ]
}

fn relays() -> impl Strategy<Value = Vec<Hop>> {
    prop::collection::vec(any::<[u8; 16]>().prop_map(Hop), 1..=limits::RELAYS)
}

fn report(fields: (u64, u64, u64, u64, u32, u32)) -> ClientMessage {
    let (received, decoded, shown, black, decoder_errors, latency_us) = fields;
    ClientMessage::Report {
        received,
        decoded,
        shown,
        black,
        decoder_errors,
        latency_us,
    }
}

fn status() -> impl Strategy<Value = Status> {
    let phases = vec![Phase::Waiting, Phase::Live, Phase::Held, Phase::Paused];
    (prop::sample::select(phases), int64(), int32(), int32()).prop_map(
        |(phase, since_us, epoch, players)| Status {
            phase,
            since_us,
            epoch,
            players,
        },
    )
}

fn welcome() -> impl Strategy<Value = RelayMessage> {
    let session = (int16(), int64(), text(200), lineage());
    (session, int32(), int64(), status()).prop_map(
        |((version, session, broadcast, resume), heartbeat_ms, relay_us, status)| {
            RelayMessage::Welcome {
                version,
                session,
                broadcast,
                resume,
                heartbeat_ms,
                relay_us,
                status,
            }
        },
    )
}

fn relay_message() -> impl Strategy<Value = RelayMessage> {
    let service = prop::sample::select(vec![
        Service::Ready,
        Service::Preparing,
        Service::Unsupported,
    ]);
    prop_oneof![
        welcome(),
        (int32(), int64(), int64()).prop_map(|(sequence, sent_us, relay_us)| {
            RelayMessage::Pong {
                sequence,
                sent_us,
                relay_us,
            }
        }),
        status().prop_map(|status| RelayMessage::Status { status }),
        track().prop_map(|track| RelayMessage::KeyframeRequest { track }),
        (
            int16(),
            text(limits::GOODBYE_TEXT),
            prop::option::of(int32())
        )
            .prop_map(|(code, message, retry_after_ms)| RelayMessage::Goodbye {
                code,
                message,
                retry_after_ms,
            }),
        renditions(),
        tracks(),
        (service, track(), prop::option::of(codec())).prop_map(|(service, track, codec)| {
            let serving = Serving {
                service,
                track,
                codec,
            };
            RelayMessage::Serving { serving }
        }),
        (any::<bool>(), prop::option::of(int32())).prop_map(|(narrow, carries_kbps)| {
            RelayMessage::Path {
                narrow,
                carries_kbps,
            }
        }),
        (int64(), int64()).prop_map(|(bytes, relay_us)| RelayMessage::Arrived { bytes, relay_us }),
        format().prop_map(|sound| RelayMessage::Sound { sound }),
        (int32(), 0..=limits::SOUND_REPEATS)
            .prop_map(|(players, repeat)| RelayMessage::Listeners { players, repeat }),
        prop::collection::vec(text(limits::PLACE), 0..=limits::PLACES)
            .prop_map(|relays| RelayMessage::Relays { relays }),
        int32().prop_map(|within_ms| RelayMessage::Move { within_ms }),
        relays().prop_map(|relays| RelayMessage::Through { relays }),
        text(limits::PLACE).prop_map(|relay| RelayMessage::Ask { relay }),
        (int32(), int32()).prop_map(|(epoch, group)| RelayMessage::Pause {
            epoch,
            from: vec![TrackGroup {
                track: TrackId::MAIN,
                group,
            }],
        }),
        Just(RelayMessage::Continue),
    ]
}

fn format() -> impl Strategy<Value = Option<SoundFormat>> {
    let codec = SoundCodec::Opus;
    prop::option::of(
        (1..=limits::SOUND_CHANNELS).prop_map(move |channels| SoundFormat { codec, channels }),
    )
}

fn codec() -> impl Strategy<Value = CodecKind> {
    prop::sample::select(CodecKind::ALL.to_vec())
}

fn renditions() -> impl Strategy<Value = RelayMessage> {
    let wanted = prop::sample::subsequence(TrackId::RENDITIONS.to_vec(), 0..=4);
    (wanted, int32()).prop_map(|(codecs, players)| RelayMessage::Renditions {
        wanted: codecs
            .into_iter()
            .map(|codec| Rendition {
                track: TrackId::of(codec),
                codec,
                players,
            })
            .collect(),
    })
}

fn tracks() -> impl Strategy<Value = RelayMessage> {
    let numbers = prop::sample::subsequence((1..TrackId::COUNT as u8).collect::<Vec<_>>(), 0..=6);
    (numbers, codec(), prop::option::of(int32()), int32()).prop_map(
        |(numbers, codec, max_kbps, players)| RelayMessage::Tracks {
            wanted: numbers
                .into_iter()
                .filter_map(TrackId::from_number)
                .map(|track| WantedTrack {
                    track,
                    kind: MediaKind::Video,
                    codec,
                    max_kbps,
                    players,
                })
                .collect(),
        },
    )
}

/// Bytes near the start of a message's space: small numbers, marks and letters.
fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![0u8..8, 248u8..=255, any::<u8>()];
    prop::collection::vec(byte, 0..60)
}

/// Whatever decodes has one encoding, which decodes to the same.
fn stable<M: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    decode: fn(&[u8]) -> Result<Option<M>, WireError>,
    encode: fn(&M) -> Result<Vec<u8>, WireError>,
) {
    let Ok(Some(message)) = decode(bytes) else {
        return;
    };
    let encoded = encode(&message).unwrap();
    assert!(encoded.len() - 2 <= bytes.len(), "{message:?} has grown");
    assert_eq!(decode(&encoded[2..]), Ok(Some(message)));
}

/// A message that only a later version knows, and that may be skipped; framed.
fn stranger() -> impl Strategy<Value = Vec<u8>> {
    let body = (68u8..251, prop::collection::vec(any::<u8>(), 0..40));
    body.prop_map(|(variant, rest)| [&[0, 1 + rest.len() as u8, variant], &rest[..]].concat())
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn client_messages_come_back(messages in prop::collection::vec(client_message(), 0..4)) {
        let stream: Vec<u8> =
            messages.iter().flat_map(|message| encode_client(message).unwrap()).collect();
        prop_assert_eq!(reader::control(&stream, decode_client), Ok(messages));
    }

    #[test]
    fn relay_messages_come_back(messages in prop::collection::vec(relay_message(), 0..4)) {
        let stream: Vec<u8> =
            messages.iter().flat_map(|message| encode_relay(message).unwrap()).collect();
        prop_assert_eq!(reader::control(&stream, decode_relay), Ok(messages));
    }

    #[test]
    fn what_may_be_skipped_is_as_if_it_had_not_been_sent(
        messages in prop::collection::vec((client_message(), relay_message(), stranger()), 0..4),
    ) {
        let mut client = Vec::new();
        let mut relay = Vec::new();
        for (one, other, stranger) in &messages {
            client.extend([encode_client(one).unwrap(), stranger.clone()].concat());
            relay.extend([stranger.clone(), encode_relay(other).unwrap()].concat());
        }
        let (ones, others): (Vec<_>, Vec<_>) =
            messages.into_iter().map(|(one, other, _)| (one, other)).unzip();
        prop_assert_eq!(reader::control(&client, decode_client), Ok(ones));
        prop_assert_eq!(reader::control(&relay, decode_relay), Ok(others));
    }

    #[test]
    fn no_message_begins_with_another(message in client_message(), at in any::<Index>()) {
        let bytes = encode_client(&message).unwrap();
        let cut = at.index(bytes.len() - 2);
        prop_assert!(decode_client(&bytes[2..2 + cut]).is_err());
    }

    #[test]
    fn damaged_messages_are_refused_or_stable(
        message in client_message(),
        other in relay_message(),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let damaged = |mut bytes: Vec<u8>| {
            let at = 2 + at.index(bytes.len() - 2);
            bytes[at] = byte;
            bytes.split_off(2)
        };
        stable(&damaged(encode_client(&message).unwrap()), decode_client, encode_client);
        stable(&damaged(encode_relay(&other).unwrap()), decode_relay, encode_relay);
    }
}

proptest! {
    #![proptest_config(config(5_000))]

    #[test]
    fn rubbish_is_refused_or_stable(bytes in rubbish()) {
        stable(&bytes, decode_client, encode_client);
        stable(&bytes, decode_relay, encode_relay);
    }
}
