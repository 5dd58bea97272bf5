//! Control messages (PROTOCOL 2).

use bincode::config::{Configuration, Limit};
use bincode::error::DecodeError;
use bincode::{Decode, Encode};
use std::fmt;

use super::{WireError, limits};

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

/// Where a broadcast is in its life (PROTOCOL 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Phase {
    /// No publisher has sent a frame yet.
    Waiting,
    /// A publisher is attached and heard.
    Live,
    /// The publisher has gone or fallen silent; the picture is kept.
    Held,
}

impl Phase {
    /// The name used in the HTTP API and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::Held => "held",
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

/// From a client to the relay (PROTOCOL 2.2).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum ClientMessage {
    /// The first message of a session.
    Hello {
        /// The protocol version that the client speaks.
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
}

/// From the relay to a client (PROTOCOL 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RelayMessage {
    /// The session is accepted.
    Welcome {
        /// The protocol version that the relay speaks.
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
        track: u8,
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
        }
    }
}

type Config = Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    Limit<{ limits::CONTROL_MESSAGE }>,
>;

fn config() -> Config {
    bincode::config::standard().with_limit::<{ limits::CONTROL_MESSAGE }>()
}

/// The message with its length prefix, ready to write.
///
/// # Errors
/// [`WireError::TooLarge`] when a text or the whole is beyond its limit, and
/// [`WireError::Malformed`] when an integer is above [`limits::INTEGER`].
pub fn encode_client(message: &ClientMessage) -> Result<Vec<u8>, WireError> {
    check_client(message)?;
    encode(message)
}

/// The message with its length prefix, ready to write.
///
/// # Errors
/// [`WireError::TooLarge`] when a text or the whole is beyond its limit, and
/// [`WireError::Malformed`] when an integer is above [`limits::INTEGER`].
pub fn encode_relay(message: &RelayMessage) -> Result<Vec<u8>, WireError> {
    check_relay(message)?;
    encode(message)
}

/// Decodes one message from exactly its bytes, without the length prefix.
///
/// # Errors
/// A [`WireError`] that says what is wrong with the bytes.
pub fn decode_client(bytes: &[u8]) -> Result<ClientMessage, WireError> {
    let message = decode(bytes, "ClientMessage")?;
    check_client(&message)?;
    Ok(message)
}

/// Decodes one message from exactly its bytes, without the length prefix.
///
/// # Errors
/// A [`WireError`] that says what is wrong with the bytes.
pub fn decode_relay(bytes: &[u8]) -> Result<RelayMessage, WireError> {
    let message = decode(bytes, "RelayMessage")?;
    check_relay(&message)?;
    Ok(message)
}

fn encode<M: Encode>(message: &M) -> Result<Vec<u8>, WireError> {
    let body = bincode::encode_to_vec(message, config())
        .map_err(|_| WireError::Malformed("a message that cannot be encoded"))?;
    WireError::check("control message", body.len(), limits::CONTROL_MESSAGE)?;
    let mut framed = Vec::with_capacity(2 + body.len());
    framed.extend_from_slice(&(body.len() as u16).to_be_bytes());
    framed.extend_from_slice(&body);
    Ok(framed)
}

fn decode<M: Decode<()>>(bytes: &[u8], name: &str) -> Result<M, WireError> {
    WireError::check("control message", bytes.len(), limits::CONTROL_MESSAGE)?;
    let (message, used) =
        bincode::decode_from_slice(bytes, config()).map_err(|error| match error {
            // Roles, phases and options are enums too; only the outermost names a message.
            DecodeError::UnexpectedVariant {
                type_name, found, ..
            } if type_name.ends_with(name) => WireError::UnknownMessage(found),
            DecodeError::UnexpectedEnd { .. } | DecodeError::LimitExceeded => {
                WireError::Malformed("a control message that ends too early")
            }
            DecodeError::Utf8 { .. } => WireError::Malformed("a text that is not UTF-8"),
            _ => WireError::Malformed("a control message that does not parse"),
        })?;
    if used != bytes.len() {
        return Err(WireError::Malformed("bytes after a control message"));
    }
    Ok(message)
}

fn check_client(message: &ClientMessage) -> Result<(), WireError> {
    match message {
        ClientMessage::Hello { token, agent, .. } => {
            WireError::check("token", token.len(), limits::TOKEN)?;
            WireError::check("agent", agent.len(), limits::AGENT)
        }
        ClientMessage::Ping { sent_us, .. } => WireError::check_integer(*sent_us),
        ClientMessage::Goodbye { message, .. } => {
            WireError::check("goodbye text", message.len(), limits::GOODBYE_TEXT)
        }
        ClientMessage::KeyframeRequest { .. } => Ok(()),
        ClientMessage::Report {
            received,
            decoded,
            shown,
            black,
            ..
        } => [received, decoded, shown, black]
            .into_iter()
            .try_for_each(|total| WireError::check_integer(*total)),
    }
}

fn check_relay(message: &RelayMessage) -> Result<(), WireError> {
    match message {
        RelayMessage::Welcome {
            session,
            relay_us,
            status,
            ..
        } => [*session, *relay_us, status.since_us]
            .into_iter()
            .try_for_each(WireError::check_integer),
        RelayMessage::Pong {
            sent_us, relay_us, ..
        } => {
            WireError::check_integer(*sent_us)?;
            WireError::check_integer(*relay_us)
        }
        RelayMessage::Status { status } => WireError::check_integer(status.since_us),
        RelayMessage::KeyframeRequest { .. } => Ok(()),
        RelayMessage::Goodbye { message, .. } => {
            WireError::check("goodbye text", message.len(), limits::GOODBYE_TEXT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(message: &ClientMessage) -> Vec<u8> {
        encode_client(message).unwrap()[2..].to_vec()
    }

    #[test]
    fn a_token_never_shows_in_debug_output() {
        let hello = ClientMessage::Hello {
            version: 1,
            role: Role::Player,
            token: "secret-token".into(),
            agent: "a".into(),
            resume: Some(ResumeSecret([7; 16])),
        };
        assert!(!format!("{hello:?}").contains("secret"));
    }

    #[test]
    fn an_unknown_variant_is_told_apart_from_rubbish() {
        assert_eq!(decode_client(&[200]), Err(WireError::UnknownMessage(200)));
        // A role that does not exist, inside a known message.
        assert!(matches!(
            decode_client(&[0, 1, 9]),
            Err(WireError::Malformed(_))
        ));
    }

    #[test]
    fn bytes_left_over_are_refused() {
        let mut bytes = body(&ClientMessage::Ping {
            sequence: 1,
            sent_us: 2,
        });
        bytes.push(0);
        assert!(matches!(
            decode_client(&bytes),
            Err(WireError::Malformed(_))
        ));
    }

    #[test]
    fn a_text_that_claims_gigabytes_costs_nothing() {
        let mut bytes = vec![2, 0];
        bytes.extend_from_slice(&[253, 255, 255, 255, 255, 0, 0, 0, 0]);
        assert!(matches!(
            decode_client(&bytes),
            Err(WireError::Malformed(_))
        ));
    }

    #[test]
    fn long_texts_are_too_large() {
        let long = ClientMessage::Goodbye {
            code: 0,
            message: "x".repeat(limits::GOODBYE_TEXT + 1),
        };
        assert!(matches!(
            encode_client(&long),
            Err(WireError::TooLarge { .. })
        ));
    }
}
