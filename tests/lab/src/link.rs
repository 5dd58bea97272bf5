//! One direction: a queue, a wire, a way.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use crate::counters::Counters;
use crate::dice::{Dice, For};
use crate::loss::Fortune;
use crate::shape::{Change, Course, Rate, Shape};

/// A queue takes a packet of this size at least, however narrow its wire.
const FULL_PACKET: usize = 1_500;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will arrive.
    Passes,
    /// It will not.
    Lost(Reason),
}

/// Why a packet does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The queue had no room.
    Queue,
    /// By chance.
    Random,
    /// With others.
    Burst,
}

/// A packet at the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival<T> {
    /// When it arrived, since the start; never later than asked for.
    pub at: Duration,
    /// Its bytes, as the sender said.
    pub bytes: usize,
    /// The packet.
    pub packet: T,
}

/// One direction of a path, for packets `T`. All times are since the link's start, and `now`
/// never goes back.
#[derive(Debug)]
pub struct Link<T> {
    shape: Shape,
    changes: VecDeque<Change>,
    /// What waits for the wire; the first is on it.
    waiting: VecDeque<Waiting<T>>,
    /// Bytes of those that wait.
    backlog: usize,
    /// When the first is through.
    through: Duration,
    flying: BinaryHeap<Reverse<Flying<T>>>,
    /// The latest arrival so far, for those that must not overtake.
    last: Duration,
    serial: u64,
    fortune: Fortune,
    jitter: Dice,
    order: Dice,
    copies: Dice,
    counters: Counters,
}

#[derive(Debug)]
struct Waiting<T> {
    since: Duration,
    bytes: usize,
    packet: T,
    lost: bool,
}

#[derive(Debug)]
struct Flying<T> {
    at: Duration,
    serial: u64,
    bytes: usize,
    packet: T,
    copy: bool,
}

impl<T: Clone> Link<T> {
    /// A link whose chance comes from `seed`.
    pub fn new(course: impl Into<Course>, seed: u64) -> Self {
        let course = course.into();
        Self {
            shape: course.start,
            changes: course.changes.into(),
            waiting: VecDeque::new(),
            backlog: 0,
            through: Duration::ZERO,
            flying: BinaryHeap::new(),
            last: Duration::ZERO,
            serial: 0,
            fortune: Fortune::new(seed),
            jitter: Dice::new(seed, For::Jitter),
            order: Dice::new(seed, For::Order),
            copies: Dice::new(seed, For::Copies),
            counters: Counters::default(),
        }
    }

    /// From now on it changes as these say, with their times counted from `now`, and not as was
    /// said before.
    pub fn follow(&mut self, now: Duration, changes: &[Change]) {
        self.advance(now);
        let changes = changes.iter().map(|change| Change {
            at: now + change.at,
            shape: change.shape,
        });
        self.changes = changes.collect();
    }

    /// Takes a packet of so many bytes, IP headers included, and says what becomes of it.
    pub fn send(&mut self, now: Duration, bytes: usize, packet: T) -> Fate {
        self.advance(now);
        self.counters.offered += 1;
        self.counters.offered_bytes += bytes as u64;
        if !self.has_room(bytes) {
            self.counters.queue_drops += 1;
            self.counters.queue_drop_bytes += bytes as u64;
            return Fate::Lost(Reason::Queue);
        }
        let reason = self.fortune.decide(&self.shape.loss);
        match reason {
            Some(Reason::Random) => self.counters.random_drops += 1,
            Some(_) => self.counters.burst_drops += 1,
            None => {}
        }
        self.backlog += bytes;
        self.waiting.push_back(Waiting {
            since: now,
            bytes,
            packet,
            lost: reason.is_some(),
        });
        if self.waiting.len() == 1 {
            self.begin(now);
            self.advance(now);
        }
        reason.map_or(Fate::Passes, Fate::Lost)
    }

    /// When something happens next without another packet: ask for arrivals then.
    pub fn next_due(&self) -> Option<Duration> {
        let through = self.waiting.front().map(|_| self.through);
        // Only what waits for the wire feels a change.
        let change = through.and_then(|_| Some(self.changes.front()?.at));
        let arrival = self.flying.peek().map(|flying| flying.0.at);
        [through, change, arrival].into_iter().flatten().min()
    }

    /// The next packet that has arrived, in the order of arrival.
    pub fn poll(&mut self, now: Duration) -> Option<Arrival<T>> {
        self.advance(now);
        if self.flying.peek()?.0.at > now {
            return None;
        }
        let Reverse(flying) = self.flying.pop()?;
        if !flying.copy {
            self.counters.delivered += 1;
            self.counters.delivered_bytes += flying.bytes as u64;
        }
        Some(Arrival {
            at: flying.at,
            bytes: flying.bytes,
            packet: flying.packet,
        })
    }

    /// Forgets what it has counted.
    pub fn count_anew(&mut self) {
        self.counters = Counters::default();
    }

    /// What it has counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Bytes that wait for the wire, the packet that is on it included.
    pub fn backlog(&self) -> usize {
        self.backlog
    }

    /// What it does to packets now.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    fn has_room(&self, bytes: usize) -> bool {
        let Some(rate) = self.shape.rate else {
            return true;
        };
        let room = rate.carries(self.shape.queue).max(FULL_PACKET);
        self.backlog + bytes <= room
    }

    /// Everything that happens on the wire until `now`.
    fn advance(&mut self, now: Duration) {
        loop {
            let through = self.waiting.front().map(|_| self.through);
            let through = through.filter(|at| *at <= now);
            let change = self.changes.front().map(|change| change.at);
            let change = change.filter(|at| *at <= now);
            match (through, change) {
                (Some(through), Some(change)) if change < through => self.change(),
                (None, Some(_)) => self.change(),
                (Some(through), _) => self.leave(through),
                (None, None) => return,
            }
        }
    }

    /// The first that waits goes on the wire.
    fn begin(&mut self, now: Duration) {
        let Some(first) = self.waiting.front() else {
            return;
        };
        self.counters.waited(now.saturating_sub(first.since));
        let takes = self.shape.rate.map(|rate| rate.takes(first.bytes));
        self.through = now + takes.unwrap_or_default();
    }

    /// The first that waits is through.
    fn leave(&mut self, now: Duration) {
        let Some(first) = self.waiting.pop_front() else {
            return;
        };
        self.backlog -= first.bytes;
        if !first.lost {
            self.fly(now, first);
        }
        self.begin(now);
    }

    fn change(&mut self) {
        let Some(change) = self.changes.pop_front() else {
            return;
        };
        if !self.waiting.is_empty() {
            // What is left of the packet on the wire goes at the new rate.
            let left = self.through.saturating_sub(change.at);
            self.through = change.at + rescale(left, self.shape.rate, change.shape.rate);
        }
        self.shape = change.shape;
    }

    fn fly(&mut self, now: Duration, packet: Waiting<T>) {
        if self.shape.duplicate > 0.0 && self.copies.hits(self.shape.duplicate) {
            self.counters.duplicates += 1;
            let at = self.arrival(now);
            self.push(at, packet.bytes, packet.packet.clone(), true);
        }
        let at = self.arrival(now);
        self.push(at, packet.bytes, packet.packet, false);
    }

    fn arrival(&mut self, now: Duration) -> Duration {
        let shape = &self.shape;
        let jitter = match shape.jitter {
            Duration::ZERO => Duration::ZERO,
            jitter => jitter.mul_f64(self.jitter.share()),
        };
        let mut at = now + shape.delay + jitter;
        if let Some(held) = &shape.reorder
            && self.order.hits(held.share)
        {
            return at + held.by;
        }
        if !shape.jitter_reorders {
            at = at.max(self.last);
            self.last = at;
        }
        at
    }

    fn push(&mut self, at: Duration, bytes: usize, packet: T, copy: bool) {
        let serial = self.serial;
        self.serial += 1;
        self.flying.push(Reverse(Flying {
            at,
            serial,
            bytes,
            packet,
            copy,
        }));
    }
}

fn rescale(left: Duration, before: Option<Rate>, after: Option<Rate>) -> Duration {
    match (before, after) {
        (Some(before), Some(after)) => left.mul_f64(before.bits() as f64 / after.bits() as f64),
        _ => Duration::ZERO,
    }
}

impl<T> Flying<T> {
    /// Those that arrive at once do so in the order in which they left.
    fn rank(&self) -> (Duration, u64) {
        (self.at, self.serial)
    }
}

impl<T> PartialEq for Flying<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<T> Eq for Flying<T> {}

impl<T> PartialOrd for Flying<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Flying<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

#[cfg(test)]
mod tests;
