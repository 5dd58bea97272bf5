//! What the relay answers with an error.

use steadycast_codec_glue::wire::Role;

use super::super::offer::OfferError;
use super::super::offers::{PLAYERS, of};
use super::{Offer, changed};

fn refusal(offer: &str, role: Role) -> OfferError {
    match Offer::parse(offer, role) {
        Ok(_) => panic!("taken: {offer}"),
        Err(error) => error,
    }
}

#[test]
fn what_the_relay_has_not_is_unsupported() {
    let player = of("chromium-player");
    let second = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=rtcp-mux\na=rtpmap:96 VP8/90000\n";
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\na=sctp-port:5000\n";
    let bundled = changed("BUNDLE 0", "BUNDLE 0 1");
    for (what, offer) in [
        ("a player that sends", changed("a=recvonly", "a=sendonly")),
        (
            "a player that does nothing",
            changed("a=recvonly", "a=inactive"),
        ),
        ("two ports", changed("a=rtcp-mux\n", "")),
        ("only sound", changed("m=video", "m=audio")),
        ("another bundle", changed("BUNDLE 0", "BUNDLE 1 2")),
        ("two videos", format!("{bundled}{second}")),
        ("a video outside the bundle", format!("{player}{data}")),
        (
            "no codec",
            changed(
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 107 108 109 114 39 40 45 46 98 99",
                "m=video 9 UDP/TLS/RTP/SAVPF 107 108",
            ),
        ),
    ] {
        let error = refusal(&offer, Role::Player);
        assert!(
            matches!(error, OfferError::Unsupported(_)),
            "{what}: {error}"
        );
    }
    for (name, offer) in PLAYERS {
        let error = refusal(offer, Role::Publisher);
        assert_eq!(
            error,
            OfferError::Unsupported("a publisher has to send"),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_offer_is_malformed() {
    let many = "a=x:y\n".repeat(1_000);
    let sections = "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=rtcp-mux\n".repeat(8);
    for (what, offer) in [
        ("nothing", String::new()),
        ("no line", "hello".to_owned()),
        ("no version", changed("v=0\n", "")),
        (
            "no section",
            "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n".to_owned(),
        ),
        (
            "no fingerprint",
            changed("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        ),
        ("half a fingerprint", changed("4F:5C:9B:D9", "4F")),
        ("no digits", changed("4F:5C", "4F:XY")),
        ("no user name", changed("a=ice-ufrag:Vk3q\n", "")),
        (
            "a short user name",
            changed("a=ice-ufrag:Vk3q\n", "a=ice-ufrag:abc\n"),
        ),
        ("no setup", changed("a=setup:actpass\n", "")),
        (
            "a setup of nobody",
            changed("a=setup:actpass", "a=setup:holdconn"),
        ),
        ("an empty name", changed("a=mid:0\n", "a=mid:\n")),
        (
            "a long name",
            changed("a=mid:0\n", &format!("a=mid:{}\n", "x".repeat(300))),
        ),
        ("too many lines", format!("{}{many}", of("chromium-player"))),
        (
            "too many sections",
            format!("{}{sections}", of("chromium-player")),
        ),
    ] {
        let error = refusal(&offer, Role::Player);
        assert!(matches!(error, OfferError::Malformed(_)), "{what}: {error}");
    }
    let twice = changed("BUNDLE 0", "BUNDLE 0 0");
    let audio = "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:0\na=rtcp-mux\n";
    let error = refusal(&format!("{twice}{audio}"), Role::Player);
    assert_eq!(
        error,
        OfferError::Malformed("two sections of one name".to_owned())
    );
}
