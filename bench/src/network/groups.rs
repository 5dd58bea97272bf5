//! A player by WebTransport as the page is one: it reads several groups at a time, and what it
//! decodes is the newest.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use steadycast_codec_glue::wire::{
    ClientMessage, Code, FrameHeader, GROUP_STREAM, HEADER_LEN, RelayMessage, Role, TrackId,
};
use steadycast_tests::client::{Connection, Control, Input, Reset};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::checker::{Seen, Watch};
use crate::client::Client;
use crate::ledger::Place;
use crate::sound;
use crate::tally::Fault;
use crate::transport::Way;

/// How often a player says that it is there (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_secs(1);
/// The most that is taken from a stream at once.
const CHUNK: usize = 256 << 10;

/// Joins and watches until the session ends.
///
/// # Errors
/// With what ended the session.
pub(super) async fn watch(client: &Client, token: &str, watch: &Watch) -> Result<()> {
    let mut control = client.open(0).await?;
    control.hello(Role::Player, token, None).await?;
    let connection = control.connection.clone();
    if watch.listens {
        control.send(&ClientMessage::Listen { on: true }).await?;
    }
    tokio::select! {
        ended = read_groups(&connection, watch) => ended,
        ended = sound::listen(&connection, &watch.tally, watch.clock), if watch.listens => ended,
        ended = talk(control) => ended,
    }
}

/// Says every second that the player is there, until the relay says goodbye.
async fn talk(mut control: Control) -> Result<()> {
    let mut beats = interval(HEARTBEAT);
    loop {
        tokio::select! {
            _ = beats.tick() => {
                let beat = ClientMessage::Ping { sequence: 0, sent_us: 0 };
                control.send(&beat).await?;
            }
            message = control.next() => if let RelayMessage::Goodbye { message, .. } = message? {
                bail!("the relay said goodbye: {message}");
            },
        }
    }
}

async fn read_groups(connection: &Connection, watch: &Watch) -> Result<()> {
    let newest = Rc::<RefCell<Newest>>::default();
    let mut groups = JoinSet::new();
    for number in 0.. {
        let stream = connection.accept_uni().await?;
        let mut group = Group {
            stream,
            number,
            watch: watch.clone(),
            newest: newest.clone(),
        };
        groups.spawn_local(async move {
            let read = group.read().await;
            group.ended(read);
        });
        while groups.try_join_next().is_some() {}
    }
    Ok(())
}

/// The group that is being decoded, and the stream that it comes on (PROTOCOL 3.4, 4.8).
#[derive(Debug, Default)]
struct Newest {
    epoch: u32,
    track: TrackId,
    group: u32,
    /// Of the newest frame that was decoded.
    capture_us: u64,
    stream: Option<u64>,
}

impl Newest {
    /// Whether a frame is decoded.
    fn takes(&mut self, stream: u64, header: &FrameHeader) -> bool {
        if header.keyframe && self.is_replaced_by(header) {
            *self = Self {
                epoch: header.epoch,
                track: header.track,
                group: header.group,
                capture_us: header.capture_us,
                stream: Some(stream),
            };
        }
        let takes = self.stream == Some(stream);
        if takes {
            self.capture_us = header.capture_us;
        }
        takes
    }

    /// Groups of two tracks are numbered each for itself: there the later picture is the newer one.
    fn is_replaced_by(&self, header: &FrameHeader) -> bool {
        match (header.epoch == self.epoch, header.track == self.track) {
            (false, _) => header.epoch > self.epoch,
            (true, true) => header.group >= self.group,
            (true, false) => header.capture_us >= self.capture_us,
        }
    }
}

struct Group {
    stream: Input,
    number: u64,
    watch: Watch,
    newest: Rc<RefCell<Newest>>,
}

impl Group {
    async fn read(&mut self) -> Result<()> {
        let mut reader = Reader::default();
        if !self.fill(&mut reader, 1).await? {
            return Ok(());
        }
        if reader.take(1)[0] != GROUP_STREAM {
            bail!("a stream that is no group");
        }
        while self.fill(&mut reader, HEADER_LEN).await? {
            let header = reader.take(HEADER_LEN);
            let header = header.first_chunk().context("a short header")?;
            let header = FrameHeader::decode(header)?;
            if !self.fill(&mut reader, header.body_len()).await? {
                bail!("a frame that ends early");
            }
            reader.take(header.body_len());
            self.frame(&header);
        }
        Ok(())
    }

    /// Reads until there are so many bytes; false at the end of the stream.
    async fn fill(&mut self, reader: &mut Reader, len: usize) -> Result<bool> {
        while reader.bytes.len() < len {
            let Some(chunk) = self.stream.read_chunk(CHUNK).await? else {
                return Ok(false);
            };
            self.watch.tally.borrow_mut().received += chunk.len() as u64;
            reader.push(&chunk);
        }
        Ok(true)
    }

    fn frame(&self, header: &FrameHeader) {
        if !self.newest.borrow_mut().takes(self.number, header) {
            return;
        }
        let seen = Seen {
            capture_us: header.capture_us,
            place: Some(Place {
                epoch: header.epoch,
                group: header.group,
                index: header.index,
            }),
            keyframe: header.keyframe,
            crc: 0,
            bytes: HEADER_LEN + header.body_len(),
        };
        let now = self.watch.clock.now().as_micros();
        let mut tally = self.watch.tally.borrow_mut();
        tally.frame(&seen, now, Way::WebTransport);
    }

    fn ended(&self, how: Result<()>) {
        let Err(error) = how else { return };
        let mut tally = self.watch.tally.borrow_mut();
        match error.downcast_ref() {
            Some(Reset(Some(Code::Skipped))) => tally.skips += 1,
            // A reset that asks nothing (PROTOCOL 4.9), or the session's end, which says why itself.
            Some(_) => {}
            None => tally.fault(Fault::Broken),
        }
    }
}

/// Bytes of a stream that have not been taken.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    fn push(&mut self, bytes: &Bytes) {
        self.bytes.extend_from_slice(bytes);
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let rest = self.bytes.split_off(len);
        std::mem::replace(&mut self.bytes, rest)
    }
}
