//! What was said is not heard a second time, whoever sends it again.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

use super::seal::{AGE, Id, Opened, Time, is_fresh};

/// The questions that were answered, for as long as one that is sent again would be taken for fresh.
#[derive(Debug, Default)]
pub(super) struct Once(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    ids: HashSet<Id>,
    /// By when they are to be known no longer, in that order.
    ends: VecDeque<(Time, Id)>,
}

impl Once {
    /// Whether it is fresh, and for the first time.
    pub(super) fn is_new(&self, opened: &Opened, now: Time) -> bool {
        let mut heard = self.0.lock();
        heard.forget(now);
        if !is_fresh(opened.at, now) || !heard.ids.insert(opened.id) {
            return false;
        }
        // One of a clock that is ahead is fresh for as much longer.
        let kept = u64::try_from(AGE.as_micros()).unwrap_or(Time::MAX);
        heard
            .ends
            .push_back((now.saturating_add(2 * kept), opened.id));
        true
    }
}

impl Heard {
    fn forget(&mut self, now: Time) {
        while let Some((end, id)) = self.ends.front().copied()
            && end < now
        {
            self.ends.pop_front();
            self.ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::seal::{About, Seal};
    use super::*;

    fn opened(at: Time) -> Opened {
        let secret = "x".repeat(32).parse().unwrap();
        let seal = Seal::new(&secret).unwrap();
        let (id, _) = seal.seal(About::Question("x"), b"");
        let text = Vec::new();
        Opened { id, at, text }
    }

    #[test]
    fn a_question_is_taken_once_for_as_long_as_it_is_fresh() {
        const SECOND: Time = 1_000_000;
        let once = Once::default();
        let ahead = opened(1_030 * SECOND);
        assert!(once.is_new(&ahead, 1_000 * SECOND));
        assert!(
            once.is_new(&opened(1_030 * SECOND), 1_000 * SECOND),
            "another"
        );
        for now in [1_000, 1_031, 1_060, 1_061, 2_000] {
            assert!(!once.is_new(&ahead, now * SECOND), "{now}");
        }
        assert!(!once.is_new(&opened(969 * SECOND), 1_000 * SECOND), "old");
        once.is_new(&opened(0), 3_000 * SECOND);
        let heard = once.0.lock();
        assert!(heard.ids.is_empty() && heard.ends.is_empty(), "{heard:?}");
    }
}
