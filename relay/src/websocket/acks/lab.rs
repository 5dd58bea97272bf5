//! A TCP connection over a narrow path, in virtual time: nothing of what is written is lost to those who use it, but what
//! the path loses holds up everything behind it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Acks, SEGMENT};

/// How fine time is.
const TICK: Duration = Duration::from_micros(250);

/// What TCP does where a segment is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tcp {
    /// It goes on as it did, as BBR does; however much it was given is on the path.
    Heedless,
    /// It makes way, as Cubic does, and grows slowly again.
    Cubic,
}

/// What there is to write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// As much as may be.
    Endless,
    /// Pictures of so many bytes, thirty a second.
    Pictures(u64),
}

/// A connection, and what is on it.
pub(super) struct Lab {
    pub(super) acks: Acks,
    pub(super) now: Instant,
    way: Duration,
    bytes_a_second: f64,
    /// Of so many segments one is lost.
    lost: u64,
    tcp: Tcp,
    /// Bytes in the system, of which TCP has sent some, and the other end has told it of some.
    written: u64,
    sent: u64,
    told: u64,
    window: f64,
    /// Where a loss ends for which it has made way.
    recovers: u64,
    segments: u64,
    /// When the path is free again, and when what is sent next can be read at the earliest.
    free: Instant,
    readable: Instant,
    /// Ends of segments, and when they can be read.
    flying: VecDeque<(u64, Instant)>,
    arrived: u64,
    tellings: VecDeque<(u64, Instant)>,
    pings: VecDeque<u64>,
    pongs: VecDeque<(u64, Instant)>,
    /// Ends of what was written, or of pictures, and since when they are there.
    waiting: VecDeque<(u64, Instant)>,
    offered: u64,
    next: Instant,
}

/// What came of a while.
pub(super) struct Outcome {
    /// Bytes a second that arrived.
    pub(super) rate: f64,
    /// How long after they were there messages or pictures had arrived, beyond the way itself.
    pub(super) delays: Vec<Duration>,
}

impl Outcome {
    /// The delay that so large a share does not have.
    pub(super) fn delay(&self, share: f64) -> Duration {
        let at = (self.delays.len() - 1) as f64 * share;
        self.delays[at as usize]
    }
}

impl Lab {
    pub(super) fn new(round_trip: Duration, kbit: u64, tcp: Tcp, lost: u64) -> Self {
        let now = Instant::now();
        let mut lab = Self {
            acks: Acks::new(now),
            now,
            way: round_trip / 2,
            bytes_a_second: 0.0,
            lost,
            tcp,
            written: 0,
            sent: 0,
            told: 0,
            window: 10.0 * SEGMENT as f64,
            recovers: u64::MAX,
            segments: 0,
            free: now,
            readable: now,
            flying: VecDeque::new(),
            arrived: 0,
            tellings: VecDeque::new(),
            pings: VecDeque::new(),
            pongs: VecDeque::new(),
            waiting: VecDeque::new(),
            offered: 0,
            next: now,
        };
        lab.carries(kbit);
        lab
    }

    /// The path carries so many kbit/s from now on.
    pub(super) fn carries(&mut self, kbit: u64) {
        self.bytes_a_second = kbit as f64 * 125.0;
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, lasts: Duration, source: Source) -> Outcome {
        let (began, before) = (self.now, self.arrived);
        let mut delays = Vec::new();
        while self.now < began + lasts {
            self.hear();
            self.write(source);
            self.send();
            self.arrive(&mut delays);
            self.now += TICK;
        }
        delays.sort_unstable();
        Outcome {
            rate: (self.arrived - before) as f64 / lasts.as_secs_f64(),
            delays,
        }
    }

    fn hear(&mut self) {
        let now = self.now;
        while let Some((count, _)) = self.pongs.pop_front_if(|(_, at)| *at <= now) {
            self.acks.pong(count, now).unwrap();
        }
        while let Some((told, _)) = self.tellings.pop_front_if(|(_, at)| *at <= now) {
            let bytes = (told - self.told) as f64;
            self.told = told;
            // Fast at first, then a segment and a half a round trip.
            self.window += match self.recovers {
                u64::MAX => bytes,
                _ => 1.5 * SEGMENT as f64 * bytes / self.window,
            };
        }
    }

    fn write(&mut self, source: Source) {
        match source {
            Source::Endless => self.offered = u64::MAX,
            Source::Pictures(bytes) => {
                while self.next <= self.now {
                    self.next += Duration::from_micros(33_333);
                    self.offered += bytes;
                    self.waiting.push_back((self.offered, self.now));
                }
            }
        }
        let before = self.written;
        while self.written < self.offered {
            let left = self.acks.window().saturating_sub(self.acks.in_flight());
            if left < SEGMENT {
                break;
            }
            let bytes = left.min(self.acks.step()).min(self.offered - self.written);
            self.acks.write(bytes, self.now);
            self.written += bytes;
            if matches!(source, Source::Endless) {
                self.waiting.push_back((self.written, self.now));
            }
            self.pings.extend(self.acks.ping(false, self.now));
        }
        self.acks.hold_up(self.written < self.offered, self.now);
        if self.written > before {
            self.pings.extend(self.acks.ping(true, self.now));
        }
    }

    /// What TCP does.
    fn send(&mut self) {
        while self.sent < self.written {
            let in_flight = self.sent - self.told;
            if self.tcp == Tcp::Cubic && in_flight as f64 >= self.window {
                return;
            }
            let bytes = (self.written - self.sent).min(SEGMENT);
            self.sent += bytes;
            let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_a_second);
            self.free = self.free.max(self.now) + takes;
            let mut comes = self.free + self.way;
            self.segments += 1;
            if self.segments.is_multiple_of(self.lost) {
                // It is noticed a round trip later, and sent again.
                comes += self.way * 2 + Duration::from_millis(5);
                self.lose();
            }
            self.readable = self.readable.max(comes);
            self.flying.push_back((self.sent, self.readable));
        }
    }

    fn lose(&mut self) {
        if self.recovers == u64::MAX || self.sent > self.recovers {
            self.window = (self.window * 0.7).max(2.0 * SEGMENT as f64);
            self.recovers = self.sent + self.window as u64;
        }
    }

    fn arrive(&mut self, delays: &mut Vec<Duration>) {
        let now = self.now;
        while let Some((end, _)) = self.flying.pop_front_if(|(_, at)| *at <= now) {
            self.arrived = end;
            self.tellings.push_back((end, now + self.way));
        }
        let arrived = self.arrived;
        while let Some(count) = self.pings.pop_front_if(|count| *count <= arrived) {
            self.pongs.push_back((count, now + self.way));
        }
        while let Some((_, since)) = self.waiting.pop_front_if(|(end, _)| *end <= arrived) {
            delays.push((now - since).saturating_sub(self.way));
        }
    }
}
