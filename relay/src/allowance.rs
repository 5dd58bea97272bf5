//! How often somebody may have something done, on the system's clock.

use std::time::{Duration, Instant};

/// So much at once, and once more after each `every`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    at_once: u32,
    every: Duration,
    /// Up to when it has been paid for by time; none while all of it is left.
    paid: Option<Instant>,
}

/// Packets of sound that one publisher may send: 150 a second (PROTOCOL 9.4).
pub(crate) const SOUND: Allowance = Allowance::new(75, Duration::from_micros(6_667));

impl Allowance {
    /// A whole allowance.
    pub(crate) const fn new(at_once: u32, every: Duration) -> Self {
        Self {
            at_once,
            every,
            paid: None,
        }
    }

    /// From when on it may be spent; none: at once.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.paid
    }

    /// Whether it may be spent now.
    pub(crate) fn is_left(&self, now: Instant) -> bool {
        self.paid.is_none_or(|paid| paid <= now)
    }

    /// Spends it once.
    pub(crate) fn spend(&mut self, now: Instant) {
        // Before the system's clock began nothing can have been spent.
        let whole = now.checked_sub(self.every * self.at_once).unwrap_or(now);
        let paid = self.paid.map_or(whole, |paid| paid.max(whole));
        self.paid = Some(paid + self.every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spent_at_once_and_comes_back_with_time() {
        let now = Instant::now() + Duration::from_secs(3_600);
        let mut allowance = Allowance::new(4, Duration::from_secs(1));
        let mut spent = |now| {
            let mut spent = 0;
            while allowance.is_left(now) {
                allowance.spend(now);
                spent += 1;
            }
            spent
        };
        assert_eq!(spent(now), 5, "those at once, and the first of time");
        assert_eq!(spent(now + Duration::from_millis(999)), 0);
        assert_eq!(spent(now + Duration::from_secs(1)), 1);
        assert_eq!(spent(now + Duration::from_secs(60)), 5);
    }
}
