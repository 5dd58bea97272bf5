//! A broadcast as sessions share it: the rules behind a lock, and channels that say when to look
//! again. Each wakes only those whom a change concerns: with a thousand players, a wake-up that
//! nobody needed is a thousand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, ResumeSecret, Status};
use tokio::sync::watch;

use super::cache::GroupKey;
use super::state::{State, Tick};
use super::{
    AttachError, Before, BroadcastId, CacheSnapshot, Cursor, Frame, Need, Progress, PublishError,
    RelayTime, Settings, Snapshot, Step,
};

/// What publishers are told. Coalesced: only the newest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How the broadcast is doing.
    pub status: Status,
    /// Keyframe requests made of the publisher so far.
    pub keyframe_requests: u64,
    /// Set once the broadcast has ended.
    pub ended: Option<Code>,
}

/// What players are told. Coalesced: only the newest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// How the broadcast is doing; `players` may be out of date.
    pub status: Status,
    /// Set once the broadcast has ended.
    pub ended: Option<Code>,
}

impl News {
    fn of(state: &State) -> Self {
        Self {
            status: state.status(),
            ended: state.ended(),
        }
    }

    /// Whether players are told of the difference (PROTOCOL 2.5).
    fn differs(&self, other: &Self) -> bool {
        let known = |news: &Self| {
            let status = news.status;
            (status.phase, status.since_us, status.epoch, news.ended)
        };
        known(self) != known(other)
    }
}

/// What one broadcast's sessions share.
#[derive(Debug)]
pub struct Broadcast {
    id: BroadcastId,
    title: String,
    settings: Arc<Settings>,
    state: Mutex<State>,
    /// Rises with every frame, and with what changes the worth of those that are there.
    frames: watch::Sender<u64>,
    news: watch::Sender<News>,
    pulse: watch::Sender<Pulse>,
    budget: Budget,
}

/// A share of the memory that all caches together may hold.
#[derive(Debug)]
struct Budget {
    used: Arc<AtomicUsize>,
    mine: AtomicUsize,
    limit: usize,
}

impl Budget {
    /// Bytes that nobody has taken.
    fn room(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Records that this broadcast caches `now` bytes. Called under the broadcast's lock.
    fn record(&self, now: usize) {
        let before = self.mine.swap(now, Ordering::Relaxed);
        if now >= before {
            self.used.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.used.fetch_sub(before - now, Ordering::Relaxed);
        }
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.record(0);
    }
}

impl Broadcast {
    pub(super) fn new(
        id: BroadcastId,
        title: String,
        settings: Arc<Settings>,
        cached: Arc<AtomicUsize>,
        now: RelayTime,
    ) -> Self {
        let state = State::new(now);
        let (frames, _) = watch::channel(0);
        let (news, _) = watch::channel(News::of(&state));
        let (pulse, _) = watch::channel(Pulse {
            status: state.status(),
            keyframe_requests: 0,
            ended: None,
        });
        let budget = Budget {
            used: cached,
            mine: AtomicUsize::new(0),
            limit: settings.cache_bytes,
        };
        Self {
            id,
            title,
            settings,
            state: Mutex::new(state),
            frames,
            news,
            pulse,
            budget,
        }
    }

    /// The broadcast's id.
    pub fn id(&self) -> &BroadcastId {
        &self.id
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How it is doing now.
    pub fn status(&self) -> Status {
        self.state.lock().status()
    }

    /// Everything that the HTTP API shows of it.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state.lock();
        let status = state.status();
        Snapshot {
            id: self.id.clone(),
            title: self.title.clone(),
            phase: status.phase.name(),
            since_us: status.since_us,
            epoch: status.epoch,
            players: status.players,
            cache: CacheSnapshot {
                groups: state.cache.groups(),
                frames: state.cache.frames(),
                bytes: state.cache.bytes(),
            },
            totals: state.totals.clone(),
        }
    }

    /// A publisher takes over; the one before it learns so from its pulse (PROTOCOL 3.1).
    ///
    /// `fresh` becomes the lineage of a publisher that resumes none.
    ///
    /// # Errors
    /// [`AttachError::Ended`], or [`AttachError::Superseded`] when `resume` is another's lineage.
    pub fn attach_publisher(
        self: &Arc<Self>,
        resume: Option<ResumeSecret>,
        fresh: ResumeSecret,
        now: RelayTime,
    ) -> Result<PublisherSeat, AttachError> {
        let mut state = self.state.lock();
        let (epoch, lineage) = state.attach_publisher(resume, fresh, now)?;
        self.announce(&state);
        Ok(PublisherSeat {
            broadcast: self.clone(),
            epoch,
            lineage,
            heard: AtomicU64::new(now.as_micros()),
        })
    }

    /// A player takes its seat.
    ///
    /// # Errors
    /// [`AttachError::Ended`] or [`AttachError::Full`].
    pub fn attach_player(self: &Arc<Self>) -> Result<PlayerSeat, AttachError> {
        let mut state = self.state.lock();
        state.attach_player(&self.settings)?;
        self.announce(&state);
        Ok(PlayerSeat {
            broadcast: self.clone(),
            cursor: Cursor::default(),
            progress: Progress::default(),
            left: None,
        })
    }

    /// What time alone changes. Returns the code when the broadcast is to end.
    pub fn tick(&self, now: RelayTime) -> Option<Code> {
        let mut state = self.state.lock();
        let tick = state.tick(&self.settings, now);
        self.budget.record(state.cache.bytes());
        match tick {
            Tick::Nothing => None,
            Tick::PhaseChanged => {
                self.announce(&state);
                None
            }
            Tick::HeldTooLong => Some(Code::HeldTooLong),
        }
    }

    /// Ends the broadcast: everybody at it is told `code`, nobody can attach any more.
    pub(super) fn end(&self, code: Code) {
        let mut state = self.state.lock();
        if state.end(code) {
            self.budget.record(0);
            self.announce(&state);
        }
    }

    /// Why it has ended, once it has.
    pub fn ended(&self) -> Option<Code> {
        self.news.borrow().ended
    }

    /// Where to listen for news.
    pub fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Whether the newest group is so short that it is the quickest help for a broken decoder.
    pub fn is_fresh(&self) -> bool {
        self.state.lock().is_fresh()
    }

    /// Where to listen for frames.
    pub fn frames(&self) -> watch::Receiver<u64> {
        self.frames.subscribe()
    }

    /// What those get next who stand at `cursor`, `players` of them; asks the publisher for a
    /// keyframe where that is the way on.
    pub fn step(&self, cursor: &mut Cursor, players: usize, now: RelayTime) -> Step {
        let players = players as u64;
        let mut state = self.state.lock();
        let step = state.step(cursor, &self.settings, now);
        state.totals.dropped_frames += cursor.take_dropped() * players;
        match &step {
            Step::Continue(frames) => state.totals.frames_sent += frames.len() as u64 * players,
            Step::Open { before, frames } => {
                state.totals.frames_sent += frames.len() as u64 * players;
                state.totals.skips += u64::from(*before == Before::Skip) * players;
            }
            Step::Abandon | Step::Cut | Step::Wait { ask: None, .. } => {}
            Step::Wait {
                ask: Some(need), ..
            } => self.ask_locked(&mut state, *need, now),
        }
        step
    }

    /// The same for players that have everything and only go on: `None`, and nothing has changed,
    /// when they would be skipped or have to ask.
    pub fn step_together(
        &self,
        cursor: &mut Cursor,
        players: usize,
        now: RelayTime,
    ) -> Option<Step> {
        let mut next = cursor.clone();
        let mut state = self.state.lock();
        let step = state.step(&mut next, &self.settings, now);
        let sent = match &step {
            Step::Continue(frames)
            | Step::Open {
                before: Before::Finish,
                frames,
            } => frames.len(),
            Step::Wait {
                until: None,
                ask: None,
            } => 0,
            _ => return None,
        };
        state.totals.frames_sent += (sent * players) as u64;
        state.totals.dropped_frames += next.take_dropped() * players as u64;
        *cursor = next;
        Some(step)
    }

    /// Tells whom it concerns. Called under the lock, so that changes come in order.
    fn announce(&self, state: &State) {
        self.pulse.send_modify(|pulse| {
            pulse.status = state.status();
            pulse.keyframe_requests = state.totals.keyframe_requests;
            pulse.ended = state.ended();
        });
        let news = News::of(state);
        let new = self.news.send_if_modified(|known| {
            let new = known.differs(&news);
            if new {
                *known = news;
            }
            new
        });
        if new {
            self.announce_frame();
        }
    }

    fn announce_frame(&self) {
        self.frames.send_modify(|version| *version += 1);
    }

    fn ask(&self, need: Need, now: RelayTime) {
        self.ask_locked(&mut self.state.lock(), need, now);
    }

    fn ask_locked(&self, state: &mut State, need: Need, now: RelayTime) {
        if state.ask(need, &self.settings, now) {
            tracing::debug!(broadcast = %self.id, ?need, "keyframe requested");
            self.announce(state);
        }
    }
}

/// A publisher's hold on a broadcast; dropping it leaves the broadcast held.
#[derive(Debug)]
pub struct PublisherSeat {
    broadcast: Arc<Broadcast>,
    epoch: u32,
    lineage: ResumeSecret,
    /// Microseconds on the relay's clock.
    heard: AtomicU64,
}

/// What a pulse means to one publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublisherNews {
    /// The session is over.
    Over(Code),
    /// The seat stands; keyframes asked for so far, and the status.
    Stands {
        /// Requests so far.
        keyframe_requests: u64,
        /// How the broadcast is doing.
        status: Status,
    },
}

impl PublisherSeat {
    /// The tenure that this seat began.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What the publisher resumes with.
    pub fn lineage(&self) -> ResumeSecret {
        self.lineage
    }

    /// How the broadcast is doing.
    pub fn status(&self) -> Status {
        self.broadcast.status()
    }

    /// Where to listen for news.
    pub fn pulses(&self) -> watch::Receiver<Pulse> {
        self.broadcast.pulse.subscribe()
    }

    /// What a pulse means to this publisher.
    pub fn news(&self, pulse: &Pulse) -> PublisherNews {
        if let Some(code) = pulse.ended {
            return PublisherNews::Over(code);
        }
        if pulse.status.epoch != self.epoch {
            return PublisherNews::Over(Code::Superseded);
        }
        PublisherNews::Stands {
            keyframe_requests: pulse.keyframe_requests,
            status: pulse.status,
        }
    }

    /// Any byte from the publisher is a sign of life.
    pub fn heard(&self, now: RelayTime) {
        self.heard.store(now.as_micros(), Ordering::Relaxed);
        let mut state = self.broadcast.state.lock();
        if state.heard(self.epoch, now) {
            self.broadcast.announce(&state);
        }
    }

    /// When anything was last heard from the publisher.
    pub fn last_heard(&self) -> RelayTime {
        RelayTime::from_micros(self.heard.load(Ordering::Relaxed))
    }

    /// Takes a frame, or the beginning of one, into the cache and wakes the players.
    ///
    /// # Errors
    /// [`PublishError`]; nothing has changed then.
    pub fn publish(&self, frame: Frame, now: RelayTime) -> Result<(), PublishError> {
        self.heard.store(now.as_micros(), Ordering::Relaxed);
        let broadcast = &self.broadcast;
        let mut state = broadcast.state.lock();
        if frame.len() + frame.missing() > broadcast.budget.room() {
            state.cache.evict_previous();
            broadcast.budget.record(state.cache.bytes());
        }
        let (_, phase_changed) = state.publish(self.epoch, frame, broadcast.budget.room(), now)?;
        broadcast.budget.record(state.cache.bytes());
        if phase_changed {
            broadcast.announce(&state);
        }
        broadcast.announce_frame();
        Ok(())
    }

    /// Takes more of a frame that has begun: the next bytes of the last frame of `group`.
    pub fn extend(&self, group: u32, bytes: Bytes, now: RelayTime) {
        self.heard.store(now.as_micros(), Ordering::Relaxed);
        let epoch = self.epoch;
        let mut state = self.broadcast.state.lock();
        state.extend(GroupKey { epoch, group }, bytes, now);
        self.broadcast.announce_frame();
    }

    /// The rest of the frame that has begun in `group` will not come.
    pub fn cut(&self, group: u32) {
        let epoch = self.epoch;
        let mut state = self.broadcast.state.lock();
        state.cut(GroupKey { epoch, group });
        self.broadcast.budget.record(state.cache.bytes());
        self.broadcast.announce_frame();
    }

    /// Gives up the seat: the broadcast is held unless a newer publisher has it.
    pub fn leave(self, now: RelayTime) {
        // Dropping does the rest.
        self.heard.store(now.as_micros(), Ordering::Relaxed);
    }
}

impl Drop for PublisherSeat {
    fn drop(&mut self) {
        let mut state = self.broadcast.state.lock();
        if state.detach_publisher(self.epoch, self.last_heard()) {
            self.broadcast.announce(&state);
        }
    }
}

/// A player's seat at a broadcast: its cursor and its records.
#[derive(Debug)]
pub struct PlayerSeat {
    broadcast: Arc<Broadcast>,
    cursor: Cursor,
    progress: Progress,
    left: Option<Code>,
}

impl PlayerSeat {
    /// Its broadcast.
    pub fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Where to listen for news.
    pub fn news(&self) -> watch::Receiver<News> {
        self.broadcast.news.subscribe()
    }

    /// How the broadcast is doing.
    pub fn status(&self) -> Status {
        self.broadcast.status()
    }

    /// Its place in the cache.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Goes on from where somebody else has brought the player.
    pub fn resume(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// What the player gets next; asks the publisher for a keyframe where that is the way on.
    pub fn step(&mut self, now: RelayTime) -> Step {
        self.broadcast.step(&mut self.cursor, 1, now)
    }

    /// While a write is pending: whether the rest of it is not worth sending.
    pub fn is_overtaken(&self, now: RelayTime) -> bool {
        let state = self.broadcast.state.lock();
        state.is_overtaken(&self.cursor, &self.broadcast.settings, now)
    }

    /// Gives up the group being sent; the next step opens a newer one.
    pub fn abandon(&mut self, need: Need, now: RelayTime) {
        self.cursor.abandon(need, now);
    }

    /// Begins again, as if the player had just joined.
    pub fn rejoin(&mut self) {
        self.cursor = Cursor::default();
    }

    /// The player's decoder lost its footing: asks the publisher for a keyframe, if one is due.
    pub fn request_keyframe(&self, now: RelayTime) {
        self.broadcast.ask(Need::Broken, now);
    }

    /// Takes what the player's page has counted since its session began.
    pub fn report(&mut self, progress: Progress) {
        let mut state = self.broadcast.state.lock();
        let before = std::mem::replace(&mut self.progress, progress);
        state.totals.black_frames += progress.black.saturating_sub(before.black);
        state.totals.decoder_errors += u64::from(
            progress
                .decoder_errors
                .saturating_sub(before.decoder_errors),
        );
    }

    /// Gives up the seat; `code` is recorded as the reason.
    pub fn leave(mut self, code: Code) {
        // Dropping does the rest.
        self.left = Some(code);
    }
}

impl Drop for PlayerSeat {
    fn drop(&mut self) {
        let mut state = self.broadcast.state.lock();
        state.detach_player(self.left.unwrap_or(Code::Internal));
        self.broadcast.announce(&state);
    }
}
