//! From the cache's pieces to whole frames.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::wire::{CodecKind, DecoderConfig, FrameHeader, HEADER_LEN};

/// What a group's keyframe says of all its frames.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::webrtc) struct Coding {
    pub(in crate::webrtc) codec: CodecKind,
    /// How its payloads are cut.
    pub(in crate::webrtc) framing: Codec,
    pub(in crate::webrtc) config: DecoderConfig,
}

impl Coding {
    fn of(config: &[u8]) -> Option<Self> {
        let config = DecoderConfig::decode(config).ok()?;
        Some(Self {
            codec: CodecKind::of(&config.codec)?,
            framing: Codec::from_webcodecs(&config.codec, &config.description).ok()?,
            config,
        })
    }
}

/// A frame to its last byte.
#[derive(Debug, Clone)]
pub(in crate::webrtc) struct Whole {
    pub(in crate::webrtc) header: FrameHeader,
    pub(in crate::webrtc) payload: Bytes,
    /// All of it, header and config included.
    pub(in crate::webrtc) bytes: Bytes,
    pub(in crate::webrtc) coding: Arc<Coding>,
}

/// Puts one player's pieces together.
///
/// Holds no more than the frame that is arriving, whose bytes are the cache's.
#[derive(Debug, Clone, Default)]
pub(in crate::webrtc) struct Assembly {
    coding: Option<Arc<Coding>>,
    pieces: Vec<Bytes>,
    missing: usize,
}

impl Assembly {
    /// Takes the next piece; gives the frame that it completes. Frames in a codec that is none of
    /// the bridge's are left out.
    pub(in crate::webrtc) fn push(&mut self, piece: Bytes) -> Option<Whole> {
        if self.pieces.is_empty() {
            let header = header_of(&piece)?;
            self.missing = HEADER_LEN + header.body_len();
        }
        self.missing = self.missing.saturating_sub(piece.len());
        self.pieces.push(piece);
        if self.missing > 0 {
            return None;
        }
        let bytes = join(&mut self.pieces);
        self.whole(&bytes)
    }

    /// The rest of the frame that is arriving will not come.
    pub(in crate::webrtc) fn cut(&mut self) {
        self.pieces.clear();
        self.missing = 0;
    }

    fn whole(&mut self, bytes: &Bytes) -> Option<Whole> {
        let header = header_of(bytes)?;
        let config_end = HEADER_LEN + usize::from(header.config_len);
        if header.keyframe {
            let coding = Coding::of(bytes.get(HEADER_LEN..config_end)?);
            // Most keyframes say what the one before said.
            if coding.as_ref() != self.coding.as_deref() {
                self.coding = coding.map(Arc::new);
            }
        }
        Some(Whole {
            header,
            payload: bytes.slice_ref(bytes.get(config_end..)?),
            bytes: bytes.clone(),
            coding: self.coding.clone()?,
        })
    }
}

fn header_of(bytes: &[u8]) -> Option<FrameHeader> {
    FrameHeader::decode(bytes.first_chunk()?).ok()
}

fn join(pieces: &mut Vec<Bytes>) -> Bytes {
    if let [_] = pieces.as_slice() {
        return pieces.remove(0);
    }
    let mut all = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces.drain(..) {
        all.extend_from_slice(&piece);
    }
    all.freeze()
}
