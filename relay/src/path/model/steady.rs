//! Keeping a short queue.

use std::time::{Duration, Instant};

use super::{Model, Phase, QUEUE_LIMITS};

/// A queue that has stood for so long is emptied once, to see the path's own round trip.
const LOOK: Duration = Duration::from_secs(5);
/// Epochs in a row in which the path took more than it was given: then growth is fast again.
const GAINS: u32 = 2;
/// Cuts that do not help go no further down than this share of the rate.
const LEAST_CUT: f64 = 0.2;
/// Epochs in a row in which the queue stood although this flow had made room.
const VAIN: u32 = 3;

/// With no more than this share of its window a flow keeps no queue of its own.
const EMPTIES: f64 = 0.85;

/// A cut of the rate that has yet to show what it does to the queue.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// The rate and the window before the first of a row of cuts.
    rate: f64,
    window: f64,
    /// The round trip then, in seconds.
    round_trip: f64,
    /// What the queue would be if all of it were this flow's, in seconds.
    expected: f64,
    /// Whether there would be none.
    emptied: bool,
    /// How often it was not so.
    vain: u32,
}

impl Cut {
    /// Whether a queue of this length shows that it was not this flow's, where the flow itself keeps
    /// up to `target`.
    fn is_vain(&self, queue: f64, target: f64, margin: f64) -> bool {
        match self.emptied {
            true => queue > margin,
            false => queue > self.expected.max(target) + margin,
        }
    }
}

impl Model {
    pub(super) fn judge_steady(&mut self, now: Instant, queue: f64, delivered: f64, limited: bool) {
        let (target, slack) = (self.target(), self.slack());
        self.cut = None;
        self.room = (self.room * 1.01).min(QUEUE_LIMITS.1);
        if limited && queue < target + slack && self.hold.is_none_or(|until| now >= until) {
            let grown = delivered.min(self.rate.max(1.0) * 2.0);
            self.gains = if grown > self.rate { self.gains + 1 } else { 0 };
            let window = self.window;
            self.set_rate(self.rate.max(grown));
            self.window = self.window.max(window);
            if self.gains >= GAINS && queue < target / 2.0 + slack {
                self.gains = 0;
                self.phase = Phase::Start;
            }
        } else if !limited {
            // What it was before jitter came or went.
            self.set_rate(self.rate);
        }
        if limited && self.delays.off_base(now) > LOOK {
            let base = self.rate * self.delays.base();
            self.look(now, 0.75 * base / self.window, queue);
        }
    }

    /// Whether a queue of this length, in seconds, is longer than this flow would keep.
    pub(super) fn stands(&self, queue: f64) -> bool {
        queue > self.target() + 0.003 + self.slack()
    }

    /// A queue stands: sends at the rate that comes through, and sees whether that helps.
    pub(super) fn yield_to(&mut self, now: Instant, queue: f64, delivered: f64, ours: bool) {
        self.gains = 0;
        let margin = 0.010 + self.delays.jitter();
        let round_trip = self.delays.base() + queue;
        let mut cut = self.cut.take().unwrap_or(Cut {
            rate: self.rate,
            window: self.window,
            round_trip,
            expected: f64::INFINITY,
            emptied: false,
            vain: 0,
        });
        cut.vain += u32::from(cut.is_vain(queue, self.target(), margin));
        if cut.vain >= VAIN {
            self.stand_beside(now, cut.rate, queue, cut.window);
            return;
        }
        let next = if ours {
            delivered.clamp(self.rate * 0.5, self.rate)
        } else {
            (self.rate * 0.85).max(delivered * 2.0).min(self.rate)
        };
        let cut_from = self.window;
        self.set_rate(next.max(cut.rate * LEAST_CUT));
        let floor = self.smallest();
        let base = self.delays.base();
        cut.expected = if self.window > 0.9 * cut_from && self.window > floor {
            // Not cut any further: what stands is not this flow's.
            0.0
        } else if self.window >= cut_from {
            // As small as it gets: what comes through with that says nothing, for the queue of others
            // makes it less as this flow's own would make the queue longer.
            cut.expected
        } else {
            self.window / delivered.max(1.0) - base
        };
        // All cuts together tell more than the last of them.
        let left = self.window / cut.window;
        cut.emptied = left < EMPTIES && cut.round_trip * left < base;
        self.cut = Some(cut);
        self.settling = true;
        self.begin(now, true);
    }
}
