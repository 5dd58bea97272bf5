//! Control messages as bytes (PROTOCOL 2.1).

use bincode::config::{Configuration, Limit};
use bincode::error::DecodeError;
use bincode::{Decode, Encode};

use super::{ClientMessage, RelayMessage, Rendition, WireError, limits};

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
        ClientMessage::Decodes { .. } => Ok(()),
        ClientMessage::RenditionRefused { track, reason } => {
            WireError::check("refusal text", reason.len(), limits::REFUSAL_TEXT)?;
            match track.codec() {
                Some(_) => Ok(()),
                None => Err(WireError::Malformed("the main track is no rendition")),
            }
        }
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
        RelayMessage::Renditions { wanted } => check_renditions(wanted),
        RelayMessage::Serving { .. } => Ok(()),
    }
}

/// Each track once, in order, with the codec that goes with it.
fn check_renditions(wanted: &[Rendition]) -> Result<(), WireError> {
    for rendition in wanted {
        if rendition.track.codec() != Some(rendition.codec) {
            return Err(WireError::Malformed("a rendition on another codec's track"));
        }
    }
    match wanted.is_sorted_by(|one, next| one.track < next.track) {
        true => Ok(()),
        false => Err(WireError::Malformed("renditions out of order")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ResumeSecret, Role};
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
