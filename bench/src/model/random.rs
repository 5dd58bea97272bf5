//! Chance that is the same from the same seed.

use std::time::Duration;

/// Numbers from a seed.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

/// Mixes two numbers into one that tells nothing of either.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let mut mixed = a ^ b.wrapping_add(0x9e37_79b9_7f4a_7c15).rotate_left(17);
    for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(factor);
    }
    mixed ^ (mixed >> 31)
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed, 1))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0, 2)
    }

    /// One of so many.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A part of one.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A part of a time, in microseconds.
    pub(super) fn within(&mut self, time: Duration) -> u64 {
        (time.as_micros() as f64 * self.unit()) as u64
    }
}

/// Chooses among many of which the first are chosen most: each as often as one by its place says (Zipf's law).
#[derive(Debug)]
pub(super) struct Popular(Vec<f64>);

impl Popular {
    pub(super) fn new(count: usize) -> Self {
        let sums = (1..=count).scan(0.0, |sum, place| {
            *sum += 1.0 / place as f64;
            Some(*sum)
        });
        Self(sums.collect())
    }

    pub(super) fn choose(&self, random: &mut Random) -> usize {
        let at = random.unit() * self.0.last().copied().unwrap_or_default();
        self.0.partition_point(|sum| *sum <= at)
    }
}
