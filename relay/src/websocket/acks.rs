//! What is on its way to the other end of a WebSocket, and what has arrived there.
//!
//! TCP tells nothing of that to those who use it, and what it knows ends at the next proxy. So pings go out among what is
//! written, each with the count of bytes written before it; pongs come back in order, and say what has arrived at the
//! other end and how long that took. No sockets here, and no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::yields::Yields;
use crate::path::{Ack, Bytes, Mode, Model, Rate, RoundTrip};

/// What the path's model takes for a packet: what TCP mostly sends over a path of 1,500 bytes.
pub(super) const SEGMENT: u64 = 1_448;

/// What the path carries in this time is a step: written in one message, and followed by a ping. The model finds out what
/// a path carries from how steps arrive after one another, so that long ones would look to it like a queue of others.
const STEP: Duration = Duration::from_millis(5);
/// Limits of a step, in bytes: of less a message is hardly worth its while, and more is none (`transport`).
const STEPS: (u64, u64) = (SEGMENT, 16_000);

/// Pings that are remembered until their pong comes: of more, the newest stands for the one before it as well.
const OUTSTANDING: usize = 256;

/// Group streams of which it is kept how far they are: the open one, and what is left of those before.
const STREAMS: usize = 3;

/// How far the newest group streams are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extents([Option<(u64, u64)>; STREAMS]);

impl Extents {
    /// The stream with this number has come as far as `end`.
    fn reach(&mut self, number: u64, end: u64) {
        let known = self.0.iter_mut().flatten();
        match known.into_iter().find(|(known, _)| *known == number) {
            Some((_, known)) => *known = end.max(*known),
            None => {
                // The oldest makes way, unless this one is older still.
                let oldest = self
                    .0
                    .iter_mut()
                    .min_by_key(|slot| slot.map(|(known, _)| known));
                if let Some(oldest) =
                    oldest.filter(|slot| slot.is_none_or(|(known, _)| known < number))
                {
                    *oldest = Some((number, end));
                }
            }
        }
    }

    /// How far the stream with this number is.
    fn of(&self, number: u64) -> u64 {
        let mut known = self.0.iter().flatten();
        known
            .find(|(known, _)| *known == number)
            .map_or(0, |(_, end)| *end)
    }
}

/// A ping on its way.
#[derive(Debug, Clone, Copy)]
struct Ping {
    /// The bytes written before it.
    count: u64,
    at: Instant,
    extents: Extents,
}

/// A pong that answers no ping of this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pong for bytes that were never written")]
pub struct Unsent;

/// What a path carries is not judged by its beginning: a player is brought up to date, while TCP begins slowly.
const BEGINNING: Duration = Duration::from_secs(3);

/// The account of one connection.
#[derive(Debug)]
pub(super) struct Acks {
    began: Instant,
    model: Model,
    written: u64,
    acked: u64,
    acked_at: Option<Instant>,
    moved_at: Option<Instant>,
    round_trip: Option<Duration>,
    pings: VecDeque<Ping>,
    /// What the last ping counted.
    pinged: u64,
    out: Extents,
    arrived: Extents,
    datagrams: u64,
    yields: Yields,
}

impl Acks {
    /// Nothing is written yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            model: Model::of_told(now, Bytes::new(SEGMENT)),
            written: 0,
            acked: 0,
            acked_at: None,
            moved_at: None,
            round_trip: None,
            pings: VecDeque::new(),
            pinged: 0,
            out: Extents::default(),
            arrived: Extents::default(),
            datagrams: 0,
            yields: Yields::default(),
        }
    }

    /// So many bytes are written.
    pub(super) fn write(&mut self, bytes: u64, now: Instant) {
        self.written += bytes;
        self.model.on_sent(now, Bytes::new(bytes));
    }

    /// The group stream with this number is written as far as `end`.
    pub(super) fn reach(&mut self, number: u64, end: u64) {
        self.out.reach(number, end);
    }

    /// A datagram is written.
    pub(super) fn write_datagram(&mut self) {
        self.datagrams += 1;
    }

    /// The ping that is to follow what was written; `None`: none is due amid a burst, or, at its `end`, everything
    /// written has its ping already.
    pub(super) fn ping(&mut self, end: bool, now: Instant) -> Option<u64> {
        let since = self.written - self.pinged;
        let due = since >= self.step() || (end && since > 0);
        if !due {
            return None;
        }
        if self.pings.len() >= OUTSTANDING {
            self.pings.pop_back();
        }
        self.pinged = self.written;
        self.pings.push_back(Ping {
            count: self.written,
            at: now,
            extents: self.out,
        });
        Some(self.written)
    }

    /// A pong has come; one pong may answer several pings (RFC 6455, 5.5.3).
    ///
    /// # Errors
    /// [`Unsent`], which only an end that makes pongs up sends.
    pub(super) fn pong(&mut self, count: u64, now: Instant) -> Result<(), Unsent> {
        if count > self.pinged {
            return Err(Unsent);
        }
        let mut newest = None;
        while let Some(ping) = self.pings.pop_front_if(|ping| ping.count <= count) {
            let bytes = Bytes::new(ping.count - self.acked);
            self.acked = ping.count;
            if self.arrived != ping.extents {
                self.arrived = ping.extents;
                self.moved_at = Some(now);
            }
            self.model.on_ack(
                now,
                Ack {
                    sent: ping.at,
                    bytes,
                },
            );
            newest = Some(ping.at);
        }
        let Some(sent) = newest else { return Ok(()) };
        self.acked_at = Some(now);
        let time = now.saturating_duration_since(sent);
        self.round_trip = Some(self.round_trip.map_or(time, |known| (known * 7 + time) / 8));
        let held = Duration::ZERO;
        let flight = Bytes::new(self.in_flight());
        self.model
            .on_acks_end(now, flight, Some(RoundTrip { sent, time, held }));
        Ok(())
    }

    /// How much is written in one message.
    pub(super) fn step(&self) -> u64 {
        let (least, most) = STEPS;
        let step = self.model.pacing_rate().carries(STEP);
        step.count().clamp(least, most)
    }

    /// Bytes that are written and may not have arrived.
    pub(super) fn in_flight(&self) -> u64 {
        self.written - self.acked
    }

    /// Whether it is too soon to say anything of the path.
    fn begins(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) < BEGINNING
    }

    /// Whether something waits that could not be written, because too much is on its way.
    pub(super) fn hold_up(&mut self, waits: bool, now: Instant) {
        // A flow that grows is held up by its window, whatever the path carries.
        let waits = waits && !self.begins(now) && self.model.mode() != Mode::Start;
        self.yields.note(waits, self.acked, now);
    }

    /// What the path carries; unknown while it has carried everything that it was given. Where TCP sends again what was
    /// lost, everything behind it stands still, and round trips say little: there it is what arrives while more waits.
    pub(super) fn carries(&self) -> Option<Rate> {
        let now = self.acked_at?;
        if self.begins(now) {
            return None;
        }
        let model = self.model.carries();
        let yields = self.yields.rate(now);
        match (model, yields) {
            (Some(model), Some(yields)) if yields.bytes() < model.bytes() => Some(yields),
            (model, yields) => model.or(yields),
        }
    }

    /// Bytes that may be on their way.
    pub(super) fn window(&self) -> u64 {
        self.model.window().count()
    }

    /// When anything of a group was last acknowledged.
    pub(super) fn moved_at(&self) -> Option<Instant> {
        self.moved_at
    }

    /// The round trip, smoothed; `None` before the first pong.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// How many bytes of a group stream are written, as far as that is kept.
    pub(super) fn written_of(&self, number: u64) -> u64 {
        self.out.of(number)
    }

    /// How many bytes of a group stream have arrived for certain.
    pub(super) fn arrived_of(&self, number: u64) -> u64 {
        self.arrived.of(number)
    }

    /// Datagrams written so far.
    pub(super) fn datagrams(&self) -> u64 {
        self.datagrams
    }
}

#[cfg(test)]
mod lab;
#[cfg(test)]
mod tests;
