//! What a client offers.

use std::collections::HashSet;
use std::io::Cursor;

use rtc_sdp::SessionDescription;
use rtc_sdp::description::media::MediaDescription;
use steadycast_codec_glue::wire::{CodecSet, Role};

use super::audio::Opus;
use super::carries::carried;
use super::codecs::{Format, TRANSPORT_WIDE, usable};
use crate::excerpt::excerpt_of;
use crate::webrtc::dtls::{Fingerprint, Setup};
use crate::webrtc::egress::packets::CARRIER;
use crate::webrtc::ice::Credentials;

/// Sections that an offer may have; a browser with everything on has three.
const SECTIONS: usize = 8;
/// Lines that an offer may have; those of browsers have up to 200.
const LINES: usize = 1_000;
/// Characters that a section's name may have.
const NAME: usize = 256;
/// Characters that the name of a stream of a simulcast may have, and how many streams are of use.
const RID: usize = 32;
const STREAMS: usize = 4;
/// Characters that a user name fragment may have (RFC 8839, 5.4).
pub(super) const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
/// Letters of a password (RFC 8839, 5.4).
pub(super) const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;

/// A header extension and its number in this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webrtc) struct Extmap {
    pub(super) id: u8,
    /// What stands behind the number in the answer.
    pub(super) direction: &'static str,
    pub(super) extension: Extension,
}

/// Why an offer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is not SDP, or breaks the rules.
    #[error("not a valid offer: {0}")]
    Malformed(String),
    /// It is valid, but asks for what the relay has not.
    #[error("{0}")]
    Unsupported(&'static str),
}

pub(super) fn malformed(what: impl Into<String>) -> OfferError {
    OfferError::Malformed(what.into())
}

/// A header extension that the bridge has a use for (RFC 8285).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) enum Extension {
    /// When a packet was sent: what a receiver's estimate of the way's capacity is made from.
    AbsSendTime,
    /// How long a receiver may hold pictures back.
    PlayoutDelay,
    /// A number for each packet, so that a receiver can say when each arrived.
    TransportWide,
    /// The section that a packet belongs to (RFC 9143).
    Mid,
    /// The stream of a simulcast that a packet belongs to, or that it repeats (RFC 8852).
    Rid,
    RepairedRid,
}

impl Extension {
    /// What pictures are sent to players with.
    const OF_PLAYERS: [Self; 3] = [Self::AbsSendTime, Self::PlayoutDelay, Self::TransportWide];
    /// What publishers send, and what they need to send several sizes of a picture.
    const OF_PUBLISHERS: [Self; 1] = [Self::TransportWide];
    const OF_SIMULCAST: [Self; 4] = [Self::TransportWide, Self::Mid, Self::Rid, Self::RepairedRid];

    pub(in crate::webrtc) fn uri(self) -> &'static str {
        match self {
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::TransportWide => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
        }
    }
}

/// A section that is answered with a place for media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webrtc) enum Section {
    /// The video.
    Video {
        mid: String,
        formats: Vec<Format>,
        extensions: Vec<Extmap>,
        /// The sizes of the picture that a publisher can send at once (RFC 8853).
        simulcast: Vec<String>,
        /// The client takes RTCP packets that are no compounds (RFC 5506).
        reduced: bool,
    },
    /// The sound; without Opus it is taken and left silent, because clients offer it always.
    Audio {
        mid: String,
        /// What sound is sent as.
        opus: Option<Opus>,
        /// The first format of the offer, which stands in an answer that takes none.
        format: String,
        map: Option<String>,
        reduced: bool,
    },
}

/// An offer with a video section that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub(in crate::webrtc) sections: Vec<Section>,
    pub(in crate::webrtc) fingerprint: Fingerprint,
    /// What the relay has to be.
    pub(in crate::webrtc) setup: Setup,
    /// The client's side of ICE; a new one means that it restarts it.
    pub(in crate::webrtc) credentials: Credentials,
    pub(in crate::webrtc) bundled: bool,
    /// What its page decodes itself, where it opens sealed frames.
    pub(in crate::webrtc) carries: Option<CodecSet>,
}

impl Offer {
    /// Reads what a client offers: a publisher to send (RFC 9725, 4.2), a player to receive.
    ///
    /// # Errors
    /// [`OfferError`].
    pub fn parse(sdp: &str, role: Role) -> Result<Self, OfferError> {
        if sdp.lines().count() > LINES {
            return Err(malformed("too many lines"));
        }
        let odd = |line: &str| line.chars().any(|character| character.is_control());
        if sdp.lines().any(odd) {
            return Err(malformed("control characters"));
        }
        let description = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes()))
            .map_err(|error| malformed(excerpt_of(&error)))?;
        let medias = &description.media_descriptions;
        if medias.is_empty() || medias.len() > SECTIONS {
            return Err(malformed(format!("{} media sections", medias.len())));
        }
        let sections = medias
            .iter()
            .map(|media| section(media, role))
            .collect::<Result<Vec<_>, _>>()?;
        check_sections(&sections)?;
        let either = |key: &str| {
            let inside = medias
                .iter()
                .find_map(|media| media.attribute(key).flatten());
            inside.or_else(|| description.attribute(key).map(String::as_str))
        };
        let setup = either("setup").ok_or_else(|| malformed("no a=setup"))?;
        let setup = match setup {
            "active" | "actpass" => Setup::Passive,
            "passive" => Setup::Active,
            _ => return Err(malformed("no a=setup that tells who opens DTLS")),
        };
        let inside = medias.iter().flat_map(|media| &media.attributes);
        let fingerprint = inside
            .chain(&description.attributes)
            .filter(|attribute| attribute.key == "fingerprint")
            .find_map(|attribute| Fingerprint::parse(attribute.value.as_deref()?));
        let ufrag = either("ice-ufrag").filter(|ufrag| UFRAG.contains(&ufrag.len()));
        let ufrag = ufrag.ok_or_else(|| malformed("no a=ice-ufrag"))?;
        let password = either("ice-pwd").filter(|password| PASSWORD.contains(&password.len()));
        let password = password.ok_or_else(|| malformed("no a=ice-pwd, or of an odd length"))?;
        let bundled = bundled(&description, &sections)?;
        let carries = match role {
            Role::Player => carried(&description)?,
            Role::Publisher => None,
        };
        let mut offer = Self {
            carries,
            sections,
            setup,
            fingerprint: fingerprint.ok_or_else(|| malformed("no a=fingerprint of sha-256"))?,
            credentials: Credentials::of(ufrag, password),
            bundled,
        };
        if offer.carries.is_some() && !offer.formats().iter().any(|format| format.codec == CARRIER)
        {
            return Err(OfferError::Unsupported(
                "frames that a page opens itself travel as VP8, which is not offered",
            ));
        }
        offer.agree_on_numbers();
        Ok(offer)
    }

    fn agree_on_numbers(&mut self) {
        let pictures = self.transport_wide();
        for section in &mut self.sections {
            if let Section::Audio {
                opus: Some(opus), ..
            } = section
            {
                opus.agree_on_numbers(pictures);
            }
        }
    }

    /// The video's formats.
    pub(in crate::webrtc) fn formats(&self) -> &[Format] {
        let video = self.sections.iter().find_map(|section| match section {
            Section::Video { formats, .. } => Some(formats.as_slice()),
            Section::Audio { .. } => None,
        });
        video.unwrap_or_default()
    }

    /// What sound is sent as, where there is to be any.
    pub(in crate::webrtc) fn opus(&self) -> Option<&Opus> {
        self.sections.iter().find_map(|section| match section {
            Section::Audio { opus, .. } => opus.as_ref(),
            Section::Video { .. } => None,
        })
    }

    /// What its client can decode, or send.
    pub(in crate::webrtc) fn codecs(&self) -> CodecSet {
        let offered = || self.formats().iter().map(|format| format.codec).collect();
        self.carries.unwrap_or_else(offered)
    }

    /// Whether the client's page opens sealed frames itself, and takes no others: then what it decodes.
    pub(crate) fn carries(&self) -> Option<CodecSet> {
        self.carries
    }

    /// The extension that numbers packets for feedback on when each arrived, where the client sends that,
    /// or wants it.
    pub(in crate::webrtc) fn transport_wide(&self) -> Option<u8> {
        let told = |format: &Format| format.feedback.contains(&TRANSPORT_WIDE);
        let told = self.formats().iter().all(told);
        self.extension(Extension::TransportWide).filter(|_| told)
    }

    /// The video's header extensions.
    pub(in crate::webrtc) fn extension(&self, wanted: Extension) -> Option<u8> {
        self.sections.iter().find_map(|section| match section {
            Section::Video { extensions, .. } => extensions
                .iter()
                .find(|extmap| extmap.extension == wanted)
                .map(|extmap| extmap.id),
            Section::Audio { .. } => None,
        })
    }
}

/// All media goes one way: what is not bundled would need a second one (RFC 9143). A group may name
/// more than there is.
fn bundled(description: &SessionDescription, sections: &[Section]) -> Result<bool, OfferError> {
    let mut groups = description
        .attributes
        .iter()
        .filter(|attribute| attribute.key == "group")
        .filter_map(|attribute| attribute.value.as_deref()?.strip_prefix("BUNDLE"))
        .map(|names| names.split_whitespace().collect::<HashSet<_>>())
        .peekable();
    if groups.peek().is_none() && sections.len() == 1 {
        return Ok(false);
    }
    let holds_all = |names: HashSet<&str>| sections.iter().all(|one| names.contains(one.mid()));
    match groups.any(holds_all) {
        true => Ok(true),
        false => Err(OfferError::Unsupported("all sections have to be bundled")),
    }
}

/// One picture, and at most one sound.
fn check_sections(sections: &[Section]) -> Result<(), OfferError> {
    let videos = sections
        .iter()
        .filter(|section| matches!(section, Section::Video { .. }))
        .count();
    let mids: HashSet<_> = sections.iter().map(Section::mid).collect();
    match (videos, sections.len() - videos) {
        _ if mids.len() < sections.len() => Err(malformed("two sections of one name")),
        (1, 0 | 1) => Ok(()),
        (0, _) => Err(OfferError::Unsupported("there is no video section")),
        (1, _) => Err(OfferError::Unsupported(
            "there is more than one audio section",
        )),
        _ => Err(OfferError::Unsupported(
            "there is more than one video section",
        )),
    }
}

impl Section {
    pub(in crate::webrtc) fn mid(&self) -> &str {
        match self {
            Self::Video { mid, .. } | Self::Audio { mid, .. } => mid,
        }
    }

    pub(super) fn reduced(&self) -> bool {
        match self {
            Self::Video { reduced, .. } | Self::Audio { reduced, .. } => *reduced,
        }
    }
}

fn section(media: &MediaDescription, role: Role) -> Result<Section, OfferError> {
    let name = &media.media_name;
    if !media.has_attribute("rtcp-mux") && name.media != "application" {
        return Err(OfferError::Unsupported(
            "RTP and RTCP have to share a way (a=rtcp-mux)",
        ));
    }
    let mid = media.attribute("mid").flatten().unwrap_or("0").to_owned();
    if mid.is_empty() || mid.len() > NAME {
        return Err(malformed("a=mid is too long"));
    }
    match name.media.as_str() {
        "video" => video(media, role, mid),
        "audio" => audio(media, role, mid),
        "application" => Err(OfferError::Unsupported("there are no data channels")),
        _ => Err(OfferError::Unsupported("only video is broadcast")),
    }
}

fn video(media: &MediaDescription, role: Role, mid: String) -> Result<Section, OfferError> {
    let name = &media.media_name;
    // A port of 0 refuses a section (RFC 3264, 6), unless it goes where its bundle goes.
    if name.port.value == 0 && !media.has_attribute("bundle-only") {
        return Err(OfferError::Unsupported(
            "the video section is refused (port 0)",
        ));
    }
    if !name.protos.join("/").ends_with("TLS/RTP/SAVPF") {
        return Err(OfferError::Unsupported("only UDP/TLS/RTP/SAVPF is spoken"));
    }
    let has = |direction| media.has_attribute(direction);
    let right = match role {
        Role::Publisher => !has("recvonly") && !has("inactive"),
        Role::Player => !has("sendonly") && !has("inactive"),
    };
    if !right {
        return Err(OfferError::Unsupported(match role {
            Role::Publisher => "a publisher has to send",
            Role::Player => "a player has to receive",
        }));
    }
    let formats = usable(&media.media_name.formats, media.codecs());
    if formats.is_empty() {
        let wanted =
            "none of AV1, H.264 (packetization-mode=1), VP9 (profile 0) and VP8 is offered";
        return Err(OfferError::Unsupported(wanted));
    }
    let simulcast = match role {
        Role::Player => Vec::new(),
        Role::Publisher => simulcast(media),
    };
    let wanted: &[_] = match (role, simulcast.is_empty()) {
        (Role::Player, _) => &Extension::OF_PLAYERS,
        (Role::Publisher, false) => &Extension::OF_SIMULCAST,
        (Role::Publisher, true) => &Extension::OF_PUBLISHERS,
    };
    let extensions = extensions(media, role, wanted);
    Ok(Section::Video {
        mid,
        formats,
        extensions,
        simulcast,
        reduced: media.has_attribute("rtcp-rsize"),
    })
}

/// The streams that a simulcast would send (RFC 8853, 5.1): of alternatives the first.
fn simulcast(media: &MediaDescription) -> Vec<String> {
    let named = |rid: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        (1..=RID).contains(&rid.len()) && rid.chars().all(allowed)
    };
    let value = media.attribute("simulcast").flatten().unwrap_or_default();
    let mut words = value.split_whitespace().skip_while(|word| *word != "send");
    let streams = words.nth(1).unwrap_or_default().split(';');
    let mut rids = Vec::<String>::new();
    for stream in streams {
        let first = stream.split(',').next().unwrap_or_default();
        let rid = first.trim_start_matches('~');
        if named(rid) && rids.len() < STREAMS && !rids.iter().any(|known| known == rid) {
            rids.push(rid.to_owned());
        }
    }
    rids
}

/// The extensions that the relay may send or read (RFC 8285, 5).
pub(super) fn extensions(
    media: &MediaDescription,
    role: Role,
    wanted: &[Extension],
) -> Vec<Extmap> {
    let mut found = Vec::<Extmap>::new();
    for attribute in &media.attributes {
        let Some(value) = attribute
            .value
            .as_deref()
            .filter(|_| attribute.key == "extmap")
        else {
            continue;
        };
        let mut words = value.split_whitespace();
        let mut head = words.next().unwrap_or_default().split('/');
        let id = head.next().and_then(|id| id.parse::<u8>().ok());
        let direction = match (head.next(), role) {
            (None | Some("sendrecv"), _) => "",
            (Some("recvonly"), Role::Player) => "/sendonly",
            (Some("sendonly"), Role::Publisher) => "/recvonly",
            _ => continue,
        };
        let uri = words.next();
        let known = wanted
            .iter()
            .copied()
            .find(|known| Some(known.uri()) == uri);
        // One-byte headers have room for ids up to 14 (RFC 8285, 4.2).
        if let (Some(id @ 1..=14), Some(extension)) = (id, known)
            && found
                .iter()
                .all(|other| other.id != id && other.extension != extension)
        {
            found.push(Extmap {
                id,
                direction,
                extension,
            });
        }
    }
    found
}

fn audio(media: &MediaDescription, role: Role, mid: String) -> Result<Section, OfferError> {
    let format = media.media_name.formats.first();
    let format = format
        .ok_or_else(|| malformed("an audio section without a format"))?
        .clone();
    let map = media.attributes.iter().find_map(|attribute| {
        let value = attribute
            .value
            .as_deref()
            .filter(|_| attribute.key == "rtpmap")?;
        let own = value
            .split_once(' ')
            .is_some_and(|(number, _)| number == format);
        own.then(|| value.to_owned())
    });
    let flows = flows(media, role);
    let opus = Opus::of(media, role).filter(|_| flows);
    if role == Role::Publisher && flows && opus.is_none() {
        // An answer that takes one section and not the other is none (RFC 9725, 4.2).
        return Err(OfferError::Unsupported(
            "sound is broadcast as Opus alone, which the audio section does not offer",
        ));
    }
    Ok(Section::Audio {
        mid,
        opus,
        format,
        map,
        reduced: media.has_attribute("rtcp-rsize"),
    })
}

/// Whether a section is there, and goes the way that the client's role asks for.
fn flows(media: &MediaDescription, role: Role) -> bool {
    let has = |direction| media.has_attribute(direction);
    let refused = media.media_name.port.value == 0 && !has("bundle-only");
    let away = match role {
        Role::Publisher => has("recvonly"),
        Role::Player => has("sendonly"),
    };
    !refused && !away && !has("inactive")
}
