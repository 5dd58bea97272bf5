//! What relay and clients say to each other (PROTOCOL 2.2, 2.3).

use std::fmt;

use bincode::{Decode, Encode};

use super::{CodecKind, CodecSet, PAUSES, Rendition, Serving, SoundFormat, TrackId, WantedTrack};

/// What a session may do (PROTOCOL 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Role {
    /// Sends the broadcast's frames.
    Publisher,
    /// Receives them.
    Player,
}

/// Names a publisher's lineage (PROTOCOL 3.3). Whoever holds it may resume.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ResumeSecret(pub [u8; 16]);

impl fmt::Debug for ResumeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeSecret(..)")
    }
}

/// A relay on the way of a broadcast, by a number that it makes up when it starts (PROTOCOL 11.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Hop(pub [u8; 16]);

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a broadcast is in its life (PROTOCOL 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Phase {
    /// No publisher has sent a frame yet.
    Waiting,
    /// A publisher is attached and heard.
    Live,
    /// The publisher has gone or fallen silent; the picture is kept.
    Held,
    /// The publisher has taken the picture back; a card stands in its place.
    Paused,
}

impl Phase {
    /// The name used in the HTTP API and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::Held => "held",
            Self::Paused => "paused",
        }
    }
}

/// How a broadcast is doing (PROTOCOL 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Status {
    /// Where the broadcast is in its life.
    pub phase: Phase,
    /// When that began, in microseconds on the relay's clock.
    pub since_us: u64,
    /// The newest epoch; for a publisher, in `Welcome`, its own.
    pub epoch: u32,
    /// Players attached now.
    pub players: u32,
}

impl Status {
    /// As a session of `version` knows it: those before 4 know of no pause. They see the card, which is held.
    #[must_use]
    pub fn in_version(self, version: u16) -> Self {
        match self.phase {
            Phase::Paused if version < PAUSES => Self {
                phase: Phase::Held,
                ..self
            },
            _ => self,
        }
    }
}

/// From a client to the relay (PROTOCOL 2.2).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum ClientMessage {
    /// The first message of a session.
    Hello {
        /// The newest protocol version that the client speaks.
        version: u16,
        /// What the client wants to be.
        role: Role,
        /// The token that grants it.
        token: String,
        /// A name for logs.
        agent: String,
        /// The lineage that a publisher resumes.
        resume: Option<ResumeSecret>,
    },
    /// A sign of life that asks for the relay's time.
    Ping {
        /// Echoed in `Pong`.
        sequence: u32,
        /// The client's clock, in microseconds; echoed in `Pong`.
        sent_us: u64,
    },
    /// The client leaves.
    Goodbye {
        /// Why (PROTOCOL 5).
        code: u16,
        /// The same for people.
        message: String,
    },
    /// A player cannot decode `group` and wants a newer keyframe.
    KeyframeRequest {
        /// The epoch of the broken group.
        epoch: u32,
        /// The broken group.
        group: u32,
    },
    /// What a player has seen since its session began.
    Report {
        /// Frames received.
        received: u64,
        /// Frames decoded.
        decoded: u64,
        /// Frames shown.
        shown: u64,
        /// Blank pictures shown after the first real one.
        black: u64,
        /// Decoder errors.
        decoder_errors: u32,
        /// Capture to display of the newest frame, in microseconds; 0 when unknown.
        latency_us: u32,
    },
    /// What a player's decoder can do; said as soon as it is known, and again when that changes.
    Decodes {
        /// Every codec that it can decode.
        codecs: CodecSet,
    },
    /// A publisher cannot encode a rendition that the relay wants.
    RenditionRefused {
        /// The rendition's track.
        track: TrackId,
        /// Why, for logs.
        reason: String,
    },
    /// A publisher takes its picture back: nobody may see it any more (PROTOCOL 2.14).
    Pause {
        /// Of each of its tracks the first group of the card, in order of their numbers.
        from: Vec<TrackGroup>,
    },
    /// What a publisher sends is its picture again.
    Continue,
    /// What a publisher sends sound as from now on (PROTOCOL 9.1).
    Sound {
        /// `None`: it has none.
        sound: Option<SoundFormat>,
    },
    /// Whether a player wants to hear what there is (PROTOCOL 9.2).
    Listen {
        /// Off until it is said.
        on: bool,
    },
    /// The first message of a relay's session: it wants a broadcast (PROTOCOL 11.2).
    Pull {
        /// The newest protocol version that the relay speaks.
        version: u16,
        /// The broadcast.
        broadcast: String,
        /// The relays that it will pass through from here on, the one that asks first.
        relays: Vec<Hop>,
    },
    /// What of a session is behind a relay (PROTOCOL 11.5).
    Audience {
        /// Players that watch.
        players: u32,
        /// Players that are to hear what there is.
        listeners: u32,
    },
    /// The one rendition that a relay's session is to be served (PROTOCOL 11.6).
    Needs {
        /// Its codec.
        codec: CodecKind,
        /// What it may take of a path, in kbit/s; `None`: as much as the publisher finds right.
        max_kbps: Option<u32>,
    },
    /// Who a relay is that wants a broadcast, and what is behind it (PROTOCOL 11.10).
    Branch {
        /// `HOST:PORT` at which other relays reach it; `None`: it serves none.
        place: Option<String>,
        /// Its operator's word for where it is.
        region: Option<String>,
        /// Places of relays that it was sent to in vain.
        vain: Vec<String>,
        /// What is behind it.
        branch: Branch,
    },
}

/// The relays that get a broadcast through one (PROTOCOL 11.10).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Branch {
    /// How many get it from that one.
    pub children: u32,
    /// How many there are in all.
    pub relays: u32,
    /// Links to the farthest of them.
    pub links: u8,
}

/// A group of one track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TrackGroup {
    /// The track.
    pub track: TrackId,
    /// The group's number in it.
    pub group: u32,
}

/// From the relay to a client (PROTOCOL 2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayMessage {
    /// The session is accepted.
    Welcome {
        /// The protocol version that this session speaks.
        version: u16,
        /// This session's number, for logs.
        session: u64,
        /// The broadcast that the token named.
        broadcast: String,
        /// The lineage to resume with; for publishers.
        resume: Option<ResumeSecret>,
        /// How often the client sends `Ping`, in milliseconds.
        heartbeat_ms: u32,
        /// The relay's clock, in microseconds.
        relay_us: u64,
        /// How the broadcast is doing.
        status: Status,
    },
    /// The answer to `Ping`.
    Pong {
        /// From the ping.
        sequence: u32,
        /// From the ping.
        sent_us: u64,
        /// The relay's clock, in microseconds.
        relay_us: u64,
    },
    /// The broadcast's status has changed.
    Status {
        /// How the broadcast is doing now.
        status: Status,
    },
    /// The publisher is to send a keyframe soon.
    KeyframeRequest {
        /// The track that needs one.
        track: TrackId,
    },
    /// The session ends.
    Goodbye {
        /// Why (PROTOCOL 5).
        code: u16,
        /// The same for people.
        message: String,
        /// Reconnect after this many milliseconds; `None`: do not.
        retry_after_ms: Option<u32>,
    },
    /// Every rendition that the relay wants of a publisher of a version before 3, and no other.
    Renditions {
        /// In order of their tracks.
        wanted: Vec<Rendition>,
    },
    /// What the player is served has changed.
    Serving {
        /// What it is now.
        serving: Serving,
    },
    /// Every track that the relay wants of the publisher beside the main one, and no other.
    Tracks {
        /// In order of their numbers.
        wanted: Vec<WantedTrack>,
    },
    /// What there is to hear (PROTOCOL 9.2).
    Sound {
        /// `None`: nothing.
        sound: Option<SoundFormat>,
    },
    /// Who is to hear what a publisher sends (PROTOCOL 9.4).
    Listeners {
        /// How many players; while there are none it sends no sound.
        players: u32,
        /// How many earlier frames each of its datagrams is to repeat.
        repeat: u8,
    },
    /// The relays that the broadcast passes through to the relay that is told (PROTOCOL 11.3).
    Through {
        /// The one that the publisher is at first, the one that says so last.
        relays: Vec<Hop>,
    },
    /// The publisher has taken its picture back, as it said so (PROTOCOL 11.4).
    Pause {
        /// The publisher's epoch.
        epoch: u32,
        /// Of each of its tracks the first group of the card, in order of their numbers.
        from: Vec<TrackGroup>,
    },
    /// What the publisher sends is its picture again (PROTOCOL 11.4).
    Continue,
    /// The broadcast is to be got from another relay, which has it already (PROTOCOL 11.10).
    Ask {
        /// `HOST:PORT` of that one.
        relay: String,
    },
    /// How wide the path to the player is; may be skipped.
    Path {
        /// Whether it carries less than the picture needs.
        narrow: bool,
        /// What it carries as the relay estimates, in kbit/s; `None`: not known.
        carries_kbps: Option<u32>,
    },
    /// How much of what a publisher sends has come; may be skipped.
    Arrived {
        /// Bytes of group streams since the session began.
        bytes: u64,
        /// The relay's clock then, in microseconds.
        relay_us: u64,
    },
    /// Other relays that would take this session; may be skipped.
    Relays {
        /// The URLs of their pages, in the order in which they are to be tried.
        relays: Vec<String>,
    },
    /// The relay is about to go, and the session is to be opened at another one; may be skipped.
    Move {
        /// How much longer it is there, in milliseconds.
        within_ms: u32,
    },
}

impl fmt::Debug for ClientMessage {
    /// Like a derived one, but without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello {
                version,
                role,
                agent,
                ..
            } => write!(f, "Hello(v{version} {role:?} {agent:?})"),
            Self::Ping { sequence, .. } => write!(f, "Ping({sequence})"),
            Self::Goodbye { code, message } => write!(f, "Goodbye({code} {message:?})"),
            Self::KeyframeRequest { epoch, group } => {
                write!(f, "KeyframeRequest({epoch}/{group})")
            }
            Self::Report { shown, .. } => write!(f, "Report({shown} shown)"),
            Self::Decodes { codecs } => f.debug_tuple("Decodes").field(codecs).finish(),
            Self::RenditionRefused { track, reason } => {
                write!(f, "RenditionRefused({track} {reason:?})")
            }
            Self::Pause { from } => f.debug_tuple("Pause").field(from).finish(),
            Self::Continue => f.write_str("Continue"),
            Self::Sound { sound } => f.debug_tuple("Sound").field(sound).finish(),
            Self::Listen { on } => write!(f, "Listen({on})"),
            Self::Pull {
                version, broadcast, ..
            } => write!(f, "Pull(v{version} {broadcast:?})"),
            Self::Audience { players, listeners } => {
                write!(f, "Audience({players} {listeners})")
            }
            Self::Needs { codec, max_kbps } => write!(f, "Needs({codec:?} {max_kbps:?})"),
            Self::Branch { branch, .. } => write!(f, "Branch({} relays)", branch.relays),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_have_the_names_of_the_api() {
        let phases = [Phase::Waiting, Phase::Live, Phase::Held, Phase::Paused];
        let names = ["waiting", "live", "held", "paused"];
        assert_eq!(phases.map(Phase::name), names);
    }
}
