//! What the relay answers to whom.

use steadycast_codec_glue::wire::{CodecKind, Role};

use super::super::offer::{Extension, OfferError};
use super::super::offers::{PLAYERS, PUBLISHERS, of};
use super::{ADDRESSES, Offer, all, answer, answer_at, changed, check, formats, one, video};

#[test]
fn every_clients_offer_is_answered_by_the_rules() {
    for (role, offers) in [(Role::Player, &PLAYERS[..]), (Role::Publisher, &PUBLISHERS)] {
        for (name, offer) in offers {
            eprintln!("{name}");
            check(offer, &answer(offer, role), role);
            // As it is on the wire.
            let wire = offer.replace('\n', "\r\n");
            check(offer, &answer(&wire, role), role);
        }
    }
}

/// FFmpeg 8.0 without sound has a group of both, and one section.
#[test]
fn a_bundle_may_name_more_than_there_is() {
    let whole = of("ffmpeg-publisher");
    let (head, rest) = whole.split_once("m=audio").unwrap();
    let (_, video) = rest.split_once("m=video").unwrap();
    let answer = answer(&format!("{head}m=video{video}"), Role::Publisher);
    assert!(answer.contains("\r\na=group:BUNDLE 1\r\n"), "{answer}");
    assert!(answer.contains("\r\na=mid:1\r\n"), "{answer}");
}

#[test]
fn all_codecs_that_the_relay_knows_are_taken_in_the_clients_order_and_no_others() {
    let taken = |name: &str, role| formats(&answer(of(name), role));
    // Neither packetization-mode=0 (107) nor VP9 profile 2 (100), nor FEC (116, 118).
    let all = "96 97 103 104 109 114 39 40 45 46 98 99";
    assert_eq!(taken("chromium-player", Role::Player), all);
    assert_eq!(taken("chromium-publisher", Role::Publisher), all);
    assert_eq!(
        taken("firefox-player", Role::Player),
        "120 124 121 125 126 127 99 100"
    );
    assert_eq!(taken("safari-player", Role::Player), "96 97 98 99 100 101");
    assert_eq!(taken("gstreamer-player", Role::Player), "101 102 103");
    assert_eq!(taken("aiortc-player", Role::Player), "97 98 99 100 101 102");
    assert_eq!(taken("obs-publisher", Role::Publisher), "96");
    assert_eq!(taken("gstreamer-publisher", Role::Publisher), "96 97");
    assert_eq!(taken("ffmpeg-publisher", Role::Publisher), "106 105");
}

#[test]
fn formats_are_described_as_they_were_offered() {
    let answer = answer(of("chromium-player"), Role::Player);
    let lines = video(&answer);
    let expected = [
        "a=rtpmap:109 H264/90000",
        "a=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=rtcp-fb:109 nack",
        "a=rtcp-fb:109 nack pli",
        "a=rtcp-fb:109 ccm fir",
        "a=rtcp-fb:109 goog-remb",
        "a=rtcp-fb:109 transport-cc",
        "a=rtpmap:114 rtx/90000",
        "a=fmtp:114 apt=109",
    ];
    let begin = lines.iter().position(|line| *line == expected[0]).unwrap();
    assert_eq!(lines[begin..begin + expected.len()], expected);
    assert!(
        lines.contains(&"a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")
    );
    assert!(
        lines.contains(&"a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay")
    );
    assert!(answer.contains("transport-wide-cc-extensions-01"));
}

#[test]
fn every_stream_of_a_simulcast_is_taken() {
    for (value, taken) in [
        ("send q;h", Some("q;h")),
        ("recv x send ~q,z;h;h;no/name", Some("q;h")),
        ("recv q;h", None),
        ("", None),
    ] {
        let offer = of("chromium-publisher").to_owned() + &format!("a=simulcast:{value}\n");
        let answered = answer(&offer, Role::Publisher);
        let lines = video(&answered);
        let simulcast = taken.map(|taken| format!("recv {taken}"));
        assert_eq!(
            all(&lines, "a=simulcast:"),
            simulcast.into_iter().collect::<Vec<_>>()
        );
        let rids = taken.map_or(0, |taken| taken.split(';').count());
        assert_eq!(all(&lines, "a=rid:").len(), rids);
        // Besides the transport-wide number.
        let extensions = all(&lines, "a=extmap:").len() - 1;
        assert_eq!(extensions, if taken.is_some() { 3 } else { 0 });
    }
    // To players nothing is sent in several sizes.
    let offer = of("chromium-player").to_owned() + "a=simulcast:send q;h\n";
    assert!(!answer(&offer, Role::Player).contains("simulcast"));
}

#[test]
fn parameter_sets_of_an_offer_are_read() {
    let sets = |sprop: &str| {
        let own = format!("profile-level-id=42C01F;sprop-parameter-sets={sprop}");
        let offer = of("ffmpeg-publisher").replace("profile-level-id=42C01F", &own);
        let offer = Offer::parse(&offer, Role::Publisher).unwrap();
        offer.formats()[0].parameter_sets.to_vec()
    };
    assert_eq!(
        sets("aM48gA==,Z0I="),
        [vec![0x68, 0xce, 0x3c, 0x80], vec![0x67, 0x42]]
    );
    assert_eq!(sets("aM48gA==,?,"), [vec![0x68, 0xce, 0x3c, 0x80]]);
    assert!(sets(&"A".repeat(8_196)).is_empty());
    assert!(
        Offer::parse(of("obs-publisher"), Role::Publisher)
            .unwrap()
            .formats()[0]
            .parameter_sets
            .is_empty()
    );
}

#[test]
fn publishers_are_told_when_packets_arrive_where_they_number_them() {
    for (name, offer) in PUBLISHERS {
        let numbered = offer.contains(Extension::TransportWide.uri());
        let asked = offer.contains("transport-cc");
        let answer = answer(offer, Role::Publisher);
        let told =
            [Extension::TransportWide.uri(), " transport-cc"].map(|one| answer.contains(one));
        assert_eq!(told, [numbered && asked; 2], "{name}");
    }
}

#[test]
fn browsers_are_told_what_to_begin_with_and_others_nothing_that_they_do_not_know() {
    for (name, offer) in PUBLISHERS {
        let answer = answer(offer, Role::Publisher);
        let told = answer.contains(";x-google-start-bitrate=1000\r\n");
        assert_eq!(told, name == "chromium-publisher", "{name}");
    }
    let player = answer(of("chromium-player"), Role::Player);
    assert!(!player.contains("x-google"));
}

#[test]
fn a_player_is_told_the_numbers_of_what_it_is_sent_and_a_publisher_none() {
    let lines = answer(of("chromium-player"), Role::Player);
    let lines = video(&lines);
    assert_eq!(one(&lines, "a=ssrc-group:"), "FID 11 12");
    assert_eq!(all(&lines, "a=ssrc:").len(), 2);
    let plain = answer(of("gstreamer-player"), Role::Player);
    assert!(
        !plain.contains("FID"),
        "nothing is sent again under another number"
    );
    assert_eq!(all(&video(&plain), "a=ssrc:"), ["11 cname:steadycast"]);
    for (_, offer) in PUBLISHERS {
        assert!(!answer(offer, Role::Publisher).contains("a=ssrc"));
    }
}

#[test]
fn the_relays_addresses_are_candidates_the_first_preferred() {
    let answer = answer(of("firefox-player"), Role::Player);
    let candidates = all(&video(&answer), "a=candidate:");
    let fields: Vec<Vec<_>> = candidates
        .iter()
        .map(|line| line.split(' ').collect())
        .collect();
    let places: Vec<_> = fields.iter().map(|field| (field[4], field[5])).collect();
    let both = [("192.0.2.1", "4433"), ("2001:db8::1", "4433")];
    assert_eq!(places, [both, both].concat());
    let priority = |field: &Vec<&str>| field[3].parse::<u32>().unwrap();
    assert!(fields.is_sorted_by(|better, worse| priority(better) > priority(worse)));
    let (udp, tcp) = fields.split_at(2);
    let udp = udp.iter().map(|field| (&field[1..3], &field[6..]));
    assert!(udp.eq([(&["1", "udp"][..], &["typ", "host"][..]); 2]));
    let passive = ["typ", "host", "tcptype", "passive"];
    let tcp = tcp.iter().map(|field| (&field[1..3], &field[6..]));
    assert!(tcp.eq([(&["1", "tcp"][..], &passive[..]); 2]));
    let names: std::collections::HashSet<_> = fields.iter().map(|field| field[0]).collect();
    assert_eq!(names.len(), fields.len(), "each is a foundation of its own");
    let offer = Offer::parse(of("firefox-player"), Role::Player).unwrap();
    let v6 = answer_at(&offer, Role::Player, &ADDRESSES[1..]);
    assert_eq!(one(&video(&v6), "c="), "IN IP6 2001:db8::1");
}

#[test]
fn an_answer_claims_no_more_than_was_offered() {
    // Firefox has reduced-size RTCP, libdatachannel has not (RFC 5506, 5).
    assert!(answer(of("firefox-player"), Role::Player).contains("a=rtcp-rsize"));
    assert!(!answer(of("obs-publisher"), Role::Publisher).contains("a=rtcp-rsize"));
}

#[test]
fn payload_types_that_rtcp_could_be_taken_for_are_not_used() {
    // RFC 5761, 4: 64 to 95 are RTCP's on a shared way; above 127 there are none.
    for number in ["72", "64", "95", "128", "200", "255"] {
        let offer = of("gstreamer-player").replace("101", number);
        let answer = answer(&offer, Role::Player);
        assert_eq!(formats(&answer), "102 103", "{number}");
    }
    let rtx = changed(" 97 ", " 90 ").replace(":97 ", ":90 ");
    let answer = answer(&rtx, Role::Player);
    assert!(formats(&answer).starts_with("96 103 104 "), "{answer}");
}

#[test]
fn video_of_another_clock_is_not_taken() {
    let offer = of("gstreamer-player").replace("VP8/90000", "VP8/8000");
    let answer = answer(&offer, Role::Player);
    assert_eq!(formats(&answer), "102 103");
}

#[test]
fn only_retransmissions_of_the_section_are_taken() {
    // The type of its retransmissions is not among the section's formats.
    let offer = changed("SAVPF 96 97 ", "SAVPF 96 ");
    let answer = answer(&offer, Role::Player);
    check(&offer, &answer, Role::Player);
    assert!(formats(&answer).starts_with("96 103 104 "), "{answer}");
}

#[test]
fn an_extension_is_taken_once_and_only_where_its_number_fits() {
    let uri = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";
    for number in ["0", "15", "16", "255", "256", "x"] {
        let offer = changed(
            &format!("a=extmap:5 {uri}"),
            &format!("a=extmap:{number} {uri}"),
        );
        assert!(!answer(&offer, Role::Player).contains(uri), "{number}");
    }
    for (offered, answered) in [
        ("5/recvonly", Some("5/sendonly")),
        ("5/sendrecv", Some("5")),
        ("5/sendonly", None),
        ("5/inactive", None),
    ] {
        let offer = changed(
            &format!("a=extmap:5 {uri}"),
            &format!("a=extmap:{offered} {uri}"),
        );
        let answer = answer(&offer, Role::Player);
        let line = answer.lines().find(|line| line.ends_with(uri));
        let wanted = answered.map(|number| format!("a=extmap:{number} {uri}"));
        assert_eq!(line, wanted.as_deref(), "{offered}");
    }
    let twice = changed(
        &format!("a=extmap:5 {uri}"),
        &format!("a=extmap:5 {uri}\na=extmap:14 {uri}"),
    );
    let lines = answer(&twice, Role::Player);
    assert_eq!(all(&video(&lines), "a=extmap:5 ").len(), 1);
    assert!(!lines.contains("a=extmap:14"));
}

/// The offer with a line of its session more.
fn with_line(line: &str) -> String {
    let (head, media) = of("chromium-player").split_once("m=").unwrap();
    format!("{head}{line}\nm={media}")
}

#[test]
fn a_page_that_opens_frames_itself_says_what_it_decodes() {
    let offer = with_line("a=steadycast-frames:7 av1 vp8 theora");
    let parsed = Offer::parse(&offer, Role::Player).unwrap();
    let codecs = [CodecKind::Av1, CodecKind::Vp8].into_iter().collect();
    assert_eq!(parsed.carries(), Some(codecs));
    assert_eq!(parsed.codecs(), codecs);
    assert!(answer(&offer, Role::Player).contains("\r\na=steadycast-frames:6\r\n"));
}

#[test]
fn frames_of_versions_that_seal_nothing_are_not_carried() {
    let offer = with_line("a=steadycast-frames:5 av1");
    assert_eq!(Offer::parse(&offer, Role::Player).unwrap().carries(), None);
    assert!(!answer(&offer, Role::Player).contains("steadycast-frames"));
}

#[test]
fn frames_that_are_carried_need_vp8_and_a_version() {
    let offer = with_line("a=steadycast-frames:6 av1").replace("VP8/90000", "VP7/90000");
    let refused = Offer::parse(&offer, Role::Player).unwrap_err();
    assert!(matches!(refused, OfferError::Unsupported(_)), "{refused}");
    let offer = with_line("a=steadycast-frames:av1");
    let refused = Offer::parse(&offer, Role::Player).unwrap_err();
    assert!(matches!(refused, OfferError::Malformed(_)), "{refused}");
}
