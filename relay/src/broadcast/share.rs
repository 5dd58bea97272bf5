//! How often one client may have something done that costs others.

use std::time::Duration;

use super::RelayTime;

/// So many times at once, and once more after each `every`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    most: u32,
    every: Duration,
    left: u32,
    /// From when on time counts towards the next.
    since: RelayTime,
}

impl Share {
    /// A whole share.
    pub(super) const fn new(most: u32, every: Duration) -> Self {
        Self {
            most,
            every,
            left: most,
            since: RelayTime::from_micros(0),
        }
    }

    /// Takes one of it, if any is left.
    pub(super) fn take(&mut self, now: RelayTime) -> bool {
        if self.left == self.most {
            self.since = now;
        }
        let passed = now.since(self.since);
        let grown = passed.as_micros() / self.every.as_micros().max(1);
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        if grown >= self.most - self.left {
            (self.left, self.since) = (self.most, now);
        } else {
            self.left += grown;
            self.since = self.since + self.every * grown;
        }
        let taken = self.left > 0;
        self.left -= u32::from(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(1_000_000 + ms * 1_000)
    }

    #[test]
    fn it_is_used_up_and_grows_again() {
        let mut share = Share::new(3, Duration::from_secs(2));
        let taken = |share: &mut Share, ms| (0..10).filter(|_| share.take(at(ms))).count();
        assert_eq!(taken(&mut share, 0), 3);
        assert_eq!(taken(&mut share, 1_999), 0);
        assert_eq!(taken(&mut share, 2_000), 1);
        assert_eq!(taken(&mut share, 5_000), 1, "half of one is kept");
        assert_eq!(taken(&mut share, 6_000), 1);
        assert_eq!(taken(&mut share, 60_000), 3);
        // As much as it ever has comes back one after another, however often it is asked.
        let every_second = (61..=66).map(|second| taken(&mut share, second * 1_000));
        assert!(every_second.eq([0, 1, 0, 1, 0, 1]));
    }
}
