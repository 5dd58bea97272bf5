//! From one session at another relay into the broadcast here.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{
    FrameHeader, Phase, SoundFormat, SoundPacket, Status, TrackGroup, TrackId, decode_sound,
};
use tokio::sync::watch;
use wtransport::RecvStream;

use super::clock::here;
use super::line::Line;
use super::pull::Pull;
use crate::broadcast::{
    AttachError, Broadcast, MemoryError, Newest, PublishError, PublisherSeat, RelayTime, Word,
};
use crate::session::{Count, GroupError, GroupReader, Part};
use crate::shard::RelayClock;

/// Frames whose capture times differ by no more may be the same, in microseconds: clocks of relays are estimated.
const SAME: u64 = 10_000;

/// What the sessions of one link bring into the broadcast.
pub(super) struct Feed {
    broadcast: Arc<Broadcast>,
    clock: RelayClock,
    /// What the control stream has said: frames wait for it.
    known: watch::Sender<Known>,
    /// Whether what it brings is what is seen here: one beside another that is in charge waits for what is newer than all
    /// that was seen.
    charge: watch::Sender<bool>,
    /// Which move of the broadcast it belongs to.
    moves: u32,
    state: Mutex<State>,
    count: Count,
}

struct State {
    line: Option<Arc<Line>>,
    /// The seat of the next line, where it has been taken already.
    seat: Option<PublisherSeat>,
    /// Tracks of which what came was newer than what was seen before.
    caught_up: [bool; TrackId::COUNT],
    /// A keyframe is needed: what there was to go on from was seen before.
    behind: bool,
    word: Word,
    sound: Option<SoundFormat>,
    /// How far the other relay's clock is ahead, in microseconds.
    offset: i64,
}

/// What decides whether frames may come in.
#[derive(Debug, Clone, Copy)]
struct Known {
    phase: Phase,
    epoch: u32,
    /// The epoch of the pause that stands.
    withheld: Option<u32>,
}

impl Known {
    /// Whether it is known what may be seen of an epoch (PROTOCOL 11.4).
    fn admits(self, epoch: u32) -> bool {
        let told = self.phase != Phase::Paused || self.withheld >= Some(epoch);
        epoch <= self.epoch && told
    }
}

impl State {
    fn seated(&self) -> Option<&PublisherSeat> {
        let line = self.line.as_ref().map(|line| &line.seat);
        line.or(self.seat.as_ref())
    }

    /// The broadcast here does as the other relay says. Of a picture that is taken back the epoch has to be known first,
    /// and one that waits there has not begun.
    fn follow(&self, now: RelayTime) {
        let said = matches!(self.word.phase, Phase::Live | Phase::Held) || self.line.is_some();
        if let Some(seat) = self.seated().filter(|_| said) {
            seat.follow(self.word, now);
        }
    }
}

impl Feed {
    /// A feed of a session that has been welcomed with `status`, at a relay whose clock is so far ahead.
    pub(super) fn new(pull: &Pull, status: Status, offset: i64) -> Self {
        Self {
            broadcast: pull.broadcast.clone(),
            clock: pull.clock,
            charge: watch::Sender::new(false),
            moves: pull.moves,
            known: watch::Sender::new(Known {
                phase: status.phase,
                epoch: status.epoch,
                withheld: None,
            }),
            state: Mutex::new(State {
                line: None,
                seat: None,
                caught_up: [false; TrackId::COUNT],
                behind: false,
                word: word(status, offset),
                sound: None,
                offset,
            }),
            count: Count::default(),
        }
    }

    /// The broadcast here.
    pub(super) fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// The epoch of the other relay's that is fed in, once there is one.
    pub(super) fn epoch(&self) -> Option<u32> {
        self.state.lock().line.as_ref().map(|line| line.epoch)
    }

    /// Whether it is in charge, and where to hear that it is.
    pub(super) fn charge(&self) -> watch::Receiver<bool> {
        self.charge.subscribe()
    }

    /// There is no other: where there is a picture here, it goes on as the other relay says, in this seat or another.
    pub(super) fn take_charge(&self, seat: Option<PublisherSeat>) {
        let mut state = self.state.lock();
        if state.line.is_none() {
            let seated = seat.or_else(|| {
                self.broadcast.newest(TrackId::MAIN)?;
                self.seat().ok()
            });
            if let Some(seat) = seated {
                seat.sounds_as(state.sound);
                state.seat = Some(seat);
            }
            state.follow(self.clock.now());
        }
        drop(state);
        self.charge.send_replace(true);
    }

    /// Whether a keyframe is needed to go on.
    pub(super) fn is_behind(&self) -> bool {
        self.state.lock().behind
    }

    fn seat(&self) -> Result<PublisherSeat, AttachError> {
        let now = self.clock.now();
        self.broadcast.attach_relay_above(self.moves, now)
    }

    /// The other relay lives, and its clock is so far ahead: the broadcast is still doing as it has said.
    pub(super) fn heard(&self, offset: i64) {
        let mut state = self.state.lock();
        state.offset = offset;
        if let Some(line) = &state.line {
            line.clock_is(offset);
        }
        state.follow(self.clock.now());
    }

    /// The broadcast is doing otherwise.
    pub(super) fn becomes(&self, status: Status) {
        let mut state = self.state.lock();
        state.word = word(status, state.offset);
        state.follow(self.clock.now());
        drop(state);
        self.known.send_modify(|known| {
            known.phase = status.phase;
            known.epoch = status.epoch;
        });
    }

    /// The publisher of that epoch has taken its picture back.
    pub(super) fn pause(&self, epoch: u32, from: &[TrackGroup]) {
        // Where there is a newer epoch it is over.
        if let Some(line) = self.line(epoch) {
            line.pause(from, self.clock.now());
            self.known.send_modify(|known| known.withheld = Some(epoch));
        }
    }

    /// What the publisher sends is its picture again.
    pub(super) fn go_on(&self) {
        if let Some(line) = &self.state.lock().line {
            line.seat.go_on(self.clock.now());
        }
        self.known.send_modify(|known| {
            known.withheld = None;
            if known.phase == Phase::Paused {
                known.phase = Phase::Live;
            }
        });
    }

    /// What there is to hear.
    pub(super) fn sounds_as(&self, format: Option<SoundFormat>) {
        let mut state = self.state.lock();
        state.sound = format;
        if let Some(seat) = state.seated() {
            seat.sounds_as(format);
        }
    }

    /// Takes a datagram with sound.
    pub(super) fn hear(&self, datagram: &Bytes) {
        let packet = match decode_sound(datagram) {
            Ok(Some(packet)) => packet,
            Ok(None) => return,
            Err(error) => return tracing::debug!(%error, "sound of a relay that is none"),
        };
        // What comes before it is known whose it is comes too early to be heard.
        if !self.known.borrow().admits(packet.epoch) || !*self.charge.borrow() {
            return;
        }
        let Some(line) = self.line(packet.epoch) else {
            return;
        };
        let packet = SoundPacket {
            epoch: line.seat.epoch(),
            capture_us: line.time(packet.capture_us),
            ..packet
        };
        if let Err(error) = line.seat.publish_sound(packet, self.clock.now()) {
            tracing::debug!(%error, "sound of a relay");
        }
    }

    /// The other relay has no rendition for `track`, and will not have one.
    pub(super) fn refuse(&self, track: TrackId) {
        if let Some(line) = &self.state.lock().line {
            line.seat.refuse(track);
        }
    }

    /// The line of an epoch, which begins where it is newer than all before; `None` where it is older, or the
    /// broadcast has ended.
    fn line(&self, epoch: u32) -> Option<Arc<Line>> {
        let mut state = self.state.lock();
        if let Some(line) = state.line.as_ref().filter(|line| line.epoch >= epoch) {
            return (line.epoch == epoch).then(|| line.clone());
        }
        let seat = state.seat.take();
        let seat = seat.map_or_else(|| self.seat(), Ok).ok()?;
        seat.follow(state.word, self.clock.now());
        seat.sounds_as(state.sound);
        let line = Arc::new(Line::new(epoch, seat, state.offset));
        // The seat before is superseded: that it goes changes nothing.
        state.line = Some(line.clone());
        drop(state);
        self.charge.send_replace(true);
        Some(line)
    }

    /// Whether a group of the other relay's begins with what was seen here already, or with what is older.
    fn was_seen(&self, track: TrackId, head: &FrameHeader) -> Option<Newest> {
        let newest = self.broadcast.newest(track);
        let mut state = self.state.lock();
        let captured = here(head.capture_us, state.offset);
        let caught_up = &mut state.caught_up[usize::from(track.number())];
        let seen = newest.filter(|newest| !*caught_up && newest.has_seen(head, captured));
        *caught_up |= seen.is_none();
        seen
    }

    /// Reads a group of the other relay's main track, or of a rendition of its, into a track here. Gives whether the
    /// rest of it is missing here, so that a keyframe is needed.
    pub(super) async fn read_group(&self, stream: RecvStream, track: TrackId) -> bool {
        let mut reader = GroupReader::new(stream, self.broadcast.account(), &self.count);
        let head = match reader.ahead().await {
            Ok(Some(head)) => head,
            Ok(None) | Err(GroupError::CutOff) => return false,
            Err(error) => {
                tracing::debug!(%error, "a group of a relay");
                return false;
            }
        };
        if (head.track == TrackId::MAIN) != (track == TrackId::MAIN) {
            tracing::debug!(%track, theirs = %head.track, "a group that was not asked for");
            return false;
        }
        let mut known = self.known.subscribe();
        if known
            .wait_for(|known| known.admits(head.epoch))
            .await
            .is_err()
        {
            return false;
        }
        let mut seen = self.was_seen(track, &head);
        if seen.is_some() {
            // What is in charge meanwhile shows more of it.
            let mut charge = self.charge();
            if charge.wait_for(|in_charge| *in_charge).await.is_err() {
                return false;
            }
            // Or it has not come to its end there.
            let captured = here(head.capture_us, self.state.lock().offset);
            let newest = self.broadcast.newest(track);
            seen = newest.filter(|newest| newest.has_seen(&head, captured));
        }
        let Some(line) = self.line(head.epoch) else {
            return false;
        };
        let Some(group) = line.open(track, &head) else {
            return false;
        };
        if let Some(seen) = seen {
            return self.go_on_from(seen, reader, &line, (track, group)).await;
        }
        self.state.lock().behind = false;
        self.take_group(reader, &line, (track, group)).await
    }

    /// Reads a group whose beginning was seen. It is shown only where there is more in it, and nobody there who could
    /// begin another.
    async fn go_on_from(
        &self,
        seen: Newest,
        mut reader: GroupReader<RecvStream>,
        line: &Line,
        (track, group): (TrackId, u32),
    ) -> bool {
        // Clocks may be off: what is new is not missed while there is somebody to ask for it.
        if self.known.borrow().phase == Phase::Live {
            self.state.lock().behind = true;
            return true;
        }
        let mut parts = Vec::new();
        loop {
            let Ok(Some(head)) = reader.ahead().await else {
                return false;
            };
            if line.time(head.capture_us) > seen.captured + SAME {
                break;
            }
            if !self
                .keep_frame(&mut reader, (line, track, group), &mut parts)
                .await
            {
                return false;
            }
        }
        for part in parts {
            if !self.take_part(part, line, (track, group)) {
                return true;
            }
        }
        self.take_group(reader, line, (track, group)).await
    }

    /// Reads a frame without showing it. False where there is none.
    async fn keep_frame(
        &self,
        reader: &mut GroupReader<RecvStream>,
        (line, track, group): (&Line, TrackId, u32),
        parts: &mut Vec<Part>,
    ) -> bool {
        loop {
            let part = reader
                .next(|header: &mut FrameHeader| line.mend(header, track, group, self.clock.now()))
                .await;
            match part {
                Ok(Some(part)) => parts.push(part),
                Ok(None) | Err(_) => return false,
            }
            if reader.inside_frame().is_none() {
                return true;
            }
        }
    }

    /// Whether it was taken.
    fn take_part(&self, part: Part, line: &Line, (track, group): (TrackId, u32)) -> bool {
        let now = self.clock.now();
        match part {
            Part::Frame(frame) => line.seat.publish(frame, now).is_ok(),
            Part::More { bytes, .. } => {
                line.seat.extend(track, group, bytes, now);
                true
            }
        }
    }

    async fn take_group(
        &self,
        mut reader: GroupReader<RecvStream>,
        line: &Line,
        (track, group): (TrackId, u32),
    ) -> bool {
        let seat = &line.seat;
        loop {
            let part = reader
                .next(|header: &mut FrameHeader| line.mend(header, track, group, self.clock.now()))
                .await;
            let now = self.clock.now();
            match part {
                Ok(Some(Part::Frame(frame))) => match seat.publish(frame, now) {
                    Ok(()) => {}
                    Err(PublishError::Superseded | PublishError::Ended(_)) => return false,
                    Err(error) => {
                        tracing::debug!(%error, %track, group, "a group of a relay");
                        return true;
                    }
                },
                Ok(Some(Part::More { bytes, .. })) => seat.extend(track, group, bytes, now),
                Ok(None) => return false,
                Err(error) => {
                    if reader.inside_frame().is_some() {
                        seat.cut(track, group);
                    }
                    return match error {
                        // What takes its place comes by itself.
                        GroupError::CutOff => false,
                        GroupError::Wire(error) => {
                            tracing::debug!(%error, %track, group, "a group of a relay");
                            true
                        }
                        GroupError::Memory(MemoryError::Full | MemoryError::System(_)) => {
                            seat.pass_over(track, group, now);
                            reader.pass_over().await;
                            false
                        }
                    };
                }
            }
        }
    }
}

fn word(status: Status, offset: i64) -> Word {
    Word {
        phase: status.phase,
        since: RelayTime::from_micros(here(status.since_us, offset)),
    }
}
