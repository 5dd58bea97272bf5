//! What is in flight, for a carrier that does not keep account of that itself: WebRTC.
//!
//! Packets are numbered as transport-wide congestion control numbers them
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01), and the peer says when each arrived: the
//! model hears of every packet as if it had been acknowledged at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Ack, Bytes, Model, Pacer, RoundTrip};

/// Packets in flight that are remembered; of older ones nothing is heard any more.
const REMEMBERED: usize = 4_096;
/// A packet is lost for good when nothing was heard of it for so long.
const FORGOTTEN: Duration = Duration::from_secs(2);
/// One that was sent by so much later hardly overtakes another on a path that does not reorder.
const OVERTAKES: Duration = Duration::from_millis(20);
/// The shortest way is that of the last one to two of these: clocks drift apart.
const SPAN: Duration = Duration::from_secs(30);

/// Whether there is room in the window is looked at again no sooner than after this.
const SOON: Duration = Duration::from_millis(1);
/// Feedback that comes is of what arrived a little before: of the time between two of them so much
/// counts at most.
const HEARD_BEFORE: f64 = 0.8;
/// The share of the window that may have arrived unheard of on a path that has never been full.
const UNHEARD: f64 = 0.5;

/// A packet of which feedback tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Its transport-wide number.
    pub sequence: u16,
    /// When it arrived, on the peer's clock, from any beginning; none when it has not.
    pub at: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    bytes: Bytes,
    /// Nothing more is expected of it.
    settled: bool,
    /// Feedback has told of it, if only that it had not arrived.
    told: bool,
}

/// A path's model, its pacer, and the packets in flight.
#[derive(Debug, Clone)]
pub struct Flight {
    model: Model,
    pacer: Pacer,
    /// The number of the oldest packet that is remembered, counted without wrapping.
    oldest: u64,
    packets: VecDeque<Sent>,
    flight: u64,
    /// The number after the newest of which feedback has told.
    told: u64,
    /// From the moment a packet was sent to the one when it arrived, in seconds, with whatever
    /// lies between the two clocks: the shortest, lately and before.
    shortest: [f64; 2],
    rotated: Instant,
    began: Instant,
    /// The shortest round trip as the first feedback and reports have it, in seconds.
    round_trip: f64,
    /// How often feedback comes, smoothed.
    interval: Duration,
    heard: Option<Instant>,
    /// When a packet was last sent.
    sent: Option<Instant>,
    /// When the newest packet was sent that has arrived.
    newest: Option<Instant>,
    packet: Bytes,
}

impl Flight {
    /// Nothing sent yet, for packets of at most this size.
    pub fn new(now: Instant, packet: Bytes) -> Self {
        let model = Model::of_told(now, packet);
        Self {
            pacer: Pacer::new(now, packet, model.pacing_rate()),
            model,
            oldest: 0,
            packets: VecDeque::new(),
            flight: 0,
            told: 0,
            shortest: [f64::INFINITY; 2],
            rotated: now,
            began: now,
            round_trip: f64::INFINITY,
            interval: Duration::from_millis(100),
            heard: None,
            sent: None,
            newest: None,
            packet,
        }
    }

    /// The number that the next packet bears.
    pub fn next_sequence(&self) -> u16 {
        (self.oldest + self.packets.len() as u64) as u16
    }

    /// A packet has gone out, with the number that was next.
    pub fn on_sent(&mut self, now: Instant, bytes: Bytes) {
        self.forget(now);
        self.packets.push_back(Sent {
            at: now,
            bytes,
            settled: false,
            told: false,
        });
        self.flight += bytes.count();
        self.sent = Some(now);
        self.model.on_sent(now, bytes);
        self.pacer.on_sent(now, bytes);
    }

    /// Bytes that may go out now.
    pub fn may_send(&self, now: Instant) -> Bytes {
        self.pacer
            .may_send(now)
            .min(self.left(now, Bytes::default()))
    }

    /// The same for what was lost: so much may be in flight beyond the window, for what is in flight
    /// may be worth nothing without it.
    pub fn may_repair(&self, now: Instant, beyond: Bytes) -> Bytes {
        self.pacer
            .may_send(now)
            .max(beyond)
            .min(self.left(now, beyond))
    }

    fn left(&self, now: Instant, beyond: Bytes) -> Bytes {
        let window = self.model.window();
        let leaving = self.model.leaving();
        let most = self.interval.mul_f64(HEARD_BEFORE);
        // What has arrived since the last feedback is not known yet, and is in flight no more.
        let unheard = match (self.model.carries(), self.heard) {
            (Some(_), Some(heard)) => {
                leaving.carries(now.saturating_duration_since(heard).min(most))
            }
            // Of a path of which little is known it is only hoped.
            _ => leaving.carries(most).min(window * UNHEARD),
        };
        let window = window + unheard + beyond;
        let left = Bytes::new(window.count().saturating_sub(self.flight));
        match left < self.packet {
            true if self.is_silent(now) => self.packet,
            true => Bytes::default(),
            false => left,
        }
    }

    /// Nothing was heard of what was sent last for twice as long as that may take: all of it may be
    /// lost, the feedback too, and one packet more finds out.
    fn is_silent(&self, now: Instant) -> bool {
        let sent = self.sent.max(self.heard);
        sent.is_some_and(|sent| now.saturating_duration_since(sent) > self.patience() * 2)
    }

    /// When to ask again, if nothing else happens.
    pub fn due(&self, now: Instant) -> Instant {
        let packet = self.model.leaving().takes(self.packet);
        let due = match self.left(now, Bytes::default()).count() {
            0 => now + packet.clamp(SOON, self.interval.max(SOON)),
            _ => now,
        };
        self.pacer.due().max(due)
    }

    /// Takes transport-wide feedback: packets in the order of their numbers.
    pub fn on_feedback(&mut self, now: Instant, packets: impl IntoIterator<Item = Received>) {
        self.hear(now);
        let mut last = None;
        let packets: Vec<_> = packets.into_iter().collect();
        let mut overtaken = overtaken(&packets);
        for Received { sequence, at } in packets {
            let late = overtaken.pop().unwrap_or(false);
            let Some(index) = self.index(sequence) else {
                continue;
            };
            self.told = self.told.max(self.oldest + index as u64 + 1);
            self.packets[index].told = true;
            let sent = self.packets[index];
            if sent.settled {
                continue;
            }
            if let Some(arrived) = at {
                self.settle(index);
                let since = self.delay(now, sent.at, arrived);
                let heard = (sent.at + since).min(now);
                let (at, bytes) = (sent.at, sent.bytes);
                self.newest = self.newest.max(Some(at));
                self.model.on_ack(heard, Ack { sent: at, bytes });
                if late {
                    self.model.on_overtaken(heard, since);
                }
                let flight = Bytes::new(self.flight_at(heard));
                self.model.on_acks_end(heard, flight, trip(sent.at, since));
                last = Some(heard);
            }
        }
        self.give_up(now);
        if last.is_some() {
            self.pacer.set_rate(now, self.model.pacing_rate());
        }
    }

    /// What was not among the packets that arrived may be on its way yet, but not for ever; and not
    /// when one has arrived that was sent so much later that it would hardly have overtaken it.
    fn give_up(&mut self, now: Instant) {
        let patience = self.patience();
        let base = self.model.base().unwrap_or_default();
        let apart = (base / 4).max(OVERTAKES).max(self.model.late() * 2);
        for index in 0..self.packets.len() {
            let sent = self.packets[index];
            let overtaken = sent.told && self.newest.is_some_and(|newest| newest > sent.at + apart);
            if !overtaken && now.saturating_duration_since(sent.at) <= patience {
                return;
            }
            if !sent.settled {
                self.lose(now, index);
            }
        }
    }

    /// Expects no more of a packet.
    fn lose(&mut self, now: Instant, index: usize) {
        let sent = self.packets[index];
        self.settle(index);
        // Feedback tells of every packet: where it has told of later ones only, itself was lost.
        match !sent.told && self.oldest + (index as u64) < self.told {
            true => self.model.on_unheard(sent.bytes),
            false => self.model.on_loss(now, sent.at, sent.bytes),
        }
    }

    /// The path's model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// When the peer was last heard of.
    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    fn hear(&mut self, now: Instant) {
        if let Some(heard) = self.heard.replace(now) {
            let passed = now
                .saturating_duration_since(heard)
                .min(Duration::from_secs(1));
            self.interval = (self.interval * 7 + passed) / 8;
        }
    }

    /// How long a missing packet may be under way yet.
    fn patience(&self) -> Duration {
        let base = self.model.base().unwrap_or_default();
        (base + self.model.queue()).mul_f64(1.5) + self.interval
    }

    /// The packet's round trip, had it been acknowledged at once. How far the clocks are apart is
    /// not known, but the shortest way took as long as the shortest round trip.
    fn delay(&mut self, now: Instant, sent: Instant, arrived: Duration) -> Duration {
        let round_trip = now.saturating_duration_since(sent).as_secs_f64();
        self.round_trip = self.round_trip.min(round_trip);
        // The beginning of time on this side is when the measurement began.
        let way = arrived.as_secs_f64() - signed(sent, self.began);
        if now.saturating_duration_since(self.rotated) > SPAN {
            self.rotated = now;
            self.shortest = [f64::INFINITY, self.shortest[0]];
        }
        self.shortest[0] = self.shortest[0].min(way);
        let shortest = self.shortest[0].min(self.shortest[1]);
        Duration::from_secs_f64((self.round_trip + way - shortest).max(0.0))
    }

    fn index(&self, sequence: u16) -> Option<usize> {
        let index = usize::from(sequence.wrapping_sub(self.oldest as u16));
        (index < self.packets.len()).then_some(index)
    }

    fn settle(&mut self, index: usize) {
        let sent = &mut self.packets[index];
        sent.settled = true;
        self.flight = self.flight.saturating_sub(sent.bytes.count());
    }

    /// What was in flight at a moment before now, of what is not settled.
    fn flight_at(&self, then: Instant) -> u64 {
        let later = self.packets.iter().rev().take_while(|sent| sent.at > then);
        let later: u64 = later.map(|sent| sent.bytes.count()).sum();
        self.flight.saturating_sub(later)
    }

    /// Forgets packets of which nothing more is heard.
    fn forget(&mut self, now: Instant) {
        while let Some(sent) = self.packets.front().copied() {
            let old = now.saturating_duration_since(sent.at) > FORGOTTEN;
            if !sent.settled && !old && self.packets.len() < REMEMBERED {
                return;
            }
            if !sent.settled {
                self.lose(now, 0);
            }
            self.packets.pop_front();
            self.oldest += 1;
        }
    }
}

/// Which packets came later than one with a higher number, in reverse.
fn overtaken(packets: &[Received]) -> Vec<bool> {
    let mut first = Duration::MAX;
    let late = |packet: &Received| {
        let late = packet.at.is_some_and(|at| at > first);
        first = first.min(packet.at.unwrap_or(Duration::MAX));
        late
    };
    packets.iter().rev().map(late).collect()
}

fn trip(sent: Instant, time: Duration) -> Option<RoundTrip> {
    let held = Duration::ZERO;
    Some(RoundTrip { sent, time, held })
}

/// Seconds from `from` to `to`, negative when it lies before.
fn signed(to: Instant, from: Instant) -> f64 {
    match to.checked_duration_since(from) {
        Some(after) => after.as_secs_f64(),
        None => -from.duration_since(to).as_secs_f64(),
    }
}

#[cfg(test)]
#[path = "flight_tests.rs"]
mod tests;
