//! One player: a real session that reads and checks every frame.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::{Buf, Bytes};
use steadycast_codec_glue::wire::{
    ClientMessage, Code, CodecKind, CodecSet, FrameHeader, GROUP_STREAM, HEADER_LEN, RelayMessage,
    Role,
};
use steadycast_tests::client::{Connection, Control, Input, Reset};
use tokio::time::{interval, sleep};

use crate::checker::{Checker, Seen, Watch};
use crate::client::Client;
use crate::ledger::Place;
use crate::load::Appetite;
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
/// With what ended the session, or a frame that was wrong.
pub async fn watch(
    client: &Client,
    number: usize,
    token: &str,
    (way, watch): (Way, Watch),
) -> Result<()> {
    let opened = Instant::now();
    let mut control = client.open(number).await?;
    control.hello(Role::Player, token, None).await?;
    if let Appetite::Narrow(_) = watch.appetite {
        // Who says nothing of it is sent the main track, whatever its path carries.
        let codecs = CodecKind::ALL
            .into_iter()
            .fold(CodecSet::NONE, CodecSet::with);
        control.send(&ClientMessage::Decodes { codecs }).await?;
    }
    let connection = control.connection.clone();
    let (tally, clock, listens) = (watch.tally.clone(), watch.clock, watch.listens);
    if listens {
        control.send(&ClientMessage::Listen { on: true }).await?;
    }
    let mut reading = Reading {
        checker: Checker::new(watch, way, opened),
    };
    tokio::select! {
        read = reading.groups(&connection) => read,
        heard = sound::listen(&connection, &tally, clock), if listens => heard,
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
    checker: Checker,
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

    async fn group(&mut self, stream: &mut Input) -> Result<()> {
        let mut part = Part::Kind;
        while let Some(chunk) = stream.read_chunk(CHUNK).await? {
            let len = chunk.len();
            self.checker.tally().borrow_mut().received += len as u64;
            part = self.take(chunk, part)?;
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
            Some(Reset(Some(Code::Skipped))) => {
                self.checker.skipped();
                Ok(())
            }
            _ => bail!("{error:#}"),
        }
    }

    fn take(&mut self, mut bytes: Bytes, mut part: Part) -> Result<Part> {
        while bytes.has_remaining() {
            part = match part {
                Part::Kind if bytes.get_u8() == GROUP_STREAM => {
                    self.checker.begin();
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
        let seen = Seen {
            capture_us: header.capture_us,
            place: Some(Place {
                epoch: header.epoch,
                group: header.group,
                index: header.index,
            }),
            keyframe: header.keyframe,
            bytes: HEADER_LEN + header.body_len(),
            crc: body.crc.finalize(),
        };
        self.checker.take(&seen).or_else(|fault| self.wrong(fault))
    }

    fn wrong<T>(&self, fault: Fault) -> Result<T> {
        self.checker.tally().borrow_mut().fault(fault);
        bail!("{fault:?}")
    }

    /// What reading so much costs a player that is not healthy.
    async fn digest(&self, bytes: usize) {
        match self.checker.appetite() {
            Appetite::Healthy | Appetite::Narrow(_) => {}
            Appetite::Stalled if self.checker.has_picture() => std::future::pending().await,
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
