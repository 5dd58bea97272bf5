//! Relay messages by their numbers (PROTOCOL 2.3). Written out, because a derived one numbers the
//! variants without a gap, and those that may be skipped begin at [`SKIPPABLE`].

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{AllowedEnumVariants, DecodeError, EncodeError};
use bincode::{Decode, Encode};

use super::{RelayMessage, SKIPPABLE};

const WELCOME: u32 = 0;
const PONG: u32 = 1;
const STATUS: u32 = 2;
const KEYFRAME_REQUEST: u32 = 3;
const GOODBYE: u32 = 4;
const RENDITIONS: u32 = 5;
const SERVING: u32 = 6;
const TRACKS: u32 = 7;
const SOUND: u32 = 8;
const LISTENERS: u32 = 9;
const THROUGH: u32 = 10;
const PAUSE: u32 = 11;
const CONTINUE: u32 = 12;
const ASK: u32 = 13;
const PATH: u32 = SKIPPABLE;
const ARRIVED: u32 = SKIPPABLE + 1;
const RELAYS: u32 = SKIPPABLE + 2;
const MOVE: u32 = SKIPPABLE + 3;

impl Encode for RelayMessage {
    fn encode<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        match self {
            Self::Welcome {
                version,
                session,
                broadcast,
                resume,
                heartbeat_ms,
                relay_us,
                status,
            } => {
                (WELCOME, version, session, broadcast, resume).encode(to)?;
                (heartbeat_ms, relay_us, status).encode(to)
            }
            Self::Pong {
                sequence,
                sent_us,
                relay_us,
            } => (PONG, sequence, sent_us, relay_us).encode(to),
            Self::Status { status } => (STATUS, status).encode(to),
            Self::KeyframeRequest { track } => (KEYFRAME_REQUEST, track).encode(to),
            Self::Goodbye {
                code,
                message,
                retry_after_ms,
            } => (GOODBYE, code, message, retry_after_ms).encode(to),
            Self::Renditions { wanted } => (RENDITIONS, wanted).encode(to),
            Self::Serving { serving } => (SERVING, serving).encode(to),
            Self::Tracks { wanted } => (TRACKS, wanted).encode(to),
            Self::Sound { sound } => (SOUND, sound).encode(to),
            Self::Listeners { players, repeat } => (LISTENERS, players, repeat).encode(to),
            Self::Through { relays } => (THROUGH, relays).encode(to),
            Self::Pause { epoch, from } => (PAUSE, epoch, from).encode(to),
            Self::Continue => CONTINUE.encode(to),
            Self::Ask { relay } => (ASK, relay).encode(to),
            Self::Path {
                narrow,
                carries_kbps,
            } => (PATH, narrow, carries_kbps).encode(to),
            Self::Arrived { bytes, relay_us } => (ARRIVED, bytes, relay_us).encode(to),
            Self::Relays { relays } => (RELAYS, relays).encode(to),
            Self::Move { within_ms } => (MOVE, within_ms).encode(to),
        }
    }
}

impl<Context> Decode<Context> for RelayMessage {
    fn decode<D: Decoder<Context = Context>>(from: &mut D) -> Result<Self, DecodeError> {
        // The fields of a struct expression are evaluated in the order in which they are written.
        Ok(match u32::decode(from)? {
            WELCOME => Self::Welcome {
                version: Decode::decode(from)?,
                session: Decode::decode(from)?,
                broadcast: Decode::decode(from)?,
                resume: Decode::decode(from)?,
                heartbeat_ms: Decode::decode(from)?,
                relay_us: Decode::decode(from)?,
                status: Decode::decode(from)?,
            },
            PONG => Self::Pong {
                sequence: Decode::decode(from)?,
                sent_us: Decode::decode(from)?,
                relay_us: Decode::decode(from)?,
            },
            STATUS => Self::Status {
                status: Decode::decode(from)?,
            },
            KEYFRAME_REQUEST => Self::KeyframeRequest {
                track: Decode::decode(from)?,
            },
            GOODBYE => Self::Goodbye {
                code: Decode::decode(from)?,
                message: Decode::decode(from)?,
                retry_after_ms: Decode::decode(from)?,
            },
            RENDITIONS => Self::Renditions {
                wanted: Decode::decode(from)?,
            },
            SERVING => Self::Serving {
                serving: Decode::decode(from)?,
            },
            TRACKS => Self::Tracks {
                wanted: Decode::decode(from)?,
            },
            SOUND => Self::Sound {
                sound: Decode::decode(from)?,
            },
            LISTENERS => Self::Listeners {
                players: Decode::decode(from)?,
                repeat: Decode::decode(from)?,
            },
            THROUGH => Self::Through {
                relays: Decode::decode(from)?,
            },
            PAUSE => Self::Pause {
                epoch: Decode::decode(from)?,
                from: Decode::decode(from)?,
            },
            CONTINUE => Self::Continue,
            ASK => Self::Ask {
                relay: Decode::decode(from)?,
            },
            PATH => Self::Path {
                narrow: Decode::decode(from)?,
                carries_kbps: Decode::decode(from)?,
            },
            ARRIVED => Self::Arrived {
                bytes: Decode::decode(from)?,
                relay_us: Decode::decode(from)?,
            },
            RELAYS => Self::Relays {
                relays: Decode::decode(from)?,
            },
            MOVE => Self::Move {
                within_ms: Decode::decode(from)?,
            },
            found => {
                return Err(DecodeError::UnexpectedVariant {
                    type_name: "RelayMessage",
                    allowed: &AllowedEnumVariants::Range {
                        min: WELCOME,
                        max: MOVE,
                    },
                    found,
                });
            }
        })
    }
}
