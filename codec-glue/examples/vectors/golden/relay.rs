//! Relay to client (PROTOCOL 2.3).

use steadycast_codec_glue::wire::{
    Code, CodecKind, Hop, MediaKind, Phase, RelayMessage, Rendition, ResumeSecret, Service,
    Serving, SoundCodec, SoundFormat, Status, TrackGroup, TrackId, WantedTrack, encode_relay,
    limits,
};

use super::json::{Good, Relay, hex};
use super::{boundaries, boundaries_u32};

/// Every relay message, at the edges of every field.
pub(crate) fn vectors() -> Vec<Good<Relay>> {
    let mut messages = welcomes();
    messages.extend(pongs());
    messages.extend(statuses());
    messages.extend(keyframe_requests());
    messages.extend(goodbyes());
    messages.extend(renditions());
    messages.extend(tracks());
    messages.extend(servings());
    messages.extend(sounds());
    messages.extend(listeners());
    messages.extend(ways());
    messages.extend(asks());
    messages.extend(pauses());
    messages.extend(paths());
    messages.extend(arrivals());
    messages.extend(other_relays());
    messages
        .into_iter()
        .map(|(name, message)| Good {
            name,
            hex: hex(&encode_relay(&message).expect("a message within its limits")),
            value: Relay::from(&message),
        })
        .collect()
}

type Named = (String, RelayMessage);

const NOW_US: u64 = 1_790_000_000_000_000;

fn status(phase: Phase) -> Status {
    Status {
        phase,
        since_us: NOW_US - 5_000_000,
        epoch: 3,
        players: 12,
    }
}

fn welcome(session: u64, broadcast: &str, resume: Option<ResumeSecret>) -> RelayMessage {
    RelayMessage::Welcome {
        version: 1,
        session,
        broadcast: broadcast.into(),
        resume,
        heartbeat_ms: if resume.is_some() { 250 } else { 1_000 },
        relay_us: NOW_US,
        status: status(Phase::Live),
    }
}

fn welcomes() -> Vec<Named> {
    let lineage = ResumeSecret(std::array::from_fn(|i| 0xf0 | i as u8));
    let mut all = vec![
        ("welcome to a player".into(), welcome(1, "b7k2m9", None)),
        (
            "welcome to a publisher".into(),
            welcome(2, "b7k2m9", Some(lineage)),
        ),
        (
            "welcome to a broadcast without a name".into(),
            welcome(3, "", None),
        ),
        (
            "welcome to a broadcast with a name in three scripts".into(),
            welcome(4, "передача-放送-é", None),
        ),
        (
            "welcome with every integer at its largest".into(),
            RelayMessage::Welcome {
                version: u16::MAX,
                session: (1 << 53) - 1,
                broadcast: "b".into(),
                resume: Some(ResumeSecret([0xff; 16])),
                heartbeat_ms: u32::MAX,
                relay_us: (1 << 53) - 1,
                status: largest(Phase::Held),
            },
        ),
    ];
    for session in boundaries(u64::MAX) {
        let name = format!("welcome to session {session}");
        all.push((name, welcome(session, "b", None)));
    }
    all
}

fn largest(phase: Phase) -> Status {
    Status {
        phase,
        since_us: (1 << 53) - 1,
        epoch: u32::MAX,
        players: u32::MAX,
    }
}

fn pongs() -> Vec<Named> {
    let pong = |sequence, sent_us, relay_us| {
        (
            format!("pong {sequence} to {sent_us} at {relay_us}"),
            RelayMessage::Pong {
                sequence,
                sent_us,
                relay_us,
            },
        )
    };
    let mut all = vec![pong(0, 0, 0)];
    all.extend(
        boundaries_u32()
            .into_iter()
            .map(|n| pong(n, 2_000, 3_000_000)),
    );
    all.extend(
        boundaries(u64::MAX)
            .into_iter()
            .map(|us| pong(5, us, NOW_US)),
    );
    all
}

fn statuses() -> Vec<Named> {
    let mut all = Vec::new();
    for phase in [Phase::Waiting, Phase::Live, Phase::Held, Phase::Paused] {
        let name = phase.name();
        let named = |what: &str, status| {
            (
                format!("status {name}, {what}"),
                RelayMessage::Status { status },
            )
        };
        let nothing = Status {
            phase,
            since_us: 0,
            epoch: 0,
            players: 0,
        };
        all.push(named("all zero", nothing));
        all.push(named("as usual", status(phase)));
        all.push(named("all at their largest", largest(phase)));
    }
    for count in boundaries_u32() {
        let counted = Status {
            epoch: count,
            players: count,
            ..status(Phase::Live)
        };
        let message = RelayMessage::Status { status: counted };
        all.push((format!("status of epoch and players {count}"), message));
    }
    all
}

fn keyframe_requests() -> Vec<Named> {
    TrackId::all()
        .map(|track| {
            (
                format!("keyframe request for track {track}"),
                RelayMessage::KeyframeRequest { track },
            )
        })
        .collect()
}

fn goodbyes() -> Vec<Named> {
    let goodbye = |name: String, code, message: &str, retry_after_ms| {
        let message = RelayMessage::Goodbye {
            code,
            message: message.into(),
            retry_after_ms,
        };
        (name, message)
    };
    let mut all: Vec<_> = Code::ALL
        .iter()
        .map(|code| {
            let retry = code.retries().then_some(1_000);
            goodbye(format!("goodbye: {code}"), code.number(), "", retry)
        })
        .collect();
    for retry in boundaries_u32() {
        let name = format!("goodbye with retry after {retry} ms");
        all.push(goodbye(name, 1, "the relay restarts", Some(retry)));
    }
    all.push(goodbye(
        "goodbye with a code of a later version".into(),
        u16::MAX,
        "später",
        None,
    ));
    all.push(goodbye(
        "goodbye with the longest text".into(),
        16,
        &"x".repeat(limits::GOODBYE_TEXT),
        None,
    ));
    all
}

fn renditions() -> Vec<Named> {
    let rendition = |codec, players| Rendition {
        track: TrackId::of(codec),
        codec,
        players,
    };
    let wanted = |name: &str, wanted| {
        let message = RelayMessage::Renditions { wanted };
        (format!("renditions: {name}"), message)
    };
    let all = TrackId::RENDITIONS.map(|codec| rendition(codec, 2));
    let mut messages = vec![
        wanted("none any more", vec![]),
        wanted("all of them", all.to_vec()),
        wanted("two, not the first", vec![all[1], all[3]]),
    ];
    for codec in CodecKind::ALL {
        messages.push(wanted(codec.name(), vec![rendition(codec, 1)]));
    }
    for players in boundaries_u32() {
        let name = format!("for {players} players");
        messages.push(wanted(&name, vec![rendition(CodecKind::H264, players)]));
    }
    messages
}

fn tracks() -> Vec<Named> {
    let wanted = |number, codec, max_kbps, players| WantedTrack {
        track: TrackId::from_number(number).unwrap_or(TrackId::of(codec)),
        kind: MediaKind::Video,
        codec,
        max_kbps,
        players,
    };
    let tracks = |name: &str, wanted| {
        let message = RelayMessage::Tracks { wanted };
        (format!("tracks: {name}"), message)
    };
    let mut messages = vec![
        tracks("none any more", vec![]),
        tracks(
            "a codec for some, a width for others",
            vec![
                wanted(1, CodecKind::H264, None, 2),
                wanted(5, CodecKind::Av1, Some(800), 10),
                wanted(6, CodecKind::H264, Some(300), 3),
            ],
        ),
    ];
    for track in TrackId::all().skip(1) {
        let one = vec![wanted(track.number(), CodecKind::Vp9, None, 1)];
        messages.push(tracks(&format!("track {track}"), one));
    }
    for codec in CodecKind::ALL {
        messages.push(tracks(codec.name(), vec![wanted(9, codec, None, 1)]));
    }
    for bound in boundaries_u32() {
        let name = format!("of {bound} kbit/s for {bound} players");
        let one = vec![wanted(5, CodecKind::Vp8, Some(bound), bound)];
        messages.push(tracks(&name, one));
    }
    messages
}

fn servings() -> Vec<Named> {
    let mut all = Vec::new();
    for service in [Service::Ready, Service::Preparing, Service::Unsupported] {
        for track in TrackId::all() {
            let serving = Serving {
                service,
                track,
                codec: track.codec().or(Some(CodecKind::Av1)),
            };
            let name = format!("serving {} on track {track}", service.name());
            all.push((name, RelayMessage::Serving { serving }));
        }
    }
    let serving = Serving::DEFAULT;
    all.push((
        "serving in an unknown codec".into(),
        RelayMessage::Serving { serving },
    ));
    all
}

fn sounds() -> Vec<Named> {
    let format = |channels| SoundFormat {
        codec: SoundCodec::Opus,
        channels,
    };
    let sound = |name: &str, sound| (name.into(), RelayMessage::Sound { sound });
    vec![
        sound("no sound", None),
        sound("sound of one channel", Some(format(1))),
        sound("sound of two channels", Some(format(2))),
    ]
}

fn listeners() -> Vec<Named> {
    let listeners = |players, repeat| {
        (
            format!("{players} listeners, {repeat} frames repeated"),
            RelayMessage::Listeners { players, repeat },
        )
    };
    let mut all: Vec<_> = boundaries_u32()
        .into_iter()
        .map(|players| listeners(players, 0))
        .collect();
    all.extend((1..=limits::SOUND_REPEATS).map(|repeat| listeners(7, repeat)));
    all
}

fn ways() -> Vec<Named> {
    let way = |relays: usize| {
        let ids = (1..=relays as u8).map(|id| Hop([id; 16]));
        let message = RelayMessage::Through {
            relays: ids.collect(),
        };
        (format!("through {relays} relays"), message)
    };
    (1..=limits::RELAYS).map(way).collect()
}

fn asks() -> Vec<Named> {
    let ask = |relay: &str| {
        let name = format!("ask a relay at {} letters", relay.len());
        let relay = relay.into();
        (name, RelayMessage::Ask { relay })
    };
    vec![
        ask(""),
        ask("relay-1.example.org:4434"),
        ask(&"a".repeat(limits::PLACE)),
    ]
}

fn pauses() -> Vec<Named> {
    let pause = |name: &str, epoch, groups: &[(u8, u32)]| {
        let from = groups.iter().filter_map(|(track, group)| {
            let track = TrackId::from_number(*track)?;
            let group = *group;
            Some(TrackGroup { track, group })
        });
        let from = from.collect();
        (name.into(), RelayMessage::Pause { epoch, from })
    };
    vec![
        pause("pause of one track", 1, &[(0, 7)]),
        pause("pause of three", 300, &[(0, 300), (1, 1), (6, 70_000)]),
        pause("pause of the last epoch", u32::MAX, &[(0, u32::MAX)]),
        ("continue".into(), RelayMessage::Continue),
    ]
}

fn paths() -> Vec<Named> {
    let path = |narrow, carries_kbps: Option<u32>| {
        let width = if narrow { "narrow" } else { "wide enough" };
        let carries =
            carries_kbps.map_or("nobody knows what".into(), |kbps| format!("{kbps} kbit/s"));
        let message = RelayMessage::Path {
            narrow,
            carries_kbps,
        };
        (format!("path: {width}, carries {carries}"), message)
    };
    let mut all = vec![
        path(false, None),
        path(true, None),
        path(false, Some(5_000)),
    ];
    all.extend(
        boundaries_u32()
            .into_iter()
            .map(|kbps| path(true, Some(kbps))),
    );
    all
}

fn arrivals() -> Vec<Named> {
    let arrived = |bytes, relay_us| {
        let message = RelayMessage::Arrived { bytes, relay_us };
        (format!("arrived: {bytes} bytes at {relay_us}"), message)
    };
    let mut all = vec![arrived(0, NOW_US)];
    all.extend(
        boundaries(u64::MAX)
            .into_iter()
            .map(|bytes| arrived(bytes, bytes)),
    );
    all
}

fn other_relays() -> Vec<Named> {
    let relays = |name: &str, relays: &[&str]| {
        let relays = relays.iter().map(|url| (*url).to_owned()).collect();
        (name.to_owned(), RelayMessage::Relays { relays })
    };
    let long = format!("https://{}", "r".repeat(limits::PLACE - 8));
    let mut all = vec![
        relays("no other relay", &[]),
        relays("one other relay", &["https://b.example"]),
        relays("a relay under a path", &["https://b.example:4433/cast"]),
        relays(
            "as many relays as there may be",
            &[long.as_str(); limits::PLACES],
        ),
    ];
    let moves = |within_ms| {
        let message = RelayMessage::Move { within_ms };
        (format!("move within {within_ms} ms"), message)
    };
    all.extend(boundaries_u32().into_iter().map(moves));
    all
}
