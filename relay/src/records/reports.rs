//! What a player's page has said of late of what it shows.

use std::collections::VecDeque;
use std::time::Duration;

use crate::broadcast::RelayTime;

/// What a page has counted since its session began (PROTOCOL 2.2, `Report`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Frames that came.
    pub received: u64,
    /// Of them, those that were decoded.
    pub decoded: u64,
    /// Of them, those that somebody could see: a hidden page shows none.
    pub shown: u64,
    /// How old the newest second of them was when it was shown: half of it no older.
    pub latency: Option<Duration>,
}

/// The newest reports of one page.
#[derive(Debug, Clone, Default)]
pub(super) struct Reports {
    last: Shown,
    /// The one in which something new was last shown.
    seen: Shown,
    /// Latencies of reports that had something new to say, and when they came.
    latencies: VecDeque<(RelayTime, Duration)>,
    /// Since when frames are decoded and none is shown.
    unseen: Option<RelayTime>,
    /// Since when frames come and none is decoded.
    undecoded: Option<RelayTime>,
}

/// How long a latency counts as one of now.
const LATELY: Duration = Duration::from_secs(10);
/// A page reports once a second: so many are of now, whoever sends more.
const KEPT: usize = 10;
/// A page may count a frame when it is shown only in its next report, and before the picture comes to rest.
const AHEAD: u64 = 2;
/// What is so by the next report of a page that reports every second is so.
const LASTS: Duration = Duration::from_millis(1_500);

impl Reports {
    /// One more.
    pub(super) fn take(&mut self, shown: Shown, now: RelayTime) {
        let seen = self.seen;
        let last = std::mem::replace(&mut self.last, shown);
        if shown.shown > seen.shown {
            self.seen = shown;
            (self.unseen, self.undecoded) = (None, None);
            if let Some(latency) = shown.latency {
                self.latencies.truncate(KEPT - 1);
                self.latencies.push_front((now, latency));
            }
        } else if shown.decoded > last.decoded && shown.decoded >= seen.decoded + AHEAD {
            self.undecoded = None;
            self.unseen.get_or_insert(now);
        } else if shown.received > last.received && shown.received >= seen.received + AHEAD {
            self.undecoded.get_or_insert(now);
        }
    }

    /// The latencies of the last ten seconds, newest first.
    pub(super) fn latencies(&self, now: RelayTime) -> impl Iterator<Item = Duration> {
        let lately = self.latencies.iter();
        lately
            .take_while(move |(at, _)| now.since(*at) < LATELY)
            .map(|(_, latency)| *latency)
    }

    /// Whether pictures come and are decoded, and nobody sees them.
    pub(super) fn is_unseen(&self, now: RelayTime) -> bool {
        has_lasted(self.unseen, now) && !self.is_undecoded(now)
    }

    /// Whether pictures come, and nothing becomes of them.
    pub(super) fn is_undecoded(&self, now: RelayTime) -> bool {
        has_lasted(self.undecoded, now)
    }
}

fn has_lasted(since: Option<RelayTime>, now: RelayTime) -> bool {
    since.is_some_and(|since| now.since(since) >= LASTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: RelayTime = RelayTime::from_micros(1_800_000_000_000_000);

    fn at(seconds: u64) -> RelayTime {
        START + Duration::from_secs(seconds)
    }

    fn told(received: u64, decoded: u64, shown: u64, ms: u64) -> Shown {
        Shown {
            received,
            decoded,
            shown,
            latency: (ms > 0).then(|| Duration::from_millis(ms)),
        }
    }

    fn ms(reports: &Reports, now: RelayTime) -> Vec<u128> {
        reports.latencies(now).map(|l| l.as_millis()).collect()
    }

    #[test]
    fn a_page_that_shows_nothing_of_what_comes_is_unseen_until_it_does() {
        let mut reports = Reports::default();
        reports.take(told(30, 30, 30, 50), at(1));
        reports.take(told(60, 60, 41, 50), at(2));
        reports.take(told(90, 90, 41, 50), at(3));
        assert!(
            !reports.is_unseen(at(4)),
            "it may be between two of its frames"
        );
        reports.take(told(120, 120, 41, 50), at(4));
        assert!(reports.is_unseen(at(5)) && !reports.is_undecoded(at(5)));
        // The picture comes to rest, and it is hidden as before.
        reports.take(told(120, 120, 41, 50), at(5));
        assert!(reports.is_unseen(at(60)));
        reports.take(told(150, 150, 42, 50), at(61));
        assert!(!reports.is_unseen(at(63)));
    }

    #[test]
    fn the_last_frame_before_the_picture_comes_to_rest_may_be_counted_late() {
        let mut reports = Reports::default();
        reports.take(told(29, 29, 30, 50), at(1));
        reports.take(told(30, 30, 30, 50), at(2));
        reports.take(told(30, 30, 30, 50), at(3));
        assert!(!reports.is_unseen(at(60)) && !reports.is_undecoded(at(60)));
    }

    #[test]
    fn a_page_whose_decoder_stands_still_is_another_matter() {
        let mut reports = Reports::default();
        reports.take(told(30, 30, 30, 50), at(1));
        reports.take(told(60, 30, 30, 50), at(2));
        reports.take(told(90, 30, 30, 50), at(4));
        assert!(reports.is_undecoded(at(4)) && !reports.is_unseen(at(4)));
        reports.take(told(120, 60, 60, 50), at(5));
        assert!(!reports.is_undecoded(at(8)));
    }

    #[test]
    fn a_page_that_shows_nothing_and_then_decodes_nothing_is_not_taken_to_be_hidden() {
        let mut reports = Reports::default();
        reports.take(told(30, 30, 20, 50), at(1));
        reports.take(told(40, 40, 20, 50), at(2));
        for second in 3..6 {
            reports.take(told(40 + 10 * second, 40, 20, 50), at(second));
        }
        assert!(reports.is_undecoded(at(5)) && !reports.is_unseen(at(5)));
    }

    #[test]
    fn latencies_count_for_ten_seconds_and_once() {
        let mut reports = Reports::default();
        reports.take(told(30, 30, 30, 50), at(1));
        reports.take(told(60, 60, 60, 70), at(2));
        // Nothing new was shown: it says the same once more.
        reports.take(told(60, 60, 60, 70), at(3));
        assert_eq!(ms(&reports, at(3)), [70, 50]);
        assert_eq!(ms(&reports, at(11)), [70]);
        assert_eq!(ms(&reports, at(12)), [0; 0]);
        for more in 1..100 {
            reports.take(told(60 + more, 60 + more, 60 + more, 10), at(12));
        }
        assert_eq!(ms(&reports, at(12)), [10; KEPT]);
    }
}
