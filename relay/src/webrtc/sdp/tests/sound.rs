//! What becomes of audio sections.

use steadycast_codec_glue::wire::Role;

use super::super::offer::{Extension, OfferError};
use super::super::offers::{PLAYERS, PUBLISHERS, of};
use super::{Offer, all, answer, audio, check, one, video};

/// The offer of a Chromium player with this audio section behind the picture's.
fn with_audio(section: &str) -> String {
    let offer = of("chromium-player").replace("BUNDLE 0", "BUNDLE 0 9");
    let head = "a=mid:9\na=rtcp-mux\n";
    let (line, rest) = section.split_once('\n').unwrap();
    format!("{offer}{line}\n{head}{rest}")
}

/// What browsers offer of it.
const OPUS: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0\n\
    a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n\
    a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n\
    a=recvonly\n\
    a=rtpmap:111 opus/48000/2\n\
    a=rtcp-fb:111 transport-cc\n\
    a=rtcp-fb:111 nack\n\
    a=fmtp:111 minptime=10;useinbandfec=1\n\
    a=rtpmap:63 red/48000/2\n\
    a=fmtp:63 111/111\n\
    a=rtpmap:0 PCMU/8000\n";

#[test]
fn a_player_is_sent_opus_in_stereo_with_its_own_source_and_what_helps_against_loss() {
    let offer = with_audio(OPUS);
    let answer = answer(&offer, Role::Player);
    check(&offer, &answer, Role::Player);
    let lines = audio(&answer);
    assert!(lines[0].ends_with(" 111 63"), "{}", lines[0]);
    assert_eq!(
        all(&lines, "a=rtpmap:"),
        ["111 opus/48000/2", "63 red/48000/2"]
    );
    assert_eq!(
        all(&lines, "a=fmtp:"),
        [
            "111 minptime=10;stereo=1;sprop-stereo=1;useinbandfec=1",
            "63 111/111"
        ]
    );
    assert_eq!(all(&lines, "a=rtcp-fb:111 "), ["nack", "transport-cc"]);
    assert_eq!(all(&lines, "a=extmap:").len(), 2);
    assert_eq!(one(&lines, "a=ssrc:"), "13 cname:steadycast");
    let stream = |lines: &[&str]| one(lines, "a=msid:").split(' ').next().unwrap().to_owned();
    assert_eq!(
        stream(&lines),
        stream(&video(&answer)),
        "browsers keep them in time"
    );
}

#[test]
fn a_publisher_is_asked_for_stereo_and_need_send_nothing_in_silence() {
    for name in ["obs-publisher", "ffmpeg-publisher"] {
        let answer = answer(of(name), Role::Publisher);
        let lines = audio(&answer);
        assert_eq!(all(&lines, "a=recvonly"), [""]);
        assert_eq!(
            one(&lines, "a=fmtp:"),
            "111 minptime=10;stereo=1;useinbandfec=1;usedtx=1"
        );
        assert!(all(&lines, "a=ssrc").is_empty());
    }
}

#[test]
fn sound_is_agreed_on_with_every_client_that_offers_it() {
    for (role, offers) in [(Role::Player, &PLAYERS[..]), (Role::Publisher, &PUBLISHERS)] {
        for (name, offer) in offers {
            let parsed = Offer::parse(offer, role).unwrap();
            let offered = offer.contains("m=audio");
            assert_eq!(parsed.opus().is_some(), offered, "{name}");
        }
    }
}

#[test]
fn who_would_rather_send_redundant_frames_may() {
    let offer = of("obs-publisher")
        .replace("SAVPF 111\n", "SAVPF 63 111\n")
        .replace(
            "a=rtpmap:111 opus/48000/2\n",
            "a=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111/111\n",
        );
    let answer = answer(&offer, Role::Publisher);
    assert!(audio(&answer)[0].ends_with(" 63 111"), "{answer}");
    assert!(answer.contains("a=fmtp:63 111/111/111\r\n"), "{answer}");
}

#[test]
fn redundant_frames_of_something_else_are_not_taken() {
    for parameters in ["0/0", "111", "", "111/0", "111/x"] {
        let offer =
            with_audio(&OPUS.replace("a=fmtp:63 111/111", &format!("a=fmtp:63 {parameters}")));
        let answer = answer(&offer, Role::Player);
        assert!(!answer.contains("red/"), "{parameters}");
        assert!(audio(&answer)[0].ends_with(" 111"));
    }
}

#[test]
fn packets_of_sound_are_numbered_only_where_pictures_are_under_the_same_extension() {
    let uri = Extension::TransportWide.uri();
    let numbered = |offer: &str| {
        let offer = Offer::parse(offer, Role::Player).unwrap();
        let opus = offer.opus().unwrap();
        opus.extension(Extension::TransportWide).is_some()
    };
    let own = with_audio(OPUS);
    assert!(numbered(&own));
    let lines = || {
        own.lines()
            .filter(|line| line.ends_with(uri))
            .collect::<Vec<_>>()
    };
    let [pictures, sound] = lines()[..] else {
        panic!("{own}");
    };
    assert_eq!(pictures, sound);
    let (head, rest) = own.split_once("m=audio").unwrap();
    let other = rest.replace("a=extmap:4 http://www.ietf", "a=extmap:7 http://www.ietf");
    assert!(!numbered(&format!("{head}m=audio{other}")));
    assert!(!numbered(&format!(
        "{}m=audio{rest}",
        head.replace(uri, "urn:x")
    )));
    assert!(!numbered(&own.replace("a=rtcp-fb:111 transport-cc\n", "")));
}

#[test]
fn a_player_without_opus_or_that_does_not_listen_is_shown_the_picture_alone() {
    for (what, section) in [
        ("another codec", OPUS.replace("opus/48000", "L16/48000")),
        ("another clock", OPUS.replace("opus/48000", "opus/16000")),
        ("it sends", OPUS.replace("a=recvonly", "a=sendonly")),
        ("nothing flows", OPUS.replace("a=recvonly", "a=inactive")),
        ("refused", OPUS.replace("m=audio 9", "m=audio 0")),
    ] {
        let offer = with_audio(&section);
        let answer = answer(&offer, Role::Player);
        let lines = audio(&answer);
        assert_eq!(all(&lines, "a=inactive"), [""], "{what}");
        assert!(all(&lines, "a=ssrc").is_empty(), "{what}");
        assert_eq!(all(&video(&answer), "a=sendonly"), [""], "{what}");
    }
}

#[test]
fn a_publisher_whose_sound_is_not_opus_is_refused_in_words() {
    let offer = of("obs-publisher").replace("111 opus/48000/2", "111 PCMU/8000");
    let error = Offer::parse(&offer, Role::Publisher).unwrap_err();
    assert!(matches!(error, OfferError::Unsupported(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("sound is broadcast as Opus alone")
    );
    // Where none is sent nothing is refused.
    for direction in ["a=inactive", "a=recvonly"] {
        let (head, rest) = offer.split_once("m=video").unwrap();
        let silent = head.replace("a=sendonly", direction);
        let offer = format!("{silent}m=video{rest}");
        assert!(answer(&offer, Role::Publisher).contains("a=inactive\r\n"));
    }
}
