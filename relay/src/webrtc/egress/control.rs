//! How fast one player is sent to.

use std::time::{Duration, Instant};

use super::pace::{PACKET, Pace};
use crate::path::{Bytes, Flight};
use crate::webrtc::rtcp::Feedback;

/// What a packet takes beside its payload and RTP header, in bytes: protection, UDP and IP.
const OVERHEAD: usize = 16 + 8 + 20;
/// So much of what was lost goes out although the window is full.
const LEAST_REPAIRS: Bytes = Bytes::new(2 * PACKET as u64);
/// Packets that are late by less hardly overtake one another.
const OVERTAKEN: Duration = Duration::from_millis(5);
/// When the window is full, the player's feedback comes before this.
const FEEDBACK: Duration = Duration::from_millis(100);

/// What decides how fast a player is sent to.
#[derive(Debug)]
pub(super) enum Control {
    /// The player says of each packet when it arrived: a model of the path.
    Flight(Box<Flight>),
    /// It says how many were lost, now and then.
    Reports(Pace),
}

impl Control {
    /// For a player that tells of each packet when it is `detailed`.
    pub(super) fn new(detailed: bool, now: Instant) -> Self {
        match detailed {
            true => Self::Flight(Box::new(Flight::new(now, Bytes::new(PACKET as u64)))),
            false => Self::Reports(Pace::new(now)),
        }
    }

    /// Bytes that may go out now; 0: nothing.
    pub(super) fn budget(&mut self, now: Instant) -> usize {
        match self {
            Self::Flight(flight) => flight.may_send(now).count() as usize,
            Self::Reports(pace) => Some(pace.budget(now))
                .filter(|bytes| *bytes >= PACKET)
                .unwrap_or(0),
        }
    }

    /// The same for what was lost, which goes before what is new.
    pub(super) fn repairs(&mut self, now: Instant) -> usize {
        match self {
            Self::Flight(flight) => flight.may_repair(now, LEAST_REPAIRS).count() as usize,
            Self::Reports(pace) => pace.repairs(now),
        }
    }

    /// When there may be a budget again.
    pub(super) fn due(&self, now: Instant) -> Instant {
        match self {
            Self::Flight(flight) => Some(flight.due(now))
                .filter(|due| *due > now)
                .unwrap_or(now + FEEDBACK),
            Self::Reports(pace) => pace.due(now),
        }
    }

    /// The transport-wide number of the next packet.
    pub(super) fn next_sequence(&self) -> u16 {
        match self {
            Self::Flight(flight) => flight.next_sequence(),
            Self::Reports(_) => 0,
        }
    }

    /// A packet of so many bytes has gone out.
    pub(super) fn sent(&mut self, now: Instant, bytes: usize) {
        match self {
            Self::Flight(flight) => flight.on_sent(now, Bytes::new((bytes + OVERHEAD) as u64)),
            Self::Reports(pace) => pace.spend(bytes),
        }
    }

    /// A packet of so many bytes has gone out that has done so before, under the number that it had: it says
    /// nothing of the path.
    pub(super) fn sent_as_before(&mut self, bytes: usize) {
        if let Self::Reports(pace) = self {
            pace.spend(bytes);
        }
    }

    /// Takes what the player says of how packets arrive.
    pub(super) fn hear(&mut self, feedback: &Feedback, now: Instant) {
        match self {
            Self::Flight(flight) => {
                if !feedback.arrivals.is_empty() {
                    flight.on_feedback(now, feedback.arrivals.iter().copied());
                }
            }
            Self::Reports(pace) => {
                if let Some(report) = &feedback.report {
                    pace.report(report.lost, now);
                }
                if let Some(estimate) = feedback.estimate {
                    pace.estimate(estimate, now);
                }
            }
        }
    }

    /// The round trip at present, where the player's feedback tells.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        match self {
            Self::Flight(flight) => Some(flight.model().base()? + flight.model().queue()),
            Self::Reports(_) => None,
        }
    }

    /// How old a packet is that has not come and is lost, not late: on a path on which packets overtake
    /// one another. Nothing where they do not.
    pub(super) fn patience(&self) -> Duration {
        let Self::Flight(flight) = self else {
            return Duration::ZERO;
        };
        let model = flight.model();
        match model.base() {
            Some(base) if model.late() > OVERTAKEN => base + model.queue() + model.late(),
            _ => Duration::ZERO,
        }
    }

    /// What the path carries, in bytes per second; `None` while it carries all that it is given.
    pub(super) fn carries(&self) -> Option<u64> {
        match self {
            Self::Flight(flight) => flight.model().carries().map(|rate| rate.bytes() as u64),
            Self::Reports(pace) => pace.narrowed().map(|bits| (bits / 8.0) as u64),
        }
    }

    /// The path's model, where there is one.
    #[cfg(test)]
    pub(super) fn model(&self) -> Option<&crate::path::Model> {
        match self {
            Self::Flight(flight) => Some(flight.model()),
            Self::Reports(_) => None,
        }
    }
}
