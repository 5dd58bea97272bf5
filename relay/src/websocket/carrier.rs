//! A player's end of a WebSocket, as delivery sees it: a stream for each group, and no more on its way than the path
//! carries without a queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use qmux::Session;

use super::acks::SEGMENT;
use super::ear::{Datagrams, Ear, Encoder};
use super::flow::Flow;
use super::group::GroupStream;
use crate::broadcast::{Backlog, Moment};
use crate::delivery::{Carrier, Filler, Gone, Pieces, Place, Rush, Sent, Unwritten};

/// How soon a stream is asked for again that the player did not grant, or room for bytes that QMux did not have.
const RETRY: Duration = Duration::from_millis(20);

/// One player's streams.
pub struct GroupStreams {
    session: Session,
    flow: Arc<Flow>,
    /// Woken when a write may go on.
    waker: Waker,
    /// A group has begun for which no stream could be opened yet.
    opening: bool,
    group: Option<GroupStream>,
    /// The group before, until QMux has written what it was given of it, or the keyframe of this one has arrived: a stream
    /// that has ended cannot be taken back.
    before: Option<GroupStream>,
    queue: VecDeque<Bytes>,
    /// What its session speaks (PROTOCOL 2.11).
    version: u16,
    /// Bytes that may be on their way at once, on any path.
    most: u64,
    /// Groups so far.
    groups: u64,
    /// Since when nothing could be written.
    blocked: Option<Instant>,
    /// When that is tried again.
    retry: Option<Instant>,
    filler: Filler,
    ear: Ear,
}

impl GroupStreams {
    /// The streams of a player with `most` bytes on their way at most, whose session speaks `version`; `flow` is the
    /// account of the connection below `session`. Nobody else opens unidirectional streams of that session.
    pub fn new(
        session: Session,
        flow: Arc<Flow>,
        waker: Waker,
        (most, version): (u64, u16),
    ) -> Self {
        Self {
            session,
            flow,
            waker,
            opening: false,
            group: None,
            before: None,
            queue: VecDeque::new(),
            version,
            most,
            groups: 0,
            blocked: None,
            retry: None,
            filler: Filler::default(),
            ear: Ear::default(),
        }
    }

    fn open_stream(&mut self, now: Instant) -> Result<Sent, Gone> {
        match GroupStream::open(&self.session, self.version, self.groups, &self.waker) {
            Poll::Ready(group) => {
                self.opening = false;
                self.groups += 1;
                if let Some(before) = self.group.replace(group?) {
                    self.leave(before);
                }
                Ok(Sent::All)
            }
            Poll::Pending => {
                self.retry = Some(now + RETRY);
                Ok(Sent::Blocked)
            }
        }
    }

    fn write(&mut self, now: Instant) -> Result<Sent, Gone> {
        while !self.queue.is_empty() {
            let room = self.room();
            let Some(group) = &mut self.group else {
                self.queue.clear();
                break;
            };
            let written = match room {
                0 => Poll::Pending,
                room => group.write(&mut self.queue, room, &self.waker),
            };
            match written {
                Poll::Ready(Ok(())) => {}
                // The player takes no more of the group: what there is of it is for nobody.
                Poll::Ready(Err(Unwritten::Stopped)) => {
                    self.queue.clear();
                    self.group = None;
                }
                Poll::Ready(Err(Unwritten::Gone)) => return Err(Gone),
                Poll::Pending => {
                    self.flow.wait(&self.waker);
                    // What has moved before that was set is seen then, and so is what QMux does of itself.
                    self.retry = Some(now + RETRY);
                    return Ok(Sent::Blocked);
                }
            }
        }
        Ok(Sent::All)
    }

    /// Nothing more comes of a group; what QMux was given of it still goes.
    fn leave(&mut self, group: GroupStream) {
        if let Some(before) = self.before.replace(group) {
            before.cut();
        }
        self.end_before();
    }

    /// Ends the group before. What is left of it is worth nothing once the picture of this one is there.
    fn end_before(&mut self) {
        let arrived = self.group.is_some() && self.keyframe_left() == 0;
        match self.before.take() {
            Some(before) if before.queued(&self.flow) == 0 => before.finish(),
            Some(before) if arrived => before.cut(),
            before => self.before = before,
        }
    }

    /// Bytes that may be written in the next message: what waits anywhere is delay, and cannot be thought better of.
    fn room(&self) -> usize {
        let group = self
            .group
            .as_ref()
            .map_or(0, |group| group.queued(&self.flow));
        let before = self
            .before
            .as_ref()
            .map_or(0, |before| before.queued(&self.flow));
        let (left, step) = self.flow.read(|acks| {
            let window = acks.window().min(self.most);
            let left = window.saturating_sub(acks.in_flight() + group + before);
            (left, acks.step())
        });
        // Less than a packet is not worth a message.
        match left < SEGMENT {
            true => 0,
            false => usize::try_from(left.min(step)).unwrap_or(usize::MAX),
        }
    }

    fn keyframe_left(&self) -> u64 {
        match (&self.group, self.opening) {
            (_, true) => u64::MAX,
            (Some(group), false) => group.keyframe_left(&self.flow),
            (None, false) => 0,
        }
    }
}

impl Carrier for GroupStreams {
    type Parcel = Bytes;
    type Sound = Datagrams;
    type Sounder = Encoder;
    type Packer = Pieces;

    fn open(&mut self) {
        self.opening = true;
    }

    fn queue(&mut self, parcels: &[Bytes], _: Rush) {
        self.queue.extend(parcels.iter().cloned());
    }

    fn send(&mut self, now: Moment) -> Result<Sent, Gone> {
        self.retry = None;
        let mut sent = Sent::All;
        if self.opening {
            sent = self.open_stream(now.instant)?;
        }
        if sent == Sent::All && !self.queue.is_empty() {
            sent = self.write(now.instant)?;
        }
        self.end_before();
        let blocked = sent == Sent::Blocked;
        if blocked || self.blocked.is_some() {
            self.flow.hold_up(blocked, now.instant);
        }
        self.blocked = self.blocked.or(Some(now.instant)).filter(|_| blocked);
        Ok(sent)
    }

    fn hear(&mut self, sound: &Datagrams, place: Place, _: Moment) -> bool {
        self.ear.hear(&self.session, &self.flow, (sound, place))
    }

    fn backlog(&self) -> Backlog {
        Backlog {
            unsent: self.queue.len(),
            keyframe_left: usize::try_from(self.keyframe_left()).unwrap_or(usize::MAX),
            bytes: self.queue.iter().map(Bytes::len).sum(),
        }
    }

    fn give_up(&mut self) {
        let arrived = self.keyframe_left() == 0;
        match self.group.take() {
            Some(group) if arrived || !group.is_between_frames() => group.cut(),
            Some(group) => self.leave(group),
            None => {}
        }
    }

    fn cut(&mut self) {
        self.queue.clear();
        self.opening = false;
        if let Some(group) = self.group.take() {
            group.cut();
        }
    }

    fn carries(&self) -> Option<u64> {
        let carries = self.flow.read(|acks| acks.carries())?;
        Some(carries.bytes() as u64)
    }

    fn round_trip(&self) -> Option<Duration> {
        self.flow.read(|acks| acks.round_trip())
    }

    fn fill(&mut self, bytes: usize, now: Instant) {
        self.filler.begin(bytes, now);
    }

    fn unheard_since(&mut self, _: Instant) -> Option<Instant> {
        let blocked = self.blocked?;
        // Who grants no stream takes no picture, whatever else it acknowledges.
        if self.opening {
            return Some(blocked);
        }
        // What arrives of pictures while nothing more can be written is progress as well.
        Some(blocked).max(self.flow.read(|acks| acks.moved_at()))
    }

    fn due(&self) -> Option<Instant> {
        [self.retry, self.filler.due()].into_iter().flatten().min()
    }

    fn pass_time(&mut self, now: Moment) -> bool {
        let waits = self.filler.is_due(now.instant)
            && (self.room() == 0 || self.flow.read(|acks| self.ear.waiting(acks)) > 0);
        let Self {
            filler,
            ear,
            session,
            ..
        } = self;
        filler.send(now.instant, waits, |fill| {
            // Where the player takes none, it shows nothing.
            ear.fill(session, fill);
        });
        self.retry.is_some_and(|retry| retry <= now.instant)
    }
}
