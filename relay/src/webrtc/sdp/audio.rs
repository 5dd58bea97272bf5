//! What sound is sent as: Opus (RFC 7587), alone or with earlier frames beside it (RFC 2198).

use std::fmt::{self, Write as _};

use rtc_sdp::description::media::MediaDescription;
use rtc_sdp::util::Codec;
use steadycast_codec_glue::wire::Role;

use super::codecs::{TRANSPORT_WIDE, number};
use super::offer::{Extension, Extmap, extensions};
use crate::webrtc::SOUND_CLOCK;

/// What feedback is of use for sound, as `a=rtcp-fb` writes it.
const FEEDBACK: [&str; 2] = ["nack", TRANSPORT_WIDE];
/// Earlier frames that a packet has at most.
const MOST_EARLIER: usize = 2;

/// Opus, as an audio section offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webrtc) struct Opus {
    pub(in crate::webrtc) payload_type: u8,
    pub(in crate::webrtc) red: Option<Red>,
    /// `a=rtcp-fb` that both can do.
    feedback: Vec<&'static str>,
    extensions: Vec<Extmap>,
}

/// Frames with earlier ones beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) struct Red {
    pub(in crate::webrtc) payload_type: u8,
    /// How many earlier ones there may be.
    pub(in crate::webrtc) earlier: usize,
    /// The client would rather have it than Opus alone.
    preferred: bool,
}

impl Opus {
    /// The first Opus of a section.
    pub(super) fn of(media: &MediaDescription, role: Role) -> Option<Self> {
        let formats = media.media_name.formats.iter();
        let order: Vec<_> = formats.filter_map(|format| number(format)).collect();
        let codecs = media.codecs();
        let named = |name: &str| {
            let codecs = order.iter().filter_map(|number| codecs.get(number));
            let own = |codec: &&Codec| {
                codec.name.eq_ignore_ascii_case(name) && codec.clock_rate == SOUND_CLOCK
            };
            codecs.filter(own).collect::<Vec<_>>()
        };
        let opus = *named("opus").first()?;
        let place = |payload_type| order.iter().position(|other| *other == payload_type);
        let red = named("red").into_iter().find_map(|red| {
            let earlier = earlier(&red.fmtp, opus.payload_type)?;
            Some(Red {
                payload_type: red.payload_type,
                earlier,
                preferred: place(red.payload_type) < place(opus.payload_type),
            })
        });
        let offered = |wanted: &&str| {
            let mut feedback = opus.rtcp_feedback.iter();
            feedback.any(|offer| offer.trim() == *wanted)
        };
        let wanted: &[_] = match role {
            Role::Player => &[Extension::AbsSendTime, Extension::TransportWide],
            Role::Publisher => &[Extension::TransportWide],
        };
        Some(Self {
            payload_type: opus.payload_type,
            red,
            feedback: FEEDBACK.into_iter().filter(offered).collect(),
            extensions: extensions(media, role, wanted),
        })
    }

    /// Whether what is lost is asked for again.
    pub(in crate::webrtc) fn has_nack(&self) -> bool {
        self.feedback.contains(&"nack")
    }

    /// The number of a header extension.
    pub(in crate::webrtc) fn extension(&self, wanted: Extension) -> Option<u8> {
        let mut extensions = self.extensions.iter();
        let found = extensions.find(|extmap| extmap.extension == wanted)?;
        Some(found.id)
    }

    /// Leaves transport-wide numbers out, where pictures have none or others: one count is for all that a
    /// session sends.
    pub(super) fn agree_on_numbers(&mut self, pictures: Option<u8>) {
        let told = self.feedback.contains(&TRANSPORT_WIDE);
        let own = self.extension(Extension::TransportWide);
        if !told || own.is_none() || own != pictures {
            self.feedback.retain(|feedback| *feedback != TRANSPORT_WIDE);
            self.extensions
                .retain(|extmap| extmap.extension != Extension::TransportWide);
        }
    }

    /// The payload types, as the client prefers them.
    pub(super) fn payload_types(&self) -> impl Iterator<Item = u8> {
        let opus = Some(self.payload_type);
        let red = self.red.map(|red| red.payload_type);
        let first = self.red.is_some_and(|red| red.preferred);
        let order = if first { [red, opus] } else { [opus, red] };
        order.into_iter().flatten()
    }

    /// Writes what an answer says of it.
    pub(super) fn write(&self, out: &mut String, role: Role) -> fmt::Result {
        for Extmap {
            id,
            direction,
            extension,
        } in &self.extensions
        {
            writeln!(out, "a=extmap:{id}{direction} {}", extension.uri())?;
        }
        let number = self.payload_type;
        writeln!(out, "a=rtpmap:{number} opus/{SOUND_CLOCK}/2")?;
        writeln!(out, "a=fmtp:{number} {}", parameters(role))?;
        for feedback in &self.feedback {
            writeln!(out, "a=rtcp-fb:{number} {feedback}")?;
        }
        if let Some(red) = self.red {
            let (number, opus) = (red.payload_type, number.to_string());
            let blocks = vec![opus; red.earlier + 1];
            writeln!(out, "a=rtpmap:{number} red/{SOUND_CLOCK}/2")?;
            writeln!(out, "a=fmtp:{number} {}", blocks.join("/"))?;
        }
        Ok(())
    }
}

/// What is said of Opus (RFC 7587, 6.1): to a player that two channels come, to a publisher that they are
/// wanted, and that nothing need be sent in silence.
fn parameters(role: Role) -> &'static str {
    match role {
        Role::Player => "minptime=10;stereo=1;sprop-stereo=1;useinbandfec=1",
        Role::Publisher => "minptime=10;stereo=1;useinbandfec=1;usedtx=1",
    }
}

/// How many earlier frames the parameters of RED allow, where all of its blocks are of this type
/// (RFC 2198, 5): a block more than that.
fn earlier(parameters: &str, opus: u8) -> Option<usize> {
    let mut blocks = parameters.split('/');
    let own = blocks.all(|block| block.parse() == Ok(opus));
    let earlier = parameters.matches('/').count().min(MOST_EARLIER);
    (own && earlier > 0).then_some(earlier)
}
