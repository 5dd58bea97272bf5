use bytes::Bytes;
use steadycast_codec_glue::wire::{CodecKind, DecoderConfig, FrameHeader, HEADER_LEN, WireError};

/// One frame as it came and as it goes: a single buffer, shared by the cache and every player.
/// Of a large one, at first only the beginning, so that it leaves before its last byte has come.
#[derive(Debug, Clone)]
pub struct Frame {
    header: FrameHeader,
    bytes: Bytes,
    codec: Option<CodecKind>,
}

/// Why a buffer is not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes do not parse.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl Frame {
    /// Wraps a frame's bytes: `header` again as bytes, its decoder config and its payload.
    ///
    /// # Errors
    /// [`FrameError::Wire`] when the lengths differ from the header's or the config does not parse.
    pub fn new(header: FrameHeader, bytes: Bytes) -> Result<Self, FrameError> {
        if bytes.len() != HEADER_LEN + header.body_len() {
            return Err(WireError::Malformed("a frame of another length than its header's").into());
        }
        Self::checked(header, bytes)
    }

    /// The beginning of a frame: `header` again as bytes, the whole decoder config, and some of the
    /// payload. The rest follows.
    ///
    /// # Errors
    /// [`FrameError::Wire`] when it is too short or not short enough, or the config does not parse.
    pub fn begin(header: FrameHeader, bytes: Bytes) -> Result<Self, FrameError> {
        let config_end = HEADER_LEN + usize::from(header.config_len);
        if !(config_end..HEADER_LEN + header.body_len()).contains(&bytes.len()) {
            return Err(WireError::Malformed("a beginning that is none").into());
        }
        Self::checked(header, bytes)
    }

    /// `bytes` hold the config at least.
    fn checked(header: FrameHeader, bytes: Bytes) -> Result<Self, FrameError> {
        let mut codec = None;
        if header.keyframe {
            let config_end = HEADER_LEN + usize::from(header.config_len);
            let config = DecoderConfig::decode(&bytes[HEADER_LEN..config_end])?;
            codec = CodecKind::of(&config.codec);
        }
        Ok(Self {
            header,
            bytes,
            codec,
        })
    }

    /// The family of a keyframe's codec, if it is one of the four.
    pub fn codec(&self) -> Option<CodecKind> {
        self.codec
    }

    /// Bytes that are still to come.
    pub fn missing(&self) -> usize {
        HEADER_LEN + self.header.body_len() - self.bytes.len()
    }

    /// The fixed part.
    pub fn header(&self) -> &FrameHeader {
        &self.header
    }

    /// Header, config and payload, exactly as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Bytes on the wire that are here.
    pub fn here(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use bytes::BytesMut;
    use steadycast_codec_glue::wire::TrackId;

    /// A frame with a payload of `len` bytes.
    pub(crate) fn frame(epoch: u32, group: u32, index: u32, len: usize) -> Frame {
        build(epoch, (group, index), 0, len)
    }

    /// A small frame of the first epoch whose keyframe is in `codec`.
    pub(crate) fn coded_frame(
        track: TrackId,
        (group, index): (u32, u32),
        codec: CodecKind,
    ) -> Frame {
        let codec = match codec {
            CodecKind::Av1 => "av01.0.08M.08",
            CodecKind::H264 => "avc1.42e01f",
            CodecKind::Vp9 => "vp09.00.40.08",
            CodecKind::Vp8 => "vp8",
        };
        let header = FrameHeader {
            track,
            ..header(1, (group, index), 0, 100)
        };
        whole(header, codec)
    }

    /// The first `here` bytes of a frame with a payload of `len`, and the rest.
    pub(crate) fn begun(
        epoch: u32,
        (group, index): (u32, u32),
        len: usize,
        here: usize,
    ) -> (Frame, Bytes) {
        let whole = build(epoch, (group, index), 0, len);
        let mut rest = whole.bytes().clone();
        let first = rest.split_to(here);
        (Frame::begin(*whole.header(), first).unwrap(), rest)
    }

    /// A small frame of the first epoch, in a temporal layer.
    pub(crate) fn layered_frame(group: u32, index: u32, layer: u8) -> Frame {
        build(1, (group, index), layer, 100)
    }

    /// A small frame that brings nothing new.
    pub(crate) fn refinement(epoch: u32, (group, index): (u32, u32)) -> Frame {
        let header = FrameHeader {
            refinement: true,
            ..header(epoch, (group, index), 0, 100)
        };
        whole(header, "vp8")
    }

    fn build(epoch: u32, place: (u32, u32), layer: u8, len: usize) -> Frame {
        whole(header(epoch, place, layer, len), "vp8")
    }

    fn header(epoch: u32, (group, index): (u32, u32), layer: u8, len: usize) -> FrameHeader {
        FrameHeader {
            keyframe: index == 0,
            refinement: false,
            sealed: false,
            track: TrackId::MAIN,
            layer,
            epoch,
            group,
            index,
            capture_us: 0,
            payload_len: len as u32,
            config_len: 0,
            colour: None,
        }
    }

    fn whole(mut header: FrameHeader, codec: &str) -> Frame {
        let mut config = BytesMut::new();
        if header.keyframe {
            DecoderConfig {
                width: 64,
                height: 48,
                codec: codec.into(),
                description: vec![],
            }
            .encode(&mut config)
            .unwrap();
        }
        header.config_len = config.len() as u16;
        let mut bytes = BytesMut::new();
        header.encode(&mut bytes);
        bytes.extend_from_slice(&config);
        bytes.resize(HEADER_LEN + header.body_len(), 0xab);
        Frame::new(header, bytes.freeze()).unwrap()
    }

    #[test]
    fn a_frame_of_another_length_than_its_header_says_is_refused() {
        let good = frame(1, 0, 1, 10);
        assert!(Frame::new(*good.header(), good.bytes().slice(..good.here() - 1)).is_err());
    }

    #[test]
    fn a_beginning_has_its_config_and_lacks_something() {
        let whole = frame(1, 0, 0, 100);
        let config_end = HEADER_LEN + usize::from(whole.header().config_len);
        let begin = |len| Frame::begin(*whole.header(), whole.bytes().slice(..len));
        assert_eq!(begin(config_end).unwrap().missing(), 100);
        assert_eq!(begin(whole.here() - 1).unwrap().missing(), 1);
        assert!(begin(config_end - 1).is_err());
        assert!(begin(whole.here()).is_err());
    }

    #[test]
    fn a_keyframe_with_a_broken_config_is_refused() {
        let good = frame(1, 0, 0, 10);
        let mut bytes = BytesMut::from(&good.bytes()[..]);
        bytes[HEADER_LEN..HEADER_LEN + 4].fill(0);
        assert!(Frame::new(*good.header(), bytes.freeze()).is_err());
    }
}
