//! Answers to the offers of real clients, and to what is nearly one.

mod answers;
mod properties;
mod refusals;
mod sound;

use steadycast_codec_glue::wire::Role;

use super::answer::{Answer, Media, Place};
use super::offer::Offer;
use super::offers::of;
use crate::webrtc::dtls::Fingerprint;
use crate::webrtc::ice::Credentials;

const ADDRESSES: [&str; 2] = ["192.0.2.1:4433", "[2001:db8::1]:4433"];

fn answer_at(offer: &Offer, role: Role, addresses: &[&str]) -> String {
    let fingerprint = format!("sha-256 {}", ["AB"; 32].join(":"));
    Answer {
        offer,
        role,
        credentials: &Credentials::fresh().unwrap(),
        fingerprint: &Fingerprint::parse(&fingerprint).unwrap(),
        place: &Place {
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            tcp: true,
        },
        media: Media {
            ssrc: 11,
            rtx_ssrc: 12,
            sound_ssrc: 13,
        },
        number: 1,
    }
    .to_string()
}

fn answer(offer: &str, role: Role) -> String {
    answer_at(&Offer::parse(offer, role).unwrap(), role, &ADDRESSES)
}

/// The lines before the first section, then those of each section.
fn parts(sdp: &str) -> Vec<Vec<&str>> {
    let mut parts = vec![Vec::new()];
    for line in sdp.lines() {
        if line.starts_with("m=") {
            parts.push(Vec::new());
        }
        parts.last_mut().unwrap().push(line);
    }
    parts
}

/// The rests of the lines that begin so.
fn all<'a>(lines: &[&'a str], begin: &str) -> Vec<&'a str> {
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(begin))
        .collect()
}

fn one<'a>(lines: &[&'a str], begin: &str) -> &'a str {
    let found = all(lines, begin);
    assert_eq!(found.len(), 1, "{begin} in {lines:#?}");
    found[0]
}

/// What every answer keeps to, whatever was offered (RFC 3264, 6; RFC 9725, 4.4).
fn check(offer: &str, answer: &str, role: Role) {
    let lines = || answer.split_inclusive('\n');
    assert!(
        lines().all(|line| line.ends_with("\r\n") && line.len() > 4),
        "{answer}"
    );
    assert_eq!(answer.matches('\r').count(), lines().count(), "{answer}");
    let (offered, answered) = (parts(offer), parts(answer));
    assert_eq!(answered[0][0], "v=0");
    assert_eq!(all(&answered[0], "a=ice-lite").len(), 1);
    assert_eq!(offered.len(), answered.len(), "a section for a section");
    for (offer, answer) in offered.iter().zip(&answered).skip(1) {
        check_section(offer, answer, role);
    }
    if let [bundle] = all(&offered[0], "a=group:BUNDLE")[..] {
        assert_eq!(one(&answered[0], "a=group:BUNDLE").trim(), bundle.trim());
    }
}

fn check_section(offer: &[&str], answer: &[&str], role: Role) {
    let kind = |lines: &[&str]| lines[0].split(' ').next().unwrap().to_owned();
    assert_eq!(kind(offer), kind(answer));
    assert!(
        answer[0].contains(" 4433 UDP/TLS/RTP/SAVPF "),
        "{}",
        answer[0]
    );
    // Who may choose opens DTLS.
    let waits = offer.contains(&"a=setup:passive");
    for (line, value) in [
        ("a=setup:", if waits { "active" } else { "passive" }),
        ("a=rtcp-mux", ""),
        ("a=end-of-", "candidates"),
    ] {
        assert_eq!(one(answer, line), value);
    }
    if let [mid] = all(offer, "a=mid:")[..] {
        assert_eq!(one(answer, "a=mid:"), mid.trim());
    }
    assert!(one(answer, "a=ice-ufrag:").len() >= 4);
    assert!(one(answer, "a=ice-pwd:").len() >= 22);
    assert!(one(answer, "a=fingerprint:").starts_with("sha-256 "));
    assert_eq!(all(answer, "a=candidate:").len(), 2 * ADDRESSES.len());
    let directions = ["a=sendonly", "a=recvonly", "a=inactive", "a=sendrecv"];
    let direction = answer.iter().filter(|line| directions.contains(line));
    let wanted = match role {
        Role::Publisher => "a=recvonly",
        Role::Player => "a=sendonly",
    };
    assert_eq!(direction.collect::<Vec<_>>(), [&wanted]);
    check_formats(offer, answer);
}

/// Formats, feedback and extensions are some of those offered, under the same numbers.
fn check_formats(offer: &[&str], answer: &[&str]) {
    let formats = |lines: &[&str]| -> Vec<String> {
        lines[0]
            .split_whitespace()
            .skip(3)
            .map(str::to_owned)
            .collect()
    };
    let (offered, answered) = (formats(offer), formats(answer));
    assert!(!answered.is_empty());
    for format in &answered {
        assert!(offered.contains(format), "{format}");
    }
    for begin in ["a=rtpmap:", "a=rtcp-fb:", "a=fmtp:"] {
        for line in all(answer, begin) {
            let number = line.split(' ').next().unwrap();
            assert!(
                answered.iter().any(|format| format == number),
                "{begin}{line}"
            );
        }
    }
    let trimmed = |lines: &[&str], begin| -> Vec<String> {
        all(lines, begin)
            .iter()
            .map(|line| line.trim().to_owned())
            .collect()
    };
    let feedback = trimmed(offer, "a=rtcp-fb:");
    for line in trimmed(answer, "a=rtcp-fb:") {
        assert!(feedback.contains(&line), "{line}");
    }
    let uri = |line: &String| line.split_whitespace().nth(1).map(str::to_owned);
    let number = |line: &String| line.split([' ', '/']).next().map(str::to_owned);
    let extensions = trimmed(offer, "a=extmap:");
    for line in trimmed(answer, "a=extmap:") {
        let same = |other: &String| (uri(other), number(other)) == (uri(&line), number(&line));
        assert!(extensions.iter().any(same), "{line}");
    }
}

/// The section of this kind.
fn of_kind<'a>(sdp: &'a str, kind: &str) -> Vec<&'a str> {
    let sections = parts(sdp);
    let mut sections = sections.into_iter();
    sections.find(|lines| lines[0].starts_with(kind)).unwrap()
}

fn video(answer: &str) -> Vec<&str> {
    of_kind(answer, "m=video")
}

fn audio(answer: &str) -> Vec<&str> {
    of_kind(answer, "m=audio")
}

/// The video's formats.
fn formats(answer: &str) -> String {
    let line = video(answer)[0];
    line.splitn(4, ' ').nth(3).unwrap().to_owned()
}

/// The offer of a Chromium player with one thing about it changed.
fn changed(from: &str, to: &str) -> String {
    let offer = of("chromium-player");
    assert!(offer.contains(from), "{from}");
    offer.replace(from, to)
}
