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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A rival whose haste is over, with the window where packets were last lost and now.
    fn after_loss(now: Instant, window: f64) -> Rival {
        let mut rival = Rival::new(now, window);
        rival.hasty = None;
        rival.lost(now, now);
        rival
    }

    fn same(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-6 * other.abs().max(1.0)
    }

    fn after(now: Instant, seconds: f64) -> Instant {
        now + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_loss_leaves_four_fifths_and_counts_once_in_a_round_trip() {
        let now = Instant::now();
        let mut rival = after_loss(now, 100.0);
        assert!(same(rival.window(), 80.0) && same(rival.peak, 100.0));
        let later = after(now, 1.0);
        rival.lost(later, now - Duration::from_millis(1));
        assert!(same(rival.window(), 80.0), "it was sent before the cut");
        // Below where it was before, it leaves more room.
        rival.lost(later, now);
        assert!(same(rival.window(), 64.0) && same(rival.peak, 72.0));
        for second in 2..40 {
            rival.lost(after(now, second.into()), after(now, second.into()));
        }
        assert!(same(rival.window(), 2.0));
        // At the same place as before it has lost nothing to others.
        let mut rival = after_loss(now, 100.0);
        rival.window = 100.0;
        rival.lost(later, later);
        assert!(same(rival.peak, 100.0));
    }

    #[test]
    fn it_comes_back_to_where_it_was_and_stays_there_for_a_while_and_grows_then() {
        let now = Instant::now();
        // RFC 9438 4.2: the time from the loss to the plateau, with 20 packets left out.
        let flat = (20.0_f64 / 0.4).cbrt();
        let window_after = |since: f64| {
            let mut rival = after_loss(now, 100.0);
            rival.round(after(now, since - 0.1), 0.1);
            rival.window()
        };
        assert!(same(window_after(flat), 100.0));
        assert!(same(window_after(flat - 1.0), 99.6));
        assert!(same(window_after(flat + 1.0), 100.4));
        assert!(same(window_after(flat + 3.0), 110.8));
        // No more than half as much again at once, whatever time has passed.
        assert!(same(window_after(60.0), 120.0));
    }

    #[test]
    fn where_round_trips_are_short_it_grows_as_reno_would_with_its_decrease() {
        let now = Instant::now();
        let mut rival = after_loss(now, 100.0);
        // RFC 9438 4.3 for two flows that keep four fifths.
        let slope = 4.0 * 3.0 * 0.2 / 1.8;
        for round in 1..=10 {
            rival.round(now, 0.001);
            assert!(
                same(rival.window(), 80.0 + slope * f64::from(round)),
                "{round}"
            );
        }
    }

    #[test]
    fn it_hastens_as_long_as_the_round_trip_stays_and_until_the_second_loss() {
        let now = Instant::now();
        let mut rival = Rival::new(now, 16.0);
        for (round_trip, window) in [(0.200, 20.0), (0.200, 25.0), (0.224, 31.25)] {
            rival.round(now, round_trip);
            assert!(same(rival.window(), window), "{}", rival.window());
        }
        assert!(same(rival.peak, 31.25) && same(rival.start, 31.25) && same(rival.reno, 31.25));
        // By an eighth: the queue is its own.
        rival.round(now, 0.252);
        assert!(rival.window() < 33.0 && rival.hasty.is_none());
        rival.round(now, 0.100);
        assert!(rival.window() < 35.0, "it is over for good");
        let mut rival = Rival::new(now, 16.0);
        rival.round(now, 0.200);
        rival.lost(now, now);
        rival.round(now, 0.200);
        assert!(same(rival.window(), 20.0 * 0.8 * 1.25));
        rival.lost(now, now);
        rival.round(now, 0.200);
        assert!(rival.window() < 20.0 * 0.8 * 1.25);
    }

    #[test]
    fn time_counts_from_the_last_growth_in_haste() {
        let now = Instant::now();
        let mut rival = Rival::new(now, 100.0);
        let later = after(now, 5.0);
        rival.round(later, 0.200);
        rival.hasty = None;
        rival.round(later, 0.001);
        assert!(rival.window() < 127.0, "{}", rival.window());
    }
}
