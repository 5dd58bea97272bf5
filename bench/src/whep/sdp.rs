//! What a player offers, and what it needs of the answer.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result};

use super::ice::Credentials;

/// The payload type of VP8, in which the bench publishes.
pub(super) const VP8: u8 = 96;
/// Of its retransmissions.
pub(super) const RTX: u8 = 97;

/// The payload type of Opus.
pub(super) const OPUS: u8 = 111;
/// Of Opus with earlier frames beside.
pub(super) const RED: u8 = 63;

/// The extension with the transport-wide numbers of packets.
pub(super) const WIDE: u8 = 3;

/// An offer as a browser makes it, of what the bench's broadcasts need; with sound, if the player listens.
pub(super) fn offer(credentials: &Credentials, fingerprint: &str, listens: bool) -> String {
    let (ufrag, password) = (&credentials.ufrag, &credentials.password);
    let (bundle, sound) = match listens {
        true => ("a=group:BUNDLE 0 1", sound()),
        false => ("a=group:BUNDLE 0", String::new()),
    };
    let picture = [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        bundle,
        &format!("m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}"),
        "c=IN IP4 0.0.0.0",
        &format!("a=ice-ufrag:{ufrag}"),
        &format!("a=ice-pwd:{password}"),
        &format!("a=fingerprint:sha-256 {fingerprint}"),
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
        &format!(
            "a=extmap:{WIDE} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        ),
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        &format!("a=rtpmap:{VP8} VP8/90000"),
        &format!("a=rtcp-fb:{VP8} goog-remb"),
        &format!("a=rtcp-fb:{VP8} transport-cc"),
        &format!("a=rtcp-fb:{VP8} ccm fir"),
        &format!("a=rtcp-fb:{VP8} nack"),
        &format!("a=rtcp-fb:{VP8} nack pli"),
        &format!("a=rtpmap:{RTX} rtx/90000"),
        &format!("a=fmtp:{RTX} apt={VP8}"),
        "",
    ];
    picture.join("\r\n") + &sound
}

fn sound() -> String {
    [
        &format!("m=audio 9 UDP/TLS/RTP/SAVPF {OPUS} {RED}"),
        "c=IN IP4 0.0.0.0",
        "a=mid:1",
        &format!(
            "a=extmap:{WIDE} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
        ),
        "a=recvonly",
        "a=rtcp-mux",
        &format!("a=rtpmap:{OPUS} opus/48000/2"),
        &format!("a=rtcp-fb:{OPUS} transport-cc"),
        &format!("a=rtcp-fb:{OPUS} nack"),
        &format!("a=fmtp:{OPUS} minptime=10;useinbandfec=1"),
        &format!("a=rtpmap:{RED} red/48000/2"),
        &format!("a=fmtp:{RED} {OPUS}/{OPUS}"),
        "",
    ]
    .join("\r\n")
}

/// What a player needs of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The relay's side of ICE.
    pub(super) credentials: Credentials,
    /// SHA-256 of its certificate, as SDP writes it.
    pub(super) fingerprint: String,
    /// Where it is.
    pub(super) address: SocketAddr,
    /// What its pictures are sent as.
    pub(super) ssrc: u32,
    /// What its sound is sent as, if there is to be any.
    pub(super) sound: Option<u32>,
}

impl Answer {
    /// Reads an answer.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let value = |key: &str| {
            let mut lines = text.lines();
            lines
                .find_map(|line| line.strip_prefix(key))
                .with_context(|| format!("no {key}"))
        };
        let credentials = Credentials {
            ufrag: value("a=ice-ufrag:")?.to_owned(),
            password: value("a=ice-pwd:")?.to_owned(),
        };
        let sound = text.split_once("m=audio").map(|(_, section)| section);
        Ok(Self {
            credentials,
            fingerprint: value("a=fingerprint:sha-256 ")?.to_owned(),
            address: candidate(value("a=candidate:")?).context("a candidate that is none")?,
            ssrc: source(text)?,
            sound: sound.map(source).transpose()?,
        })
    }
}

/// The first source that is named in these lines (RFC 5576, 4.1).
fn source(lines: &str) -> Result<u32> {
    let mut named = lines
        .lines()
        .filter_map(|line| line.strip_prefix("a=ssrc:"));
    let number = named.next().and_then(|line| line.split(' ').next());
    Ok(number.context("no a=ssrc:")?.parse()?)
}

/// Where a candidate is (RFC 8839, 5.1).
fn candidate(text: &str) -> Option<SocketAddr> {
    let mut words = text.split(' ').skip(4);
    let ip: IpAddr = words.next()?.parse().ok()?;
    let port = words.next()?.parse().ok()?;
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use steadycast_codec_glue::wire::Role;
    use steadycast_relay::webrtc::Offer;

    use super::*;

    fn credentials(ufrag: &str) -> Credentials {
        Credentials {
            ufrag: ufrag.to_owned(),
            password: "a password of a good length".to_owned(),
        }
    }

    #[test]
    fn the_relay_takes_the_offer() {
        let fingerprint = ["AB"; 32].join(":");
        for listens in [false, true] {
            let offer = offer(&credentials("ours"), &fingerprint, listens);
            Offer::parse(&offer, Role::Player).unwrap();
        }
    }

    #[test]
    fn an_answer_is_read() {
        let text = "v=0\r\na=ice-ufrag:theirs\r\na=ice-pwd:a password of a good length\r\n\
                    a=fingerprint:sha-256 AB:CD\r\n\
                    a=candidate:1 1 udp 2130706431 192.0.2.1 4433 typ host\r\n\
                    a=candidate:2 1 udp 2130706175 192.0.2.2 4433 typ host\r\n\
                    a=ssrc-group:FID 7 8\r\na=ssrc:7 cname:a\r\na=ssrc:8 cname:a\r\n\
                    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ssrc:9 cname:a\r\n";
        let answer = Answer {
            credentials: credentials("theirs"),
            fingerprint: "AB:CD".to_owned(),
            address: "192.0.2.1:4433".parse().unwrap(),
            ssrc: 7,
            sound: Some(9),
        };
        assert_eq!(Answer::parse(text).unwrap(), answer);
        assert!(Answer::parse("v=0\r\n").is_err());
    }
}
