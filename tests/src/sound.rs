//! Sound: what a publisher sends, and what a player hears.

use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use steadycast_codec_glue::wire::{
    ClientMessage, RelayMessage, SoundCodec, SoundFormat, SoundPacket, decode_sound, encode_sound,
};

use crate::client::{Connection, Player, soon};
use crate::publisher::Publisher;

/// Opus with two channels.
pub const STEREO: SoundFormat = SoundFormat {
    codec: SoundCodec::Opus,
    channels: 2,
};

/// How long a frame of [`frame`] lasts.
pub const LASTS: Duration = Duration::from_millis(20);
const LASTS_US: u64 = 20_000;

/// Bytes of a frame: 64 kbit/s.
const LEN: usize = 160;
/// One CELT frame of 20 ms, stereo (RFC 6716, 3.1).
const TOC: u8 = 31 << 3 | 0b100;

/// A frame that says which one it is.
pub fn frame(sequence: u32) -> Bytes {
    let mut frame = vec![TOC; LEN];
    frame[1..5].copy_from_slice(&sequence.to_be_bytes());
    frame.into()
}

/// A publisher's sound.
#[derive(Debug, Clone, Copy)]
pub struct Speaker {
    /// The epoch of its session.
    pub epoch: u32,
    /// When frame 0 was captured, on the relay's clock.
    pub began_us: u64,
    /// How many earlier frames each datagram repeats.
    pub repeat: u8,
}

impl Speaker {
    /// One that may send faster than sound is: its frames were captured a while ago.
    pub fn new(epoch: u32, now_us: u64) -> Self {
        const AGO_US: u64 = 15_000_000;
        Self {
            epoch,
            began_us: now_us - AGO_US,
            repeat: 0,
        }
    }

    /// The packet of a frame.
    pub fn packet(&self, sequence: u32) -> SoundPacket {
        let repeats = sequence.min(self.repeat.into());
        SoundPacket {
            begins: sequence == 0,
            sealed: false,
            epoch: self.epoch,
            sequence,
            capture_us: self.began_us + u64::from(sequence) * LASTS_US,
            repeats: (sequence - repeats..sequence).map(frame).collect(),
            frame: frame(sequence),
        }
    }
}

impl Publisher {
    /// Says what it sends sound as; none: it has none.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn sounds_as(&mut self, sound: Option<SoundFormat>) -> Result<()> {
        self.control.send(&ClientMessage::Sound { sound }).await
    }

    /// The next word on who hears it: players, and frames to repeat.
    ///
    /// # Errors
    /// When none comes.
    pub async fn listeners(&mut self) -> Result<(u32, u8)> {
        self.control
            .find("who listens", |message| match message {
                RelayMessage::Listeners { players, repeat } => Some((*players, *repeat)),
                _ => None,
            })
            .await
    }

    /// Waits until so many are to hear it.
    ///
    /// # Errors
    /// When that is never said.
    pub async fn heard_by(&mut self, players: u32) -> Result<()> {
        while self.listeners().await?.0 != players {}
        Ok(())
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the path takes none of its size.
    pub fn send_sound(&self, packet: &SoundPacket) -> Result<()> {
        let datagram = encode_sound(packet)?;
        self.control.connection.send_datagram(datagram)?;
        Ok(())
    }
}

impl Player {
    /// Says that it wants to hear what there is, or not any more.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn listen(&mut self, on: bool) -> Result<()> {
        self.control.send(&ClientMessage::Listen { on }).await
    }

    /// The next word on what there is to hear.
    ///
    /// # Errors
    /// When none comes.
    pub async fn sound(&mut self) -> Result<Option<SoundFormat>> {
        self.control
            .find("what there is to hear", |message| match message {
                RelayMessage::Sound { sound } => Some(*sound),
                _ => None,
            })
            .await
    }

    /// The next packet of sound.
    ///
    /// # Errors
    /// When none comes.
    pub async fn hear(&mut self) -> Result<SoundPacket> {
        soon("sound", hear(&self.control.connection)).await?
    }

    /// The next packet of sound, if one comes within this time.
    ///
    /// # Errors
    /// When the session ends.
    pub async fn hear_within(&mut self, patience: Duration) -> Result<Option<SoundPacket>> {
        match tokio::time::timeout(patience, hear(&self.control.connection)).await {
            Ok(packet) => packet.map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// The next packet of sound of a session, with the frames that were sent. Cancel-safe.
///
/// # Errors
/// When the session ends, or the frames are others.
pub async fn hear(connection: &Connection) -> Result<SoundPacket> {
    loop {
        let datagram = connection.receive_datagram().await?;
        if let Some(packet) = decode_sound(&datagram)? {
            ensure!(packet.frame == frame(packet.sequence), "another frame");
            for (age, repeated) in (1..).zip(packet.repeats.iter().rev()) {
                ensure!(*repeated == frame(packet.sequence - age), "another repeat");
            }
            return Ok(packet);
        }
    }
}
