//! The sound of a broadcast: which frames are new, and what goes with them to those that listen (PROTOCOL 9).
//!
//! Nothing old is kept: of the frames before the newest one only those that a datagram repeats.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use steadycast_codec_glue::wire::{SoundFormat, SoundPacket, limits, opus_duration_us};
use tokio::sync::broadcast;
use utoipa::ToSchema;

use super::captures::Captures;
use super::{Claim, Clock, PublishError, RelayTime, Totals};

/// Frames that a shard may be behind before it misses some: 320 ms of them.
const BEHIND: usize = 16;

/// More than these one after the other cannot be missing: a minute of them. Who skips more has counted wrong.
const LONGEST_GAP: u32 = 3_000;
/// A sealed frame lasts so long, since nobody can look into it here (PROTOCOL 12.5).
const SEALED_US: u32 = 20_000;

/// Frames of sound as they come, each with those before it that may be repeated.
pub type Sounds = broadcast::Receiver<Arc<SoundPacket>>;

/// Where frames go to all that listen.
pub(super) fn channel() -> broadcast::Sender<Arc<SoundPacket>> {
    broadcast::Sender::new(BEHIND)
}

/// What the publisher that is attached has sent of sound.
#[derive(Debug, Default)]
pub(super) struct Sound {
    format: Option<SoundFormat>,
    /// Players that are to hear it, or would.
    listeners: u32,
    newest: Option<u32>,
    /// The frames that end where the next one begins, the oldest first.
    before: Vec<Bytes>,
    captures: Captures,
    counts: Counts,
}

/// What of one publisher's sound came.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    packets: u64,
    bytes: u64,
    lost: u64,
}

/// The sound of a broadcast as the HTTP API shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SoundSnapshot {
    /// `opus`.
    pub codec: &'static str,
    /// 1 or 2.
    pub channels: u8,
    /// Players that hear it.
    pub listeners: u32,
    /// Frames of this publisher that came.
    pub packets: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Frames of this publisher that never came.
    pub lost: u64,
}

impl Sound {
    /// What it is; `None`: there is none.
    pub(super) fn format(&self) -> Option<SoundFormat> {
        self.format
    }

    /// Players that are to hear it, or would.
    pub(super) fn listeners(&self) -> u32 {
        self.listeners
    }

    /// What the HTTP API shows of it.
    pub(super) fn shown(&self) -> Option<SoundSnapshot> {
        let format = self.format?;
        Some(SoundSnapshot {
            codec: format.codec.name(),
            channels: format.channels,
            listeners: self.listeners,
            packets: self.counts.packets,
            bytes: self.counts.bytes,
            lost: self.counts.lost,
        })
    }

    /// The publisher sends sound as this from now on. True when that is news.
    pub(super) fn becomes(&mut self, format: Option<SoundFormat>) -> bool {
        let news = self.format != format;
        self.format = format;
        if news {
            self.before.clear();
        }
        news
    }

    /// A publisher has come or gone: there is no sound until another one has said what it sends.
    pub(super) fn hand_over(&mut self) {
        self.format = None;
        self.newest = None;
        self.before.clear();
        self.captures.hand_over();
        self.counts = Counts::default();
    }

    /// One more player is to hear it, or one less.
    pub(super) fn count(&mut self, listens: bool) {
        self.listeners = match listens {
            true => self.listeners + 1,
            false => self.listeners.saturating_sub(1),
        };
    }

    /// Takes what is new of a packet: frame after frame as they go on.
    ///
    /// # Errors
    /// [`PublishError::Sound`] for bytes that are no frame; nothing has changed then.
    pub(super) fn take(
        &mut self,
        packet: SoundPacket,
        totals: &mut Totals,
        now: RelayTime,
    ) -> Result<Vec<SoundPacket>, PublishError> {
        let frames = frames(packet)?;
        if self.format.is_none() {
            totals.sound_dropped += 1;
            return Ok(Vec::new());
        }
        let new: Vec<_> = frames
            .into_iter()
            .filter(|frame| self.newest.is_none_or(|newest| frame.sequence > newest))
            .collect();
        if new.is_empty() {
            totals.sound_dropped += 1;
        }
        let went_on = new.into_iter().map(|frame| self.go_on(frame, totals, now));
        Ok(went_on.collect())
    }

    /// The next frame, with what may be repeated beside it.
    fn go_on(&mut self, frame: SoundPacket, totals: &mut Totals, now: RelayTime) -> SoundPacket {
        let missing = self
            .newest
            .map_or(0, |newest| frame.sequence - newest - 1)
            .min(LONGEST_GAP);
        self.counts.lost += u64::from(missing);
        self.counts.packets += 1;
        self.counts.bytes += frame.frame.len() as u64;
        totals.sound_lost += u64::from(missing);
        totals.sound_frames += 1;
        totals.sound_bytes += frame.frame.len() as u64;
        if missing > 0 || frame.begins {
            self.before.clear();
        }
        self.newest = Some(frame.sequence);
        let claim = Claim {
            micros: frame.capture_us.into(),
            clock: Clock::Relay,
            group: 0,
            keyframe: false,
        };
        let packet = SoundPacket {
            capture_us: self.captures.capture(claim, now).micros,
            repeats: self.before.clone(),
            ..frame
        };
        if self.before.len() == usize::from(limits::SOUND_REPEATS) {
            self.before.remove(0);
        }
        self.before.push(packet.frame.clone());
        packet
    }
}

/// A packet's frames, the oldest first, each by itself and with a capture time of its own. They are copies, so that
/// none of them keeps more than itself in memory.
fn frames(packet: SoundPacket) -> Result<Vec<SoundPacket>, PublishError> {
    let SoundPacket {
        begins,
        sealed,
        epoch,
        mut sequence,
        mut capture_us,
        repeats,
        frame,
    } = packet;
    let mut frames = Vec::with_capacity(1 + repeats.len());
    let mut newest = true;
    for frame in std::iter::once(frame).chain(repeats.into_iter().rev()) {
        let lasts = match sealed {
            true => SEALED_US,
            false => opus_duration_us(&frame).ok_or(PublishError::Sound)?,
        };
        if !newest {
            capture_us = capture_us.saturating_sub(lasts.into());
            sequence = sequence.checked_sub(1).ok_or(PublishError::Sound)?;
        }
        frames.push(SoundPacket {
            begins: begins && newest,
            sealed,
            epoch,
            sequence,
            capture_us,
            repeats: Vec::new(),
            frame: Bytes::copy_from_slice(&frame),
        });
        newest = false;
    }
    frames.reverse();
    Ok(frames)
}

#[cfg(test)]
mod tests;
