//! Group streams: one group each (PROTOCOL 4).

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use steadycast_codec_glue::wire::{
    Code, FrameHeader, GROUP_STREAM, GroupOrder, HEADER_LEN, TrackId, WireError,
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
    growing: Option<Growing>,
}

/// A large frame of which a part has been passed on.
struct Growing {
    track: TrackId,
    group: u32,
    /// Has room for all of the rest.
    buffer: BytesMut,
    missing: usize,
}

/// What comes from a publisher's stream.
pub(super) enum Part {
    /// A frame, or the beginning of one.
    Frame(Frame),
    /// More of the frame that has begun.
    More {
        /// Its track.
        track: TrackId,
        /// Its group.
        group: u32,
        /// The next bytes.
        bytes: Bytes,
    },
}

/// A frame is passed on in parts of at least this size: 26 ms on a link of 10 Mbit/s.
const PART: usize = 32 << 10;
/// What comes within this time is passed on as one: cutting it up would cost more than it gains.
const PART_TIME: Duration = Duration::from_millis(5);

impl GroupReader {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            order: None,
            growing: None,
        }
    }

    /// Track and group, if a part of a frame has been passed on and the rest has not.
    pub(super) fn inside_frame(&self) -> Option<(TrackId, u32)> {
        self.growing
            .as_ref()
            .map(|growing| (growing.track, growing.group))
    }

    /// The next frame or part of one, or `None` at the end of the group.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, GroupError> {
        if let Some(growing) = self.growing.take() {
            return self.more(growing).await.map(Some);
        }
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
        let mut buffer = BytesMut::with_capacity(HEADER_LEN + header.body_len());
        // Not as it came: what later versions say in a header is not for players of older ones.
        header.encode(&mut buffer);
        let missing = self.read_part(&mut buffer, header.body_len()).await?;
        let bytes = buffer.split().freeze();
        let frame = if missing == 0 {
            Frame::new(header, bytes)?
        } else {
            self.growing = Some(Growing {
                track: header.track,
                group: header.group,
                buffer,
                missing,
            });
            Frame::begin(header, bytes)?
        };
        Ok(Some(Part::Frame(frame)))
    }

    async fn more(&mut self, mut growing: Growing) -> Result<Part, GroupError> {
        let read = self.read_part(&mut growing.buffer, growing.missing).await;
        let (track, group) = (growing.track, growing.group);
        match read {
            Ok(missing) => {
                growing.missing = missing;
                let bytes = growing.buffer.split().freeze();
                self.growing = Some(growing).filter(|growing| growing.missing > 0);
                Ok(Part::More {
                    track,
                    group,
                    bytes,
                })
            }
            Err(error) => {
                // It is still inside of the frame.
                self.growing = Some(growing);
                Err(error)
            }
        }
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

    /// Reads into the frame's one buffer, the only copy that the relay makes of it: all of the
    /// `missing` bytes, or a part that is worth passing on. Returns how many are missing then.
    async fn read_part(
        &mut self,
        buffer: &mut BytesMut,
        mut missing: usize,
    ) -> Result<usize, GroupError> {
        let begun = Instant::now();
        let mut body = self.stream.quic_stream_mut().take(missing as u64);
        while missing > 0 {
            match body.read_buf(buffer).await {
                Ok(0) => return Err(truncated().into()),
                Ok(read) => missing -= read,
                Err(_) => return Err(GroupError::CutOff),
            }
            if buffer.len() >= PART && begun.elapsed() >= PART_TIME {
                break;
            }
        }
        Ok(missing)
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
    /// Bytes of frames written.
    written: u64,
    /// Where the last frame that has begun ends, counted like `written`.
    frame_end: u64,
    /// The same of the keyframe.
    keyframe_end: u64,
}

impl GroupWriter {
    /// Opens a stream for a group. Nothing is written yet, so that a caller that does not want to
    /// wait can drop the future.
    pub(super) async fn open(connection: &Connection) -> Result<Self, Gone> {
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
            prefix: prefix.freeze(),
            written: 0,
            frame_end: 0,
            keyframe_end: 0,
        })
    }

    /// Writes some of `pieces` and drops from them what was written. Cancel-safe.
    pub(super) async fn write_some(&mut self, pieces: &mut &mut [Bytes]) -> Result<(), Gone> {
        while !self.prefix.is_empty() {
            let prefix = std::slice::from_mut(&mut self.prefix);
            self.stream.write_chunks(prefix).await.map_err(|_| Gone)?;
        }
        self.note_frames(pieces);
        let written = self.stream.write_chunks(pieces).await.map_err(|_| Gone)?;
        self.written += written.bytes as u64;
        let rest = std::mem::take(pieces);
        *pieces = &mut rest[written.chunks..];
        Ok(())
    }

    /// Learns from their headers where the frames end that begin in `pieces`.
    fn note_frames(&mut self, pieces: &[Bytes]) {
        let mut at = self.written;
        for piece in pieces {
            let header = piece.first_chunk().map(FrameHeader::decode);
            if let (true, Some(Ok(header))) = (at == self.frame_end, header) {
                self.frame_end += (HEADER_LEN + header.body_len()) as u64;
                if self.keyframe_end == 0 {
                    self.keyframe_end = self.frame_end;
                }
            }
            at += piece.len() as u64;
        }
    }

    /// Whether the keyframe has surely arrived when at most `window` bytes are on their way.
    pub(super) fn may_be_cut(&self, window: u64) -> bool {
        self.keyframe_end > 0 && self.written >= self.keyframe_end + window
    }

    /// Ends the stream; what was written still arrives. Inside a frame that would be a fault
    /// (PROTOCOL 4.1): then the stream is reset.
    pub(super) fn finish(mut self) {
        if self.written < self.frame_end {
            return self.cut();
        }
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
