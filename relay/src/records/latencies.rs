//! How late a session's pictures were.

use std::time::Duration;

/// Counts of delays, each to within a tenth: as much as a session can remember cheaply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latencies {
    counts: [u16; BUCKETS],
}

/// Five to a doubling, from 2 ms to 20 s.
const BUCKETS: usize = 68;
const PER_DOUBLING: f64 = 5.0;
const FIRST_MS: f64 = 2.0;

impl Default for Latencies {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
        }
    }
}

impl Latencies {
    /// One more.
    pub fn add(&mut self, delay: Duration) {
        let ms = delay.as_secs_f64() * 1_000.0;
        let bucket = ((ms / FIRST_MS).max(1.0).log2() * PER_DOUBLING).round() as usize;
        let bucket = bucket.min(BUCKETS - 1);
        if self.counts[bucket] == u16::MAX {
            // The shape is what counts.
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
        self.counts[bucket] += 1;
    }

    /// The delay that so many of a hundred stay within, in milliseconds; `None`: nothing is known.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.counts.iter().copied().map(u64::from).sum();
        let wanted = (all * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let within = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        within.map(|bucket| (FIRST_MS * (bucket as f64 / PER_DOUBLING).exp2()).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_within_a_tenth() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        for ms in 1..=1_000 {
            latencies.add(Duration::from_millis(ms));
        }
        for (percent, right) in [(50, 500.0), (95, 950.0), (100, 1_000.0)] {
            let told = latencies.percentile(percent).unwrap() as f64;
            assert!((told / right - 1.0).abs() < 0.1, "{percent}: {told}");
        }
    }

    #[test]
    fn a_long_session_forgets_how_many_and_not_how_late() {
        let mut latencies = Latencies::default();
        for _ in 0..200_000 {
            latencies.add(Duration::from_millis(50));
        }
        latencies.add(Duration::from_secs(60));
        let p50 = latencies.percentile(50).unwrap();
        assert!((45..=55).contains(&p50), "{p50}");
        assert!(latencies.percentile(100).unwrap() > 15_000);
    }
}
