//! A peer that watches.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::assembly::Assembly;
use super::datagrams::Datagrams;
use super::feedback::Feedback;
use super::pace::{PACKET, Pace};
use super::packets::{Packetizer, Packets};
use super::rest::Rest;
use super::sender::{Outbound, Sender};
use super::srtp::Outgoing;
use crate::broadcast::{Cursor, Need, PlayerSeat, RelayTime, Step};

/// The least time between two keyframes for a player that asks for them.
const KEYFRAMES: Duration = Duration::from_millis(300);
/// How often a player is told the time and what was sent.
const REPORTS: Duration = Duration::from_secs(1);
/// When nothing has followed a frame for this long, its last packet is sent again; and so after
/// twice that time, and twice that again.
const PROBE: Duration = Duration::from_millis(70);
/// How often: that all are lost has to be unlikely, for on a screen that stands still nothing else
/// may come for long.
const PROBES: u8 = 4;
/// What a round trip is taken for until it is known.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// A player's side of the bridge.
pub(super) struct Player {
    pub(super) seat: PlayerSeat,
    pub(super) sender: Sender,
    pub(super) assembly: Assembly,
    /// Frames that wait for the player's pace; nothing more is taken from the cache meanwhile.
    outbox: VecDeque<Outbound>,
    pace: Pace,
    /// Whether it moves with the others of its channel.
    pub(super) together: bool,
    /// When its cursor wants to be asked again.
    pub(super) again: Option<RelayTime>,
    round_trip: Duration,
    next_report: Instant,
    /// When the last packet is to be sent once more.
    probe: Option<Probe>,
    asked: Option<Instant>,
    rest: Rest,
    /// The time in the last report, as receivers repeat it, and when it was.
    reported: Option<(u32, Instant)>,
    /// Frames that went out to their last packet.
    pub(super) frames: u64,
}

/// When the last packet is sent once more.
#[derive(Debug, Clone, Copy)]
struct Probe {
    at: Instant,
    pause: Duration,
    left: u8,
}

impl Probe {
    fn after(now: Instant, pause: Duration) -> Self {
        Self {
            at: now + pause,
            pause,
            left: PROBES - 1,
        }
    }

    /// The one after this; `None` when it was the last.
    fn next(self, now: Instant) -> Option<Self> {
        let pause = self.pause * 2;
        Some(Self {
            at: now + pause,
            pause,
            left: self.left.checked_sub(1)?,
        })
    }
}

/// How sending ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    All,
    /// The rest waits for the player's pace.
    Paced,
}

impl Player {
    pub(super) fn new(seat: PlayerSeat, sender: Sender, now: Instant) -> Self {
        Self {
            seat,
            sender,
            assembly: Assembly::default(),
            outbox: VecDeque::new(),
            pace: Pace::new(now),
            together: false,
            again: None,
            round_trip: ROUND_TRIP,
            next_report: now,
            probe: None,
            asked: None,
            rest: Rest::new(),
            reported: None,
            frames: 0,
        }
    }

    /// Takes frames to be sent.
    pub(super) fn queue(&mut self, frames: &[Arc<Packets>], catching_up: bool) {
        self.outbox.extend(self.sender.time(frames, catching_up));
    }

    /// Appends what may go out now.
    pub(super) fn send(
        &mut self,
        keys: &mut Outgoing,
        now: Instant,
        sent: u32,
        out: &mut Datagrams,
    ) -> Sent {
        while let Some(front) = self.outbox.front_mut() {
            let budget = self.pace.budget(now);
            if budget < PACKET {
                return Sent::Paced;
            }
            let bytes = self.sender.send(front, budget, keys, now, sent, out);
            self.pace.spend(bytes);
            self.probe = Some(Probe::after(now, PROBE.max(self.round_trip)));
            let whole = front.next >= front.packets.payloads.len();
            if whole && bytes > 0 {
                self.frames += 1;
                self.rest.sent(now);
            }
            // Where nothing went out its keys are worn out, or it has no type for the codec: nothing
            // will change.
            if whole || bytes == 0 {
                self.outbox.pop_front();
            }
        }
        Sent::All
    }

    /// Goes on from where somebody else has brought the player.
    pub(super) fn resume(&mut self, cursor: &Cursor, assembly: &Assembly) {
        self.seat.resume(cursor.clone());
        self.assembly = assembly.clone();
    }

    /// Gives up frames that wait when newer ones are worth more. A keyframe, once begun, is
    /// delivered, so that the narrowest way shows pictures.
    pub(super) fn skip_if_overtaken(&mut self, now: RelayTime) {
        let keyframe = self
            .outbox
            .front()
            .is_some_and(|front| front.packets.header.keyframe);
        if keyframe || self.outbox.is_empty() || !self.seat.is_overtaken(now) {
            return;
        }
        self.outbox.clear();
        self.assembly.cut();
        self.seat.abandon(Need::Lag, now);
    }

    /// Takes the next frames from the cache; `None` when there are none now.
    pub(super) fn take_next(&mut self, packetizer: &Packetizer, now: RelayTime) -> Option<()> {
        self.again = None;
        match self.seat.step(now) {
            Step::Continue(pieces) => {
                let frames = assemble(&mut self.assembly, packetizer, pieces);
                self.queue(&frames, false);
            }
            Step::Open { frames, .. } => {
                self.assembly.cut();
                let frames = assemble(&mut self.assembly, packetizer, frames);
                self.queue(&frames, true);
            }
            Step::Abandon | Step::Cut => self.assembly.cut(),
            Step::Wait { until, .. } => {
                self.again = until;
                return None;
            }
        }
        Some(())
    }

    /// Whether the player says that it cannot go on from what it was sent.
    pub(super) fn is_stuck(&mut self, feedback: &Feedback, now: Instant) -> bool {
        self.rest.hear(feedback);
        let at_rest = self.outbox.is_empty() && self.rest.is_at_rest(now);
        feedback.keyframe && !at_rest
    }

    /// Takes what the player says; appends what is to be sent again. A player that is `stuck`
    /// begins anew.
    pub(super) fn feedback(
        &mut self,
        feedback: &Feedback,
        stuck: bool,
        keys: &mut Outgoing,
        now: (Instant, RelayTime),
        out: &mut Datagrams,
    ) {
        if let Some(report) = &feedback.report {
            self.measure(report.last, report.delay, now.0);
            self.pace.report(report.lost, now.0);
        }
        if let Some(estimate) = feedback.estimate {
            self.pace.estimate(estimate, now.0);
        }
        if !feedback.lost.is_empty() {
            let most = self.pace.repetitions(now.0);
            let patience = self.round_trip;
            let bytes = self
                .sender
                .repeat(&feedback.lost, most, patience, keys, now.0, out);
            self.pace.spend_again(bytes);
        }
        if stuck {
            self.keyframe(now);
        }
    }

    /// A round trip: from a report of ours to the player's answer, less the time that it took
    /// (RFC 3550, 6.4.1).
    fn measure(&mut self, last: u32, delay: u32, now: Instant) {
        let Some((_, at)) = self.reported.filter(|(sent, _)| *sent == last) else {
            return;
        };
        let delay = Duration::from_secs_f64(f64::from(delay) / 65_536.0);
        let measured = now.saturating_duration_since(at).saturating_sub(delay);
        self.round_trip = (self.round_trip * 7 + measured) / 8;
    }

    /// The player's decoder lost its footing: the cached group again where that is little, else
    /// the next keyframe, asked for once for all who need it.
    fn keyframe(&mut self, now: (Instant, RelayTime)) {
        let recent = |at: Instant| now.0.duration_since(at) < KEYFRAMES.max(self.round_trip * 2);
        if self.asked.is_some_and(recent) {
            return;
        }
        self.asked = Some(now.0);
        self.outbox.clear();
        self.assembly.cut();
        self.seat.restart(now.1);
    }

    /// The next thing that time alone makes due.
    pub(super) fn due(&self) -> Instant {
        self.probe
            .map_or(self.next_report, |probe| probe.at.min(self.next_report))
    }

    /// Appends the probe and the report that are due.
    pub(super) fn pass_time(
        &mut self,
        keys: &mut Outgoing,
        now: (Instant, RelayTime),
        out: &mut Datagrams,
    ) {
        if let Some(probe) = self.probe.filter(|probe| probe.at <= now.0) {
            self.probe = probe.next(now.0);
            self.sender.probe(keys, out);
        }
        if self.next_report <= now.0 {
            self.next_report = now.0 + REPORTS;
            let ntp = ntp(now.1);
            self.reported = Some(((ntp >> 16) as u32, now.0));
            let report = self.sender.report(ntp, now.1.as_micros());
            if let Some(report) = report.and_then(|report| keys.rtcp(&report).ok()) {
                out.push(&report);
            }
        }
    }
}

/// The relay's time as NTP writes it (RFC 3550, 4): seconds since 1900, 32 bits of them and of
/// their fraction.
fn ntp(time: RelayTime) -> u64 {
    const UNIX: u64 = 2_208_988_800;
    let micros = time.as_micros();
    let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
    (micros / 1_000_000 + UNIX) << 32 | fraction
}

/// Puts pieces together and cuts what is whole into packets.
pub(super) fn assemble(
    assembly: &mut Assembly,
    packetizer: &Packetizer,
    pieces: Vec<Bytes>,
) -> Vec<Arc<Packets>> {
    let wholes = pieces.into_iter().filter_map(|piece| assembly.push(piece));
    wholes
        .filter_map(|whole| packetizer.packets(&whole))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_from_1900() {
        let half = ntp(RelayTime::from_micros(500_000));
        assert_eq!(half, (2_208_988_800 << 32) | 0x8000_0000);
    }
}
