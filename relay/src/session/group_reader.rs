//! Group streams of publishers: one group each (PROTOCOL 4).

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use steadycast_codec_glue::wire::{
    FrameHeader, GROUP_STREAM, GroupOrder, HEADER_LEN, TrackId, WireError,
};
use tokio::time::{Instant, timeout_at};

use super::arrivals::{Count, Counting};
use super::link::{CutOff, Input};
use crate::broadcast::{Account, Buffer, Frame, FrameError, MemoryError};

/// Why a group cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupError {
    /// Reset by the publisher, or gone with the connection: not a fault (PROTOCOL 4.9).
    #[error("the group was cut off")]
    CutOff,
    /// The publisher's bytes are wrong.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// There is no memory for it: the rest is to be passed over.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl From<CutOff> for GroupError {
    fn from(CutOff: CutOff) -> Self {
        Self::CutOff
    }
}

impl From<FrameError> for GroupError {
    fn from(error: FrameError) -> Self {
        let FrameError::Wire(error) = error;
        Self::Wire(error)
    }
}

/// Reads the frames of one group from a publisher's stream.
pub(crate) struct GroupReader<I> {
    stream: I,
    /// What its frames come into.
    account: Arc<Account>,
    /// What has come of the session's groups.
    count: Count,
    order: Option<GroupOrder>,
    /// The header of the next frame, where it has been looked at.
    ahead: Option<FrameHeader>,
    /// Track and group, once they are known.
    place: Option<(TrackId, u32)>,
    /// Bytes that are missing of a large frame of which a part has been passed on; none between frames.
    missing: usize,
}

/// What comes from a publisher's stream.
pub(crate) enum Part {
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
/// A piece of a frame is no larger than this: a player that lacks a byte of it holds all of it.
const PIECE: usize = 256 << 10;
/// A buffer begins with at most so much room, and grows with what has really come.
const FIRST: usize = 64 << 10;
/// What comes within this time is passed on as one: cutting it up would cost more than it gains.
const PART_TIME: Duration = Duration::from_millis(5);
/// A smaller part, of at least this size, is passed on where nothing has come after it for so long.
const SMALL_PART: usize = 4 << 10;
const GAP: Duration = Duration::from_millis(25);

impl<I: Input> GroupReader<I> {
    pub(crate) fn new(stream: I, account: &Arc<Account>, count: &Count) -> Self {
        Self {
            stream,
            account: account.clone(),
            count: count.clone(),
            order: None,
            ahead: None,
            place: None,
            missing: 0,
        }
    }

    /// Track and group, once they are known.
    pub(crate) fn place(&self) -> Option<(TrackId, u32)> {
        self.place
    }

    /// Reads the rest of the group without keeping any of it, to its end.
    pub(crate) async fn pass_over(&mut self) {
        let mut passed = [0; 4 << 10];
        while matches!(self.stream().read(&mut &mut passed[..]).await, Ok(1..)) {
            self.count.turn().await;
        }
    }

    /// The stream, as it is read.
    fn stream(&mut self) -> Counting<'_, I> {
        Counting {
            stream: &mut self.stream,
            count: &self.count,
        }
    }

    /// Track and group, if a part of a frame has been passed on and the rest has not.
    pub(crate) fn inside_frame(&self) -> Option<(TrackId, u32)> {
        self.place.filter(|_| self.missing > 0)
    }

    /// The header of the next frame as it came, before the frame is read; `None` at the end of the group.
    pub(crate) async fn ahead(&mut self) -> Result<Option<FrameHeader>, GroupError> {
        if self.ahead.is_none() {
            self.ahead = self.header().await?;
        }
        Ok(self.ahead)
    }

    /// The header of the next frame, in its order.
    async fn header(&mut self) -> Result<Option<FrameHeader>, GroupError> {
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
        Ok(Some(header))
    }

    /// The next frame or part of one, or `None` at the end of the group. `mend` makes of each header what is to be in
    /// it here.
    pub(crate) async fn next(
        &mut self,
        mend: impl Fn(&mut FrameHeader),
    ) -> Result<Option<Part>, GroupError> {
        if let Some((track, group)) = self.inside_frame() {
            return self.more(track, group).await.map(Some);
        }
        let ahead = match self.ahead.take() {
            Some(ahead) => Some(ahead),
            None => self.header().await?,
        };
        let Some(mut header) = ahead else {
            return Ok(None);
        };
        mend(&mut header);
        self.place = Some((header.track, header.group));
        // Not as it came: what later versions say in a header is not for players of older ones.
        let mut buffer = self
            .account
            .buffer(FIRST.min(HEADER_LEN + header.body_len()))?;
        header.encode(&mut buffer.spare());
        self.count.turn().await;
        let missing = read_part(&mut self.stream(), &mut buffer, header.body_len()).await?;
        if missing == 0 {
            return Ok(Some(Part::Frame(Frame::new(header, buffer.freeze())?)));
        }
        self.missing = missing;
        let frame = Frame::begin(header, buffer.freeze())?;
        Ok(Some(Part::Frame(frame)))
    }

    async fn more(&mut self, track: TrackId, group: u32) -> Result<Part, GroupError> {
        let mut buffer = self.account.buffer(FIRST.min(self.missing))?;
        self.count.turn().await;
        // Until this part is there it is still inside of the frame.
        let missing = self.missing;
        self.missing = read_part(&mut self.stream(), &mut buffer, missing).await?;
        Ok(Part::More {
            track,
            group,
            bytes: buffer.freeze(),
        })
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
            match self.stream().read(&mut &mut buffer[filled..]).await? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(truncated().into()),
                read => filled += read,
            }
        }
        Ok(true)
    }
}

/// Reads into a piece's one buffer, the only copy that the relay makes of it: all of the `missing`
/// bytes, or a part that is worth passing on. Returns how many are missing then.
async fn read_part(
    stream: &mut Counting<'_, impl Input>,
    buffer: &mut Buffer,
    mut missing: usize,
) -> Result<usize, GroupError> {
    let begun = Instant::now();
    let mut last = begun;
    while missing > 0 {
        if buffer.room() == 0 {
            if buffer.len() >= PIECE {
                break;
            }
            buffer.reserve(missing.min(buffer.len()))?;
        }
        let due = match buffer.len() {
            PART.. => Some(begun + PART_TIME),
            SMALL_PART.. => Some(last + GAP),
            _ => None,
        };
        let mut room = buffer.spare().limit(missing);
        let read = match due {
            None => stream.read(&mut room).await,
            Some(due) if Instant::now() >= due => break,
            // A timer only where nothing is there to be read: what came before a gap does not wait
            // for its end.
            Some(due) => match timeout_at(due, stream.read(&mut room)).await {
                Ok(read) => read,
                Err(_) => break,
            },
        };
        match read? {
            0 => return Err(truncated().into()),
            read => missing -= read,
        }
        last = Instant::now();
    }
    Ok(missing)
}

fn truncated() -> WireError {
    WireError::Malformed("a group that ends inside a frame")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::broadcast::plenty;

    /// As `super::read_part`, of a stream that nobody else counts.
    async fn read_part(
        stream: &mut DuplexStream,
        buffer: &mut Buffer,
        missing: usize,
    ) -> Result<usize, GroupError> {
        let count = &Count::default();
        super::read_part(&mut Counting { stream, count }, buffer, missing).await
    }

    const WHOLE: usize = 100_000;

    /// A stream that holds the first `bytes` of a frame, and its other end.
    async fn after(bytes: usize) -> (DuplexStream, DuplexStream) {
        let (mut publisher, stream) = duplex(WHOLE);
        publisher.write_all(&vec![7; bytes]).await.unwrap();
        (publisher, stream)
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_before_a_gap_does_not_wait_for_its_end() {
        let (mut publisher, mut stream) = after(PART + 1).await;
        let mut buffer = plenty().buffer(WHOLE).unwrap();
        let begun = Instant::now();
        let gap = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            publisher
                .write_all(&vec![7; WHOLE - PART - 1])
                .await
                .unwrap();
        });
        let missing = read_part(&mut stream, &mut buffer, WHOLE).await.unwrap();
        assert_eq!(missing, WHOLE - PART - 1);
        // Timers count in whole milliseconds.
        assert!(begun.elapsed() <= PART_TIME + Duration::from_millis(1));
        let mut buffer = plenty().buffer(WHOLE).unwrap();
        let missing = read_part(&mut stream, &mut buffer, missing).await.unwrap();
        assert_eq!((missing, buffer.len()), (0, WHOLE - PART - 1));
        assert!(begun.elapsed() >= Duration::from_millis(200));
        gap.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_one_part_and_a_little_waits_for_more() {
        let (_publisher, mut stream) = after(WHOLE).await;
        let mut buffer = plenty().buffer(WHOLE).unwrap();
        let missing = read_part(&mut stream, &mut buffer, WHOLE).await.unwrap();
        assert_eq!((missing, buffer.len()), (0, WHOLE));
        let (_publisher, mut stream) = after(SMALL_PART - 1).await;
        let mut buffer = plenty().buffer(WHOLE).unwrap();
        let waits = read_part(&mut stream, &mut buffer, WHOLE);
        let patience = Duration::from_secs(1);
        assert!(tokio::time::timeout(patience, waits).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_packets_before_a_gap_do_not_wait_for_its_end_but_for_one_another() {
        let (mut publisher, mut stream) = duplex(WHOLE);
        let comes = tokio::spawn(async move {
            // A packet every ten milliseconds: a megabit a second.
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                publisher.write_all(&[7; 1_250]).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            publisher
        });
        let begun = Instant::now();
        let mut buffer = plenty().buffer(WHOLE).unwrap();
        let missing = read_part(&mut stream, &mut buffer, WHOLE).await.unwrap();
        assert_eq!((buffer.len(), missing), (12_500, WHOLE - 12_500));
        let waited = begun.elapsed() - Duration::from_millis(100);
        assert!(waited <= GAP + Duration::from_millis(1), "{waited:?}");
        comes.await.unwrap();
    }
}
