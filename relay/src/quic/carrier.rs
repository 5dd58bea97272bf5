//! A player's end of a QUIC connection, as delivery sees it: a stream for each group.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use wtransport::Connection;

use super::congestion::PathView;
use super::endpoint::WAITING_DATAGRAMS;
use super::group_writer::{Finished, GroupWriter};
use super::sound::{Datagrams, Ear, Encoder};
use crate::broadcast::{Backlog, Moment};
use crate::delivery::{Carrier, Filler, Gone, Pieces, Place, Rush, Sent, Unwritten};
use crate::session::Player;

/// How soon a stream is asked for again that the player did not grant.
const STREAM_RETRY: Duration = Duration::from_millis(20);

/// What may wait in the connection beyond what may be in flight: so much time of what the path
/// carries, and so many bytes at least.
const AHEAD: Duration = Duration::from_millis(50);
const LEAST_AHEAD: u64 = 16 << 10;
/// The same on a path of which nothing is known yet.
const UNPROVED: u64 = 48 << 10;

/// Who is not heard of for so long may be on another path than is known, and how often to look.
const UNHEARD: Duration = Duration::from_millis(500);
const LOOKS: Duration = Duration::from_millis(250);

/// One player's streams.
pub(crate) struct Streams {
    connection: Connection,
    /// Woken when a write may go on.
    waker: Waker,
    /// A group has begun for which no stream could be opened yet.
    opening: bool,
    group: Option<GroupWriter>,
    /// The group before, until the keyframe of this one has arrived.
    before: Option<Finished>,
    queue: VecDeque<Bytes>,
    path: Option<PathView>,
    /// Where that path leads: from another address on, the connection has another model.
    address: SocketAddr,
    /// When the player last came from another address: a sign of life, and the new path's model knows of
    /// no other yet.
    moved: Option<Instant>,
    /// When the connection was last asked which path it uses.
    looked: Option<Instant>,
    /// What its session speaks (PROTOCOL 2.11).
    version: u16,
    /// Bytes that may be on their way at once, on any path.
    most: u64,
    /// The same on this path, as the connection was told.
    set: u64,
    /// What is on its way for certain at most: smaller than before only after a write.
    window: u64,
    /// Groups so far: the newest goes first.
    groups: i32,
    /// Since when nothing could be written.
    blocked: Option<Instant>,
    /// When a stream is asked for again.
    retry: Option<Instant>,
    filler: Filler,
    ear: Ear,
}

impl Streams {
    /// The streams of a player.
    pub(super) fn new(connection: Connection, player: Player) -> Self {
        let Player {
            waker,
            most,
            version,
        } = player;
        let mut streams = Self {
            path: PathView::of(connection.quic_connection()),
            address: connection.remote_address(),
            moved: None,
            looked: None,
            ear: Ear::of(&connection),
            connection,
            waker,
            opening: false,
            group: None,
            before: None,
            queue: VecDeque::new(),
            version,
            most,
            set: most,
            window: most,
            groups: 0,
            blocked: None,
            retry: None,
            filler: Filler::default(),
        };
        streams.fit_window();
        streams.window = streams.set;
        streams
    }

    /// Looks at the path in use again where nothing was heard for a while: a connection that did not
    /// get through to a new address goes back to the old one, and to another model of the new one
    /// when the player speaks from there again.
    fn find_path(&mut self, now: Instant) {
        if self.looked.is_some_and(|looked| now < looked + LOOKS) {
            return;
        }
        self.looked = Some(now);
        let path = PathView::of(self.connection.quic_connection());
        let same = match (&self.path, &path) {
            (Some(known), Some(path)) => known.is_same(path),
            (known, path) => known.is_none() && path.is_none(),
        };
        if !same {
            (self.path, self.moved) = (path, Some(now));
        }
    }

    /// Looks at the path in use, which is another one once the player's address has changed.
    fn follow_path(&mut self, now: Instant) {
        let address = self.connection.remote_address();
        if address != self.address {
            self.address = address;
            self.moved = Some(now);
            self.path = PathView::of(self.connection.quic_connection());
        }
    }

    /// Lets no more be written than can soon leave: what waits in the connection is delay, and
    /// cannot be thought better of.
    fn fit_window(&mut self) {
        let fitting = match &self.path {
            Some(path) => {
                let window = path.window().count();
                let ahead = path.carries().map(|carries| carries.carries(AHEAD).count());
                // A path that has never been full has room for what it has not been given.
                let ahead = ahead.unwrap_or(window.max(UNPROVED));
                (window + ahead.max(LEAST_AHEAD)).min(self.most)
            }
            None => self.most,
        };
        if fitting.abs_diff(self.set) > self.set / 8 {
            self.set = fitting;
            self.window = self.window.max(fitting);
            self.connection.quic_connection().set_send_window(fitting);
        }
    }

    fn open_stream(&mut self, now: Instant) -> Result<Sent, Gone> {
        self.retry = None;
        match GroupWriter::open(&self.connection, self.version, self.groups, &self.waker) {
            Poll::Ready(group) => {
                self.opening = false;
                let before = self.group.replace(group?);
                self.before = before.map(GroupWriter::finish);
                Ok(Sent::All)
            }
            Poll::Pending => {
                self.retry = Some(now + STREAM_RETRY);
                Ok(Sent::Blocked)
            }
        }
    }

    fn write(&mut self) -> Result<Sent, Gone> {
        let Some(group) = &mut self.group else {
            self.queue.clear();
            return Ok(Sent::All);
        };
        while !self.queue.is_empty() {
            match group.write(&mut self.queue, &self.waker) {
                Poll::Ready(Ok(())) => self.window = self.set,
                Poll::Ready(Err(Unwritten::Stopped)) => {
                    self.pass_over();
                    return Ok(Sent::All);
                }
                Poll::Ready(Err(Unwritten::Gone)) => return Err(Gone),
                Poll::Pending => return Ok(Sent::Blocked),
            }
        }
        // What is left of the group before is worth nothing once the picture of this one is there.
        if group.keyframe_left(self.window) == 0
            && let Some(before) = self.before.take()
        {
            before.cut();
        }
        Ok(Sent::All)
    }
}

impl Streams {
    /// The player takes no more of the group: what there is of it is for nobody.
    fn pass_over(&mut self) {
        self.queue.clear();
        self.group = None;
    }
}

impl Carrier for Streams {
    type Parcel = Bytes;
    type Sound = Datagrams;
    type Sounder = Encoder;
    type Packer = Pieces;

    fn open(&mut self) {
        self.groups = self.groups.saturating_add(1);
        self.opening = true;
    }

    fn queue(&mut self, parcels: &[Bytes], _: Rush) {
        self.queue.extend(parcels.iter().cloned());
    }

    fn send(&mut self, now: Moment) -> Result<Sent, Gone> {
        let mut sent = Sent::All;
        if self.opening || self.blocked.is_some() {
            self.follow_path(now.instant);
            self.fit_window();
        }
        if self.opening {
            sent = self.open_stream(now.instant)?;
        }
        if sent == Sent::All && !self.queue.is_empty() {
            sent = self.write()?;
        }
        self.blocked = match sent {
            Sent::All => None,
            Sent::Blocked => self.blocked.or(Some(now.instant)),
        };
        Ok(sent)
    }

    fn hear(&mut self, sound: &Datagrams, place: Place, now: Moment) -> bool {
        self.ear.hear(&self.connection, (sound, place), now.instant)
    }

    fn backlog(&self) -> Backlog {
        let left = |group: &GroupWriter| group.keyframe_left(self.window);
        let keyframe_left = match (&self.group, self.opening) {
            (Some(group), false) => left(group),
            (_, true) => u64::MAX,
            (None, false) => 0,
        };
        Backlog {
            unsent: self.queue.len(),
            keyframe_left: usize::try_from(keyframe_left).unwrap_or(usize::MAX),
            bytes: self.queue.iter().map(Bytes::len).sum(),
        }
    }

    fn give_up(&mut self) {
        let arrived = self
            .group
            .as_ref()
            .is_some_and(|group| group.keyframe_left(self.window) == 0);
        match self.group.take() {
            Some(group) if arrived || !group.is_between_frames() => group.cut(),
            Some(group) => self.before = Some(group.finish()),
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
        let carries = self.path.as_ref()?.carries()?;
        Some(carries.bytes() as u64)
    }

    fn round_trip(&self) -> Option<Duration> {
        Some(self.connection.rtt())
    }

    fn fill(&mut self, bytes: usize, now: Instant) {
        self.filler.begin(bytes, now);
    }

    fn unheard_since(&mut self, now: Instant) -> Option<Instant> {
        let blocked = self.blocked?;
        self.follow_path(now);
        // Who grants no stream takes no picture, whatever else it acknowledges.
        if self.opening {
            return Some(blocked);
        }
        // What is acknowledged while nothing more can be written is progress as well.
        let heard = |this: &Self| {
            let acked = this.path.as_ref().and_then(PathView::acked_at);
            Some(blocked).max(acked).max(this.moved)
        };
        if heard(self).is_some_and(|heard| now.saturating_duration_since(heard) > UNHEARD) {
            self.find_path(now);
        }
        heard(self)
    }

    fn due(&self) -> Option<Instant> {
        [self.retry, self.filler.due()].into_iter().flatten().min()
    }

    fn pass_time(&mut self, now: Moment) -> bool {
        let connection = &self.connection;
        let waits = self.filler.is_due(now.instant) && datagrams_wait(connection.quic_connection());
        self.filler.send(now.instant, waits, |fill| {
            // Where the player takes none, or this path none of this size, it shows nothing.
            let _ = connection.send_datagram(fill);
        });
        self.retry.is_some_and(|retry| retry <= now.instant)
    }
}

/// Whether datagrams wait to be sent.
fn datagrams_wait(connection: &quinn::Connection) -> bool {
    // Of what there is for them, each takes some for itself.
    const ONE: usize = 64;
    connection.datagram_send_buffer_space() + ONE < WAITING_DATAGRAMS
}
