//! How often a player that asks for keyframes is sent one.

use std::time::{Duration, Instant};

/// The least time between two keyframes.
const LEAST: Duration = Duration::from_millis(300);
/// The most, for one that is not helped by them.
const MOST: Duration = Duration::from_secs(10);

/// Keyframes that a player has asked for.
///
/// A decoder that cannot show what it is sent (B-frames, a broken stream) asks after every keyframe,
/// and sending one makes it ask again: who lacks no packets is sent the next one after twice the time.
#[derive(Debug)]
pub(super) struct Pleas {
    answered: Option<Instant>,
    pause: Duration,
}

impl Pleas {
    pub(super) fn new() -> Self {
        Self {
            answered: None,
            pause: LEAST,
        }
    }

    /// Whether the player is sent a keyframe now that it asks; not sooner than `least` after the last.
    pub(super) fn is_answered(&mut self, loses: bool, least: Duration, now: Instant) -> bool {
        let since = self
            .answered
            .map(|answered| now.saturating_duration_since(answered));
        if loses {
            self.pause = LEAST;
        }
        if since.is_some_and(|since| since < self.pause.max(least)) {
            return false;
        }
        // It has gone on for a while: this is about something else.
        let again = since.is_some_and(|since| since < self.pause * 4);
        self.pause = match again && !loses {
            true => (self.pause * 2).min(MOST),
            false => LEAST,
        };
        self.answered = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Answers within a minute to one that asks seven times a second.
    fn answers(loses: bool) -> usize {
        let begin = Instant::now();
        let mut pleas = Pleas::new();
        let asked = (0..420).map(|plea| begin + plea * 143 * MS);
        asked
            .filter(|now| pleas.is_answered(loses, 100 * MS, *now))
            .count()
    }

    #[test]
    fn who_is_not_helped_is_sent_ever_fewer_keyframes() {
        let answers = answers(false);
        assert!((6..=12).contains(&answers), "{answers}");
    }

    #[test]
    fn who_loses_packets_is_helped_each_time() {
        assert!(answers(true) > 100);
    }

    #[test]
    fn a_plea_after_a_while_is_a_new_one() {
        let now = Instant::now();
        let mut pleas = Pleas::new();
        assert!(pleas.is_answered(false, MS, now));
        assert!(!pleas.is_answered(false, MS, now + LEAST / 2));
        assert!(pleas.is_answered(false, MS, now + LEAST));
        let later = now + LEAST + 5_000 * MS;
        assert!(pleas.is_answered(false, MS, later));
        assert!(pleas.is_answered(false, MS, later + LEAST));
    }
}
