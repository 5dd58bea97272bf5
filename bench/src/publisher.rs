//! One publisher: a real session that sends frames at their time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::{Bytes, BytesMut};
use steadycast_codec_glue::wire::{
    ClientMessage, FrameHeader, GROUP_STREAM, RelayMessage, Role, TrackId,
};
use steadycast_relay::shard::RelayClock;
use steadycast_tests::client::{Control, Welcome};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use wtransport::SendStream;

use crate::client::Client;
use crate::ledger::{Entry, Ledger, Place};
use crate::source::{Encoded, Source};
use crate::stamp::Stamp;

/// How often a publisher says that it is there (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_millis(250);

/// A publisher that has been welcomed.
pub struct Publisher {
    control: Control,
    source: Source,
    ledger: Rc<RefCell<Ledger>>,
    clock: RelayClock,
    epoch: u32,
    group: u32,
    index: u32,
    stream: Option<SendStream>,
    captured_us: u64,
    /// Keyframes that the relay has asked for.
    requests: Rc<RefCell<u64>>,
    /// Whether it gets them. Else the load alone says when keyframes come.
    obliging: bool,
}

impl Publisher {
    /// Takes over the broadcast of `token`.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn join(
        client: &Client,
        number: usize,
        token: &str,
        source: Source,
        clock: RelayClock,
    ) -> Result<Self> {
        let mut control = client.open(number).await?;
        let Welcome { status, .. } = control.hello(Role::Publisher, token, None).await?;
        Ok(Self {
            control,
            source,
            ledger: Rc::default(),
            clock,
            epoch: status.epoch,
            group: 0,
            index: 0,
            stream: None,
            captured_us: 0,
            requests: Rc::default(),
            obliging: false,
        })
    }

    /// The same publisher, which begins a group whenever the relay asks for a keyframe.
    #[must_use]
    pub fn obliging(mut self) -> Self {
        self.obliging = true;
        self
    }

    /// What it has sent.
    pub fn ledger(&self) -> Rc<RefCell<Ledger>> {
        self.ledger.clone()
    }

    /// Keyframes that the relay has asked for.
    pub fn requests(&self) -> Rc<RefCell<u64>> {
        self.requests.clone()
    }

    /// Publishes `fps` frames per second, the first after `delay`.
    ///
    /// # Errors
    /// When the session ends.
    pub async fn run(mut self, fps: u32, delay: Duration) -> Result<()> {
        let mut frames = interval_at(Instant::now() + delay, Duration::from_secs(1) / fps);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beats = interval(HEARTBEAT);
        loop {
            tokio::select! {
                _ = frames.tick() => {
                    let frame = self.source.next_frame();
                    self.send(frame).await?;
                }
                _ = beats.tick() => {
                    self.control.send(&ClientMessage::Ping { sequence: 0, sent_us: 0 }).await?;
                }
                message = self.control.next() => match message? {
                    RelayMessage::KeyframeRequest { .. } => {
                        *self.requests.borrow_mut() += 1;
                        if self.obliging {
                            self.source.restart();
                        }
                    }
                    RelayMessage::Goodbye { message, .. } => bail!("the relay said goodbye: {message}"),
                    _ => {}
                },
            }
        }
    }

    async fn send(&mut self, mut frame: Encoded) -> Result<()> {
        let mut chunks = Vec::with_capacity(3);
        if frame.config.is_some() {
            self.open_group().await?;
            chunks.push(Bytes::from_static(&[GROUP_STREAM]));
        }
        // Rising even where the clock stands still.
        self.captured_us = self.clock.now().as_micros().max(self.captured_us + 1);
        if self.source.is_made_up() {
            let stamp = Stamp {
                keyframe: frame.config.is_some(),
                capture_us: self.captured_us,
            };
            frame.payload = stamp.put(&frame.payload);
        }
        chunks.push(self.head(&frame)?);
        self.ledger.borrow_mut().record(Entry {
            capture_us: self.captured_us,
            place: self.place(),
            crc: crc32fast::hash(&frame.payload),
        });
        self.index += 1;
        chunks.push(frame.payload);
        let stream = self.stream.as_mut().context("no keyframe came first")?;
        stream
            .quic_stream_mut()
            .write_all_chunks(&mut chunks)
            .await?;
        Ok(())
    }

    async fn open_group(&mut self) -> Result<()> {
        let opening = self.control.connection.open_uni().await?;
        let stream = opening.await?;
        if let Some(mut old) = self.stream.replace(stream) {
            old.quic_stream_mut().finish()?;
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
    fn head(&self, frame: &Encoded) -> Result<Bytes> {
        let config = frame.config.clone().unwrap_or_default();
        let header = FrameHeader {
            keyframe: frame.config.is_some(),
            refinement: false,
            track: TrackId::MAIN,
            layer: 0,
            epoch: self.epoch,
            group: self.group,
            index: self.index,
            capture_us: self.captured_us,
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
