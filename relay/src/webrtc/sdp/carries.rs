//! Frames as they are, over RTP, for pages that open them themselves (PROTOCOL 12.10).

use rtc_sdp::SessionDescription;
use steadycast_codec_glue::wire::{CodecKind, CodecSet, SEALS};

use super::offer::{OfferError, malformed};

/// Which frames of the wire are carried: an attribute of the session, with the newest version that the client knows
/// and, in an offer, the codecs that its page decodes.
pub(super) const FRAMES: &str = "steadycast-frames";
/// What is carried: the version whose frames can be sealed.
pub(super) const VERSION: u16 = SEALS;

/// What the client's page decodes, where it takes such frames. One of a codec that is not known may be named.
pub(super) fn carried(description: &SessionDescription) -> Result<Option<CodecSet>, OfferError> {
    let Some(value) = description.attribute(FRAMES) else {
        return Ok(None);
    };
    let mut words = value.split_whitespace();
    let version = words.next().and_then(|version| version.parse::<u16>().ok());
    let version = version.ok_or_else(|| malformed("a=steadycast-frames without a version"))?;
    if version < VERSION {
        return Ok(None);
    }
    let known = |name: &str| {
        let mut all = CodecKind::ALL.into_iter();
        all.find(|codec| codec.name() == name)
    };
    Ok(Some(words.filter_map(known).collect()))
}
