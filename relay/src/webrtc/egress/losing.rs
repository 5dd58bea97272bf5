//! How many earlier frames of sound go with each to a player whose path loses.

use crate::webrtc::rtcp::Feedback;

/// A share of lost packets from which on one frame is repeated, and from which on two are.
const ONE: f64 = 0.01;
const TWO: f64 = 0.08;
/// Repetition ends below so much of that.
const LEFT: f64 = 0.4;
/// A packet's part of the mean.
const PACKET: f64 = 1.0 / 400.0;
/// A report's, where packets have no numbers of their own: it is about a second or more.
const REPORT: f64 = 0.3;

/// What is known of a path's losses.
#[derive(Debug, Default)]
pub(super) struct Losing {
    /// The mean share of packets that do not come.
    share: f64,
    repeats: usize,
}

impl Losing {
    /// How many frames to repeat at most.
    pub(super) fn repeats(&self) -> usize {
        self.repeats
    }

    /// Takes what a player says of how packets arrive.
    pub(super) fn hear(&mut self, feedback: &Feedback) {
        let arrivals = &feedback.arrivals;
        if arrivals.is_empty() {
            if let Some(report) = &feedback.sound_report {
                self.weigh(report.lost, REPORT);
            }
        } else {
            let missing = arrivals.iter().filter(|packet| packet.at.is_none());
            let share = missing.count() as f64 / arrivals.len() as f64;
            let weight = 1.0 - (1.0 - PACKET).powi(arrivals.len() as i32);
            self.weigh(share, weight);
        }
    }

    fn weigh(&mut self, share: f64, weight: f64) {
        self.share += (share - self.share) * weight;
        // What is repeated stays so until there is clearly less need for it.
        let needed = |factor: f64| match self.share {
            share if share >= TWO * factor => 2,
            share if share >= ONE * factor => 1,
            _ => 0,
        };
        self.repeats = self.repeats.clamp(needed(1.0), needed(LEFT));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::path::Received;
    use crate::webrtc::rtcp::Report;

    /// Packets of which every `nth` does not come.
    fn arrivals(count: u16, nth: u16) -> Feedback {
        let packet = |sequence: u16| Received {
            sequence,
            at: (!(sequence + 1).is_multiple_of(nth)).then_some(Duration::ZERO),
        };
        Feedback {
            arrivals: (0..count).map(packet).collect(),
            ..Feedback::default()
        }
    }

    fn heard(feedbacks: &[Feedback]) -> usize {
        let mut losing = Losing::default();
        for feedback in feedbacks {
            losing.hear(feedback);
        }
        losing.repeats()
    }

    #[test]
    fn a_single_loss_has_nothing_repeated_and_a_lossy_path_one_frame_or_two() {
        let clean = arrivals(200, 500);
        assert_eq!(heard(&[clean.clone(), arrivals(20, 20), clean.clone()]), 0);
        let [some, many] = [50, 5].map(|nth| vec![arrivals(50, nth); 40]);
        assert_eq!((heard(&some), heard(&many)), (1, 2));
    }

    #[test]
    fn repetition_ends_a_while_after_the_losses() {
        let mut losing = Losing::default();
        for _ in 0..40 {
            losing.hear(&arrivals(50, 50));
        }
        losing.hear(&arrivals(200, 500));
        assert_eq!(losing.repeats(), 1, "what the mean is of is not over");
        for _ in 0..10 {
            losing.hear(&arrivals(100, 500));
        }
        assert_eq!(losing.repeats(), 0);
    }

    #[test]
    fn reports_tell_where_packets_have_no_numbers() {
        let report = |lost| Feedback {
            sound_report: Some(Report {
                lost,
                last: 0,
                delay: 0,
            }),
            ..Feedback::default()
        };
        assert_eq!(heard(&[report(0.02), report(0.02), report(0.02)]), 1);
        assert_eq!(heard(&[report(0.0), report(0.0)]), 0);
    }
}
