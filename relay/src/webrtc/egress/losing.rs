//! How many earlier frames of sound go with each to a player whose path loses, by what the player says.

use std::time::Instant;

use crate::path::Losses;
use crate::webrtc::rtcp::Feedback;

/// Packets that a report is taken to be about, where packets have no numbers of their own.
const REPORTED: f64 = 100.0;

/// What a player has said of losses.
#[derive(Debug, Default)]
pub(super) struct Losing {
    losses: Losses,
    sent: u64,
    lost: u64,
}

impl Losing {
    /// How many frames to repeat at most.
    pub(super) fn repeats(&self) -> usize {
        self.losses.repeat().into()
    }

    /// Takes what a player says of how packets arrive.
    pub(super) fn hear(&mut self, feedback: &Feedback, now: Instant) {
        let arrivals = &feedback.arrivals;
        if !arrivals.is_empty() {
            let missing = arrivals.iter().filter(|packet| packet.at.is_none());
            self.sent += arrivals.len() as u64;
            self.lost += missing.count() as u64;
        } else if let Some(report) = &feedback.sound_report {
            self.sent += REPORTED as u64;
            self.lost += (report.lost * REPORTED).round() as u64;
        } else {
            return;
        }
        if self.losses.is_due(now) {
            self.losses.see(self.sent, self.lost, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::path::Received;
    use crate::webrtc::rtcp::Report;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many frames are repeated when this is heard every second.
    fn repeats(feedback: &Feedback) -> usize {
        let (mut losing, begin) = (Losing::default(), Instant::now());
        for second in 0..5 {
            losing.hear(feedback, begin + SECOND * second);
        }
        losing.repeats()
    }

    #[test]
    fn numbered_packets_tell_what_is_lost_of_all() {
        let arrivals = |nth: u16| {
            let packet = |sequence: u16| Received {
                sequence,
                at: (!(sequence + 1).is_multiple_of(nth)).then_some(Duration::ZERO),
            };
            Feedback {
                arrivals: (0..200).map(packet).collect(),
                ..Feedback::default()
            }
        };
        let repeats = [500, 50, 5].map(|nth| repeats(&arrivals(nth)));
        assert_eq!(repeats, [0, 1, 2]);
    }

    #[test]
    fn reports_on_sound_tell_it_where_packets_have_no_numbers() {
        let report = |lost| Feedback {
            sound_report: Some(Report {
                lost,
                last: 0,
                delay: 0,
            }),
            ..Feedback::default()
        };
        let repeats = [0.0, 0.02, 0.2].map(|lost| repeats(&report(lost)));
        assert_eq!(repeats, [0, 1, 2]);
    }
}
