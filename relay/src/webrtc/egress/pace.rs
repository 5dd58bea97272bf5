//! How fast a player is sent to that does not say when each packet arrived.
//!
//! Its path is assumed wide until it says otherwise: what it lost
//! (receiver reports) and what it estimates (REMB) narrow the rate to what has
//! arrived, and quiet reports widen it again. What does not go out waits in
//! the cache, so that a player on a narrow way gets fewer frames, not old ones.

use std::time::{Duration, Instant};

/// What a packet takes at most, in bytes: with less than that nothing goes out.
pub(in crate::webrtc) const PACKET: usize = 1_500;
/// Bits per second at first and at most: a way in a building.
const WIDEST: f64 = 400e6;
/// Bits per second at least, so that even the narrowest way shows pictures.
const NARROWEST: f64 = 150e3;
/// What may go out at once however narrow the way is, in bytes: a few packets.
const LEAST_BURST: f64 = 12_000.0;
/// How long a burst may take on its way, in seconds.
const BURST: f64 = 0.02;
/// Timers are no finer.
const LEAST_WAIT: Duration = Duration::from_millis(1);
/// A share of lost packets that means that the way is full.
const FULL: f64 = 0.08;
/// A share of lost packets that says nothing of the way's width.
const FINE: f64 = 0.02;

/// The rate of one player.
#[derive(Debug)]
pub(in crate::webrtc) struct Pace {
    /// Bits per second.
    rate: f64,
    /// Bytes that may go out now.
    budget: f64,
    refilled: Instant,
    /// Bytes sent since the last report.
    sent: f64,
    reported: Option<Instant>,
    /// Whether anything had to wait since the last report: only then has the rate been tried.
    waited: bool,
}

impl Pace {
    pub(in crate::webrtc) fn new(now: Instant) -> Self {
        Self {
            rate: WIDEST,
            budget: burst(WIDEST),
            refilled: now,
            sent: 0.0,
            reported: None,
            waited: false,
        }
    }

    /// Bytes that may go out now.
    pub(in crate::webrtc) fn budget(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.refilled = now;
        self.budget = (self.budget + passed * self.rate / 8.0).min(burst(self.rate));
        self.waited |= self.budget < PACKET as f64;
        self.budget.max(0.0) as usize
    }

    /// When there will be a budget for a packet.
    pub(in crate::webrtc) fn due(&self, now: Instant) -> Instant {
        let lacking = (PACKET as f64 - self.budget).max(0.0);
        let wait = Duration::from_secs_f64(lacking * 8.0 / self.rate);
        now.max(self.refilled) + wait.max(LEAST_WAIT)
    }

    /// Bytes of what was lost that may go out now: before what is new, which waits for it.
    pub(in crate::webrtc) fn repairs(&mut self, now: Instant) -> usize {
        match self.budget(now) {
            0 => 0,
            budget => budget + LEAST_BURST as usize,
        }
    }

    /// Records that bytes went out.
    pub(in crate::webrtc) fn spend(&mut self, bytes: usize) {
        self.budget -= bytes as f64;
        self.sent += bytes as f64;
    }

    /// The rate, in bits per second, where something has narrowed it.
    pub(in crate::webrtc) fn narrowed(&self) -> Option<f64> {
        (self.rate < WIDEST / 2.0).then_some(self.rate)
    }

    /// Takes a receiver report: the share of packets that was lost since the last.
    pub(in crate::webrtc) fn report(&mut self, lost: f64, now: Instant) {
        let Some(reported) = self.reported else {
            self.reported = Some(now);
            self.begin();
            return;
        };
        let passed = now.saturating_duration_since(reported).as_secs_f64();
        if passed < 0.05 {
            return;
        }
        self.reported = Some(now);
        let sent = self.sent * 8.0 / passed;
        if lost > FULL && self.sent > LEAST_BURST {
            self.rate = (sent.min(self.rate) * (1.0 - lost) * 0.9).clamp(NARROWEST, WIDEST);
        } else if lost < FINE {
            let faster = if self.waited { 1.25 } else { 1.5 };
            self.rate = (self.rate * faster).min(WIDEST);
        }
        self.begin();
    }

    /// Takes the receiver's own estimate, in bits per second.
    ///
    /// It never exceeds half as much again as what came, so it is worth something only where it
    /// is less than what was sent.
    pub(in crate::webrtc) fn estimate(&mut self, estimate: f64, now: Instant) {
        let Some(reported) = self.reported else {
            return;
        };
        let passed = now.saturating_duration_since(reported).as_secs_f64();
        let sent = self.sent * 8.0 / passed.max(0.2);
        if passed >= 0.2 && self.sent > 4.0 * LEAST_BURST && estimate < 0.85 * sent {
            self.rate = estimate.clamp(NARROWEST, self.rate.max(NARROWEST));
        }
    }

    fn begin(&mut self) {
        self.sent = 0.0;
        self.waited = false;
    }
}

fn burst(rate: f64) -> f64 {
    (rate / 8.0 * BURST).max(LEAST_BURST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends what it may over a way of `width` bits per second, with reports once a second;
    /// returns the bits that went out in each second.
    fn through(width: f64, seconds: usize, wanted: f64) -> Vec<f64> {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.report(0.0, start);
        (0..seconds)
            .map(|second| {
                let mut sent = 0.0;
                for step in 0..100 {
                    let now = start + Duration::from_millis(second as u64 * 1_000 + step * 10 + 10);
                    let bytes = pace.budget(now).min((wanted / 8.0 / 100.0) as usize);
                    pace.spend(bytes);
                    sent += bytes as f64 * 8.0;
                }
                let lost = (1.0 - width / sent).max(0.0);
                pace.report(lost, start + Duration::from_secs(second as u64 + 1));
                sent
            })
            .collect()
    }

    #[test]
    fn a_wide_way_is_never_held_back() {
        assert!(through(1e9, 5, 50e6).iter().all(|sent| *sent > 49e6));
    }

    #[test]
    fn a_narrow_way_is_found_within_a_report_and_kept_to() {
        let sent = through(1e6, 10, 20e6);
        assert!(sent[1..].iter().all(|sent| *sent < 1.6e6), "{sent:?}");
        assert!(sent[1..].iter().all(|sent| *sent > 0.5e6), "{sent:?}");
    }

    #[test]
    fn reports_that_come_often_count_as_those_that_come_seldom() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.report(0.0, start);
        for step in 1..=100 {
            pace.spend(10_000);
            pace.report(0.5, start + Duration::from_millis(step * 20));
        }
        assert!(pace.rate < WIDEST / 10.0, "{}", pace.rate);
    }

    #[test]
    fn a_way_that_widens_is_found_again() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.report(0.0, start);
        pace.spend(1_000_000);
        pace.report(0.9, start + Duration::from_secs(1));
        assert!(pace.rate < 1e6);
        for second in 2..30 {
            pace.report(0.0, start + Duration::from_secs(second));
        }
        assert!(pace.rate > 20e6);
    }

    #[test]
    fn an_estimate_counts_only_below_what_was_sent() {
        let start = Instant::now();
        let later = start + Duration::from_millis(500);
        let mut pace = Pace::new(start);
        pace.report(0.0, start);
        pace.spend(30_000);
        pace.estimate(10e3, later);
        assert_eq!(pace.rate, WIDEST, "too little was sent to tell");
        pace.spend(600_000);
        pace.estimate(2e6, later);
        assert_eq!(pace.rate, 2e6);
    }
}
