//! Beside a flow that fills the queue, and looking whether it is still there.

use std::time::{Duration, Instant};

use super::super::rival::Rival;
use super::{Model, Phase};

/// Beside a rival this is tried as often, to see whether it is still there.
const LOOK_FOR_RIVAL: Duration = Duration::from_secs(8);
/// And when it did not seem to be, again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// It is looked for sooner when the round trip grows with the window, which is judged when that has
/// grown by so much, but not more often than this.
const GROWN: f64 = 1.2;
const LOOK_LEAST: Duration = Duration::from_secs(2);
/// A rival that was there when the flow began has its queue taken for a part of the base, and
/// seems to be gone whenever it makes way. So it is where the base has fallen since, or where a
/// rival shows within this time after it was thought to be gone.
const RELAPSE: Duration = Duration::from_secs(30);
/// Then an empty queue says nothing for so long: only looks do.
const STAY: Duration = Duration::from_secs(60);
/// A rival that makes way leaves the queue empty for a moment, one that has gone for so long.
const GONE: Duration = Duration::from_secs(1);
/// With this share of its window a flow that is alone gets through what it did before, as long as
/// the rest of the queue keeps the link busy; one that has a rival gets less.
const LOOKED: f64 = 0.6;
const LESS: f64 = 0.85;

/// Beside a rival.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    pub(super) rival: Rival,
    /// When to look whether it is still there.
    look_at: Instant,
    /// Whether the last look saw no rival.
    alone: bool,
    /// A window, in packets, and the round trip with it, in seconds.
    mark: Option<(f64, f64)>,
    /// Until then an empty queue is no sign that it has gone.
    stay: Instant,
    /// Since when the queue has been empty.
    empty: Option<Instant>,
}

impl Beside {
    /// Whether the round trip has grown as the window has: so it is when nobody else is there.
    fn seems_alone(&mut self, round_trip: f64) -> bool {
        let window = self.rival.window();
        let Some((before, took)) = self.mark.filter(|mark| mark.0 <= window) else {
            self.mark = Some((window, round_trip));
            return false;
        };
        let grown = window / before;
        if grown < GROWN {
            return false;
        }
        self.mark = Some((window, round_trip));
        round_trip > took * (1.0 + 0.8 * (grown - 1.0))
    }
}

/// When the flow last stopped standing beside a rival.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    left: Option<Instant>,
}

impl Past {
    /// For how long a rival that shows at this moment is there at least, on a path of which the base
    /// may be `doubtful`.
    fn stays(&self, now: Instant, doubtful: bool) -> Duration {
        let relapse = |left| now.saturating_duration_since(left) < RELAPSE;
        match doubtful || self.left.is_some_and(relapse) {
            true => STAY,
            false => Duration::ZERO,
        }
    }
}

/// A window that is kept small for a round trip.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) window: f64,
    began: Instant,
    /// When no more than that was in flight, and what had been acknowledged then.
    settled: Option<(Instant, u64)>,
    /// The queue before, and what it would be if all of it were this flow's; in seconds.
    before: f64,
    expected: f64,
    shortest: f64,
    samples: usize,
}

impl Model {
    pub(super) fn stand_beside(&mut self, now: Instant, rate: f64, queue: f64, window: f64) {
        let full = (rate * (self.delays.base() + queue)).max(window);
        self.rate = rate;
        self.phase = Phase::Beside(Beside {
            rival: Rival::new(now, self.bounded(full) / self.packet),
            look_at: now + LOOK_FOR_RIVAL,
            alone: false,
            mark: None,
            stay: now + self.beside.stays(now, self.delays.has_fallen()),
            empty: None,
        });
        self.window = self.bounded(self.beside_window());
    }

    pub(super) fn beside_window(&self) -> f64 {
        match &self.phase {
            Phase::Beside(beside) => beside.rival.window() * self.packet,
            _ => self.window,
        }
    }

    pub(super) fn judge_beside(&mut self, now: Instant, queue: f64, delivered: f64, limited: bool) {
        let empty = queue <= self.target() + self.slack();
        let Phase::Beside(beside) = &mut self.phase else {
            return;
        };
        let since = beside.empty.take().filter(|_| empty);
        beside.empty = empty.then(|| since.unwrap_or(now));
        let gone = since.is_some_and(|since| now.saturating_duration_since(since) >= GONE);
        if gone && now >= beside.stay {
            self.leave_beside(now, delivered);
            return;
        }
        if !limited {
            return;
        }
        self.rate += (delivered - self.rate) * 0.25;
        let round_trip = self.delays.base() + queue;
        beside.rival.round(now, round_trip);
        let early =
            beside.seems_alone(round_trip) && now + LOOK_FOR_RIVAL >= beside.look_at + LOOK_LEAST;
        let look = early || now >= beside.look_at;
        if look {
            beside.look_at = now + LOOK_FOR_RIVAL;
        }
        self.window = self.bounded(self.beside_window());
        if look {
            self.look(now, LOOKED, queue);
        }
    }

    fn leave_beside(&mut self, now: Instant, delivered: f64) {
        self.phase = Phase::Steady;
        self.beside.left = Some(now);
        self.cut = None;
        self.set_rate(delivered.max(self.rate));
        self.settling = true;
        self.begin(now, true);
    }

    /// Keeps the window to this share of itself until it is seen what that does to the queue.
    pub(super) fn look(&mut self, now: Instant, share: f64, queue: f64) {
        let window = self.bounded(self.window * share);
        let base = self.delays.base();
        let expected = (base + queue) * share - base;
        self.look = Some(Look {
            window,
            began: now,
            settled: None,
            before: queue,
            expected: expected.max(0.0),
            shortest: f64::INFINITY,
            samples: 0,
        });
    }

    pub(super) fn look_on(&mut self, now: Instant, sent: Instant, sample: f64) {
        let telling = self.delays.telling();
        let acked = self.acked;
        let Some(look) = &mut self.look else {
            return;
        };
        match look.settled {
            None if self.flight as f64 <= look.window => look.settled = Some((now, acked)),
            Some((settled, _)) if sent >= settled => {
                look.samples += 1;
                look.shortest = look.shortest.min(sample);
            }
            _ => {}
        }
        let passed = now.saturating_duration_since(look.began);
        if look.samples < telling.min(4) && passed < Duration::from_secs(1) {
            return;
        }
        let fell = look.before - (look.shortest - self.delays.base());
        let through = look.settled.map_or(0.0, |(settled, before)| {
            let passed = now.saturating_duration_since(settled).as_secs_f64();
            (acked - before) as f64 / passed.max(1e-6)
        });
        let kept = look.expected > 0.0 || fell < 0.0 || through >= LESS * self.rate;
        let alone = fell >= 0.75 * (look.before - look.expected) && kept;
        self.look = None;
        self.delays.looked(now);
        self.begin(now, true);
        self.see_rival(now, alone);
    }

    /// A rival that backs off at that very moment looks like none: it takes two looks in a row.
    fn see_rival(&mut self, now: Instant, alone: bool) {
        let Phase::Beside(beside) = &mut self.phase else {
            return;
        };
        if alone && beside.alone {
            self.leave_beside(now, self.rate);
        } else if alone {
            beside.alone = true;
            beside.look_at = now + LOOK_AGAIN;
        } else {
            beside.alone = false;
        }
    }
}
