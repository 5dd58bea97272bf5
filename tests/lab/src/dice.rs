//! Chance that comes out the same for the same seed, on every machine and for ever.

/// SplitMix64 (Steele, Lea, Flood 2014): a step is an addition and a mix of the sum.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

/// What the throws are for. Each has a sequence of its own, so that more throws of one kind
/// leave the others as they were: a path with jitter loses the very packets that it loses without.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For {
    Loss = 1,
    Jitter,
    Order,
    Copies,
}

impl Dice {
    pub(crate) fn new(seed: u64, what: For) -> Self {
        let mut seeds = Self(seed);
        // Seeds that are near each other begin sequences that are not.
        let start = seeds.next();
        Self(start ^ (what as u64).wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to less than 1, all alike.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in this share of all throws.
    pub(crate) fn hits(&mut self, share: f64) -> bool {
        self.share() < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_follow_the_published_sequence() {
        let mut dice = Dice(1_234_567);
        let first = [(); 3].map(|()| dice.next());
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn neighbouring_seeds_and_other_purposes_have_nothing_in_common() {
        let firsts = [
            Dice::new(1, For::Loss),
            Dice::new(2, For::Loss),
            Dice::new(1, For::Jitter),
        ]
        .map(|mut dice| (0..64).map(|_| dice.hits(0.5)).collect::<Vec<_>>());
        assert_ne!(firsts[0], firsts[1]);
        assert_ne!(firsts[0], firsts[2]);
    }
}
