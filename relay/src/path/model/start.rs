//! Growing fast, until a queue rises.

use std::time::Instant;

use super::{Model, Phase};

/// Round trips that vary by more than this, in seconds, are told from a queue by whole epochs.
pub(super) const SPREAD: f64 = 0.005;

impl Model {
    /// Ends the fast growth when a queue rises. Where round trips vary it takes an epoch to tell.
    pub(super) fn start(&mut self, now: Instant) {
        let queue = match self.delays.spread() < SPREAD {
            true => self.delays.queue(),
            false if self.is_epoch_over(now) => Some(self.epoch.shortest() - self.delays.base()),
            false => None,
        };
        let rising = (self.target() / 2.0).max(0.008) + self.slack();
        if self.epoch.limited && queue.is_some_and(|queue| queue > rising) {
            let delivered = self.delivered(now).max(self.rate);
            let half = self.window / 2.0;
            self.leave_start(now, delivered);
            // Half of it was no trouble a round trip ago.
            self.window = self.window.max(half);
        }
    }

    pub(super) fn leave_start(&mut self, now: Instant, rate: f64) {
        self.phase = Phase::Steady;
        self.been_full = true;
        self.gains = 0;
        self.set_rate(rate);
        self.settling = true;
        self.begin(now, true);
    }
}
