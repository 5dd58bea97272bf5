//! What publishers say.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use steadycast_codec_glue::wire::{
    ClientMessage, SoundCodec, SoundFormat, SoundPacket, encode_sound,
};
use steadycast_relay::shard::RelayClock;
use steadycast_tests::client::{Connection, Control};

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
                sealed: false,
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
