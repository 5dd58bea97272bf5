//! When players are due.

use std::collections::BTreeSet;
use std::time::Instant;

use slab::Slab;

/// A time for each player at most.
///
/// Times are moved towards the future lazily: most are put off again and again, and each would
/// cost a search. What is due too early finds out when it looks.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Instant, usize)>,
    of: Slab<Option<Instant>>,
}

impl Timers {
    /// A player without a time; its key is the next free one, as a slab's is.
    pub(super) fn enter(&mut self) -> usize {
        self.of.insert(None)
    }

    pub(super) fn remove(&mut self, key: usize) {
        if let Some(at) = self.of.remove(key) {
            self.by_time.remove(&(at, key));
        }
    }

    /// The player is to be looked at no later than `at`.
    pub(super) fn no_later(&mut self, key: usize, at: Instant) {
        let known = &mut self.of[key];
        if known.is_some_and(|known| known <= at) {
            return;
        }
        if let Some(later) = known.replace(at) {
            self.by_time.remove(&(later, key));
        }
        self.by_time.insert((at, key));
    }

    /// The next time.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out a player whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<usize> {
        let (at, key) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.of[key] = None;
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_comes_first_and_a_later_wish_changes_nothing() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        let (one, other) = (timers.enter(), timers.enter());
        timers.no_later(one, at(20));
        timers.no_later(other, at(10));
        timers.no_later(other, at(30));
        assert_eq!(timers.next(), Some(at(10)));
        timers.no_later(one, at(5));
        assert_eq!(timers.take_due(at(10)), Some(one));
        assert_eq!(timers.take_due(at(10)), Some(other));
        assert_eq!(timers.take_due(at(60)), None);
    }

    #[test]
    fn who_has_left_is_never_due() {
        let start = Instant::now();
        let mut timers = Timers::default();
        let one = timers.enter();
        timers.no_later(one, start);
        timers.remove(one);
        assert_eq!(timers.take_due(start), None);
    }
}
