//! What comes over HTTP.

use std::io::Cursor;
use std::sync::OnceLock;

use rtc_sdp::SessionDescription;
use steadycast_codec_glue::wire::Role;

use crate::webrtc::dtls::Fingerprint;
use crate::webrtc::ice::Credentials;
use crate::webrtc::sdp::{Answer, Fragment, Media, Offer, Place};

/// An offer of either role: what is answered is SDP, and the relay's own.
pub fn offer(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for role in [Role::Player, Role::Publisher] {
        if let Ok(offer) = Offer::parse(text, role) {
            check(&offer, role, data.len());
        }
    }
}

fn check(offer: &Offer, role: Role, offered: usize) {
    assert!((1..=2).contains(&offer.sections.len()));
    let formats = offer.formats();
    assert!(!formats.is_empty());
    let numbers = formats
        .iter()
        .flat_map(|format| [Some(format.payload_type), format.rtx])
        .flatten();
    for number in numbers {
        assert!(!matches!(number, 64..=95 | 128..));
    }
    let answer = Answer {
        offer,
        role,
        credentials: credentials(),
        fingerprint: &Fingerprint::parse(&format!("sha-256 {}", ["AB"; 32].join(":"))).unwrap(),
        place: &Place {
            addresses: vec!["192.0.2.1:4433".parse().unwrap()],
            tcp: true,
        },
        media: Media {
            ssrc: 11,
            rtx_ssrc: 12,
            sound_ssrc: 13,
        },
        number: 1,
    }
    .to_string();
    assert!(answer.len() < 4 * offered + 4_096);
    for line in answer.split_terminator("\r\n") {
        assert!(line.len() > 2 && !line.chars().any(char::is_control));
    }
    let read = SessionDescription::unmarshal(&mut Cursor::new(answer.as_bytes())).unwrap();
    assert_eq!(read.media_descriptions.len(), offer.sections.len());
}

/// Credentials that are always the same.
pub(super) fn credentials() -> &'static Credentials {
    static CREDENTIALS: OnceLock<Credentials> = OnceLock::new();
    CREDENTIALS.get_or_init(|| Credentials::of("abcdefghijkl", "a password that is long enough"))
}

/// The body of a PATCH.
pub fn fragment(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(fragment) = Fragment::parse(text) {
        assert_eq!(fragment.ufrag.is_some(), fragment.password.is_some());
        assert!(
            fragment
                .ufrag
                .is_none_or(|ufrag| (4..=256).contains(&ufrag.len()))
        );
    }
}
