//! A broadcast as sessions share it: the rules behind a lock, and channels that say when to look
//! again. Each wakes only those whom a change concerns: with a thousand players, a wake-up that
//! nobody needed is a thousand.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, Phase, ResumeSecret, SoundPacket, Status, TrackId};
use tokio::sync::{broadcast, watch};

use super::content::Changes;
use super::memory::{Account, MakesWay, Memory};
use super::privacy::Privacy;
use super::sound;
use super::state::{State, Tick};
use super::{
    AttachError, Before, BroadcastId, Content, Cursor, Incarnation, Need, Newest, News,
    OwnSettings, PlayerSeat, Presence, PublisherSeat, Pulse, RelayTime, Settings, Snapshot, Sounds,
    Step, Widths,
};

/// What one broadcast's sessions share.
#[derive(Debug)]
pub struct Broadcast {
    id: BroadcastId,
    incarnation: Incarnation,
    title: String,
    pub(super) privacy: Privacy,
    pub(super) settings: Arc<Settings>,
    pub(super) state: Mutex<State>,
    /// Rises with every frame, and with what changes the worth of those that are there.
    frames: watch::Sender<u64>,
    /// Frames of sound, for all that listen; and a number that rises with them.
    sounds: broadcast::Sender<Arc<SoundPacket>>,
    sounded: watch::Sender<u64>,
    pub(super) changes: Changes,
    pub(super) news: watch::Sender<News>,
    pub(super) pulse: watch::Sender<Pulse>,
    pub(super) account: Arc<Account>,
}

impl Broadcast {
    pub(super) fn new(
        id: BroadcastId,
        (title, upstream, privacy): (String, Option<Arc<str>>, Privacy),
        settings: Arc<Settings>,
        memory: &Arc<Memory>,
        presence: Presence,
        (created, now): (RelayTime, RelayTime),
    ) -> Arc<Self> {
        let state = State::restored(presence, created, now).from(upstream);
        let (news, _) = watch::channel(News::of(&state));
        let (pulse, _) = watch::channel(Pulse::of(&state));
        Arc::new_cyclic(|broadcast: &Weak<Self>| Self {
            account: memory.open(broadcast.clone()),
            id,
            incarnation: Incarnation::next(),
            title,
            privacy,
            settings,
            state: Mutex::new(state),
            frames: watch::Sender::new(0),
            sounds: sound::channel(),
            sounded: watch::Sender::new(0),
            changes: Changes::new(),
            news,
            pulse,
        })
    }

    /// What it holds of the memory for pictures.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// The broadcast's id.
    pub fn id(&self) -> &BroadcastId {
        &self.id
    }

    /// Which broadcast it is, for what outlives one: an id may be given again.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether only people with its link can see it, as far as is known (PROTOCOL 12).
    pub fn is_private(&self) -> bool {
        self.privacy.is_private()
    }

    /// The address of the relay that it comes from, where its publisher is at another.
    pub fn upstream(&self) -> Option<Arc<str>> {
        self.state.lock().source().upstream().cloned()
    }

    /// How often it has moved, here or to another relay.
    pub fn moves(&self) -> u32 {
        self.state.lock().source().moves()
    }

    /// What it has less of than others, as far as that holds: where the relay allows less than its maker asked for,
    /// that does.
    pub fn holding(&self, asked_for: OwnSettings) -> OwnSettings {
        asked_for.within(&self.settings)
    }

    /// How it is doing now.
    pub fn status(&self) -> Status {
        self.state.lock().status()
    }

    /// Players at this relay.
    pub fn players_here(&self) -> u32 {
        let state = self.state.lock();
        state.status().players.saturating_sub(state.elsewhere())
    }

    /// Whether its publisher is there.
    pub fn presence(&self) -> Presence {
        self.state.lock().presence()
    }

    /// Everything that the HTTP API shows of it.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state.lock();
        let status = state.status();
        Snapshot {
            id: self.id.clone(),
            title: self.title.clone(),
            private: self.is_private(),
            phase: status.phase.name(),
            since_us: status.since_us,
            epoch: status.epoch,
            players: status.players,
            players_elsewhere: state.elsewhere(),
            relays: state.relays(),
            upstream: state.source().upstream().map(ToString::to_string),
            cache: state.cached(),
            memory_bytes: self.account.used(),
            renditions: state.rendition_snapshots(),
            warnings: state.warnings(),
            sound: state.sound.shown(),
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
        widths: Widths,
        now: RelayTime,
    ) -> Result<PublisherSeat, AttachError> {
        let mut state = self.state.lock();
        let (epoch, lineage) = state.attach_publisher(resume, fresh, widths, now)?;
        self.announce(&state);
        Ok(PublisherSeat::new(self, epoch, lineage, now))
    }

    /// The same of one that is known to be the newest, at whichever relay: its claim has been granted.
    ///
    /// # Errors
    /// [`AttachError::Ended`].
    pub fn attach_claimed(
        self: &Arc<Self>,
        lineage: ResumeSecret,
        widths: Widths,
        now: RelayTime,
    ) -> Result<PublisherSeat, AttachError> {
        let mut state = self.state.lock();
        state.forget_lineage();
        let (epoch, lineage) = state.attach_publisher(None, lineage, widths, now)?;
        self.announce(&state);
        Ok(PublisherSeat::new(self, epoch, lineage, now))
    }

    /// The lineage of the publisher that is here; `None`: none is.
    pub(crate) fn published_by(&self) -> Option<ResumeSecret> {
        self.state.lock().published_by()
    }

    /// It comes from another relay, at this address, from now on: a publisher here is superseded, and everybody stays
    /// with the picture that there is. Gives the seat of the relay, and the number of the move.
    ///
    /// # Errors
    /// [`AttachError::Ended`].
    pub fn follow_relay(
        self: &Arc<Self>,
        address: Arc<str>,
        now: RelayTime,
    ) -> Result<(PublisherSeat, u32), AttachError> {
        let mut state = self.state.lock();
        let (epoch, moves) = state.follow_relay(address, now)?;
        self.announce(&state);
        Ok((PublisherSeat::of_relay(self, epoch, now), moves))
    }

    /// Another relay's next epoch begins, of those since that move.
    ///
    /// # Errors
    /// [`AttachError::Ended`], or [`AttachError::Superseded`] when it has moved since.
    pub fn attach_relay_above(
        self: &Arc<Self>,
        moves: u32,
        now: RelayTime,
    ) -> Result<PublisherSeat, AttachError> {
        let mut state = self.state.lock();
        let epoch = state.attach_relay_above(moves, now)?;
        self.announce(&state);
        Ok(PublisherSeat::of_relay(self, epoch, now))
    }

    /// This relay is where it is from now on: it comes from no other any more, and waits for its publisher.
    pub fn stay_here(&self, now: RelayTime) {
        let mut state = self.state.lock();
        if state.stay_here(now) {
            self.announce(&state);
        }
    }

    /// The other relay that it comes from is at this address.
    pub fn is_at(&self, address: Arc<str>) {
        self.state.lock().is_at(address);
    }

    /// What is newest of what there is to see on a track.
    pub fn newest(&self, track: TrackId) -> Option<Newest> {
        self.state.lock().newest(track)
    }

    /// A player takes its seat.
    ///
    /// # Errors
    /// [`AttachError::Ended`] or [`AttachError::Full`].
    pub fn attach_player(self: &Arc<Self>) -> Result<PlayerSeat, AttachError> {
        let mut seat = PlayerSeat::new(self);
        seat.arrive()?;
        Ok(seat)
    }

    /// A seat for a player that has been announced and may never come: until it arrives it counts
    /// for nothing, and keeps nobody out.
    ///
    /// # Errors
    /// [`AttachError::Ended`] or [`AttachError::Full`].
    pub fn expect_player(self: &Arc<Self>) -> Result<PlayerSeat, AttachError> {
        self.state.lock().admits_player(&self.settings)?;
        Ok(PlayerSeat::new(self))
    }

    /// A relay takes its seat, through which it serves others.
    ///
    /// # Errors
    /// [`AttachError::Ended`].
    pub fn attach_relay(self: &Arc<Self>) -> Result<PlayerSeat, AttachError> {
        let mut seat = PlayerSeat::of_relay(self);
        seat.arrive()?;
        Ok(seat)
    }

    /// Asks the publisher for a keyframe of every track that runs, where one is due. Whether it was asked for any.
    pub fn ask_for_keyframes(&self, now: RelayTime) -> bool {
        let mut state = self.state.lock();
        let tracks: Vec<_> = state.running().collect();
        let mut asked = false;
        for track in tracks {
            asked |= state.ask(track, Need::Broken, &self.settings, now);
        }
        if asked {
            self.announce(&state);
        }
        asked
    }

    /// What time alone changes. Returns the code when the broadcast is to end.
    pub fn tick(&self, now: RelayTime) -> Option<Code> {
        let mut state = self.state.lock();
        let tick = state.tick(&self.settings, now);
        match tick {
            Tick::Nothing => None,
            Tick::Changed => {
                self.announce(&state);
                None
            }
            Tick::HeldTooLong => Some(Code::HeldTooLong),
        }
    }

    /// The phase, if it is another than when this was asked last; at first that is waiting.
    pub(super) fn turned(&self) -> Option<Phase> {
        self.state.lock().turned()
    }

    /// Ends the broadcast: everybody at it is told `code`, nobody can attach any more.
    pub(super) fn end(&self, code: Code) {
        let mut state = self.state.lock();
        if state.end(code) {
            self.announce(&state);
        }
    }

    /// Ends the broadcast if nobody is there. False when somebody is.
    pub(super) fn end_unwatched(&self, code: Code) -> bool {
        let mut state = self.state.lock();
        let unwatched = !state.is_watched();
        if unwatched && state.end(code) {
            self.announce(&state);
        }
        unwatched
    }

    /// Why it has ended, once it has.
    pub fn ended(&self) -> Option<Code> {
        self.news.borrow().ended
    }

    /// Where to listen for news.
    pub fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Where to listen for changes of the picture.
    pub fn content(&self) -> Content {
        self.changes.listen()
    }

    /// Where to listen for what publishers are told.
    pub fn pulses(&self) -> watch::Receiver<Pulse> {
        self.pulse.subscribe()
    }

    /// Where to listen for frames, of any track.
    pub fn frames(&self) -> watch::Receiver<u64> {
        self.frames.subscribe()
    }

    /// The frames of sound from now on. Who takes them too slowly misses the oldest.
    pub fn sounds(&self) -> Sounds {
        self.sounds.subscribe()
    }

    /// Where to wait for frames of sound.
    pub fn sounded(&self) -> watch::Receiver<u64> {
        self.sounded.subscribe()
    }

    /// Frames of sound were handed to so many players, and others were not, for want of room or time. Gives how many
    /// listen.
    pub fn count_sound(&self, sent: u64, dropped: u64) -> u32 {
        let mut state = self.state.lock();
        state.totals.sound_sent += sent;
        state.totals.sound_dropped += dropped;
        state.sound.listeners()
    }

    /// Hands frames of sound to all that listen.
    pub(super) fn announce_sound(&self, frames: Vec<SoundPacket>) {
        if frames.is_empty() {
            return;
        }
        for frame in frames {
            // Where nobody listens it goes nowhere.
            let _ = self.sounds.send(Arc::new(frame));
        }
        self.sounded.send_modify(|version| *version += 1);
    }

    /// What the player gets next that stands at `cursor`, over a path that `carries` so many bytes
    /// per second; asks the publisher for a keyframe where that is the way on.
    pub(super) fn step_alone(
        &self,
        state: &mut State,
        cursor: &mut Cursor,
        carries: Option<u64>,
        now: RelayTime,
    ) -> Step {
        let step = state.step(cursor, &self.settings, carries, now);
        state.totals.dropped_frames += cursor.take_dropped();
        match &step {
            Step::Continue(frames) => state.totals.frames_sent += frames.len() as u64,
            Step::Open { before, frames } => {
                state.totals.frames_sent += frames.len() as u64;
                state.totals.skips += u64::from(*before == Before::Skip);
            }
            Step::Abandon | Step::Cut | Step::Wait { ask: None, .. } => {}
            Step::Wait {
                ask: Some(need), ..
            } => self.ask(state, cursor.track(), *need, now),
        }
        step
    }

    /// What those get next who stand at `cursor`, `players` of them, have everything and only go on:
    /// `None`, and nothing has changed, when they would be skipped or have to ask.
    pub fn step_together(
        &self,
        cursor: &mut Cursor,
        players: usize,
        now: RelayTime,
    ) -> Option<Step> {
        let mut next = cursor.clone();
        let mut state = self.state.lock();
        let step = state.step(&mut next, &self.settings, None, now);
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
    pub(super) fn announce(&self, state: &State) {
        self.pulse.send_replace(Pulse::of(state));
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

    pub(super) fn announce_frame(&self) {
        self.frames.send_modify(|version| *version += 1);
    }

    /// Asks the publisher for a keyframe of the track that a player is on, if one is due.
    pub(super) fn ask(
        &self,
        state: &mut State,
        track: Option<TrackId>,
        need: Need,
        now: RelayTime,
    ) {
        let Some(track) = track else { return };
        if state.ask(track, need, &self.settings, now) {
            tracing::debug!(broadcast = %self.id, %track, ?need, "keyframe requested");
            self.announce(state);
        }
    }
}

impl MakesWay for Broadcast {
    fn make_way(&self, keep: usize) {
        let mut state = self.state.lock();
        state.evict_previous();
        // What players hold is not given back by emptying the cache.
        if self.account.used() > keep && state.cached_bytes() > keep / 2 {
            tracing::debug!(broadcast = %self.id, "its cache makes way");
            state.shed();
        }
        // Players let go of what the cache has no more.
        self.announce_frame();
    }
}

#[cfg(test)]
mod tests;
