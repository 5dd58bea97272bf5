//! Growing fast, until a queue rises.

use std::time::{Duration, Instant};

use super::{Model, Phase};

/// Round trips that vary by more than this, in seconds, are told from a queue by whole epochs.
pub(super) const SPREAD: f64 = 0.005;

/// On a long path, or behind a queue that stands already, a rise of less than this share of the
/// round trip says little.
const FAR: f64 = 0.15;

/// A burst that arrives over a while looks the same on a narrow path and on one that jitters. When
/// packets overtake one another within this time, it was the latter.
const RECONSIDER: Duration = Duration::from_secs(1);

/// What the flow was when a queue ended its fast growth.
#[derive(Debug, Clone)]
pub(super) struct Left {
    at: Instant,
    window: f64,
    been_full: bool,
}

impl Model {
    /// Ends the fast growth when a queue rises. Where round trips vary it takes an epoch to tell.
    pub(super) fn start(&mut self, now: Instant) {
        let queue = match self.delays.spread() < SPREAD {
            true => self.delays.queue(),
            false if self.is_epoch_over(now) => Some(self.epoch.shortest() - self.delays.base()),
            false => None,
        };
        let far = self.delays.base() * FAR;
        let rising = (self.target() / 2.0).max(0.008).max(far) + self.slack();
        if self.epoch.limited && queue.is_some_and(|queue| queue > rising) {
            let delivered = self.delivered(now).max(self.rate);
            let half = self.window / 2.0;
            let left = Left {
                at: now,
                window: self.window,
                been_full: self.been_full,
            };
            self.leave_start(now, delivered);
            self.left_start = Some(left);
            // Half of it was no trouble a round trip ago.
            self.window = self.window.max(half);
        }
    }

    /// Goes on growing, when what looked like a queue was jitter.
    pub(super) fn reconsider(&mut self, now: Instant) {
        if self.delays.spread() <= SPREAD {
            return;
        }
        let lately = |left: &Left| now.saturating_duration_since(left.at) < RECONSIDER;
        if let Some(left) = self.left_start.take().filter(lately)
            && matches!(self.phase, Phase::Steady)
            && self.hold.is_none()
        {
            self.phase = Phase::Start;
            self.window = self.window.max(left.window);
            self.been_full = left.been_full;
            self.settling = false;
            self.begin(now, true);
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
