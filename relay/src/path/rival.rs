//! Beside a flow that fills the queue whatever the delay: the window follows Cubic's (RFC 9438),
//! so that both get about the same.

use std::time::Instant;

/// RFC 9438 5.1: packets per second cubed.
const SCALE: f64 = 0.4;
/// It grows as fast as so many flows together: pictures come in bursts, which meet a full queue more
/// often than a steady flow does, and are not always there to fill the window.
const FLOWS: f64 = 2.0;
/// What is left of the window after a loss. Cubic's own 0.7 gets less than half here: packets that
/// are paced, and a source that is not always busy, meet a full queue more often than they fill it.
const LEFT: f64 = 0.8;
/// The slope of AIMD that gets Reno's share with that decrease (RFC 9438 4.3).
const RENO_SLOPE: f64 = FLOWS * FLOWS * 3.0 * (1.0 - LEFT) / (1.0 + LEFT);

/// Growth in a round trip until packets were lost so often: a flow that comes to a full queue has
/// little of it, and the first loss there is the rival's doing.
const HASTE: f64 = 1.25;
const HASTY_LOSSES: u32 = 2;

/// A window as Cubic has it, in packets.
#[derive(Debug, Clone)]
pub(super) struct Rival {
    window: f64,
    /// Where the window was when packets were last lost.
    peak: f64,
    began: Instant,
    /// The window then.
    start: f64,
    /// What Reno's window would be.
    reno: f64,
    cut_at: Instant,
    /// The last round trip, in seconds, while the window grows fast.
    hasty: Option<f64>,
    losses: u32,
}

impl Rival {
    pub(super) fn new(now: Instant, window: f64) -> Self {
        Self {
            window,
            peak: window,
            began: now,
            start: window,
            reno: window,
            cut_at: now,
            hasty: Some(f64::INFINITY),
            losses: 0,
        }
    }

    pub(super) fn window(&self) -> f64 {
        self.window
    }

    /// A round trip has passed in which the window was full.
    pub(super) fn round(&mut self, now: Instant, round_trip: f64) {
        if self.hastens(now, round_trip) {
            return;
        }
        let since = now.saturating_duration_since(self.began).as_secs_f64();
        let flat = ((self.peak - self.start).max(0.0) / SCALE).cbrt();
        let cubic = SCALE * (since + round_trip - flat).powi(3) + self.peak;
        self.reno += RENO_SLOPE;
        let next = cubic.max(self.reno).min(self.window * 1.5);
        self.window = self.window.max(next);
    }

    /// Grows fast as long as the queue is not this flow's: of a flow that is alone all growth of the
    /// window is growth of the round trip.
    fn hastens(&mut self, now: Instant, round_trip: f64) -> bool {
        let Some(last) = self.hasty else {
            return false;
        };
        self.hasty = Some(round_trip).filter(|_| round_trip < last * (1.0 + HASTE) / 2.0);
        if self.hasty.is_some() {
            self.window *= HASTE;
            (self.peak, self.start, self.reno) = (self.window, self.window, self.window);
            self.began = now;
        }
        self.hasty.is_some()
    }

    /// A packet was lost that was sent at that time: the first of a round trip counts.
    pub(super) fn lost(&mut self, now: Instant, sent: Instant) {
        if sent < self.cut_at {
            return;
        }
        self.losses += 1;
        self.hasty = self.hasty.filter(|_| self.losses < HASTY_LOSSES);
        // Who has less than before leaves room for others (RFC 9438 4.7).
        self.peak = if self.window < self.peak {
            self.window * (1.0 + LEFT) / 2.0
        } else {
            self.window
        };
        self.window = (self.window * LEFT).max(2.0);
        self.reno = self.window;
        self.start = self.window;
        self.began = now;
        self.cut_at = now;
    }
}
