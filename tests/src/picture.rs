//! Frames that need no encoder: the relay never looks inside.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use steadycast_codec_glue::wire::{CodecKind, DecoderConfig, FrameHeader, TrackId, WireError};

/// A frame to send.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The track.
    pub track: TrackId,
    /// Of its keyframe.
    pub codec: CodecKind,
    /// The publisher's tenure.
    pub epoch: u32,
    /// The group.
    pub group: u32,
    /// The place in the group; 0 is the keyframe.
    pub index: u32,
    /// Bytes of the payload.
    pub len: usize,
}

impl Default for Picture {
    /// A keyframe of one byte on the main track.
    fn default() -> Self {
        Self {
            track: TrackId::MAIN,
            codec: CodecKind::Vp8,
            epoch: 1,
            group: 0,
            index: 0,
            len: 1,
        }
    }
}

impl Picture {
    /// The frame's bytes. The payload repeats the frame's own numbers, so that a receiver can check it.
    ///
    /// # Errors
    /// [`WireError`] when the decoder config cannot be encoded.
    pub fn encode(&self) -> Result<Bytes, WireError> {
        let mut config = BytesMut::new();
        if self.index == 0 {
            let decoder = DecoderConfig {
                width: 640,
                height: 360,
                codec: codec_string(self.codec).into(),
                description: Vec::new(),
            };
            decoder.encode(&mut config)?;
        }
        let mut bytes = BytesMut::with_capacity(64 + self.len);
        self.header(config.len()).encode(&mut bytes);
        bytes.put(config);
        bytes.put(self.payload());
        Ok(bytes.freeze())
    }

    /// The header, for a config of `config_len` bytes.
    pub fn header(&self, config_len: usize) -> FrameHeader {
        FrameHeader {
            keyframe: self.index == 0,
            refinement: false,
            sealed: false,
            track: self.track,
            layer: 0,
            epoch: self.epoch,
            group: self.group,
            index: self.index,
            capture_us: now_us(),
            payload_len: self.len as u32,
            config_len: config_len as u16,
            colour: None,
        }
    }

    /// What the payload holds.
    pub fn payload(&self) -> Bytes {
        let mut seed = BytesMut::new();
        seed.put_u8(self.track.number());
        seed.put_u32(self.epoch);
        seed.put_u32(self.group);
        seed.put_u32(self.index);
        seed.iter().copied().cycle().take(self.len).collect()
    }
}

/// The time on the relay's clock, as it is on the same machine: others cannot be true (PROTOCOL 4.12).
fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(1, |since| since.as_micros() as u64)
}

/// A WebCodecs codec string of this family.
fn codec_string(codec: CodecKind) -> &'static str {
    match codec {
        CodecKind::Av1 => "av01.0.08M.08",
        CodecKind::H264 => "avc1.42e01f",
        CodecKind::Vp9 => "vp09.00.40.08",
        CodecKind::Vp8 => "vp8",
    }
}
