//! Which of a client's sources is taken: the largest picture, and one that comes.
//!
//! Simulcast sends the same picture in several sizes, each from a source of its own, with or without
//! a word in the SDP; others are left over from an encoder that was started again.

use std::time::{Duration, Instant};

/// A source that has been silent for so long may be replaced by a smaller one that was not.
const SILENCE: Duration = Duration::from_secs(1);
/// After that, no larger one is taken for so long: it comes and goes with the client's uplink.
const PEACE: Duration = Duration::from_secs(5);
/// How often a source is asked for a keyframe that shows its size, and how often in a row.
const ASK_EVERY: Duration = Duration::from_secs(1);
const ASKS: u32 = 5;

/// What is known of a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    first: Instant,
    heard: Instant,
    /// Since when it has not been silent.
    streak: Instant,
    /// Of its last keyframe.
    pixels: Option<u32>,
    asked: Option<Instant>,
    asks: u32,
}

impl Known {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            first: now,
            heard: now,
            streak: now,
            pixels: None,
            asked: None,
            asks: 0,
        }
    }

    pub(super) fn hear(&mut self, now: Instant) {
        if self.is_silent(now) {
            self.streak = now;
        }
        self.heard = now;
    }

    /// A keyframe of this size came from it.
    pub(super) fn shows(&mut self, width: u16, height: u16) {
        self.pixels = Some(u32::from(width) * u32::from(height));
        self.asks = 0;
    }

    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    pub(super) fn is_silent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.heard) >= SILENCE
    }

    /// Whether it begins where the other has ended, as that of an encoder does that was started again.
    pub(super) fn succeeds(&self, other: &Self, now: Instant) -> bool {
        other.is_silent(now) && self.first > other.heard
    }

    /// Whether it goes on while the other is silent. At rest all are: pictures of all sizes come at
    /// the same time.
    fn outlives(&self, other: &Self, now: Instant) -> bool {
        let since = self.streak.max(other.heard);
        other.is_silent(now) && now.saturating_duration_since(since) >= SILENCE
    }

    fn is_larger(&self, other: &Self) -> bool {
        self.pixels.is_some() && self.pixels > other.pixels
    }
}

/// When a smaller source was last taken for want of a larger one.
#[derive(Debug, Default)]
pub(super) struct Choice {
    demoted: Option<(Instant, Known)>,
}

impl Choice {
    /// Whether `other` is the one to take, at its next keyframe, instead of the one that is.
    pub(super) fn prefers(&self, other: &Known, taken: &Known, now: Instant) -> bool {
        // One of a size in between may be taken.
        let uncertain = |(since, gone): &(Instant, Known)| {
            now.saturating_duration_since(*since) < PEACE && !gone.is_larger(other)
        };
        let larger = other.is_larger(taken) && !self.demoted.as_ref().is_some_and(uncertain);
        larger || other.succeeds(taken, now) || other.outlives(taken, now)
    }

    /// Another is taken.
    pub(super) fn took(&mut self, other: &Known, before: &Known, now: Instant) {
        if before.is_larger(other) {
            self.demoted = Some((now, *before));
        }
    }

    /// Whether to ask a source that is not taken for a keyframe: to see how large it is, or because
    /// it is preferred. Asking is recorded.
    pub(super) fn asks(&self, other: &mut Known, taken: &Known, now: Instant) -> bool {
        let wanted = match other.pixels {
            None => other.asks < ASKS,
            Some(_) => self.prefers(other, taken, now),
        };
        let since = other.asked.unwrap_or(other.first);
        let due = now.saturating_duration_since(since) >= ASK_EVERY;
        let asks = wanted && due && !other.is_silent(now);
        if asks {
            other.asked = Some(now);
            other.asks += 1;
        }
        asks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn source(now: Instant, side: u16) -> Known {
        let mut known = Known::new(now);
        known.shows(side, side);
        known
    }

    #[test]
    fn the_larger_picture_is_taken_whichever_comes_first() {
        let now = Instant::now();
        let (small, large) = (source(now, 90), source(now + MS, 720));
        let choice = Choice::default();
        assert!(choice.prefers(&large, &small, now + MS));
        assert!(!choice.prefers(&small, &large, now + MS));
        assert!(
            !choice.prefers(&source(now, 90), &small, now),
            "of equals the first"
        );
        assert!(
            choice.prefers(&small, &Known::new(now), now),
            "one that is a picture"
        );
        assert!(!choice.prefers(&Known::new(now), &small, now));
    }

    #[test]
    fn a_smaller_one_is_taken_while_the_larger_does_not_come_and_that_lasts() {
        let begin = Instant::now();
        let (mut small, mut large) = (source(begin, 90), source(begin, 720));
        let mut choice = Choice::default();
        let mut now = begin;
        let mut switched = None;
        for _ in 0..40 {
            now += 50 * MS;
            small.hear(now);
            if switched.is_none() && choice.prefers(&small, &large, now) {
                switched = Some(now - begin);
                choice.took(&small, &large, now);
            }
        }
        assert_eq!(switched, Some(1_000 * MS));
        large.hear(now);
        assert!(!choice.prefers(&large, &small, now), "no flapping");
        let between = source(begin, 360);
        assert!(choice.prefers(&between, &small, now));
        now += PEACE;
        assert!(choice.prefers(&large, &small, now));
    }

    #[test]
    fn at_rest_the_larger_one_stays() {
        let mut now = Instant::now();
        let (mut small, mut large) = (source(now, 90), source(now, 720));
        for _ in 0..10 {
            now += 5_000 * MS;
            small.hear(now);
            assert!(!Choice::default().prefers(&small, &large, now));
            now += 20 * MS;
            large.hear(now);
        }
    }

    #[test]
    fn what_begins_after_the_other_has_ended_succeeds_it_at_once() {
        let now = Instant::now();
        let old = source(now, 720);
        let new = Known::new(now + 1_500 * MS);
        assert!(new.succeeds(&old, now + 1_500 * MS));
        let early = Known::new(now + 500 * MS);
        assert!(!early.succeeds(&old, now + 500 * MS));
        assert!(early.succeeds(&old, now + 1_000 * MS));
    }

    #[test]
    fn a_source_is_asked_how_large_it_is_but_not_for_ever() {
        let mut now = Instant::now();
        let mut taken = source(now, 720);
        let (mut unknown, mut small) = (Known::new(now), source(now, 90));
        let mut asked = [0, 0];
        for _ in 0..200 {
            now += 100 * MS;
            for known in [&mut taken, &mut unknown, &mut small] {
                known.hear(now);
            }
            let choice = Choice::default();
            asked[0] += u32::from(choice.asks(&mut unknown, &taken, now));
            asked[1] += u32::from(choice.asks(&mut small, &taken, now));
        }
        assert_eq!(asked, [ASKS, 0]);
    }
}
