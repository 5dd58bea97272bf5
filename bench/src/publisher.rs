//! One publisher: a real session that sends frames at their time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail};
use steadycast_codec_glue::wire::{ClientMessage, RelayMessage, Role, TrackId, WantedTrack};
use steadycast_relay::shard::RelayClock;
use steadycast_tests::client::{Control, Welcome};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::client::Client;
use crate::lane::Lane;
use crate::ledger::Ledger;
use crate::load::Picture;
use crate::sound::{LASTS, Script, Voice};
use crate::source::Source;

/// How often a publisher says that it is there (PROTOCOL 2.6).
const HEARTBEAT: Duration = Duration::from_millis(250);

/// A publisher that has been welcomed.
pub struct Publisher {
    control: Control,
    main: Lane,
    renditions: Vec<Rendition>,
    ledger: Rc<RefCell<Ledger>>,
    clock: RelayClock,
    captured_us: u64,
    asked: Rc<RefCell<Asked>>,
    voice: Option<Voice>,
    /// Whether it begins a group when it is asked for a keyframe. Else the load alone says when
    /// keyframes come.
    obliging: bool,
}

/// What the relay has asked a publisher for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Keyframes of the main track.
    pub keyframes: u64,
    /// Renditions.
    pub renditions: u64,
}

/// A version of the picture that the relay wants.
struct Rendition {
    wanted: WantedTrack,
    lane: Lane,
    /// It has one of so many pictures.
    every: u64,
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
        let main = Lane::new(
            control.connection.clone(),
            TrackId::MAIN,
            status.epoch,
            source,
        );
        Ok(Self {
            control,
            main,
            renditions: Vec::new(),
            ledger: Rc::default(),
            clock,
            captured_us: 0,
            asked: Rc::default(),
            voice: None,
            obliging: false,
        })
    }

    /// The same publisher, which begins a group whenever the relay asks for a keyframe.
    #[must_use]
    pub fn obliging(mut self) -> Self {
        self.obliging = true;
        self
    }

    /// The same publisher with sound of so many kbit/s, as the script says.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn with_sound(mut self, kbit: u64, script: &Rc<Script>) -> Result<Self> {
        let epoch = self.main.epoch();
        let voice = Voice::announce(&mut self.control, epoch, kbit, self.clock, script.clone());
        self.voice = Some(voice.await?);
        Ok(self)
    }

    /// What it has sent of the main track.
    pub fn ledger(&self) -> Rc<RefCell<Ledger>> {
        self.ledger.clone()
    }

    /// What the relay has asked it for.
    pub fn asked(&self) -> Rc<RefCell<Asked>> {
        self.asked.clone()
    }

    /// Publishes `picture`, the first frame after `delay`.
    ///
    /// # Errors
    /// When the session ends.
    pub async fn run(mut self, picture: &Picture, delay: Duration) -> Result<()> {
        let period = Duration::from_secs(1) / picture.fps;
        let mut frames = interval_at(Instant::now() + delay, period);
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beats = interval(HEARTBEAT);
        let mut sounds = interval_at(Instant::now() + delay, LASTS);
        sounds.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut number = 0;
        loop {
            tokio::select! {
                _ = frames.tick() => {
                    self.send(number).await?;
                    number += 1;
                }
                _ = sounds.tick(), if self.voice.is_some() => {
                    if let Some(voice) = &mut self.voice {
                        voice.speak()?;
                    }
                }
                _ = beats.tick() => {
                    self.control.send(&ClientMessage::Ping { sequence: 0, sent_us: 0 }).await?;
                }
                message = self.control.next() => match message? {
                    RelayMessage::KeyframeRequest { track } => self.keyframe(track),
                    RelayMessage::Tracks { wanted } => self.want(&wanted, picture)?,
                    RelayMessage::Goodbye { message, .. } => bail!("the relay said goodbye: {message}"),
                    _ => {}
                },
            }
        }
    }

    /// The main track first: others are not to delay it.
    async fn send(&mut self, number: u64) -> Result<()> {
        // Rising even where the clock stands still.
        self.captured_us = self.clock.now().as_micros().max(self.captured_us + 1);
        let ledger = &self.ledger;
        let record = |entry| ledger.borrow_mut().record(entry);
        self.main.send(self.captured_us, record).await?;
        for rendition in &mut self.renditions {
            if number.is_multiple_of(rendition.every) {
                rendition.lane.send(self.captured_us, |_| ()).await?;
            }
        }
        Ok(())
    }

    fn keyframe(&mut self, track: TrackId) {
        if track == TrackId::MAIN {
            self.asked.borrow_mut().keyframes += 1;
            if self.obliging {
                self.main.restart();
            }
        }
        let mut renditions = self.renditions.iter_mut();
        if let Some(rendition) = renditions.find(|one| one.wanted.track == track) {
            rendition.lane.restart();
        }
    }

    /// From now on it sends these renditions and no others.
    fn want(&mut self, wanted: &[WantedTrack], picture: &Picture) -> Result<()> {
        self.renditions.retain(|one| {
            let known = (one.wanted.track, one.wanted.codec);
            wanted.iter().any(|new| (new.track, new.codec) == known)
        });
        for new in wanted {
            let narrow = match new.max_kbps {
                Some(kbps) => picture.within(kbps),
                None => picture.clone(),
            };
            let mut known = self.renditions.iter_mut();
            match known.find(|one| one.wanted.track == new.track) {
                Some(one) => {
                    if one.wanted.max_kbps != new.max_kbps {
                        one.lane.resize(&narrow);
                    }
                    one.wanted = *new;
                }
                None => {
                    let source = Source::made_up(&narrow, new.codec)?;
                    self.asked.borrow_mut().renditions += 1;
                    self.renditions.push(Rendition {
                        wanted: *new,
                        lane: self.main.beside(new.track, source),
                        every: u64::from(picture.fps.div_ceil(narrow.fps)),
                    });
                }
            }
        }
        Ok(())
    }
}
