//! From one session at another relay into the broadcast here.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{
    FrameHeader, Phase, ResumeSecret, SoundFormat, SoundPacket, Status, TrackGroup, TrackId,
    decode_sound,
};
use tokio::sync::watch;
use wtransport::RecvStream;

use super::clock::here;
use super::line::Line;
use crate::auth::random;
use crate::broadcast::{Broadcast, MemoryError, PublishError, RelayTime, Widths, Word};
use crate::session::{Count, GroupError, GroupReader, Part};
use crate::shard::RelayClock;

/// What the sessions of one link bring into the broadcast.
pub(super) struct Feed {
    broadcast: Arc<Broadcast>,
    clock: RelayClock,
    /// What the control stream has said: frames wait for it.
    known: watch::Sender<Known>,
    state: Mutex<State>,
    count: Count,
}

struct State {
    line: Option<Arc<Line>>,
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

impl Feed {
    /// A feed of a session that has been welcomed with `status`, at a relay whose clock is so far ahead.
    pub(super) fn new(
        broadcast: &Arc<Broadcast>,
        clock: RelayClock,
        status: Status,
        offset: i64,
    ) -> Self {
        Self {
            broadcast: broadcast.clone(),
            clock,
            known: watch::Sender::new(Known {
                phase: status.phase,
                epoch: status.epoch,
                withheld: None,
            }),
            state: Mutex::new(State {
                line: None,
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

    /// The other relay lives, and its clock is so far ahead: the broadcast is still doing as it has said.
    pub(super) fn heard(&self, offset: i64) {
        let mut state = self.state.lock();
        state.offset = offset;
        if let Some(line) = &state.line {
            line.clock_is(offset);
            line.seat.follow(state.word, self.clock.now());
        }
    }

    /// The broadcast is doing otherwise.
    pub(super) fn becomes(&self, status: Status) {
        let mut state = self.state.lock();
        state.word = word(status, state.offset);
        if let Some(line) = &state.line {
            line.seat.follow(state.word, self.clock.now());
        }
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
        if let Some(line) = &state.line {
            line.seat.sounds_as(format);
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
        if !self.known.borrow().admits(packet.epoch) {
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
        let now = self.clock.now();
        let secret = random().map(ResumeSecret).ok()?;
        let seat = self
            .broadcast
            .attach_publisher(None, secret, Widths::Any, now)
            .ok()?;
        seat.follow(state.word, now);
        seat.sounds_as(state.sound);
        let line = Arc::new(Line::new(epoch, seat, state.offset));
        // The seat before is superseded: that it goes changes nothing.
        state.line = Some(line.clone());
        Some(line)
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
        let Some(line) = self.line(head.epoch) else {
            return false;
        };
        match line.open(track, &head) {
            Some(group) => self.take_group(reader, &line, (track, group)).await,
            None => false,
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
