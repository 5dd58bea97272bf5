//! Sound beside the picture: what publishers send, and what players hear of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use steadycast_codec_glue::wire::{
    ClientMessage, SoundCodec, SoundFormat, SoundPacket, decode_sound, encode_sound,
};
use steadycast_relay::shard::RelayClock;
use steadycast_tests::client::{Connection, Control};

use crate::tally::{Tally, Times, times};

/// From one frame to the next.
pub const LASTS: Duration = Duration::from_millis(20);
/// Frames in a second.
const FRAMES: u64 = 50;
/// One CELT frame of 20 ms in stereo (RFC 6716, 3.1).
const TOC: u8 = 31 << 3 | 0b100;

/// Whether publishers speak at present, and how many frames of sound each has sent.
#[derive(Debug, Default)]
pub struct Script {
    speaks: Cell<bool>,
    sent: Cell<u64>,
}

impl Script {
    /// Has publishers speak, or be silent.
    pub fn speak(&self, on: bool) {
        self.speaks.set(on);
    }

    /// Frames that all publishers have sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }
}

/// A publisher's sound.
pub struct Voice {
    connection: Connection,
    clock: RelayClock,
    script: Rc<Script>,
    next: SoundPacket,
}

impl Voice {
    /// Sound of so many kbit/s, which the publisher announces.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn announce(
        control: &mut Control,
        epoch: u32,
        kbit: u64,
        clock: RelayClock,
        script: Rc<Script>,
    ) -> Result<Self> {
        let sound = Some(SoundFormat {
            codec: SoundCodec::Opus,
            channels: 2,
        });
        control.send(&ClientMessage::Sound { sound }).await?;
        let bytes = kbit * 1_000 / 8 / FRAMES;
        Ok(Self {
            connection: control.connection.clone(),
            clock,
            script,
            next: SoundPacket {
                begins: true,
                epoch,
                sequence: 0,
                capture_us: 0,
                repeats: Vec::new(),
                frame: vec![TOC; bytes as usize].into(),
            },
        })
    }

    /// Sends the next frame, unless publishers are silent.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn speak(&mut self) -> Result<()> {
        if !self.script.speaks.get() {
            self.next.begins = true;
            return Ok(());
        }
        self.next.capture_us = self.clock.now().as_micros();
        self.connection.send_datagram(encode_sound(&self.next)?)?;
        self.next.begins = false;
        self.next.sequence += 1;
        self.script.sent.set(self.script.sent.get() + 1);
        Ok(())
    }
}

/// What healthy players have heard.
#[derive(Debug)]
pub struct Heard {
    /// Frames of the window.
    pub frames: u64,
    /// Frames that never came, between others of the window.
    pub missed: u64,
    /// Times that frames were missing in a row.
    pub gaps: u64,
    /// From capture to arrival.
    pub latency: Times,
    /// Frames of the whole run.
    pub all: u64,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            frames: 0,
            missed: 0,
            gaps: 0,
            latency: times(),
            all: 0,
        }
    }
}

/// Hears what comes until the session ends.
///
/// # Errors
/// With what ended the session, or a datagram that was wrong.
pub async fn listen(
    connection: &Connection,
    tally: &RefCell<Tally>,
    clock: RelayClock,
) -> Result<()> {
    let mut newest: Option<u32> = None;
    loop {
        let datagram = connection.receive_datagram().await?;
        let Some(packet) = decode_sound(&datagram)? else {
            continue;
        };
        let repeats = packet.repeats.len() as u32;
        let (missed, new) = match newest {
            Some(newest) => {
                let ahead = packet.sequence.saturating_sub(newest);
                (ahead.saturating_sub(1 + repeats), ahead.min(1 + repeats))
            }
            None => (0, 1),
        };
        newest = newest.max(Some(packet.sequence));
        let mut tally = tally.borrow_mut();
        tally.sound.all += u64::from(new);
        if tally.window.contains(&packet.capture_us) {
            tally.sound.frames += u64::from(new);
            tally.sound.missed += u64::from(missed);
            tally.sound.gaps += u64::from(missed > 0);
            let now = clock.now().as_micros();
            let latency = now.saturating_sub(packet.capture_us);
            tally.sound.latency.saturating_record(latency);
        }
    }
}

/// What sound was like and what it took. Times in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SoundReport {
    /// What each publisher sent.
    pub kbit: u64,
    /// Frames of the window that healthy players have heard.
    pub frames: u64,
    /// Frames of the window that they should have.
    pub expected: u64,
    /// Times that frames were missing in a row.
    pub gaps: u64,
    /// From a frame's capture to its arrival: median.
    pub p50_us: u64,
    /// 95 of 100.
    pub p95_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// What of the relay's CPU a frame to one player takes, in microseconds: the median of pairs of seconds, one with
    /// sound and one without.
    pub cpu_us: f64,
    /// The least and the most of them.
    pub cpu_us_spread: [f64; 2],
}
