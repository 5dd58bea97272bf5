//! The shape of the vectors: the unions of `codec-glue/ts`, with bytes as hex.

use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::{
    ClientMessage, CodecSet, Colour, DecoderConfig, FrameHeader, Hop, Phase, RelayMessage,
    Rendition, ResumeSecret, Role, Serving, SoundFormat, SoundPacket, Status, WantedTrack,
};

/// Bytes that are right, and what they mean.
#[derive(Serialize, Deserialize)]
pub(crate) struct Good<V> {
    pub(crate) name: String,
    pub(crate) hex: String,
    pub(crate) value: V,
}

/// Bytes of a later version, and what is read from them here (PROTOCOL 2.12): the messages of a
/// control stream up to its end, the frames of a group's, or a datagram's sound.
#[derive(Serialize, Deserialize)]
pub(crate) struct Later {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) hex: String,
    /// `Client`, `Relay`, `FrameJson` or `SoundJson`, as the kind says.
    pub(crate) values: Vec<serde_json::Value>,
}

/// Bytes that are wrong, and the name of the code that says so (PROTOCOL 5).
#[derive(Serialize, Deserialize)]
pub(crate) struct Bad {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) hex: String,
    pub(crate) error: String,
}

/// What a malformed vector would be: control bytes of one side, a group's stream, or a datagram with sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Client,
    Relay,
    Group,
    Sound,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Client {
    Hello {
        version: u16,
        role: String,
        token: String,
        agent: String,
        resume: Option<String>,
    },
    Ping {
        sequence: u32,
        sent_us: u64,
    },
    Goodbye {
        code: u16,
        message: String,
    },
    KeyframeRequest {
        epoch: u32,
        group: u32,
    },
    Report {
        received: u64,
        decoded: u64,
        shown: u64,
        black: u64,
        decoder_errors: u32,
        latency_us: u32,
    },
    Decodes {
        codecs: Vec<String>,
    },
    RenditionRefused {
        track: u8,
        reason: String,
    },
    Pause {
        from: Vec<TrackGroup>,
    },
    Continue,
    Sound {
        sound: Option<FormatJson>,
    },
    Listen {
        on: bool,
    },
    Pull {
        version: u16,
        broadcast: String,
        relays: Vec<String>,
    },
    Audience {
        players: u32,
        listeners: u32,
    },
    Needs {
        codec: String,
        max_kbps: Option<u32>,
    },
    Branch {
        place: Option<String>,
        region: Option<String>,
        vain: Vec<String>,
        children: u32,
        relays: u32,
        links: u8,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FormatJson {
    pub(crate) codec: String,
    pub(crate) channels: u8,
}

/// A datagram with sound.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SoundJson {
    pub(crate) begins: bool,
    pub(crate) sealed: bool,
    pub(crate) epoch: u32,
    pub(crate) sequence: u32,
    pub(crate) capture_us: u64,
    pub(crate) repeats: Vec<String>,
    pub(crate) frame: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrackGroup {
    pub(crate) track: u8,
    pub(crate) group: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Relay {
    Welcome {
        version: u16,
        session: u64,
        broadcast: String,
        resume: Option<String>,
        heartbeat_ms: u32,
        relay_us: u64,
        status: StatusJson,
    },
    Pong {
        sequence: u32,
        sent_us: u64,
        relay_us: u64,
    },
    Status {
        status: StatusJson,
    },
    KeyframeRequest {
        track: u8,
    },
    Goodbye {
        code: u16,
        message: String,
        retry_after_ms: Option<u32>,
    },
    Renditions {
        wanted: Vec<RenditionJson>,
    },
    Serving {
        serving: ServingJson,
    },
    Tracks {
        wanted: Vec<WantedTrackJson>,
    },
    Sound {
        sound: Option<FormatJson>,
    },
    Listeners {
        players: u32,
        repeat: u8,
    },
    Through {
        relays: Vec<String>,
    },
    Ask {
        relay: String,
    },
    Pause {
        epoch: u32,
        from: Vec<TrackGroup>,
    },
    Continue,
    Path {
        narrow: bool,
        carries_kbps: Option<u32>,
    },
    Arrived {
        bytes: u64,
        relay_us: u64,
    },
    Relays {
        relays: Vec<String>,
    },
    Move {
        within_ms: u32,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WantedTrackJson {
    pub(crate) track: u8,
    pub(crate) kind: String,
    pub(crate) codec: String,
    pub(crate) max_kbps: Option<u32>,
    pub(crate) players: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RenditionJson {
    pub(crate) track: u8,
    pub(crate) codec: String,
    pub(crate) players: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServingJson {
    pub(crate) service: String,
    pub(crate) track: u8,
    pub(crate) codec: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusJson {
    pub(crate) phase: String,
    pub(crate) since_us: u64,
    pub(crate) epoch: u32,
    pub(crate) players: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FrameJson {
    pub(crate) header: HeaderJson,
    pub(crate) payload: String,
}

/// A frame in RTP payloads that pass for VP8, and as a receiver has it of them; or bytes that are none.
#[derive(Serialize, Deserialize)]
pub(crate) struct Carried {
    pub(crate) name: String,
    /// As it comes out of the packets.
    pub(crate) hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) carries: Option<Carries>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What is in it, and how it was cut.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Carries {
    pub(crate) keyframe: bool,
    pub(crate) number: u16,
    pub(crate) frame: String,
    /// Of a keyframe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<(u16, u16)>,
    pub(crate) max_payload: usize,
    pub(crate) payloads: Vec<String>,
}

/// A sealed frame: what is in it, or why it does not open.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sealed {
    pub(crate) name: String,
    pub(crate) key: String,
    /// None: it is sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<HeaderJson>,
    pub(crate) hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) opened: Option<Opened>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What is in a sealed picture, or in a sealed frame of sound.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opened {
    pub(crate) tenure: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) track: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<u32>,
    pub(crate) captured_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) distance: Option<u8>,
    pub(crate) chunk: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeaderJson {
    pub(crate) keyframe: bool,
    pub(crate) refinement: bool,
    pub(crate) sealed: bool,
    pub(crate) track: u8,
    pub(crate) layer: u8,
    pub(crate) epoch: u32,
    pub(crate) group: u32,
    pub(crate) index: u32,
    pub(crate) capture_us: u64,
    pub(crate) config: Option<ConfigJson>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConfigJson {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) codec: String,
    pub(crate) description: String,
    /// Of the header.
    pub(crate) colour: Option<ColourJson>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColourJson {
    pub(crate) primaries: String,
    pub(crate) transfer: String,
    pub(crate) matrix: String,
    pub(crate) full_range: bool,
}

impl From<&ClientMessage> for Client {
    fn from(message: &ClientMessage) -> Self {
        match message.clone() {
            ClientMessage::Hello {
                version,
                role,
                token,
                agent,
                resume,
            } => Self::Hello {
                version,
                role: match role {
                    Role::Publisher => "publisher".into(),
                    Role::Player => "player".into(),
                },
                token,
                agent,
                resume: lineage(resume),
            },
            ClientMessage::Ping { sequence, sent_us } => Self::Ping { sequence, sent_us },
            ClientMessage::Goodbye { code, message } => Self::Goodbye { code, message },
            ClientMessage::KeyframeRequest { epoch, group } => {
                Self::KeyframeRequest { epoch, group }
            }
            ClientMessage::Report {
                received,
                decoded,
                shown,
                black,
                decoder_errors,
                latency_us,
            } => Self::Report {
                received,
                decoded,
                shown,
                black,
                decoder_errors,
                latency_us,
            },
            ClientMessage::Decodes { codecs } => Self::Decodes {
                codecs: names(codecs),
            },
            ClientMessage::RenditionRefused { track, reason } => Self::RenditionRefused {
                track: track.number(),
                reason,
            },
            ClientMessage::Pause { from } => Self::Pause {
                from: from.iter().map(track_group).collect(),
            },
            ClientMessage::Continue => Self::Continue,
            ClientMessage::Sound { sound } => Self::Sound {
                sound: sound.map(FormatJson::from),
            },
            ClientMessage::Listen { on } => Self::Listen { on },
            ClientMessage::Pull {
                version,
                broadcast,
                relays,
            } => Self::Pull {
                version,
                broadcast,
                relays: ids(&relays),
            },
            ClientMessage::Audience { players, listeners } => Self::Audience { players, listeners },
            ClientMessage::Needs { codec, max_kbps } => Self::Needs {
                codec: codec.name().into(),
                max_kbps,
            },
            ClientMessage::Branch {
                place,
                region,
                vain,
                branch,
            } => Self::Branch {
                place,
                region,
                vain,
                children: branch.children,
                relays: branch.relays,
                links: branch.links,
            },
        }
    }
}

fn track_group(place: &steadycast_codec_glue::wire::TrackGroup) -> TrackGroup {
    TrackGroup {
        track: place.track.number(),
        group: place.group,
    }
}

impl From<&RelayMessage> for Relay {
    fn from(message: &RelayMessage) -> Self {
        match message.clone() {
            RelayMessage::Welcome {
                version,
                session,
                broadcast,
                resume,
                heartbeat_ms,
                relay_us,
                status,
            } => Self::Welcome {
                version,
                session,
                broadcast,
                resume: lineage(resume),
                heartbeat_ms,
                relay_us,
                status: status.into(),
            },
            RelayMessage::Pong {
                sequence,
                sent_us,
                relay_us,
            } => Self::Pong {
                sequence,
                sent_us,
                relay_us,
            },
            RelayMessage::Status { status } => Self::Status {
                status: status.into(),
            },
            RelayMessage::KeyframeRequest { track } => Self::KeyframeRequest {
                track: track.number(),
            },
            RelayMessage::Goodbye {
                code,
                message,
                retry_after_ms,
            } => Self::Goodbye {
                code,
                message,
                retry_after_ms,
            },
            RelayMessage::Renditions { wanted } => Self::Renditions {
                wanted: wanted.into_iter().map(RenditionJson::from).collect(),
            },
            RelayMessage::Serving { serving } => Self::Serving {
                serving: serving.into(),
            },
            RelayMessage::Tracks { wanted } => Self::Tracks {
                wanted: wanted.into_iter().map(WantedTrackJson::from).collect(),
            },
            RelayMessage::Sound { sound } => Self::Sound {
                sound: sound.map(FormatJson::from),
            },
            RelayMessage::Listeners { players, repeat } => Self::Listeners { players, repeat },
            RelayMessage::Through { relays } => Self::Through {
                relays: ids(&relays),
            },
            RelayMessage::Ask { relay } => Self::Ask { relay },
            RelayMessage::Pause { epoch, from } => Self::Pause {
                epoch,
                from: from.iter().map(track_group).collect(),
            },
            RelayMessage::Continue => Self::Continue,
            RelayMessage::Path {
                narrow,
                carries_kbps,
            } => Self::Path {
                narrow,
                carries_kbps,
            },
            RelayMessage::Arrived { bytes, relay_us } => Self::Arrived { bytes, relay_us },
            RelayMessage::Relays { relays } => Self::Relays { relays },
            RelayMessage::Move { within_ms } => Self::Move { within_ms },
        }
    }
}

impl From<SoundFormat> for FormatJson {
    fn from(format: SoundFormat) -> Self {
        Self {
            codec: format.codec.name().into(),
            channels: format.channels,
        }
    }
}

impl From<&SoundPacket> for SoundJson {
    fn from(packet: &SoundPacket) -> Self {
        Self {
            begins: packet.begins,
            sealed: packet.sealed,
            epoch: packet.epoch,
            sequence: packet.sequence,
            capture_us: packet.capture_us,
            repeats: packet.repeats.iter().map(|frame| hex(frame)).collect(),
            frame: hex(&packet.frame),
        }
    }
}

impl From<Rendition> for RenditionJson {
    fn from(rendition: Rendition) -> Self {
        Self {
            track: rendition.track.number(),
            codec: rendition.codec.name().into(),
            players: rendition.players,
        }
    }
}

impl From<WantedTrack> for WantedTrackJson {
    fn from(wanted: WantedTrack) -> Self {
        Self {
            track: wanted.track.number(),
            kind: wanted.kind.name().into(),
            codec: wanted.codec.name().into(),
            max_kbps: wanted.max_kbps,
            players: wanted.players,
        }
    }
}

impl From<Serving> for ServingJson {
    fn from(serving: Serving) -> Self {
        Self {
            service: serving.service.name().into(),
            track: serving.track.number(),
            codec: serving.codec.map(|codec| codec.name().into()),
        }
    }
}

fn ids(relays: &[Hop]) -> Vec<String> {
    relays.iter().map(|id| hex(&id.0)).collect()
}

fn names(codecs: CodecSet) -> Vec<String> {
    codecs.iter().map(|codec| codec.name().into()).collect()
}

impl From<Status> for StatusJson {
    fn from(status: Status) -> Self {
        let phase = match status.phase {
            Phase::Waiting => "waiting",
            Phase::Live => "live",
            Phase::Held => "held",
            Phase::Paused => "paused",
        };
        Self {
            phase: phase.into(),
            since_us: status.since_us,
            epoch: status.epoch,
            players: status.players,
        }
    }
}

impl From<(&FrameHeader, Option<&DecoderConfig>)> for HeaderJson {
    fn from((header, config): (&FrameHeader, Option<&DecoderConfig>)) -> Self {
        Self {
            keyframe: header.keyframe,
            refinement: header.refinement,
            sealed: header.sealed,
            track: header.track.number(),
            layer: header.layer,
            epoch: header.epoch,
            group: header.group,
            index: header.index,
            capture_us: header.capture_us,
            config: config.map(|config| ConfigJson {
                width: config.width,
                height: config.height,
                codec: config.codec.clone(),
                description: hex(&config.description),
                colour: header.colour.map(ColourJson::from),
            }),
        }
    }
}

impl From<Colour> for ColourJson {
    fn from(colour: Colour) -> Self {
        let (primaries, transfer, matrix) = colour.names();
        Self {
            primaries: primaries.into(),
            transfer: transfer.into(),
            matrix: matrix.into(),
            full_range: colour.is_full_range(),
        }
    }
}

fn lineage(resume: Option<ResumeSecret>) -> Option<String> {
    resume.map(|secret| hex(&secret.0))
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
