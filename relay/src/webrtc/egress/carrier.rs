//! A player's end of a WebRTC session, as delivery sees it: packets at the player's pace.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use steadycast_codec_glue::wire::Code;

use super::assembly::Assembly;
use super::control::Control;
use super::datagrams::Datagrams;
use super::packets::{Packetizer, Packets};
use super::pleas::Pleas;
use super::probe::Probe;
use super::repairs::Repairs;
use super::rest::Rest;
use super::sender::{Exit, Outbound, Patience, Sender};
use super::sound::{SoundSender, Sounding};
use super::timeline::Timeline;
use crate::broadcast::{Backlog, Moment, RelayTime};
use crate::delivery::{Carrier, Filler, Gone, Packer, Place, Rush, Sent};
use crate::shard::Wire;
use crate::webrtc::rtcp::{Feedback, Report, Sources};
use crate::webrtc::session::Session;
use crate::webrtc::session::link::Path;
use crate::webrtc::srtp::Outgoing;
use crate::webrtc::tcp::Outlet;

/// How often a player is told the time and what was sent.
const REPORTS: Duration = Duration::from_secs(1);
/// How often at first, and how many times: browsers need two of each source to keep picture and sound in time.
const REPORTS_AT_FIRST: Duration = Duration::from_millis(200);
const AT_FIRST: u8 = 3;
/// What a round trip is taken for until it is known.
const ROUND_TRIP: Duration = Duration::from_millis(50);
/// A packet is sent again once more after this share of a round trip: clocks are not exact.
const AGAIN: f64 = 0.95;
/// A keyframe that takes so long has players ask for another meanwhile.
const LONG: Duration = Duration::from_secs(1);
/// A player takes so long, beside the round trip, to find that it has a keyframe whole.
const DECODES: Duration = Duration::from_millis(250);

/// One player's packets.
pub(in crate::webrtc) struct Egress<W> {
    session: Arc<Session>,
    outlet: Arc<Outlet<W>>,
    /// Where the player is.
    path: Path,
    keys: Outgoing,
    sender: Sender,
    /// Where the player takes any.
    sound: Option<SoundSender>,
    /// Frames that wait for the player's pace; nothing more is taken from the cache meanwhile.
    outbox: VecDeque<Outbound>,
    /// Packets that are sealed; they are kept while the system takes none.
    out: Datagrams,
    pub(super) control: Control,
    repairs: Repairs,
    /// When the player last said anything of how packets arrive.
    heard: Option<Instant>,
    round_trip: Duration,
    next_report: Instant,
    /// Reports that are still to be soon after one another.
    soon: u8,
    /// When the last packet is to be sent once more.
    probe: Option<Probe>,
    /// When sending may go on.
    paced: Option<Instant>,
    blocked: Option<Instant>,
    pleas: Pleas,
    rest: Rest,
    /// When the first packet of the newest keyframe went out.
    keyframe_begun: Option<Instant>,
    /// When the last packet went out of a keyframe that took long.
    keyframe: Option<Instant>,
    filler: Filler,
    /// The time in the last report, as receivers repeat it, and when it was.
    reported: Option<(u32, Instant)>,
    /// Frames that went out to their last packet.
    frames: u64,
    /// What there is to watch is sealed, and its page opens nothing, or the other way round.
    astray: bool,
}

impl<W: Wire> Egress<W> {
    /// The packets of a player that has just connected over `path`, with these numbers and keys.
    pub(in crate::webrtc) fn new(
        session: Arc<Session>,
        outlet: Arc<Outlet<W>>,
        path: Path,
        keys: Outgoing,
        (sender, sound): (Sender, Option<SoundSender>),
        now: Instant,
    ) -> Self {
        Self {
            session,
            outlet,
            path,
            keys,
            control: Control::new(sender.is_told_of_arrivals(), now),
            repairs: Repairs::new(),
            heard: None,
            sender,
            sound,
            outbox: VecDeque::new(),
            out: Datagrams::default(),
            round_trip: ROUND_TRIP,
            next_report: now,
            soon: 0,
            probe: None,
            paced: None,
            blocked: None,
            pleas: Pleas::new(),
            rest: Rest::new(),
            keyframe_begun: None,
            keyframe: None,
            filler: Filler::default(),
            reported: None,
            frames: 0,
            astray: false,
        }
    }

    /// The player has moved.
    pub(in crate::webrtc) fn follow(&mut self, path: Path) {
        self.path = path;
    }

    /// What its feedback is about.
    pub(in crate::webrtc) fn sources(&self) -> Sources {
        Sources {
            pictures: self.sender.ssrc(),
            sound: self.sound.as_ref().map(SoundSender::ssrc),
        }
    }

    /// Whether the player says that it cannot go on from what it was sent.
    ///
    /// Browsers say so as well after 3 s without a frame, which is what a keyframe takes on a narrow path:
    /// to begin again with another would be to never end.
    pub(in crate::webrtc) fn is_stuck(&mut self, feedback: &Feedback, now: Instant) -> bool {
        self.rest.hear(feedback);
        let at_rest = self.outbox.is_empty() && self.rest.is_at_rest(now);
        // The decoder of one whose page opens frames itself is given none, and asks for one all the time.
        let asks = feedback.keyframe && !self.sender.is_sealed();
        asks && !at_rest && !self.is_keyframe_coming(now)
    }

    /// Whether a keyframe waits, or one that took long has gone out so lately that what the player says may
    /// be from before it.
    fn is_keyframe_coming(&self, now: Instant) -> bool {
        let mut waiting = self.outbox.iter();
        let lately = |at| now.saturating_duration_since(at) < self.round_trip * 2 + DECODES;
        waiting.any(|frame| frame.packets.header.keyframe)
            || (!self.rest.has_lost() && self.keyframe.is_some_and(lately))
    }

    /// Takes what the player says of how packets arrive; sends again what it lacks.
    pub(in crate::webrtc) fn take_feedback(&mut self, feedback: &Feedback, now: Moment) {
        self.heard = Some(now.instant);
        for report in [&feedback.report, &feedback.sound_report] {
            self.measure(report.as_ref(), now.instant);
        }
        self.control.hear(feedback, now.instant);
        self.round_trip = self.control.round_trip().unwrap_or(self.round_trip);
        self.hear_of_sound(feedback, now.instant);
        if !feedback.lost.is_empty() {
            let most = self.control.repairs(now.instant).min(self.repairs.left());
            let patience = Patience {
                first: self.control.patience(),
                again: self.round_trip.mul_f64(AGAIN).max(self.control.patience()),
            };
            let mut exit = Exit {
                keys: &mut self.keys,
                control: &mut self.control,
                out: &mut self.out,
            };
            let again = self
                .sender
                .repeat(&feedback.lost, most, patience, &mut exit, now);
            self.repairs.spend(again);
            self.flush();
        }
    }

    fn hear_of_sound(&mut self, feedback: &Feedback, now: Instant) {
        let Some(sound) = &mut self.sound else { return };
        let mut exit = Exit {
            keys: &mut self.keys,
            control: &mut self.control,
            out: &mut self.out,
        };
        sound.hear(feedback, self.round_trip.mul_f64(AGAIN), &mut exit, now);
        if !feedback.sound_lost.is_empty() {
            self.flush();
        }
    }

    /// A round trip: from a report of ours to the player's answer, less the time that it took
    /// (RFC 3550, 6.4.1).
    fn measure(&mut self, report: Option<&Report>, now: Instant) {
        let known = |(sent, at): (u32, Instant)| {
            report
                .filter(|report| report.last == sent)
                .map(|own| (own, at))
        };
        let Some((report, at)) = self.reported.and_then(known) else {
            return;
        };
        let delay = Duration::from_secs_f64(f64::from(report.delay) / 65_536.0);
        let measured = now.saturating_duration_since(at).saturating_sub(delay);
        self.round_trip = (self.round_trip * 7 + measured) / 8;
    }

    /// Whether the page of a player that opens frames itself is sent a keyframe because it asks for one.
    pub(in crate::webrtc) fn is_heard(&mut self, now: Instant) -> bool {
        self.sender.is_sealed() && !self.is_keyframe_coming(now) && self.may_begin_again(now)
    }

    /// Whether a keyframe may be sent because the player asks for one: not again and again while
    /// one is on its way, and ever more seldom where none helps.
    pub(in crate::webrtc) fn may_begin_again(&mut self, now: Instant) -> bool {
        let least = self.round_trip * 2;
        self.pleas.is_answered(self.rest.has_lost(), least, now)
    }

    fn send_queued(&mut self, now: Moment) -> Sent {
        while let Some(front) = self.outbox.front_mut() {
            let budget = self.control.budget(now.instant);
            if budget == 0 {
                self.paced = Some(self.control.due(now.instant));
                return Sent::Blocked;
            }
            let mut exit = Exit {
                keys: &mut self.keys,
                control: &mut self.control,
                out: &mut self.out,
            };
            let keyframe = front.packets.header.keyframe;
            if keyframe && front.next == 0 {
                self.keyframe_begun = Some(now.instant);
            }
            let bytes = self.sender.send(front, budget, &mut exit, now);
            self.repairs.earn(bytes);
            self.probe = Some(Probe::after(now.instant, self.round_trip));
            let whole = front.next >= front.packets.payloads.len();
            if whole && bytes > 0 {
                self.frames += 1;
                self.session.count_sent(self.frames);
                self.rest.sent(now.instant);
                let took = |begun| now.instant.saturating_duration_since(begun);
                if keyframe && self.keyframe_begun.is_some_and(|begun| took(begun) >= LONG) {
                    self.keyframe = Some(now.instant);
                }
            }
            // Where nothing went out its keys are worn out, or it has no type for the codec: nothing
            // will change.
            if whole || bytes == 0 {
                self.outbox.pop_front();
            }
        }
        Sent::All
    }

    /// Sends what is sealed; false while the system takes no more.
    fn flush(&mut self) -> bool {
        let mut sent = 0;
        let (outlet, path) = (&self.outlet, self.path);
        let mut calls = self.out.calls(|size| outlet.most(path, size));
        // Any other failure than a full system is this path's alone: its packets are lost.
        let taken = calls.all(|(call, size)| {
            let result = outlet.send_now(path, call, size);
            let full = result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            sent += if full { 0 } else { call.len() };
            !full
        });
        drop(calls);
        match taken {
            true => self.out.clear(),
            false => self.out.drop_first(sent),
        }
        taken
    }

    /// Tells the time of every source by one clock.
    fn report(&mut self, now: Moment) {
        let pause = match self.soon {
            0 => REPORTS,
            _ => REPORTS_AT_FIRST,
        };
        self.soon = self.soon.saturating_sub(1);
        self.next_report = now.instant + pause;
        let (ntp, micros) = (ntp(now.relay), now.relay.as_micros());
        self.reported = Some(((ntp >> 16) as u32, now.instant));
        let sound = self.sound.as_ref();
        let sound = sound.and_then(|sound| sound.report(ntp, micros));
        let reports = [self.sender.report(ntp, micros), sound];
        for report in reports.into_iter().flatten() {
            if let Ok(report) = self.keys.rtcp(&report) {
                self.out.push(&report);
            }
        }
    }
}

impl<W: Wire> Carrier for Egress<W> {
    type Parcel = Arc<Packets>;
    type Sound = Sounding;
    type Sounder = Timeline;
    type Packer = FramePacker;

    fn open(&mut self) {}

    fn queue(&mut self, parcels: &[Arc<Packets>], rush: Rush) {
        // A relay that gets the broadcast from another one knows of it by its first frame.
        self.astray |= !parcels.iter().all(|packets| self.sender.is_for(packets));
        let catching_up = rush == Rush::CatchingUp;
        self.outbox.extend(self.sender.time(parcels, catching_up));
    }

    fn send(&mut self, now: Moment) -> Result<Sent, Gone> {
        if self.astray {
            self.session.end(Code::Private);
            return Err(Gone);
        }
        self.paced = None;
        let mut sent = Sent::Blocked;
        // What the system has not taken goes first.
        if self.flush() {
            sent = self.send_queued(now);
        }
        if !self.flush() {
            self.paced = Some(now.instant + self.outlet.retry(self.path));
            sent = Sent::Blocked;
        }
        self.blocked = match sent {
            Sent::All => None,
            Sent::Blocked => self.blocked.or(Some(now.instant)),
        };
        Ok(sent)
    }

    fn hear(&mut self, sounding: &Sounding, place: Place, now: Moment) -> bool {
        // Nobody here has waited for it: each frame is a packet, whatever comes next.
        if place == Place::Left {
            return true;
        }
        // What the system has not taken goes first.
        if !self.out.is_empty() && !self.flush() {
            return false;
        }
        let Some(sound) = &mut self.sound else {
            return false;
        };
        if !sound.is_for(sounding) {
            return true;
        }
        let first = sound.is_new();
        let mut exit = Exit {
            keys: &mut self.keys,
            control: &mut self.control,
            out: &mut self.out,
        };
        sound.send(sounding, &mut exit, now);
        if first {
            self.soon = AT_FIRST;
            self.report(now);
        }
        self.flush();
        true
    }

    fn backlog(&self) -> Backlog {
        let keyframe = self
            .outbox
            .front()
            .filter(|front| front.packets.header.keyframe);
        Backlog {
            unsent: self.outbox.len(),
            keyframe_left: keyframe.map_or(0, Outbound::bytes_left),
            bytes: self.outbox.iter().map(Outbound::bytes_left).sum(),
        }
    }

    fn give_up(&mut self) {}

    fn cut(&mut self) {
        self.outbox.clear();
        self.sender.forget();
    }

    fn carries(&self) -> Option<u64> {
        self.control.carries()
    }

    fn round_trip(&self) -> Option<Duration> {
        Some(self.round_trip)
    }

    fn fill(&mut self, bytes: usize, now: Instant) {
        if self.sender.is_told_of_arrivals() {
            self.filler.begin(bytes, now);
        }
    }

    fn unheard_since(&mut self, _: Instant) -> Option<Instant> {
        self.blocked.max(self.blocked.and(self.heard))
    }

    fn due(&self) -> Option<Instant> {
        let probe = self.probe.map(|probe| probe.at);
        [Some(self.next_report), probe, self.paced, self.filler.due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn pass_time(&mut self, now: Moment) -> bool {
        if let Some(probe) = self.probe.filter(|probe| probe.at <= now.instant) {
            self.probe = probe.next(now.instant);
            let mut exit = Exit {
                keys: &mut self.keys,
                control: &mut self.control,
                out: &mut self.out,
            };
            self.sender.probe(&mut exit, now);
        }
        let fill = self.filler.take(now.instant);
        if fill > 0 {
            let mut exit = Exit {
                keys: &mut self.keys,
                control: &mut self.control,
                out: &mut self.out,
            };
            let sent = self.sender.fill(fill, &mut exit, now);
            self.filler.went_ahead(sent.saturating_sub(fill));
        }
        if self.next_report <= now.instant {
            self.report(now);
        }
        self.flush();
        self.paced.is_some_and(|paced| paced <= now.instant)
    }
}

/// Puts pieces together and cuts what is whole into packets.
#[derive(Clone)]
pub(in crate::webrtc) struct FramePacker {
    assembly: Assembly,
    packetizer: Arc<Packetizer>,
}

impl FramePacker {
    /// At the begin of a group; `packetizer` is the broadcast's.
    pub(in crate::webrtc) fn new(packetizer: Arc<Packetizer>) -> Self {
        Self {
            assembly: Assembly::default(),
            packetizer,
        }
    }
}

impl Packer for FramePacker {
    type Parcel = Arc<Packets>;

    fn pack(&mut self, pieces: Vec<Bytes>) -> Vec<Arc<Packets>> {
        let wholes = pieces
            .into_iter()
            .filter_map(|piece| self.assembly.push(piece));
        wholes
            .filter_map(|whole| self.packetizer.packets(&whole))
            .collect()
    }

    fn cut(&mut self) {
        self.assembly.cut();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_from_1900() {
        let half = ntp(RelayTime::from_micros(500_000));
        assert_eq!(half, (2_208_988_800 << 32) | 0x8000_0000);
    }
}
