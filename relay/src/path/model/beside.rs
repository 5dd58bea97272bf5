//! Beside a flow that fills the queue, and looking whether it is still there.

use std::time::{Duration, Instant};

use super::super::rival::Rival;
use super::{Model, Phase};

/// Beside a rival this is tried as often, to see whether it is still there.
const LOOK_FOR_RIVAL: Duration = Duration::from_secs(8);
/// And when it did not seem to be, again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A window that is kept small for a round trip.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) window: f64,
    began: Instant,
    /// When no more than that was in flight.
    settled: Option<Instant>,
    /// The queue before, and what it would be if all of it were this flow's; in seconds.
    before: f64,
    expected: f64,
    shortest: f64,
    samples: usize,
}

impl Model {
    pub(super) fn stand_beside(&mut self, now: Instant, rate: f64, queue: f64, window: f64) {
        let full = (rate * (self.delays.base() + queue)).max(window);
        let rival = Rival::new(now, self.bounded(full) / self.packet);
        let look_at = now + LOOK_FOR_RIVAL;
        self.rate = rate;
        self.phase = Phase::Beside {
            rival,
            look_at,
            alone: false,
        };
        self.window = self.bounded(self.beside_window());
    }

    pub(super) fn beside_window(&self) -> f64 {
        match &self.phase {
            Phase::Beside { rival, .. } => rival.window() * self.packet,
            _ => self.window,
        }
    }

    pub(super) fn judge_beside(&mut self, now: Instant, queue: f64, delivered: f64, limited: bool) {
        if queue <= self.target() + self.slack() {
            self.leave_beside(now, delivered);
            return;
        }
        if limited {
            self.rate += (delivered - self.rate) * 0.25;
        }
        let round_trip = self.delays.base() + queue;
        let Phase::Beside { rival, look_at, .. } = &mut self.phase else {
            return;
        };
        if !limited {
            return;
        }
        rival.round(now, round_trip);
        let look = now >= *look_at;
        if look {
            *look_at = now + LOOK_FOR_RIVAL;
        }
        self.window = self.bounded(self.beside_window());
        if look {
            self.look(now, 0.6, queue);
        }
    }

    fn leave_beside(&mut self, now: Instant, delivered: f64) {
        self.phase = Phase::Steady;
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
        let Some(look) = &mut self.look else {
            return;
        };
        match look.settled {
            None if self.flight as f64 <= look.window => look.settled = Some(now),
            Some(settled) if sent >= settled => {
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
        let alone = fell >= 0.75 * (look.before - look.expected);
        self.look = None;
        self.begin(now, true);
        self.see_rival(now, alone);
    }

    /// A rival that backs off at that very moment looks like none: it takes two looks in a row.
    fn see_rival(&mut self, now: Instant, alone: bool) {
        let Phase::Beside {
            look_at,
            alone: before,
            ..
        } = &mut self.phase
        else {
            return;
        };
        if alone && *before {
            self.leave_beside(now, self.rate);
        } else if alone {
            *before = true;
            *look_at = now + LOOK_AGAIN;
        } else {
            *before = false;
        }
    }
}
