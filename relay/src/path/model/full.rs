//! Loss that says that the path is full, and what is undone when it did not.

use std::time::{Duration, Instant};

use super::{Model, Phase};

/// After loss that means that the path is full the rate does not grow for this long.
const HOLD: Duration = Duration::from_secs(2);

/// What the flow was before it made way for loss.
#[derive(Debug, Clone)]
pub(super) struct Before {
    phase: Phase,
    rate: f64,
    window: f64,
    been_full: bool,
}

impl Model {
    /// So much is lost that the path must be full: sends what comes through, and holds that.
    pub fn on_full(&mut self, now: Instant) {
        self.hold = Some(now + HOLD);
        self.loss.answer(now);
        self.before_loss = Some(Before {
            phase: self.phase.clone(),
            rate: self.rate,
            window: self.window,
            been_full: self.been_full,
        });
        let delivered = self.epoch.delivered(now, self.acked).max(self.rate * 0.5);
        self.leave_start(now, delivered * 0.9);
    }

    /// Undoes what was done because of loss, when it has been in vain.
    pub(super) fn see_loss(&mut self, now: Instant) {
        if self.hold.is_some_and(|until| now < until) {
            return;
        }
        let vain = self.loss.was_in_vain(now);
        let beside = matches!(self.phase, Phase::Beside(_));
        if let Some(before) = vain.and_then(|vain| self.before_loss.take().filter(|_| vain))
            && !beside
        {
            self.go_back_to(now, before);
        }
    }

    fn go_back_to(&mut self, now: Instant, before: Before) {
        self.phase = before.phase;
        self.rate = before.rate.max(self.rate);
        self.window = before.window.max(self.window);
        self.been_full = before.been_full;
        self.settling = false;
        self.begin(now, true);
    }
}
