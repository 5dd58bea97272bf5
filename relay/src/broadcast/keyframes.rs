//! Keyframe requests: coalesced and rate-limited (PROTOCOL 2.9).

use std::time::Duration;

use super::RelayTime;

/// Why somebody needs a keyframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A join that the cache cannot serve well.
    Join,
    /// A player's decoder lost its footing.
    Broken,
    /// A player could not keep up. Keyframes are dear for all the others, so one slow player asks seldom.
    Lag,
}

/// An unanswered request is repeated after this.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// The least time between two requests on behalf of slow players.
const LAG_INTERVAL: Duration = Duration::from_secs(2);

/// When the publisher was last asked, and when it last answered.
#[derive(Debug, Default)]
pub(super) struct KeyframeRequests {
    asked: Option<RelayTime>,
    outstanding: bool,
    opened: Option<RelayTime>,
}

impl KeyframeRequests {
    /// Whether to ask the publisher now. Asking is recorded.
    pub(super) fn ask(&mut self, need: Need, interval: Duration, now: RelayTime) -> bool {
        let least = match need {
            Need::Join => interval,
            Need::Broken => interval * 2,
            Need::Lag => LAG_INTERVAL,
        };
        let waited = |since: Option<RelayTime>, least| since.is_none_or(|t| now - t >= least);
        let due = if self.outstanding {
            waited(self.asked, ANSWER_WAIT)
        } else {
            waited(self.asked, least) && (need != Need::Lag || self.is_due_for_slow(now))
        };
        if due {
            self.asked = Some(now);
            self.outstanding = true;
        }
        due
    }

    /// Whether a player that cannot keep up would soon have a keyframe: one was asked for already, or
    /// would be now. A keyframe that came unasked serves a slow player as well.
    pub(super) fn is_due_for_slow(&self, now: RelayTime) -> bool {
        let lately = |since: RelayTime| now - since < LAG_INTERVAL;
        self.outstanding || ![self.asked, self.opened].into_iter().flatten().any(lately)
    }

    /// A keyframe has come.
    pub(super) fn answered(&mut self, now: RelayTime) {
        self.outstanding = false;
        self.opened = Some(now);
    }

    /// Another publisher is in charge: nothing asked of the last one counts.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(500);

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(ms * 1000)
    }

    #[test]
    fn a_crowd_of_joins_asks_once() {
        let mut requests = KeyframeRequests::default();
        let asked = (0..100)
            .filter(|i| requests.ask(Need::Join, INTERVAL, at(1000 + i)))
            .count();
        assert_eq!(asked, 1);
    }

    #[test]
    fn an_unanswered_request_is_repeated_after_two_seconds() {
        let mut requests = KeyframeRequests::default();
        assert!(requests.ask(Need::Join, INTERVAL, at(1000)));
        assert!(!requests.ask(Need::Join, INTERVAL, at(2900)));
        assert!(requests.ask(Need::Join, INTERVAL, at(3000)));
    }

    #[test]
    fn answered_requests_are_spaced() {
        let mut requests = KeyframeRequests::default();
        assert!(requests.ask(Need::Join, INTERVAL, at(1000)));
        requests.answered(at(1050));
        assert!(!requests.ask(Need::Join, INTERVAL, at(1100)));
        assert!(requests.ask(Need::Join, INTERVAL, at(1500)));
    }

    #[test]
    fn what_was_asked_of_one_publisher_does_not_keep_the_next_from_being_asked() {
        let mut requests = KeyframeRequests::default();
        assert!(requests.ask(Need::Join, INTERVAL, at(1000)));
        requests.reset();
        assert!(requests.ask(Need::Join, INTERVAL, at(1001)));
        requests.answered(at(1002));
        requests.reset();
        assert!(requests.ask(Need::Lag, INTERVAL, at(1003)));
    }

    #[test]
    fn broken_decoders_ask_half_as_often_as_joins() {
        let mut requests = KeyframeRequests::default();
        assert!(requests.ask(Need::Join, INTERVAL, at(1000)));
        requests.answered(at(1010));
        assert!(!requests.ask(Need::Broken, INTERVAL, at(1999)));
        assert!(requests.ask(Need::Broken, INTERVAL, at(2000)));
    }

    #[test]
    fn slow_players_ask_seldom_and_never_right_after_a_keyframe() {
        let mut requests = KeyframeRequests::default();
        requests.answered(at(1000));
        assert!(!requests.ask(Need::Lag, INTERVAL, at(2900)));
        assert!(requests.ask(Need::Lag, INTERVAL, at(3000)));
        requests.answered(at(3100));
        assert!(!requests.ask(Need::Lag, INTERVAL, at(5000)));
    }
}
