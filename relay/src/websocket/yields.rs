//! How much arrives while more waits.

use std::time::{Duration, Instant};

use crate::path::Rate;

/// It takes so much time of waiting to tell ...
const TELLING: Duration = Duration::from_secs(1);
/// ... and what was longer ago than this is forgotten.
const KEPT: Duration = Duration::from_secs(4);
/// So much waiting is looked at as a whole ...
const LOOK: Duration = Duration::from_millis(250);
/// ... and where it brought so many times what came before, a flow that still grows, as TCP's do at first, or a path
/// that carries more by now: what was before says nothing of it.
const GROWTH: f64 = 1.4;
/// Where nothing has waited for so long, the path may carry more by now.
const LATELY: Duration = Duration::from_secs(2);

/// What arrived in all the time for which something waited, lately.
#[derive(Debug, Default)]
pub(super) struct Yields {
    /// Since when something waits, and what had arrived by then.
    since: Option<(Instant, u64)>,
    known: Yield,
    /// What is looked at next.
    newest: Yield,
    /// When something last waited.
    last: Option<Instant>,
}

/// What arrived in how much waiting.
#[derive(Debug, Clone, Copy, Default)]
struct Yield {
    waited: Duration,
    bytes: f64,
}

impl Yield {
    fn add(&mut self, other: Self) {
        self.waited += other.waited;
        self.bytes += other.bytes;
    }

    /// Bytes a second, of some waiting.
    fn rate(self) -> f64 {
        self.bytes / self.waited.as_secs_f64()
    }
}

impl Yields {
    /// Whether something waits at present; so many bytes have arrived so far.
    pub(super) fn note(&mut self, waits: bool, acked: u64, now: Instant) {
        if let Some((since, before)) = self.since.take() {
            self.add(now.saturating_duration_since(since), acked - before);
        }
        self.since = waits.then_some((now, acked));
        self.last = self.since.map(|_| now).or(self.last);
    }

    fn add(&mut self, waited: Duration, bytes: u64) {
        self.newest.add(Yield {
            waited,
            bytes: bytes as f64,
        });
        if self.newest.waited < LOOK {
            return;
        }
        let newest = std::mem::take(&mut self.newest);
        if !self.known.waited.is_zero() && newest.rate() > self.known.rate() * GROWTH {
            self.known = Yield::default();
        }
        self.known.add(newest);
        // Of what is more than is kept, the older part makes way.
        if self.known.waited > KEPT {
            self.known.bytes *= KEPT.as_secs_f64() / self.known.waited.as_secs_f64();
            self.known.waited = KEPT;
        }
    }

    /// How much arrived in a second of that; unknown while it was too little time, and when it is too long ago.
    pub(super) fn rate(&self, now: Instant) -> Option<Rate> {
        let lately = |last| now.saturating_duration_since(last) < LATELY;
        let is_known = self.known.waited >= TELLING && self.last.is_some_and(lately);
        is_known.then(|| Rate::bytes_per_second(self.known.rate()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_while_more_waits_is_what_the_path_carries() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let told = |yields: &Yields, ms| yields.rate(at(ms)).map(Rate::bytes);
        let mut yields = Yields::default();
        yields.note(true, 0, at(0));
        yields.note(true, 50_000, at(500));
        assert_eq!(told(&yields, 500), None, "too short a time to tell");
        yields.note(true, 100_000, at(1_000));
        yields.note(false, 100_000, at(1_000));
        assert_eq!(told(&yields, 1_000), Some(100_000.0));
        // What arrives while nothing waits says nothing, and what was is not for ever.
        yields.note(false, 900_000, at(2_000));
        assert_eq!(told(&yields, 2_999), Some(100_000.0));
        assert_eq!(told(&yields, 3_000), None);
        yields.note(true, 9_000_000, at(60_000));
        assert_eq!(told(&yields, 60_000), Some(100_000.0));
    }

    #[test]
    fn a_flow_that_grows_does_not_tell_until_it_has_grown() {
        let start = Instant::now();
        let mut yields = Yields::default();
        let (mut acked, mut each) = (0, 2_000);
        for step in 0..60 {
            let now = start + Duration::from_millis(50) * step;
            yields.note(true, acked, now);
            if step < 30 {
                assert!(yields.rate(now).is_none(), "after {step} steps");
                // Twice as much every quarter of a second, up to 1.28 MB a second.
                each = 2_000 << (step / 5);
            }
            acked += each;
        }
        let rate = yields.rate(start + Duration::from_secs(3));
        let rate = rate.map_or(0.0, Rate::bytes);
        assert!((1_250_000.0..1_300_000.0).contains(&rate), "{rate}");
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut yields = Yields::default();
        let mut acked = 0;
        for second in 0..20 {
            yields.note(true, acked, at(second));
            acked += if second < 10 { 500_000 } else { 100_000 };
        }
        let rate = yields.rate(at(19)).map_or(0.0, Rate::bytes);
        assert!((100_000.0..160_000.0).contains(&rate), "{rate}");
    }
}
