//! One track of a publisher: groups of frames, each on a stream of its own.

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use steadycast_codec_glue::wire::{FrameHeader, GROUP_STREAM, TrackId};
use steadycast_tests::client::{Connection, Output};

use crate::ledger::{Entry, Place};
use crate::load::Picture;
use crate::source::{Encoded, Source};
use crate::stamp::Stamp;

/// Sends the frames of a track.
pub struct Lane {
    connection: Connection,
    track: TrackId,
    epoch: u32,
    source: Source,
    group: u32,
    index: u32,
    stream: Option<Output>,
}

impl Lane {
    /// A track of which nothing was sent in this epoch.
    pub fn new(connection: Connection, track: TrackId, epoch: u32, source: Source) -> Self {
        Self {
            connection,
            track,
            epoch,
            source,
            group: 0,
            index: 0,
            stream: None,
        }
    }

    /// Another track of the same session.
    pub fn beside(&self, track: TrackId, source: Source) -> Self {
        Self::new(self.connection.clone(), track, self.epoch, source)
    }

    /// The epoch of its session.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Has the next frame be a keyframe.
    pub fn restart(&mut self) {
        self.source.restart();
    }

    /// Frames are of other sizes from now on, in the same group.
    pub fn resize(&mut self, picture: &Picture) {
        self.source.resize(picture);
    }

    /// Sends the next frame, which says that it was captured at `captured_us`. It is recorded before
    /// anybody can have it.
    ///
    /// # Errors
    /// When the session ends.
    pub async fn send(&mut self, captured_us: u64, record: impl FnOnce(Entry)) -> Result<()> {
        let mut frame = self.source.next_frame();
        let mut chunks = Vec::with_capacity(3);
        if frame.config.is_some() {
            self.open_group().await?;
            chunks.push(Bytes::from_static(&[GROUP_STREAM]));
        }
        if self.source.is_made_up() {
            let stamp = Stamp {
                keyframe: frame.config.is_some(),
                capture_us: captured_us,
            };
            frame.payload = stamp.put(&frame.payload);
        }
        chunks.push(self.head(&frame, captured_us)?);
        record(Entry {
            capture_us: captured_us,
            place: self.place(),
            crc: crc32fast::hash(&frame.payload),
        });
        self.index += 1;
        chunks.push(frame.payload);
        let stream = self.stream.as_mut().context("no keyframe came first")?;
        stream.write_chunks(&mut chunks).await
    }

    async fn open_group(&mut self) -> Result<()> {
        let stream = self.connection.open_uni().await?;
        if let Some(mut old) = self.stream.replace(stream) {
            old.finish();
        }
        self.group += 1;
        self.index = 0;
        Ok(())
    }

    fn place(&self) -> Place {
        Place {
            epoch: self.epoch,
            group: self.group,
            index: self.index,
        }
    }

    /// Header and decoder config.
    fn head(&self, frame: &Encoded, captured_us: u64) -> Result<Bytes> {
        let config = frame.config.clone().unwrap_or_default();
        let header = FrameHeader {
            keyframe: frame.config.is_some(),
            refinement: false,
            sealed: false,
            track: self.track,
            layer: 0,
            epoch: self.epoch,
            group: self.group,
            index: self.index,
            capture_us: captured_us,
            payload_len: u32::try_from(frame.payload.len())?,
            config_len: u16::try_from(config.len())?,
            colour: None,
        };
        let mut bytes = BytesMut::new();
        header.encode(&mut bytes);
        bytes.extend_from_slice(&config);
        Ok(bytes.freeze())
    }
}
