//! What somebody else could have said without end.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How often it is said.
const EVERY: Duration = Duration::from_secs(60);

/// Says something at most once a minute, and how often it was so.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<Times>);

#[derive(Debug, Default)]
struct Times {
    said: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// It is so once more: how often since it was said last, if it is to be said now.
    pub(super) fn once_more(&self, now: Instant) -> Option<u64> {
        let mut times = self.0.lock();
        times.unsaid += 1;
        if times.said.is_some_and(|said| now < said + EVERY) {
            return None;
        }
        times.said = Some(now);
        Some(std::mem::take(&mut times.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_with_how_often_it_was_so() {
        let (seldom, begun) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.once_more(begun), Some(1));
        assert_eq!(seldom.once_more(begun), None);
        assert_eq!(seldom.once_more(begun + EVERY / 2), None);
        assert_eq!(seldom.once_more(begun + EVERY), Some(3));
    }
}
