//! Group streams of publishers: one group each (PROTOCOL 4).

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use steadycast_codec_glue::wire::{
    FrameHeader, GROUP_STREAM, GroupOrder, HEADER_LEN, TrackId, WireError,
};
use tokio::io::AsyncReadExt;
use wtransport::RecvStream;

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

    /// The next frame or part of one, or `None` at the end of the group. `capture` says when a frame
    /// was captured that claims what its header has.
    pub(super) async fn next(
        &mut self,
        capture: impl Fn(&FrameHeader) -> u64,
    ) -> Result<Option<Part>, GroupError> {
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
        let mut header = FrameHeader::decode(&fixed)?;
        if let Some(order) = &mut self.order {
            order.admit(&header)?;
        }
        header.capture_us = capture(&header);
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
