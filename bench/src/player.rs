//! One player: a real session that reads and checks every frame.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::{Buf, Bytes};
use steadycast_codec_glue::wire::{
    ClientMessage, Code, FrameHeader, GROUP_STREAM, HEADER_LEN, RelayMessage, Role,
};
use steadycast_relay::transport::RelayClock;
use steadycast_tests::client::Control;
use tokio::time::{interval, sleep};
use wtransport::{Connection, RecvStream};

use crate::client::Client;
use crate::ledger::{Ledger, Place};
use crate::load::Appetite;
use crate::tally::{Fault, Tally};

/// How often a player says that it is there (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_secs(1);
/// The most that is taken from a stream at once.
const CHUNK: usize = 256 << 10;

/// What a player works with.
#[derive(Clone)]
pub struct Watch {
    /// What its publisher sent; where that is not known, only order and keyframes are checked.
    pub ledger: Option<Rc<RefCell<Ledger>>>,
    /// Where it counts.
    pub tally: Rc<RefCell<Tally>>,
    /// The clock of capture times: the publisher's, or one that is synchronised with it.
    pub clock: RelayClock,
    /// How it reads.
    pub appetite: Appetite,
}

/// Joins and watches until the session ends; counts an end that nobody asked for.
pub async fn run(client: Rc<Client>, number: usize, token: String, watch: Watch) {
    let opened = Instant::now();
    let (tally, appetite) = (watch.tally.clone(), watch.appetite);
    let ended = join(&client, number, &token, watch, opened).await;
    // The relay may close a player that takes nothing.
    if let (Err(error), Appetite::Healthy) = (ended, appetite) {
        tally.borrow_mut().closed(&error);
    }
}

async fn join(
    client: &Client,
    number: usize,
    token: &str,
    watch: Watch,
    opened: Instant,
) -> Result<()> {
    let mut control = client.open(number).await?;
    control.hello(Role::Player, token, None).await?;
    let connection = control.connection.clone();
    let mut reading = Reading {
        watch,
        opened: Some(opened),
        last: None,
    };
    tokio::select! {
        read = reading.groups(&connection) => read,
        ended = talk(control) => ended,
    }
}

/// Says every second that the player is there, until the relay says goodbye.
async fn talk(mut control: Control) -> Result<()> {
    let mut beats = interval(HEARTBEAT);
    let mut sequence = 0;
    loop {
        tokio::select! {
            _ = beats.tick() => {
                sequence += 1;
                control.send(&ClientMessage::Ping { sequence, sent_us: 0 }).await?;
            }
            message = control.next() => if let RelayMessage::Goodbye { message, .. } = message? {
                bail!("the relay said goodbye: {message}");
            },
        }
    }
}

struct Reading {
    watch: Watch,
    /// When the session was opened, until there is a picture.
    opened: Option<Instant>,
    last: Option<Place>,
}

/// Where the reader is in a stream.
enum Part {
    Kind,
    Header { read: [u8; HEADER_LEN], len: usize },
    Body(Body),
}

struct Body {
    header: FrameHeader,
    config_left: usize,
    payload_left: usize,
    crc: crc32fast::Hasher,
}

const HEADER: Part = Part::Header {
    read: [0; HEADER_LEN],
    len: 0,
};

impl Reading {
    async fn groups(&mut self, connection: &Connection) -> Result<()> {
        loop {
            let mut stream = connection.accept_uni().await?;
            if let Err(error) = self.group(&mut stream).await {
                self.cut(&error)?;
            }
        }
    }

    async fn group(&mut self, stream: &mut RecvStream) -> Result<()> {
        let mut part = Part::Kind;
        while let Some(chunk) = stream.quic_stream_mut().read_chunk(CHUNK, true).await? {
            let len = chunk.bytes.len();
            self.watch.tally.borrow_mut().received += len as u64;
            part = self.take(chunk.bytes, part)?;
            self.digest(len).await;
        }
        match part {
            Part::Header { len: 0, .. } => Ok(()),
            _ => self.wrong(Fault::Broken),
        }
    }

    /// A stream that ends early is a skip if the relay says so.
    fn cut(&mut self, error: &anyhow::Error) -> Result<()> {
        match error.downcast_ref() {
            Some(quinn::ReadError::Reset(code)) if code.into_inner() == Code::Skipped.to_h3() => {
                self.watch.tally.borrow_mut().skips += 1;
                Ok(())
            }
            _ => bail!("{error:#}"),
        }
    }

    fn take(&mut self, mut bytes: Bytes, mut part: Part) -> Result<Part> {
        while bytes.has_remaining() {
            part = match part {
                Part::Kind if bytes.get_u8() == GROUP_STREAM => {
                    self.last = None;
                    HEADER
                }
                Part::Kind => return self.wrong(Fault::Broken),
                Part::Header { mut read, mut len } => {
                    let part = bytes.len().min(HEADER_LEN - len);
                    bytes.copy_to_slice(&mut read[len..len + part]);
                    len += part;
                    if len < HEADER_LEN {
                        Part::Header { read, len }
                    } else {
                        Part::Body(Body::of(FrameHeader::decode(&read)?))
                    }
                }
                Part::Body(mut body) => {
                    body.take(&mut bytes);
                    if body.payload_left > 0 {
                        Part::Body(body)
                    } else {
                        self.whole(body)?;
                        HEADER
                    }
                }
            };
        }
        Ok(part)
    }

    fn whole(&mut self, body: Body) -> Result<()> {
        let header = &body.header;
        let place = Place {
            epoch: header.epoch,
            group: header.group,
            index: header.index,
        };
        if let Err(fault) = self.known(header.capture_us, place, body.crc) {
            return self.wrong(fault);
        }
        if let Err(fault) = follows(self.last, place, header.keyframe) {
            return self.wrong(fault);
        }
        self.last = Some(place);
        let mut tally = self.watch.tally.borrow_mut();
        if let Some(opened) = self.opened.take() {
            tally.joined(opened.elapsed());
        }
        if self.watch.appetite == Appetite::Healthy {
            let now = self.watch.clock.now().as_micros();
            let bytes = HEADER_LEN + header.body_len();
            tally.frame(header.capture_us, now, header.keyframe, bytes);
        }
        Ok(())
    }

    /// Whether the publisher has sent this frame, with this payload.
    fn known(&self, captured: u64, place: Place, crc: crc32fast::Hasher) -> Result<(), Fault> {
        let Some(ledger) = &self.watch.ledger else {
            return Ok(());
        };
        let entry = ledger.borrow().find(captured).copied();
        match entry.filter(|entry| entry.place == place) {
            None => Err(Fault::Unknown),
            Some(entry) if entry.crc != crc.finalize() => Err(Fault::Corrupt),
            Some(_) => Ok(()),
        }
    }

    fn wrong<T>(&self, fault: Fault) -> Result<T> {
        self.watch.tally.borrow_mut().fault(fault);
        bail!("{fault:?}")
    }

    /// What reading so much costs a player that is not healthy.
    async fn digest(&self, bytes: usize) {
        match self.watch.appetite {
            Appetite::Healthy => {}
            Appetite::Stalled if self.opened.is_none() => std::future::pending().await,
            Appetite::Stalled => {}
            Appetite::Slow(bits) => {
                sleep(Duration::from_secs_f64(bytes as f64 * 8.0 / bits as f64)).await;
            }
        }
    }
}

impl Body {
    fn of(header: FrameHeader) -> Self {
        Self {
            config_left: header.config_len.into(),
            payload_left: header.payload_len as usize,
            crc: crc32fast::Hasher::new(),
            header,
        }
    }

    fn take(&mut self, bytes: &mut Bytes) {
        let config = bytes.len().min(self.config_left);
        bytes.advance(config);
        self.config_left -= config;
        let payload = bytes.len().min(self.payload_left);
        self.crc.update(&bytes[..payload]);
        bytes.advance(payload);
        self.payload_left -= payload;
    }
}

/// Whether a frame may come after `last`, the one before it on its stream.
fn follows(last: Option<Place>, place: Place, keyframe: bool) -> Result<(), Fault> {
    match last {
        None if place.index == 0 && keyframe => Ok(()),
        None => Err(Fault::NoKeyframe),
        Some(last) if last.epoch == place.epoch && last.group == place.group => {
            // The bench publishes one layer, so that nothing may be left out.
            if place.index == last.index + 1 {
                Ok(())
            } else {
                Err(Fault::OutOfOrder)
            }
        }
        Some(_) => Err(Fault::OutOfOrder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_with_its_keyframe_and_leaves_nothing_out() {
        let at = |group, index| Place {
            epoch: 1,
            group,
            index,
        };
        assert_eq!(follows(None, at(4, 0), true), Ok(()));
        assert_eq!(follows(None, at(4, 1), false), Err(Fault::NoKeyframe));
        assert_eq!(follows(Some(at(4, 0)), at(4, 1), false), Ok(()));
        assert_eq!(
            follows(Some(at(4, 0)), at(4, 2), false),
            Err(Fault::OutOfOrder)
        );
        assert_eq!(
            follows(Some(at(4, 0)), at(5, 1), false),
            Err(Fault::OutOfOrder)
        );
    }
}
