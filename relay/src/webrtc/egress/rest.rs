//! Whether a player that asks for a keyframe lacks anything.

use std::time::{Duration, Instant};

use crate::webrtc::rtcp::Feedback;

/// After so long without a frame a question about one is a question about nothing.
const IDLE: Duration = Duration::from_secs(2);

/// What is known of how frames arrive, and when the last one went out.
///
/// Browsers ask for a keyframe after 3 s without any frame, though they lack
/// none: so it is with every screen that rests, and while a publisher is away.
/// What they have must not be sent once more, for they would show it once more:
/// the last seconds, in a rush, again and again.
#[derive(Debug)]
pub(in crate::webrtc) struct Rest {
    sent: Option<Instant>,
    /// Whether the last word was of losses, or there was none yet.
    losing: bool,
    /// Whether the last word was of losses.
    lost: bool,
}

impl Rest {
    pub(in crate::webrtc) fn new() -> Self {
        Self {
            sent: None,
            losing: true,
            lost: false,
        }
    }

    /// A frame went out to its last packet.
    pub(in crate::webrtc) fn sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    /// Takes in what the player says of losses.
    pub(in crate::webrtc) fn hear(&mut self, feedback: &Feedback) {
        if let Some(report) = &feedback.report {
            self.losing = report.lost > 0.0;
            self.lost = self.losing;
        }
        let lacks = !feedback.lost.is_empty();
        (self.losing, self.lost) = (self.losing | lacks, self.lost | lacks);
    }

    /// Whether the player has said last that it lacks packets.
    pub(in crate::webrtc) fn has_lost(&self) -> bool {
        self.lost
    }

    /// Whether the player has everything, and has had it for a while.
    pub(in crate::webrtc) fn is_at_rest(&self, now: Instant) -> bool {
        !self.losing && self.sent.is_some_and(|at| now.duration_since(at) >= IDLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webrtc::rtcp::Report;

    fn report(lost: f64) -> Feedback {
        Feedback {
            report: Some(Report {
                lost,
                last: 0,
                delay: 0,
            }),
            ..Feedback::default()
        }
    }

    /// A player that got a frame, and says that nothing is lost.
    fn watching(now: Instant) -> Rest {
        let mut rest = Rest::new();
        rest.sent(now);
        rest.hear(&report(0.0));
        rest
    }

    #[test]
    fn a_player_that_has_everything_lacks_nothing_after_a_while() {
        let now = Instant::now();
        let rest = watching(now);
        assert!(!rest.is_at_rest(now + IDLE / 2));
        assert!(rest.is_at_rest(now + IDLE));
    }

    #[test]
    fn a_new_frame_can_be_missed_again() {
        let now = Instant::now();
        let mut rest = watching(now);
        rest.sent(now + IDLE);
        assert!(!rest.is_at_rest(now + IDLE));
    }

    #[test]
    fn who_loses_packets_or_says_nothing_may_lack_something() {
        let now = Instant::now();
        let mut rest = watching(now);
        rest.hear(&report(0.1));
        assert!(!rest.is_at_rest(now + IDLE));
        rest.hear(&report(0.0));
        rest.hear(&Feedback {
            lost: vec![5],
            ..Feedback::default()
        });
        assert!(!rest.is_at_rest(now + IDLE));
        let mut silent = Rest::new();
        silent.sent(now);
        assert!(!silent.is_at_rest(now + IDLE));
        assert!(!Rest::new().is_at_rest(now + IDLE));
    }
}
