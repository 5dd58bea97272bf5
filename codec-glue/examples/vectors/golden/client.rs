//! Client to relay (PROTOCOL 2.2).

use steadycast_codec_glue::wire::{
    Branch, ClientMessage, CodecKind, CodecSet, Hop, ResumeSecret, Role, SoundCodec, SoundFormat,
    TrackGroup, TrackId, encode_client, limits,
};

use super::json::{Client, Good, hex};
use super::{boundaries, boundaries_u16, boundaries_u32};

/// Every client message, at the edges of every field.
pub(crate) fn vectors() -> Vec<Good<Client>> {
    let mut messages = hellos();
    messages.extend(pings());
    messages.extend(goodbyes());
    messages.extend(keyframe_requests());
    messages.extend(reports());
    messages.extend(decodes());
    messages.extend(refusals());
    messages.extend(pauses());
    messages.extend(sounds());
    messages.extend(pulls());
    messages.extend(audiences());
    messages.extend(needs());
    messages.extend(branches());
    messages
        .into_iter()
        .map(|(name, message)| Good {
            name,
            hex: hex(&encode_client(&message).expect("a message within its limits")),
            value: Client::from(&message),
        })
        .collect()
}

type Named = (String, ClientMessage);

fn hello(token: &str, agent: &str) -> ClientMessage {
    ClientMessage::Hello {
        version: 1,
        role: Role::Player,
        token: token.into(),
        agent: agent.into(),
        resume: None,
    }
}

fn hellos() -> Vec<Named> {
    let mut all = players();
    for length in [250, 251] {
        let name = format!("hello with a token of {length} bytes");
        all.push((name, hello(&"t".repeat(length), "a")));
    }
    for version in boundaries_u16() {
        let name = format!("hello of a publisher of version {version}");
        all.push((name, publisher(version, None)));
    }
    let lineages = [
        ("counting", std::array::from_fn(|i| i as u8)),
        ("all zero", [0; 16]),
        ("all ones", [0xff; 16]),
    ];
    for (name, lineage) in lineages {
        let name = format!("hello that resumes a lineage, {name}");
        all.push((name, publisher(1, Some(ResumeSecret(lineage)))));
    }
    all
}

fn players() -> Vec<Named> {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJiMSJ9.c2lnbmF0dXJl";
    vec![
        ("hello of a player".into(), hello(jwt, "web/0.1.0")),
        ("hello with empty texts".into(), hello("", "")),
        (
            "hello with texts of two to four bytes a character".into(),
            hello("žeton-日本語", "проигрыватель 🖥️"),
        ),
        (
            "hello with a byte order mark and a zero".into(),
            hello("\u{feff}token", "a\0b"),
        ),
        (
            "hello with the longest texts".into(),
            hello(&"t".repeat(limits::TOKEN), &"a".repeat(limits::AGENT)),
        ),
        (
            "hello with an agent of 32 four-byte characters".into(),
            hello("t", &"🖥".repeat(32)),
        ),
    ]
}

fn publisher(version: u16, resume: Option<ResumeSecret>) -> ClientMessage {
    ClientMessage::Hello {
        version,
        role: Role::Publisher,
        token: "token".into(),
        agent: "host".into(),
        resume,
    }
}

fn pings() -> Vec<Named> {
    let ping = |sequence, sent_us| {
        (
            format!("ping {sequence} sent at {sent_us}"),
            ClientMessage::Ping { sequence, sent_us },
        )
    };
    let sequences = boundaries_u32().into_iter().map(|n| ping(n, 1_000));
    let times = boundaries(u64::MAX).into_iter().map(|us| ping(7, us));
    sequences.chain(times).collect()
}

fn goodbyes() -> Vec<Named> {
    let goodbye = |name: String, code, message: &str| {
        let message = message.into();
        (name, ClientMessage::Goodbye { code, message })
    };
    let mut all: Vec<_> = boundaries_u16()
        .into_iter()
        .map(|code| goodbye(format!("goodbye with code {code}"), code, "bye"))
        .collect();
    all.push(goodbye("goodbye without text".into(), 0, ""));
    all.push(goodbye(
        "goodbye with the longest text".into(),
        29,
        &"x".repeat(limits::GOODBYE_TEXT),
    ));
    all.push(goodbye(
        "goodbye with the longest text, in four-byte characters".into(),
        29,
        &"🖐".repeat(limits::GOODBYE_TEXT / 4),
    ));
    all
}

fn keyframe_requests() -> Vec<Named> {
    let request = |epoch, group| {
        (
            format!("keyframe request for epoch {epoch}, group {group}"),
            ClientMessage::KeyframeRequest { epoch, group },
        )
    };
    let epochs = boundaries_u32().into_iter().map(|epoch| request(epoch, 2));
    let groups = boundaries_u32().into_iter().map(|group| request(3, group));
    epochs.chain(groups).collect()
}

fn reports() -> Vec<Named> {
    let report = |name: &str, totals: [u64; 4], decoder_errors, latency_us| {
        let [received, decoded, shown, black] = totals;
        let message = ClientMessage::Report {
            received,
            decoded,
            shown,
            black,
            decoder_errors,
            latency_us,
        };
        (format!("report {name}"), message)
    };
    let max = (1 << 53) - 1;
    vec![
        report("of nothing", [0; 4], 0, 0),
        report("of a usual session", [54_000, 53_990, 53_981, 0], 1, 87_000),
        report(
            "with every width of integer",
            [250, 251, 0x1_0000, 0x1_0000_0000],
            0xffff,
            0x1_0000,
        ),
        report(
            "in the order of its fields",
            [0x0a01, 0x0a02, 0x0a03, 0x0a04],
            5,
            6,
        ),
        report("of the largest totals", [max; 4], u32::MAX, u32::MAX),
    ]
}

fn pauses() -> Vec<Named> {
    let pause = |groups: &[(u8, u32)]| ClientMessage::Pause {
        from: groups
            .iter()
            .filter_map(|(track, group)| {
                let track = TrackId::from_number(*track)?;
                let group = *group;
                Some(TrackGroup { track, group })
            })
            .collect(),
    };
    let all: Vec<_> = TrackId::all()
        .map(|track| (track.number(), u32::MAX))
        .collect();
    vec![
        ("pause of one track".into(), pause(&[(0, 7)])),
        (
            "pause of three".into(),
            pause(&[(0, 300), (1, 1), (6, 70_000)]),
        ),
        ("pause of every track".into(), pause(&all)),
        ("continue".into(), ClientMessage::Continue),
    ]
}

fn sounds() -> Vec<Named> {
    let format = |channels| SoundFormat {
        codec: SoundCodec::Opus,
        channels,
    };
    let sound = |name: &str, sound| (name.into(), ClientMessage::Sound { sound });
    let listen = |name: &str, on| (name.into(), ClientMessage::Listen { on });
    vec![
        sound("no sound", None),
        sound("sound of one channel", Some(format(1))),
        sound("sound of two channels", Some(format(2))),
        listen("listens", true),
        listen("does not listen", false),
    ]
}

fn pulls() -> Vec<Named> {
    let pull = |version, broadcast: &str, relays: usize| {
        let name = format!(
            "pull of version {version} of {} letters through {relays} relays",
            broadcast.len()
        );
        let relays = (0..relays as u8).map(|first| {
            let id = std::array::from_fn(|i| first << 4 | i as u8);
            Hop(id)
        });
        let message = ClientMessage::Pull {
            version,
            broadcast: broadcast.into(),
            relays: relays.collect(),
        };
        (name, message)
    };
    let mut all: Vec<_> = (1..=limits::RELAYS)
        .map(|relays| pull(6, "game-night", relays))
        .collect();
    all.push(pull(u16::MAX, "", 1));
    all.push(pull(7, &"b".repeat(limits::BROADCAST), 1));
    all
}

fn audiences() -> Vec<Named> {
    let audience = |players, listeners| {
        (
            format!("audience of {players}, {listeners} of which listen"),
            ClientMessage::Audience { players, listeners },
        )
    };
    let players = boundaries_u32().into_iter().map(|n| audience(n, 0));
    let listeners = boundaries_u32().into_iter().map(|n| audience(7, n));
    players.chain(listeners).collect()
}

fn needs() -> Vec<Named> {
    let needs = |codec: CodecKind, max_kbps: Option<u32>| {
        let most = max_kbps.map_or("as it is".into(), |kbps| format!("of {kbps} kbit/s"));
        (
            format!("needs {} {most}", codec.name()),
            ClientMessage::Needs { codec, max_kbps },
        )
    };
    let mut all: Vec<_> = CodecKind::ALL
        .into_iter()
        .map(|codec| needs(codec, None))
        .collect();
    all.extend(
        boundaries_u32()
            .into_iter()
            .map(|kbps| needs(CodecKind::Av1, Some(kbps))),
    );
    all
}

fn branches() -> Vec<Named> {
    let branch = |name: &str, place: Option<&str>, region: Option<&str>, vain: &[&str], branch| {
        let message = ClientMessage::Branch {
            place: place.map(Into::into),
            region: region.map(Into::into),
            vain: vain.iter().map(|place| (*place).into()).collect(),
            branch,
        };
        (format!("branch {name}"), message)
    };
    let behind = |children, relays, links| Branch {
        children,
        relays,
        links,
    };
    let (near, far) = ("relay-1.example.org:4434", "[fd00::1]:4434");
    let longest = "p".repeat(limits::PLACE);
    let mut all = vec![
        branch(
            "of a relay that serves none",
            None,
            None,
            &[],
            behind(0, 0, 0),
        ),
        branch(
            "with a place",
            Some(near),
            Some("eu-west"),
            &[],
            behind(2, 7, 2),
        ),
        branch(
            "sent on in vain",
            Some(near),
            None,
            &[near, far],
            behind(0, 0, 0),
        ),
        branch(
            "as long as may be",
            Some(&longest),
            Some(&"r".repeat(limits::REGION)),
            &[&*longest; limits::PLACES],
            behind(u32::MAX, u32::MAX, u8::MAX),
        ),
    ];
    all.extend(boundaries_u32().into_iter().map(|relays| {
        let name = format!("of {relays} relays");
        branch(&name, Some(far), None, &[], behind(1, relays, 3))
    }));
    all
}

fn decodes() -> Vec<Named> {
    (0..CodecSet::COUNT as u8)
        .filter_map(CodecSet::from_bits)
        .map(|codecs| {
            let names: Vec<_> = codecs.iter().map(|codec| codec.name()).collect();
            let name = match names.len() {
                0 => "decodes nothing".into(),
                _ => format!("decodes {}", names.join(", ")),
            };
            (name, ClientMessage::Decodes { codecs })
        })
        .collect()
}

fn refusals() -> Vec<Named> {
    let refusal = |name: String, track, reason: &str| {
        let reason = reason.into();
        (name, ClientMessage::RenditionRefused { track, reason })
    };
    let mut all: Vec<_> = TrackId::all()
        .skip(1)
        .map(|track| refusal(format!("refusal of track {track}"), track, "no encoder"))
        .collect();
    let track = TrackId::of(CodecKind::H264);
    all.push(refusal("refusal without text".into(), track, ""));
    all.push(refusal(
        "refusal with the longest text".into(),
        track,
        &"日".repeat(limits::REFUSAL_TEXT / 3),
    ));
    all
}
