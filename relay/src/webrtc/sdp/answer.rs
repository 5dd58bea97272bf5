//! What the relay answers.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use steadycast_codec_glue::wire::Role;

use super::carries::{FRAMES, VERSION};
use super::codecs::{ESTIMATES, Format, TRANSPORT_WIDE, name};
use super::offer::{Extension, Offer, Section};
use crate::webrtc::VIDEO_CLOCK;
use crate::webrtc::dtls::Fingerprint;
use crate::webrtc::ice::Credentials;

/// Where the relay is reached.
#[derive(Debug, Clone)]
pub(in crate::webrtc) struct Place {
    pub(in crate::webrtc) addresses: Vec<SocketAddr>,
    /// Whether over TCP as well.
    pub(in crate::webrtc) tcp: bool,
}

/// What the relay sends as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) struct Media {
    /// Of the pictures.
    pub(in crate::webrtc) ssrc: u32,
    /// Of pictures that are sent again.
    pub(in crate::webrtc) rtx_ssrc: u32,
    /// Of the sound.
    pub(in crate::webrtc) sound_ssrc: u32,
}

/// Whether picture and sound are of one MediaStream. Browsers keep those of one stream in time with one
/// another, for which they may hold the picture back; with two they do neither.
const IN_ONE_STREAM: bool = true;

/// The MediaStreams of picture and sound.
const STREAMS: [&str; 2] = match IN_ONE_STREAM {
    true => ["steadycast", "steadycast"],
    false => ["steadycast", "steadycast-sound"],
};

/// What a browser's encoder begins with. Its own 300 kbit/s are too little for the size of a screen: it
/// begins with a quarter of that or less, and stays there for half a minute. Where this is more than the
/// way carries, its congestion control finds out within a second.
const START_KBPS: u32 = 1_000;

/// An answer, to be written out.
pub(in crate::webrtc) struct Answer<'a> {
    pub(in crate::webrtc) offer: &'a Offer,
    pub(in crate::webrtc) role: Role,
    pub(in crate::webrtc) credentials: &'a Credentials,
    pub(in crate::webrtc) fingerprint: &'a Fingerprint,
    pub(in crate::webrtc) place: &'a Place,
    /// What a player receives as.
    pub(in crate::webrtc) media: Media,
    /// Tells the session's descriptions apart (RFC 8866, 5.2).
    pub(in crate::webrtc) number: u64,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(2_048);
        self.write(&mut text)?;
        for line in text.lines() {
            write!(f, "{line}\r\n")?;
        }
        Ok(())
    }
}

impl Answer<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "v=0")?;
        writeln!(out, "o=- {} 0 IN IP4 127.0.0.1", self.number)?;
        writeln!(out, "s=steadycast")?;
        writeln!(out, "t=0 0")?;
        if self.offer.bundled {
            write!(out, "a=group:BUNDLE")?;
            for section in &self.offer.sections {
                write!(out, " {}", section.mid())?;
            }
            writeln!(out)?;
        }
        writeln!(out, "a=ice-lite")?;
        writeln!(out, "a=msid-semantic: WMS *")?;
        if self.offer.carries.is_some() {
            writeln!(out, "a={FRAMES}:{VERSION}")?;
        }
        for section in &self.offer.sections {
            self.section(out, section)?;
        }
        Ok(())
    }

    fn section(&self, out: &mut String, section: &Section) -> fmt::Result {
        match section {
            Section::Video {
                formats,
                extensions,
                simulcast,
                ..
            } => {
                write!(out, "m=video {} UDP/TLS/RTP/SAVPF", self.port())?;
                for format in formats {
                    write!(out, " {}", format.payload_type)?;
                    if let Some(rtx) = format.rtx {
                        write!(out, " {rtx}")?;
                    }
                }
                writeln!(out)?;
                self.transport(out, section)?;
                let told = self.role == Role::Player || self.offer.transport_wide().is_some();
                let sent = |extension| told || extension != Extension::TransportWide;
                for extmap in extensions.iter().filter(|extmap| sent(extmap.extension)) {
                    let (id, direction) = (extmap.id, extmap.direction);
                    let uri = extmap.extension.uri();
                    writeln!(out, "a=extmap:{id}{direction} {uri}")?;
                }
                let start = told && self.role == Role::Publisher;
                formats
                    .iter()
                    .try_for_each(|format| write_format(out, format, told, start))?;
                self.direction(out, formats)?;
                write_simulcast(out, simulcast)
            }
            Section::Audio {
                opus: Some(opus), ..
            } => {
                write!(out, "m=audio {} UDP/TLS/RTP/SAVPF", self.port())?;
                for number in opus.payload_types() {
                    write!(out, " {number}")?;
                }
                writeln!(out)?;
                self.transport(out, section)?;
                opus.write(out, self.role)?;
                self.sound(out)
            }
            Section::Audio { format, map, .. } => {
                writeln!(out, "m=audio {} UDP/TLS/RTP/SAVPF {format}", self.port())?;
                self.transport(out, section)?;
                if let Some(map) = map {
                    writeln!(out, "a=rtpmap:{map}")?;
                }
                writeln!(out, "a=inactive")
            }
        }
    }

    fn sound(&self, out: &mut String) -> fmt::Result {
        if self.role == Role::Publisher {
            return writeln!(out, "a=recvonly");
        }
        let ([_, stream], ssrc) = (STREAMS, self.media.sound_ssrc);
        writeln!(out, "a=sendonly")?;
        writeln!(out, "a=msid:{stream} sound")?;
        writeln!(out, "a=ssrc:{ssrc} cname:steadycast")
    }

    fn direction(&self, out: &mut String, formats: &[Format]) -> fmt::Result {
        if self.role == Role::Publisher {
            return writeln!(out, "a=recvonly");
        }
        let Media { ssrc, rtx_ssrc, .. } = self.media;
        let [stream, _] = STREAMS;
        writeln!(out, "a=sendonly")?;
        writeln!(out, "a=msid:{stream} picture")?;
        if formats.iter().any(|format| format.rtx.is_some()) {
            writeln!(out, "a=ssrc-group:FID {ssrc} {rtx_ssrc}")?;
            writeln!(out, "a=ssrc:{ssrc} cname:steadycast")?;
            writeln!(out, "a=ssrc:{rtx_ssrc} cname:steadycast")
        } else {
            writeln!(out, "a=ssrc:{ssrc} cname:steadycast")
        }
    }

    fn transport(&self, out: &mut String, section: &Section) -> fmt::Result {
        let credentials = self.credentials;
        writeln!(out, "c=IN {}", self.connection())?;
        writeln!(out, "a=mid:{}", section.mid())?;
        writeln!(out, "a=ice-ufrag:{}", credentials.ufrag.as_str())?;
        writeln!(out, "a=ice-pwd:{}", credentials.password())?;
        writeln!(out, "a=fingerprint:{}", self.fingerprint)?;
        writeln!(out, "a=setup:{}", self.offer.setup)?;
        writeln!(out, "a=rtcp-mux")?;
        if section.reduced() {
            writeln!(out, "a=rtcp-rsize")?;
        }
        candidates(out, self.place)
    }

    fn port(&self) -> u16 {
        self.place.addresses.first().map_or(9, SocketAddr::port)
    }

    fn connection(&self) -> String {
        match self.place.addresses.first().map(SocketAddr::ip) {
            Some(IpAddr::V6(ip)) => format!("IP6 {ip}"),
            Some(IpAddr::V4(ip)) => format!("IP4 {ip}"),
            None => "IP4 0.0.0.0".to_owned(),
        }
    }
}

/// All sizes are taken, since the offer does not say which is the largest (PROTOCOL 8.8).
fn write_simulcast(out: &mut String, rids: &[String]) -> fmt::Result {
    if rids.is_empty() {
        return Ok(());
    }
    for rid in rids {
        writeln!(out, "a=rid:{rid} recv")?;
    }
    writeln!(out, "a=simulcast:recv {}", rids.join(";"))
}

/// `told`: packets are reported by transport-wide numbers. `start`: to a client that sends.
fn write_format(out: &mut String, format: &Format, told: bool, start: bool) -> fmt::Result {
    let number = format.payload_type;
    writeln!(
        out,
        "a=rtpmap:{number} {}/{VIDEO_CLOCK}",
        name(format.codec)
    )?;
    // OBS asks for estimates as well; all others that do both are browsers on libwebrtc.
    let start = (start && format.feedback.contains(&ESTIMATES))
        .then(|| format!("x-google-start-bitrate={START_KBPS}"));
    let parameters = format.parameters.iter().chain(&start);
    let parameters = parameters.map(String::as_str).collect::<Vec<_>>().join(";");
    if !parameters.is_empty() {
        writeln!(out, "a=fmtp:{number} {parameters}")?;
    }
    let sent = |feedback: &&&str| told || **feedback != TRANSPORT_WIDE;
    for feedback in format.feedback.iter().filter(sent) {
        writeln!(out, "a=rtcp-fb:{number} {feedback}")?;
    }
    if let Some(rtx) = format.rtx {
        writeln!(out, "a=rtpmap:{rtx} rtx/{VIDEO_CLOCK}")?;
        writeln!(out, "a=fmtp:{rtx} apt={number}")?;
    }
    Ok(())
}

/// The relay's addresses, the first of them preferred (RFC 8839, 5.1; RFC 8445, 5.1.2.1), and the same
/// for clients that open connections (RFC 6544, 4.5).
pub(super) fn candidates(out: &mut impl fmt::Write, place: &Place) -> fmt::Result {
    for (at, address) in place.addresses.iter().enumerate() {
        let priority = priority(HOST, 65_535 - at as u32);
        let (ip, port) = (address.ip(), address.port());
        writeln!(
            out,
            "a=candidate:{} 1 udp {priority} {ip} {port} typ host",
            at + 1
        )?;
    }
    let connected = place.addresses.iter().filter(|_| place.tcp);
    for (at, address) in connected.enumerate() {
        let priority = priority(HOST_TCP, PASSIVE << 13 | (8_191 - at as u32));
        let (ip, port) = (address.ip(), address.port());
        writeln!(
            out,
            "a=candidate:{} 1 tcp {priority} {ip} {port} typ host tcptype passive",
            place.addresses.len() + at + 1
        )?;
    }
    writeln!(out, "a=end-of-candidates")
}

/// What an address is worth as such (RFC 8445, 5.1.2.2); over TCP less than any over UDP (RFC 6544, 4.2).
const HOST: u32 = 126;
const HOST_TCP: u32 = 90;
/// What it is worth that clients open the connections (RFC 6544, 4.2).
const PASSIVE: u32 = 4;

fn priority(kind: u32, preference: u32) -> u32 {
    kind << 24 | preference << 8 | 255
}
