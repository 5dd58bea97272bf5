//! Which payload types carry what.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use rtc_sdp::util::Codec;
use steadycast_codec_glue::wire::CodecKind;

use crate::webrtc::VIDEO_CLOCK;

/// The codec of an `a=rtpmap`, if it is one that the bridge packetises, in a form that publishers
/// send.
fn kind(name: &str, parameters: &Parameters<'_>) -> Option<CodecKind> {
    match name.to_ascii_uppercase().as_str() {
        "VP8" => Some(CodecKind::Vp8),
        // Profile 0 is 4:2:0 with 8 bits, and all that publishers send (RFC 9628, 6).
        "VP9" if parameters.is("profile-id", "0") => Some(CodecKind::Vp9),
        "AV1" if parameters.is("profile", "0") => Some(CodecKind::Av1),
        // Mode 0 has no fragments: frames would not fit (RFC 6184, 6.2).
        "H264" if parameters.get("packetization-mode") == Some("1") => Some(CodecKind::H264),
        _ => None,
    }
}

/// A codec's name in `a=rtpmap`.
pub(super) fn name(codec: CodecKind) -> &'static str {
    match codec {
        CodecKind::Av1 => "AV1",
        CodecKind::H264 => "H264",
        CodecKind::Vp9 => "VP9",
        CodecKind::Vp8 => "VP8",
    }
}

/// A payload type of an offer that the bridge can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webrtc) struct Format {
    pub(in crate::webrtc) payload_type: u8,
    pub(in crate::webrtc) codec: CodecKind,
    /// `a=fmtp` as it was offered, for the answer.
    pub(in crate::webrtc) parameters: Option<String>,
    /// The payload type of its retransmissions (RFC 4588).
    pub(in crate::webrtc) rtx: Option<u8>,
    /// `a=rtcp-fb` that both can do.
    pub(in crate::webrtc) feedback: Vec<&'static str>,
    /// H.264 parameter sets (RFC 6184, 8.1, `sprop-parameter-sets`).
    pub(in crate::webrtc) parameter_sets: Arc<[Vec<u8>]>,
}

/// Characters that the parameter sets of an offer may have; a decoder config holds 4 KiB.
const PARAMETER_SETS: usize = 8_192;

/// The parameter sets of an H.264 format. What is no Base64 is none: there may be others in the stream.
fn parameter_sets(parameters: &Parameters<'_>) -> Arc<[Vec<u8>]> {
    let text = parameters.get("sprop-parameter-sets").unwrap_or_default();
    let text = Some(text).filter(|text| text.len() <= PARAMETER_SETS);
    let sets = text.unwrap_or_default().split(',');
    sets.filter_map(|set| STANDARD.decode(set.trim()).ok())
        .filter(|set| !set.is_empty())
        .collect()
}

/// What feedback is of use, as `a=rtcp-fb` writes it.
const FEEDBACK: [&str; 5] = ["nack", "nack pli", "ccm fir", ESTIMATES, TRANSPORT_WIDE];

/// Feedback that says what a receiver believes the way takes (REMB).
pub(super) const ESTIMATES: &str = "goog-remb";

/// Feedback that says of each packet when it arrived: players send it, publishers are sent it.
pub(super) const TRANSPORT_WIDE: &str = "transport-cc";

/// The formats of a section that the bridge can use, in the order of its offer.
pub(super) fn usable(order: &[String], mut codecs: HashMap<u8, Codec>) -> Vec<Format> {
    let order: Vec<_> = order.iter().filter_map(|format| number(format)).collect();
    codecs.retain(|number, codec| order.contains(number) && codec.clock_rate == VIDEO_CLOCK);
    // The map's own order is none; and an offer may name a payload type twice.
    let mut rtx = HashMap::new();
    for codec in codecs.values() {
        let parameters = Parameters(&codec.fmtp);
        if codec.name.eq_ignore_ascii_case("rtx")
            && let Some(apt) = parameters.get("apt").and_then(|apt| apt.parse::<u8>().ok())
        {
            rtx.insert(apt, codec.payload_type);
        }
    }
    order
        .iter()
        .filter_map(|number| codecs.remove(number))
        .filter_map(|codec| format(&codec, &rtx))
        .collect()
}

/// A payload type: seven bits, without those that are RTCP's on a shared way (RFC 5761, 4).
pub(super) fn number(format: &str) -> Option<u8> {
    let number = format.parse().ok()?;
    (!matches!(number, 64..=95 | 128..)).then_some(number)
}

fn format(codec: &Codec, rtx: &HashMap<u8, u8>) -> Option<Format> {
    let kind = self::kind(&codec.name, &Parameters(&codec.fmtp))?;
    let offered = |wanted: &&str| {
        codec
            .rtcp_feedback
            .iter()
            .any(|offer| offer.trim() == *wanted)
    };
    Some(Format {
        payload_type: codec.payload_type,
        codec: kind,
        parameters: Some(codec.fmtp.clone()).filter(|fmtp| !fmtp.is_empty()),
        rtx: rtx.get(&codec.payload_type).copied(),
        feedback: FEEDBACK.into_iter().filter(offered).collect(),
        parameter_sets: match kind {
            CodecKind::H264 => parameter_sets(&Parameters(&codec.fmtp)),
            _ => Arc::default(),
        },
    })
}

/// The parameters of an `a=fmtp`.
struct Parameters<'a>(&'a str);

impl<'a> Parameters<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .split(';')
            .filter_map(|parameter| parameter.trim().split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Whether it has this value, or says nothing.
    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name).is_none_or(|found| found == value)
    }
}
