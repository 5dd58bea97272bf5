//! Group streams: one group each (PROTOCOL 4).

use bytes::{BufMut, Bytes, BytesMut};
use steadycast_codec_glue::wire::{
    Code, FrameHeader, GROUP_STREAM, GroupOrder, HEADER_LEN, WireError,
};
use tokio::io::AsyncReadExt;
use wtransport::{Connection, RecvStream};

use crate::broadcast::{Frame, FrameError};

/// Why a group cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum GroupError {
    /// Reset by the publisher, or gone with the connection: not a fault (PROTOCOL 4.9).
    #[error("the group was cut off")]
    CutOff,
    /// The publisher's bytes are wrong.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl From<FrameError> for GroupError {
    fn from(error: FrameError) -> Self {
        let FrameError::Wire(error) = error;
        Self::Wire(error)
    }
}

/// Reads the frames of one group from a publisher's stream.
pub(super) struct GroupReader {
    stream: RecvStream,
    order: Option<GroupOrder>,
}

impl GroupReader {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            order: None,
        }
    }

    /// The next frame, or `None` at the end of the group.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, GroupError> {
        if self.order.is_none() {
            self.open().await?;
        }
        let mut fixed = [0; HEADER_LEN];
        if !self.fill(&mut fixed).await? {
            return Ok(None);
        }
        let header = FrameHeader::decode(&fixed)?;
        if let Some(order) = &mut self.order {
            order.admit(&header)?;
        }
        let bytes = self.body(&header, &fixed).await?;
        Ok(Some(Frame::new(header, bytes)?))
    }

    async fn open(&mut self) -> Result<(), GroupError> {
        let mut kind = [0];
        if !self.fill(&mut kind).await? || kind[0] != GROUP_STREAM {
            return Err(WireError::Malformed("a stream that carries no group").into());
        }
        self.order = Some(GroupOrder::new());
        Ok(())
    }

    /// Fills `buffer`; false when the stream ends right before it.
    async fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, GroupError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self
                .stream
                .quic_stream_mut()
                .read(&mut buffer[filled..])
                .await
            {
                Ok(Some(read)) => filled += read,
                Ok(None) if filled == 0 => return Ok(false),
                Ok(None) => return Err(truncated().into()),
                Err(_) => return Err(GroupError::CutOff),
            }
        }
        Ok(true)
    }

    /// The whole frame in one buffer, the only copy the relay makes of it.
    async fn body(
        &mut self,
        header: &FrameHeader,
        fixed: &[u8; HEADER_LEN],
    ) -> Result<Bytes, GroupError> {
        let total = HEADER_LEN + header.body_len();
        let mut bytes = BytesMut::with_capacity(total);
        bytes.put_slice(fixed);
        let mut body = self.stream.quic_stream_mut().take(header.body_len() as u64);
        while bytes.len() < total {
            match body.read_buf(&mut bytes).await {
                Ok(0) => return Err(truncated().into()),
                Ok(_) => {}
                Err(_) => return Err(GroupError::CutOff),
            }
        }
        Ok(bytes.freeze())
    }
}

fn truncated() -> WireError {
    WireError::Malformed("a group that ends inside a frame")
}

/// The player cannot be written to any more.
#[derive(Debug, thiserror::Error)]
#[error("the player's connection or stream is gone")]
pub(super) struct Gone;

/// Writes one group to a player.
///
/// A keyframe, once begun, is delivered: however slow the link, every stream
/// shows the player one picture at least. What comes after it may be cut off.
pub(super) struct GroupWriter {
    stream: quinn::SendStream,
    /// What comes before the first frame, until it is written.
    prefix: Bytes,
    /// Bytes of prefix and keyframe.
    keyframe_end: u64,
    written: u64,
}

impl GroupWriter {
    /// Opens a stream on which a group goes whose keyframe has `keyframe_len` bytes. Nothing is
    /// written yet, so that a caller that does not want to wait can drop the future.
    pub(super) async fn open(connection: &Connection, keyframe_len: usize) -> Result<Self, Gone> {
        let stream = connection
            .quic_connection()
            .open_uni()
            .await
            .map_err(|_| Gone)?;
        let mut prefix = BytesMut::with_capacity(11);
        // The type of a WebTransport unidirectional stream, as a QUIC varint, and its session.
        prefix.put_slice(&[0x40, 0x54]);
        put_varint(&mut prefix, connection.session_id().into_u64());
        prefix.put_u8(GROUP_STREAM);
        Ok(Self {
            stream,
            keyframe_end: (prefix.len() + keyframe_len) as u64,
            prefix: prefix.freeze(),
            written: 0,
        })
    }

    /// Writes some of `frames` and drops from them what was written. Cancel-safe.
    pub(super) async fn write_some(&mut self, frames: &mut &mut [Bytes]) -> Result<(), Gone> {
        while !self.prefix.is_empty() {
            let prefix = std::slice::from_mut(&mut self.prefix);
            let written = self.stream.write_chunks(prefix).await.map_err(|_| Gone)?;
            self.written += written.bytes as u64;
        }
        let written = self.stream.write_chunks(frames).await.map_err(|_| Gone)?;
        self.written += written.bytes as u64;
        let rest = std::mem::take(frames);
        *frames = &mut rest[written.chunks..];
        Ok(())
    }

    /// Whether the keyframe has surely arrived when at most `window` bytes are on their way.
    pub(super) fn may_be_cut(&self, window: u64) -> bool {
        self.written >= self.keyframe_end + window
    }

    /// Ends the stream; what was written still arrives.
    pub(super) fn finish(mut self) {
        let _ = self.stream.finish();
    }

    /// Ends the stream and takes back what has not arrived.
    pub(super) fn cut(mut self) {
        if let Ok(code) = quinn::VarInt::from_u64(Code::Skipped.to_h3()) {
            let _ = self.stream.reset(code);
        }
    }
}

/// Writes a QUIC variable-length integer (RFC 9000, 16).
fn put_varint(out: &mut BytesMut, value: u64) {
    match value {
        0..=0x3f => out.put_u8(value as u8),
        0x40..=0x3fff => out.put_u16(0x4000 | value as u16),
        0x4000..=0x3fff_ffff => out.put_u32(0x8000_0000 | value as u32),
        _ => out.put_u64(0xc000_0000_0000_0000 | value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_those_of_rfc_9000() {
        let cases: [(u64, &[u8]); 4] = [
            (37, &[0x25]),
            (15_293, &[0x7b, 0xbd]),
            (494_878_333, &[0x9d, 0x7f, 0x3e, 0x7d]),
            (
                151_288_809_941_952_652,
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
            ),
        ];
        for (value, expected) in cases {
            let mut out = BytesMut::new();
            put_varint(&mut out, value);
            assert_eq!(&out[..], expected);
        }
    }
}
