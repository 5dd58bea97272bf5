//! The rules of one broadcast, without locks, channels or time of their own.

use bytes::Bytes;
use steadycast_codec_glue::wire::{Code, Phase, ResumeSecret, Status};

use super::cache::{Cache, CacheError, GroupKey, Taken};
use super::cursor::{Cursor, Outlook, Step};
use super::keyframes::KeyframeRequests;
use super::{Frame, Need, RelayTime, Settings, Totals};

/// Why a publisher or player may not attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// The broadcast has ended.
    #[error("the broadcast has ended")]
    Ended(Code),
    /// Another publisher has taken over since (PROTOCOL 3.3).
    #[error("another publisher has taken over")]
    Superseded,
    /// The broadcast has as many players as it may have.
    #[error("the broadcast is full")]
    Full,
}

impl AttachError {
    /// The code that tells the client.
    pub fn code(self) -> Code {
        match self {
            Self::Ended(code) => code,
            Self::Superseded => Code::Superseded,
            Self::Full => Code::TooMany,
        }
    }
}

/// Why a frame is refused. Always the publisher's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The frame names another epoch than its session's.
    #[error("epoch {0} is not this session's")]
    StaleEpoch(u32),
    /// A newer publisher has taken over; the frame was on its way meanwhile.
    #[error("another publisher has taken over")]
    Superseded,
    /// The cache refused it.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The relay's memory for pictures is used up.
    #[error("the relay has no room for more pictures")]
    NoRoom,
}

impl PublishError {
    /// The code that tells the publisher.
    pub fn code(self) -> Code {
        match self {
            Self::StaleEpoch(_) => Code::StaleEpoch,
            Self::Superseded => Code::Superseded,
            Self::Cache(CacheError::Gap { .. }) => Code::OutOfOrder,
            Self::Cache(CacheError::GroupTooLarge { .. }) => Code::TooLarge,
            Self::NoRoom => Code::TooMany,
        }
    }
}

/// What a player's page has counted since its session began (PROTOCOL 2.2, `Report`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blank pictures shown after the first real one.
    pub black: u64,
    /// Decoder errors.
    pub decoder_errors: u32,
}

/// A group of at most so many frames and bytes arrives sooner than a new keyframe would.
const FRESH_FRAMES: usize = 60;
const FRESH_BYTES: usize = 512 << 10;

#[derive(Debug)]
struct Publisher {
    epoch: u32,
    heard: RelayTime,
    last_frame: Option<RelayTime>,
}

/// One broadcast's state.
#[derive(Debug)]
pub(super) struct State {
    phase: Phase,
    since: RelayTime,
    epoch: u32,
    lineage: Option<ResumeSecret>,
    publisher: Option<Publisher>,
    pub(super) cache: Cache,
    keyframes: KeyframeRequests,
    players: u32,
    pub(super) totals: Totals,
    ended: Option<Code>,
}

/// What a tick of the clock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    Nothing,
    PhaseChanged,
    HeldTooLong,
}

impl State {
    pub(super) fn new(now: RelayTime) -> Self {
        Self {
            phase: Phase::Waiting,
            since: now,
            epoch: 0,
            lineage: None,
            publisher: None,
            cache: Cache::default(),
            keyframes: KeyframeRequests::default(),
            players: 0,
            totals: Totals::default(),
            ended: None,
        }
    }

    pub(super) fn status(&self) -> Status {
        Status {
            phase: self.phase,
            since_us: self.since.as_micros(),
            epoch: self.epoch,
            players: self.players,
        }
    }

    /// Whether the newest group is whole, short and small.
    pub(super) fn is_fresh(&self) -> bool {
        self.cache.newest().is_some_and(|newest| {
            newest.has_keyframe()
                && newest.frames() <= FRESH_FRAMES
                && newest.bytes() <= FRESH_BYTES
        })
    }

    pub(super) fn ended(&self) -> Option<Code> {
        self.ended
    }

    /// A publisher takes over (PROTOCOL 3.1, 3.3). Returns its epoch and lineage;
    /// `fresh` is the lineage of one that resumes none.
    pub(super) fn attach_publisher(
        &mut self,
        resume: Option<ResumeSecret>,
        fresh: ResumeSecret,
        now: RelayTime,
    ) -> Result<(u32, ResumeSecret), AttachError> {
        if let Some(code) = self.ended {
            return Err(AttachError::Ended(code));
        }
        let lineage = match (resume, self.lineage) {
            (Some(resumed), Some(current)) if resumed != current => {
                return Err(AttachError::Superseded);
            }
            (Some(resumed), _) => resumed,
            (None, _) => fresh,
        };
        self.cache.cut(None);
        self.epoch += 1;
        self.lineage = Some(lineage);
        self.publisher = Some(Publisher {
            epoch: self.epoch,
            heard: now,
            last_frame: None,
        });
        self.keyframes.reset();
        self.totals.publishers_joined += 1;
        Ok((self.epoch, lineage))
    }

    /// A publisher's session has ended. True when that changed the phase.
    pub(super) fn detach_publisher(&mut self, epoch: u32, now: RelayTime) -> bool {
        if !self.is_current(epoch) {
            return false;
        }
        self.publisher = None;
        self.cache.cut(None);
        self.enter_held(now)
    }

    /// Something was heard from the publisher. True when that changed the phase.
    pub(super) fn heard(&mut self, epoch: u32, now: RelayTime) -> bool {
        let Some(publisher) = self.publisher.as_mut().filter(|p| p.epoch == epoch) else {
            return false;
        };
        publisher.heard = now;
        // Held, but its publisher is attached and has sent a picture: it was only silent.
        publisher.last_frame.is_some() && self.enter(Phase::Live, now)
    }

    /// More of a frame that a publisher has begun.
    pub(super) fn extend(&mut self, key: GroupKey, bytes: Bytes, now: RelayTime) {
        if !self.is_current(key.epoch) {
            return;
        }
        self.totals.bytes_received += bytes.len() as u64;
        // A frame that became late while it came was counted when it began.
        self.cache.extend(key, bytes, now);
        if let Some(publisher) = &mut self.publisher {
            publisher.heard = now;
        }
    }

    /// The rest of the frame that a publisher has begun in this group will not come.
    pub(super) fn cut(&mut self, key: GroupKey) {
        if self.is_current(key.epoch) {
            self.cache.cut(Some(key));
        }
    }

    /// A publisher's frame, or the beginning of one. `room` is what the process may still cache, in bytes.
    pub(super) fn publish(
        &mut self,
        epoch: u32,
        frame: Frame,
        room: usize,
        now: RelayTime,
    ) -> Result<(Taken, bool), PublishError> {
        if frame.header().epoch != epoch {
            return Err(PublishError::StaleEpoch(frame.header().epoch));
        }
        if !self.is_current(epoch) {
            return Err(PublishError::Superseded);
        }
        if frame.len() + frame.missing() > room {
            return Err(PublishError::NoRoom);
        }
        let (len, refinement) = (frame.len() as u64, frame.header().refinement);
        let taken = self.cache.take(&frame, now)?;
        self.totals.frames_received += 1;
        self.totals.bytes_received += len;
        match taken {
            Taken::Late => self.totals.late_frames += 1,
            Taken::Opened => {
                self.keyframes.answered(now);
                self.totals.newest_keyframe_us = now.as_micros();
            }
            Taken::Appended => {}
        }
        if let Some(publisher) = &mut self.publisher {
            // A refinement follows a picture that stood still: no gap worth recording.
            if !refinement {
                self.totals.gap(publisher.last_frame, now);
            }
            publisher.last_frame = Some(now);
            publisher.heard = now;
        }
        Ok((taken, self.enter(Phase::Live, now)))
    }

    pub(super) fn attach_player(&mut self, settings: &Settings) -> Result<(), AttachError> {
        if let Some(code) = self.ended {
            return Err(AttachError::Ended(code));
        }
        if self.players >= settings.players_per_broadcast {
            return Err(AttachError::Full);
        }
        self.players += 1;
        self.totals.players_joined += 1;
        Ok(())
    }

    pub(super) fn detach_player(&mut self, code: Code) {
        self.players = self.players.saturating_sub(1);
        *self.totals.players_left.entry(code.name()).or_default() += 1;
    }

    pub(super) fn step(&self, cursor: &mut Cursor, settings: &Settings, now: RelayTime) -> Step {
        cursor.step(self.outlook(settings, now))
    }

    pub(super) fn is_overtaken(
        &self,
        cursor: &Cursor,
        settings: &Settings,
        now: RelayTime,
    ) -> bool {
        cursor.is_overtaken(self.outlook(settings, now))
    }

    /// Whether to ask the publisher for a keyframe now.
    pub(super) fn ask(&mut self, need: Need, settings: &Settings, now: RelayTime) -> bool {
        let ask =
            self.publisher.is_some() && self.keyframes.ask(need, settings.keyframe_interval, now);
        if ask {
            self.totals.keyframe_requests += 1;
        }
        ask
    }

    pub(super) fn end(&mut self, code: Code) -> bool {
        let first = self.ended.is_none();
        self.ended.get_or_insert(code);
        self.cache = Cache::default();
        first
    }

    /// What time alone changes: silence, age, eviction.
    pub(super) fn tick(&mut self, settings: &Settings, now: RelayTime) -> Tick {
        self.cache.evict(now);
        if self.ended.is_some() {
            return Tick::Nothing;
        }
        if self.phase == Phase::Held && now - self.since > settings.held_timeout {
            return Tick::HeldTooLong;
        }
        let silent = self
            .publisher
            .as_ref()
            .is_some_and(|p| now - p.heard > settings.publisher_silence);
        if silent && self.enter_held(now) {
            return Tick::PhaseChanged;
        }
        Tick::Nothing
    }

    fn outlook<'a>(&'a self, settings: &'a Settings, now: RelayTime) -> Outlook<'a> {
        Outlook {
            cache: &self.cache,
            // A silent publisher cannot answer either.
            attached: self.publisher.is_some() && self.phase == Phase::Live,
            settings,
            now,
        }
    }

    fn is_current(&self, epoch: u32) -> bool {
        self.publisher.as_ref().is_some_and(|p| p.epoch == epoch)
    }

    /// A broadcast that never had a picture goes on waiting for one.
    fn enter_held(&mut self, now: RelayTime) -> bool {
        self.phase != Phase::Waiting && self.enter(Phase::Held, now)
    }

    fn enter(&mut self, phase: Phase, now: RelayTime) -> bool {
        if self.phase == phase {
            return false;
        }
        self.phase = phase;
        self.since = now;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::frame;
    use super::*;
    use std::time::Duration;

    const FRESH: ResumeSecret = ResumeSecret([1; 16]);
    const OTHER: ResumeSecret = ResumeSecret([2; 16]);
    const ROOM: usize = usize::MAX;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(ms * 1000)
    }

    fn live() -> (State, u32) {
        let mut state = State::new(at(0));
        let (epoch, _) = state.attach_publisher(None, FRESH, at(1)).unwrap();
        state
            .publish(epoch, frame(epoch, 0, 0, 10), ROOM, at(2))
            .unwrap();
        (state, epoch)
    }

    #[test]
    fn a_broadcast_waits_then_lives_then_is_held_and_lives_again() {
        let (mut state, epoch) = live();
        assert_eq!(state.status().phase, Phase::Live);
        assert!(state.detach_publisher(epoch, at(10)));
        assert_eq!(state.status().phase, Phase::Held);
        assert_eq!(state.status().since_us, 10_000);
        assert_eq!(state.cache.frames(), 1, "the picture is kept");
        let (second, _) = state.attach_publisher(Some(FRESH), OTHER, at(20)).unwrap();
        assert_eq!(state.status().phase, Phase::Held, "until a picture comes");
        state
            .publish(second, frame(second, 0, 0, 10), ROOM, at(30))
            .unwrap();
        assert_eq!(state.status().phase, Phase::Live);
    }

    #[test]
    fn the_late_close_of_an_older_publisher_changes_nothing() {
        let (mut state, first) = live();
        let (second, _) = state.attach_publisher(None, OTHER, at(5)).unwrap();
        state
            .publish(second, frame(second, 0, 0, 10), ROOM, at(6))
            .unwrap();
        assert!(!state.detach_publisher(first, at(7)));
        assert_eq!(state.status().phase, Phase::Live);
        assert_eq!(
            state.publish(first, frame(first, 1, 0, 10), ROOM, at(8)),
            Err(PublishError::Superseded)
        );
        assert_eq!(
            state.publish(second, frame(first, 1, 0, 10), ROOM, at(9)),
            Err(PublishError::StaleEpoch(first))
        );
    }

    #[test]
    fn a_superseded_lineage_cannot_resume_but_can_take_over() {
        let (mut state, _) = live();
        state.attach_publisher(None, OTHER, at(5)).unwrap();
        assert_eq!(
            state.attach_publisher(Some(FRESH), FRESH, at(6)),
            Err(AttachError::Superseded)
        );
        assert!(state.attach_publisher(None, FRESH, at(7)).is_ok());
    }

    #[test]
    fn a_silent_publisher_is_away_and_back_at_its_next_byte() {
        let (mut state, epoch) = live();
        let settings = Settings::default();
        assert_eq!(state.tick(&settings, at(802)), Tick::Nothing);
        assert_eq!(state.tick(&settings, at(803)), Tick::PhaseChanged);
        assert_eq!(state.status().phase, Phase::Held);
        assert!(state.heard(epoch, at(900)));
        assert_eq!(state.status().phase, Phase::Live);
    }

    #[test]
    fn a_broadcast_held_too_long_ends() {
        let (mut state, epoch) = live();
        let settings = Settings::default();
        state.detach_publisher(epoch, at(10));
        let over = at(11) + settings.held_timeout;
        assert_eq!(state.tick(&settings, over), Tick::HeldTooLong);
        state.end(Code::HeldTooLong);
        assert_eq!(
            state.attach_player(&settings),
            Err(AttachError::Ended(Code::HeldTooLong))
        );
    }

    #[test]
    fn a_waiting_broadcast_never_times_out() {
        let mut state = State::new(at(0));
        let day = at(0) + Duration::from_secs(86_400);
        assert_eq!(state.tick(&Settings::default(), day), Tick::Nothing);
    }

    #[test]
    fn without_room_a_frame_is_refused() {
        let (mut state, epoch) = live();
        assert_eq!(
            state.publish(epoch, frame(epoch, 0, 1, 100), 50, at(3)),
            Err(PublishError::NoRoom)
        );
    }
}
