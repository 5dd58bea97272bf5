//! Control messages as bytes (PROTOCOL 2.1).

use bincode::config::{Configuration, Limit};
use bincode::error::DecodeError;
use bincode::{Decode, Encode};

use super::{
    ClientMessage, Hop, RelayMessage, Rendition, SKIPPABLE, SoundFormat, TrackGroup, TrackId,
    VERSION, WantedTrack, WireError, limits,
};

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

/// Decodes one message from exactly its bytes, without the length prefix; `None` for one of a later
/// version that may be skipped (PROTOCOL 2.12).
///
/// # Errors
/// A [`WireError`] that says what is wrong with the bytes.
pub fn decode_client(bytes: &[u8]) -> Result<Option<ClientMessage>, WireError> {
    // Who comes does not know yet what the relay speaks.
    let grows = |message: &ClientMessage| {
        matches!(
            message,
            ClientMessage::Hello { version, .. } | ClientMessage::Pull { version, .. }
                if *version > VERSION
        )
    };
    let message = decode(bytes, "ClientMessage", grows)?;
    message.as_ref().map_or(Ok(()), check_client)?;
    Ok(message)
}

/// Decodes one message from exactly its bytes, without the length prefix; `None` for one of a later
/// version that may be skipped (PROTOCOL 2.12).
///
/// # Errors
/// A [`WireError`] that says what is wrong with the bytes.
pub fn decode_relay(bytes: &[u8]) -> Result<Option<RelayMessage>, WireError> {
    let grows = |message: &RelayMessage| {
        matches!(
            message,
            RelayMessage::Path { .. }
                | RelayMessage::Arrived { .. }
                | RelayMessage::Relays { .. }
                | RelayMessage::Move { .. }
        )
    };
    let message = decode(bytes, "RelayMessage", grows)?;
    message.as_ref().map_or(Ok(()), check_relay)?;
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

/// `grows` says of which messages later versions may have more fields than are known here.
fn decode<M: Decode<()>>(
    bytes: &[u8],
    name: &str,
    grows: impl Fn(&M) -> bool,
) -> Result<Option<M>, WireError> {
    WireError::check("control message", bytes.len(), limits::CONTROL_MESSAGE)?;
    let (message, used) = match bincode::decode_from_slice(bytes, config()) {
        Ok(decoded) => decoded,
        // Roles, phases and options are enums too; only the outermost names a message.
        Err(DecodeError::UnexpectedVariant {
            type_name, found, ..
        }) if type_name.ends_with(name) => {
            return match found {
                SKIPPABLE.. => Ok(None),
                _ => Err(WireError::UnknownMessage(found)),
            };
        }
        Err(error) => return Err(refusal(&error)),
    };
    if used != bytes.len() && !grows(&message) {
        return Err(WireError::Malformed("bytes after a control message"));
    }
    Ok(Some(message))
}

fn refusal(error: &DecodeError) -> WireError {
    WireError::Malformed(match error {
        DecodeError::UnexpectedEnd { .. } | DecodeError::LimitExceeded => {
            "a control message that ends too early"
        }
        DecodeError::Utf8 { .. } => "a text that is not UTF-8",
        _ => "a control message that does not parse",
    })
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
            match *track {
                TrackId::MAIN => Err(WireError::Malformed("the main track is no rendition")),
                _ => Ok(()),
            }
        }
        ClientMessage::Pause { from } => check_pause(from),
        ClientMessage::Sound { sound } => sound.map_or(Ok(()), SoundFormat::check),
        ClientMessage::Pull {
            broadcast, relays, ..
        } => {
            WireError::check("broadcast", broadcast.len(), limits::BROADCAST)?;
            check_relays(relays)
        }
        ClientMessage::Branch {
            place,
            region,
            vain,
            ..
        } => {
            let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            WireError::check("relay's address", text(place), limits::PLACE)?;
            WireError::check("region", text(region), limits::REGION)?;
            check_places(vain)
        }
        ClientMessage::Continue
        | ClientMessage::Listen { .. }
        | ClientMessage::Audience { .. }
        | ClientMessage::Needs { .. } => Ok(()),
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
        RelayMessage::Tracks { wanted } => check_tracks(wanted),
        RelayMessage::Arrived { bytes, relay_us } => {
            WireError::check_integer(*bytes)?;
            WireError::check_integer(*relay_us)
        }
        RelayMessage::Sound { sound } => sound.map_or(Ok(()), SoundFormat::check),
        RelayMessage::Listeners { repeat, .. } => match *repeat {
            ..=limits::SOUND_REPEATS => Ok(()),
            _ => Err(WireError::Malformed("more repeats than a datagram takes")),
        },
        RelayMessage::Through { relays } => check_relays(relays),
        RelayMessage::Pause { from, .. } => check_pause(from),
        RelayMessage::Relays { relays } => check_places(relays),
        RelayMessage::Ask { relay } => {
            WireError::check("relay's address", relay.len(), limits::PLACE)
        }
        RelayMessage::Serving { .. }
        | RelayMessage::Path { .. }
        | RelayMessage::Continue
        | RelayMessage::Move { .. } => Ok(()),
    }
}

/// The main track, and others in order.
fn check_pause(from: &[TrackGroup]) -> Result<(), WireError> {
    let in_order = from.is_sorted_by(|one, next| one.track < next.track);
    let main = from.first().map(|first| first.track) == Some(TrackId::MAIN);
    match in_order && main {
        true => Ok(()),
        false => Err(WireError::Malformed(
            "a pause without the main track, or out of order",
        )),
    }
}

/// A handful of addresses.
fn check_places(relays: &[String]) -> Result<(), WireError> {
    WireError::check("other relays", relays.len(), limits::PLACES)?;
    relays
        .iter()
        .try_for_each(|url| WireError::check("relay's address", url.len(), limits::PLACE))
}

/// One at least.
fn check_relays(relays: &[Hop]) -> Result<(), WireError> {
    match relays.is_empty() {
        true => Err(WireError::Malformed("a way through no relay")),
        false => WireError::check("way", relays.len(), limits::RELAYS),
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

/// Each track once, in order, and not the main one.
fn check_tracks(wanted: &[WantedTrack]) -> Result<(), WireError> {
    let numbers = || wanted.iter().map(|wanted| wanted.track);
    match numbers().all(|track| track > TrackId::MAIN) && numbers().is_sorted_by(|a, b| a < b) {
        true => Ok(()),
        false => Err(WireError::Malformed("tracks out of order")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CodecKind, MediaKind, Phase, ResumeSecret, Role, Status, TrackId};
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
        assert_eq!(decode_client(&[63]), Err(WireError::UnknownMessage(63)));
        // A role that does not exist, inside a known message.
        assert!(matches!(
            decode_client(&[0, 1, 9]),
            Err(WireError::Malformed(_))
        ));
    }

    #[test]
    fn what_may_be_skipped_is_skipped_whatever_its_bytes() {
        for body in [&[64][..], &[200, 1, 2, 3], &[252, 255, 255, 255, 255, 9]] {
            assert_eq!(decode_client(body), Ok(None), "{body:?}");
        }
        // The relay's first such messages are known.
        assert_eq!(decode_relay(&[68]), Ok(None));
        assert!(matches!(decode_relay(&[64]), Err(WireError::Malformed(_))));
    }

    #[test]
    fn a_hello_of_a_later_version_may_say_more() {
        let hello = |version| ClientMessage::Hello {
            version,
            role: Role::Player,
            token: String::new(),
            agent: String::new(),
            resume: None,
        };
        let longer = |version| [body(&hello(version)), vec![7, 7]].concat();
        let later = VERSION + 1;
        assert_eq!(decode_client(&longer(later)), Ok(Some(hello(later))));
        assert!(matches!(
            decode_client(&longer(VERSION)),
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

    #[test]
    fn a_status_is_these_bytes_and_none_beyond_a_browser_s_integers() {
        let status = |since_us| RelayMessage::Status {
            status: Status {
                phase: Phase::Live,
                since_us,
                epoch: 3,
                players: 4,
            },
        };
        let bytes = encode_relay(&status(9)).unwrap();
        assert_eq!(bytes, [0, 5, 2, 1, 9, 3, 4]);
        assert_eq!(decode_relay(&bytes[2..]), Ok(Some(status(9))));
        assert!(encode_relay(&status(limits::INTEGER + 1)).is_err());
    }

    #[test]
    fn renditions_stand_on_their_tracks_and_in_order() {
        let rendition = |on, codec| Rendition {
            track: TrackId::of(on),
            codec,
            players: 1,
        };
        let h264 = rendition(CodecKind::H264, CodecKind::H264);
        let vp8 = rendition(CodecKind::Vp8, CodecKind::Vp8);
        let crossed = rendition(CodecKind::Vp8, CodecKind::H264);
        let accepted = |wanted: &[Rendition]| {
            let wanted = wanted.to_vec();
            encode_relay(&RelayMessage::Renditions { wanted }).is_ok()
        };
        assert!(accepted(&[]) && accepted(&[h264, vp8]));
        for wanted in [&[vp8, h264][..], &[vp8, vp8], &[crossed]] {
            assert!(!accepted(wanted), "{wanted:?}");
        }
    }

    #[test]
    fn tracks_stand_in_order_beside_the_main_one() {
        let wanted = |numbers: &[u8]| {
            let track = |number: &u8| WantedTrack {
                track: TrackId::from_number(*number).unwrap(),
                kind: MediaKind::Video,
                codec: CodecKind::Av1,
                max_kbps: Some(700),
                players: 1,
            };
            let wanted = numbers.iter().map(track).collect();
            encode_relay(&RelayMessage::Tracks { wanted })
        };
        assert_eq!(
            wanted(&[7]).unwrap(),
            [0, 10, 7, 1, 7, 0, 0, 1, 251, 0xbc, 2, 1]
        );
        assert!(wanted(&[]).is_ok() && wanted(&[1, 5, 15]).is_ok());
        for numbers in [&[0][..], &[5, 1], &[5, 5]] {
            assert!(wanted(numbers).is_err(), "{numbers:?}");
        }
    }
}
