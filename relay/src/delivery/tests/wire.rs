//! A third carrier: one ordered row of bytes, as a carrier over TCP would have it, on virtual time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use steadycast_codec_glue::wire::{FrameHeader, SoundPacket};

use super::super::{Carrier, Gone, Packer, Place, Rush, Sent, Sounder};
use crate::broadcast::{Backlog, Moment};

/// What a player has seen of its carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Opened,
    Sent(Bytes),
    GivenUp,
    Cut,
}

/// A path that takes so many pieces at once and so many more with time, and remembers them.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) seen: Vec<Seen>,
    /// Pieces that it takes before it is full; `None`: any number.
    pub(super) room: Option<usize>,
    pub(super) carries: Option<u64>,
    /// Bytes that mean nothing.
    pub(super) filled: usize,
    pub(super) gone: bool,
    /// Frames of sound.
    pub(super) heard: Vec<u32>,
    /// It has no room for sound.
    pub(super) deaf: bool,
    /// Nothing is tried again by time.
    pub(super) mute: bool,
}

impl Line {
    /// The pieces that arrived since this was asked last.
    pub(super) fn arrived(&mut self) -> usize {
        self.frames().len()
    }

    /// Groups and indices of the frames that arrived since this was asked last, each in one piece.
    pub(super) fn frames(&mut self) -> Vec<(u32, u32)> {
        let seen = std::mem::take(&mut self.seen);
        let sent = seen.into_iter().filter_map(|seen| match seen {
            Seen::Sent(piece) => piece
                .first_chunk()
                .and_then(|fixed| FrameHeader::decode(fixed).ok()),
            _ => None,
        });
        sent.map(|header| (header.group, header.index)).collect()
    }
}

/// The carrier over a [`Line`].
pub(super) struct Wire {
    line: Rc<RefCell<Line>>,
    queue: VecDeque<Bytes>,
    keyframe: usize,
    blocked: Option<Instant>,
    retry: Option<Instant>,
}

impl Wire {
    pub(super) fn over(line: &Rc<RefCell<Line>>) -> Self {
        Self {
            line: line.clone(),
            queue: VecDeque::new(),
            keyframe: 0,
            blocked: None,
            retry: None,
        }
    }
}

/// Tells frames of sound by their numbers.
#[derive(Default)]
pub(super) struct Numbers;

impl Sounder for Numbers {
    type Sound = u32;

    fn sound(&mut self, packet: &SoundPacket) -> u32 {
        packet.sequence
    }
}

impl Carrier for Wire {
    type Parcel = Bytes;
    type Sound = u32;
    type Sounder = Numbers;
    type Packer = Whole;

    fn open(&mut self) {
        self.line.borrow_mut().seen.push(Seen::Opened);
        self.keyframe = 1;
    }

    fn queue(&mut self, parcels: &[Bytes], _: Rush) {
        self.queue.extend(parcels.iter().cloned());
    }

    fn send(&mut self, now: Moment) -> Result<Sent, Gone> {
        let mut line = self.line.borrow_mut();
        if line.gone {
            return Err(Gone);
        }
        let waited = self.queue.len();
        while line.room != Some(0)
            && let Some(piece) = self.queue.pop_front()
        {
            line.room = line.room.map(|room| room - 1);
            line.seen.push(Seen::Sent(piece));
            self.keyframe = 0;
        }
        if self.queue.is_empty() {
            (self.blocked, self.retry) = (None, None);
            return Ok(Sent::All);
        }
        if self.queue.len() < waited {
            self.blocked = None;
        }
        self.blocked.get_or_insert(now.instant);
        self.retry = (!line.mute).then(|| now.instant + Duration::from_millis(10));
        Ok(Sent::Blocked)
    }

    fn hear(&mut self, sound: &u32, place: Place, _: Moment) -> bool {
        if place == Place::Left {
            return true;
        }
        let mut line = self.line.borrow_mut();
        let room = !line.deaf;
        line.heard.extend(room.then_some(*sound));
        room
    }

    fn backlog(&self) -> Backlog {
        Backlog {
            unsent: self.queue.len(),
            keyframe_left: self.queue.iter().take(self.keyframe).map(Bytes::len).sum(),
            bytes: self.queue.iter().map(Bytes::len).sum(),
        }
    }

    fn give_up(&mut self) {
        self.line.borrow_mut().seen.push(Seen::GivenUp);
    }

    fn cut(&mut self) {
        self.queue.clear();
        self.line.borrow_mut().seen.push(Seen::Cut);
    }

    fn carries(&self) -> Option<u64> {
        self.line.borrow().carries
    }

    fn round_trip(&self) -> Option<Duration> {
        None
    }

    fn fill(&mut self, bytes: usize, _: Instant) {
        self.line.borrow_mut().filled += bytes;
    }

    fn unheard_since(&mut self, _: Instant) -> Option<Instant> {
        self.blocked
    }

    fn due(&self) -> Option<Instant> {
        self.retry
    }

    fn pass_time(&mut self, now: Moment) -> bool {
        self.retry.is_some_and(|retry| retry <= now.instant)
    }
}

/// Pieces as they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole;

impl Packer for Whole {
    type Parcel = Bytes;

    fn pack(&mut self, pieces: Vec<Bytes>) -> Vec<Bytes> {
        pieces
    }

    fn cut(&mut self) {}
}
