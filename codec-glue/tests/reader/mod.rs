//! Whole streams read at once, as the vectors and the properties need them.

use steadycast_codec_glue::wire::{
    DecoderConfig, FrameHeader, GROUP_STREAM, GroupOrder, HEADER_LEN, WireError, limits,
};

const ENDS_EARLY: WireError = WireError::Malformed("a stream that ends early");

/// The messages of a control stream (PROTOCOL 2.1), without those that are skipped.
pub(crate) fn control<M>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<Option<M>, WireError>,
) -> Result<Vec<M>, WireError> {
    let mut rest = bytes;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let (prefix, after) = rest.split_first_chunk().ok_or(ENDS_EARLY)?;
        let length = usize::from(u16::from_be_bytes(*prefix));
        if length > limits::CONTROL_MESSAGE {
            return Err(WireError::TooLarge {
                what: "control message",
                actual: length as u64,
                limit: limits::CONTROL_MESSAGE as u64,
            });
        }
        let (body, after) = after.split_at_checked(length).ok_or(ENDS_EARLY)?;
        messages.extend(decode(body)?);
        rest = after;
    }
    Ok(messages)
}

/// One frame of a group's stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) header: FrameHeader,
    pub(crate) config: Option<DecoderConfig>,
    pub(crate) payload: Vec<u8>,
}

/// The frames of a group's stream (PROTOCOL 4.1).
pub(crate) fn group(bytes: &[u8]) -> Result<Vec<Frame>, WireError> {
    let Some((&GROUP_STREAM, mut rest)) = bytes.split_first() else {
        return Err(WireError::Malformed("a stream that is no group"));
    };
    let mut order = GroupOrder::new();
    let mut frames = Vec::new();
    // At least one: a group without a keyframe is none.
    while !rest.is_empty() || frames.is_empty() {
        let (header, after) = rest.split_first_chunk::<HEADER_LEN>().ok_or(ENDS_EARLY)?;
        let header = FrameHeader::decode(header)?;
        order.admit(&header)?;
        let (body, after) = after
            .split_at_checked(header.body_len())
            .ok_or(ENDS_EARLY)?;
        frames.push(frame(header, body)?);
        rest = after;
    }
    Ok(frames)
}

/// A frame from its header and exactly the bytes that follow it.
pub(crate) fn frame(header: FrameHeader, body: &[u8]) -> Result<Frame, WireError> {
    let (config, payload) = body
        .split_at_checked(header.config_len.into())
        .ok_or(ENDS_EARLY)?;
    let config = match header.keyframe {
        true => Some(DecoderConfig::decode(config)?),
        false => None,
    };
    Ok(Frame {
        header,
        config,
        payload: payload.to_vec(),
    })
}
