//! What a session holds of its broadcast: a publisher's seat, or a player's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use steadycast_codec_glue::wire::{
    Code, CodecSet, MediaKind, ResumeSecret, Serving, SoundFormat, SoundPacket, Status, TrackGroup,
    TrackId,
};
use tokio::sync::watch;

use self::relay::Relay;
use super::cache::GroupKey;
use super::cursors::Cursors;
use super::fit::Fit;
use super::memory::Account;
use super::renditions::Means;
use super::share::Share;
use super::state::State;
use super::{
    AttachError, Backlog, Broadcast, Capture, Claim, Clock, Cursor, Frame, Need, News, Progress,
    PublishError, PublisherNews, Pulse, RelayTime, Step, View, Warning,
};

mod relay;

/// A publisher's hold on a broadcast; dropping it leaves the broadcast held.
#[derive(Debug)]
pub struct PublisherSeat {
    broadcast: Arc<Broadcast>,
    epoch: u32,
    lineage: ResumeSecret,
    /// Microseconds on the relay's clock.
    heard: AtomicU64,
    /// Frames that were taken, and bytes of them.
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl PublisherSeat {
    pub(super) fn new(
        broadcast: &Arc<Broadcast>,
        epoch: u32,
        lineage: ResumeSecret,
        now: RelayTime,
    ) -> Self {
        Self {
            broadcast: broadcast.clone(),
            epoch,
            lineage,
            heard: AtomicU64::new(now.as_micros()),
            frames: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// That of another relay, which nobody resumes.
    pub(super) fn of_relay(broadcast: &Arc<Broadcast>, epoch: u32, now: RelayTime) -> Self {
        Self::new(broadcast, epoch, ResumeSecret([0; 16]), now)
    }

    /// The tenure that this seat began.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What the publisher resumes with.
    pub fn lineage(&self) -> ResumeSecret {
        self.lineage
    }

    /// Bounds the players that may be there at once, besides the relay's own bound, until another publisher
    /// comes. Those who are there already stay.
    pub fn bound_players(&self, most: Option<u32>) {
        let mut state = self.broadcast.state.lock();
        state.bound_players(self.epoch, most);
    }

    /// Bounds the renditions that this publisher is asked for at once.
    pub fn bound_renditions(&self, most: Option<u32>) {
        let mut state = self.broadcast.state.lock();
        if state.bound_renditions(self.epoch, most) {
            self.broadcast.announce(&state);
        }
    }

    /// Frames that were taken so far, and bytes of them.
    pub fn brought(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.frames), read(&self.bytes))
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
            wanted: pulse.wanted,
            listeners: pulse.listeners,
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
        broadcast.privacy.admit(frame.header().sealed)?;
        let mut state = broadcast.state.lock();
        let changed = state.publish(self.epoch, &frame, now)?;
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(frame.here() as u64, Ordering::Relaxed);
        let header = frame.header();
        if header.track == TrackId::MAIN && !header.refinement {
            broadcast.changes.record(now);
        }
        if changed {
            broadcast.announce(&state);
        }
        broadcast.announce_frame();
        Ok(())
    }

    /// What it sends sound as from now on; `None`: it has none.
    pub fn sounds_as(&self, format: Option<SoundFormat>) {
        let mut state = self.broadcast.state.lock();
        if state.sounds_as(self.epoch, format) {
            self.broadcast.announce(&state);
        }
    }

    /// Takes sound, and hands what is new of it to all that listen.
    ///
    /// # Errors
    /// [`PublishError`]; nothing has changed then.
    pub fn publish_sound(&self, packet: SoundPacket, now: RelayTime) -> Result<(), PublishError> {
        self.heard.store(now.as_micros(), Ordering::Relaxed);
        let broadcast = &self.broadcast;
        broadcast.privacy.admit(packet.sealed)?;
        let mut state = broadcast.state.lock();
        let (frames, changed) = state.take_sound(self.epoch, packet, now)?;
        if changed {
            broadcast.announce(&state);
        }
        broadcast.announce_sound(frames);
        Ok(())
    }

    /// A datagram with sound came that was not looked at: there were too many.
    pub fn drop_sound(&self) {
        self.broadcast.count_sound(0, 1);
    }

    /// Takes more of a frame that has begun: the next bytes of the last frame of `group` on `track`.
    pub fn extend(&self, track: TrackId, group: u32, bytes: Bytes, now: RelayTime) {
        self.heard.store(now.as_micros(), Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let epoch = self.epoch;
        let mut state = self.broadcast.state.lock();
        state.extend(track, GroupKey { epoch, group }, bytes, now);
        self.broadcast.announce_frame();
    }

    /// The rest of the frame that has begun in `group` on `track` will not come.
    pub fn cut(&self, track: TrackId, group: u32) {
        let epoch = self.epoch;
        let mut state = self.broadcast.state.lock();
        state.cut(track, GroupKey { epoch, group });
        self.broadcast.announce_frame();
    }

    /// What its frames come into: a part of the memory that is the broadcast's.
    pub fn account(&self) -> &Arc<Account> {
        self.broadcast.account()
    }

    /// There is no memory for the rest of `group` on `track`: it is passed over, and the publisher
    /// asked for a keyframe. Players that have all of it so far keep their picture until then.
    pub fn pass_over(&self, track: TrackId, group: u32, now: RelayTime) {
        let broadcast = &self.broadcast;
        let key = GroupKey {
            epoch: self.epoch,
            group,
        };
        let mut state = broadcast.state.lock();
        if state.pass_over(track, key) {
            tracing::warn!(
                broadcast = %broadcast.id(), bytes = broadcast.account.used(),
                "no memory for the rest of a group (limits.cache_bytes, limits.broadcast_bytes)"
            );
        }
        broadcast.ask(&mut state, Some(track), Need::Lag, now);
        broadcast.announce_frame();
    }

    /// When a frame was captured that the publisher says was then: the time for its header.
    ///
    /// Times that cannot be true are mended, and the publisher is told (PROTOCOL 4.2).
    pub fn capture(&self, track: TrackId, claim: Claim, now: RelayTime) -> Capture {
        let capture = self
            .broadcast
            .state
            .lock()
            .capture(self.epoch, track, claim, now);
        // What a publisher sends that is not in charge any more goes nowhere.
        let capture = capture.unwrap_or(Capture::like(now.as_micros()));
        if let Some(wrong_by) = capture.wrong_by {
            tracing::debug!(broadcast = %self.broadcast.id(), ?wrong_by, "a capture time that cannot be true");
            self.warn(Warning::Clock, now);
        }
        capture
    }

    /// The relay's time, in microseconds, of a time on the clock that the frames of a track have gone by so far:
    /// for what has to be in time with them.
    pub fn time_of(&self, track: TrackId, clock: Clock, micros: i128) -> Option<i128> {
        let state = self.broadcast.state.lock();
        state.time_of(self.epoch, track, clock, micros)
    }

    /// What is in time with the frames of a track, by that clock, came before they did: they were captured so many
    /// microseconds earlier than they seem.
    pub fn hold_back(&self, track: TrackId, clock: Clock, by: i128) {
        let mut state = self.broadcast.state.lock();
        state.hold_back(self.epoch, track, clock, by);
    }

    /// Tells the publisher, in the log and the API, what keeps its pictures from players: once.
    pub fn warn(&self, warning: Warning, now: RelayTime) {
        if self.broadcast.state.lock().warn(self.epoch, warning, now) {
            let (broadcast, about) = (self.broadcast.id(), warning.name());
            tracing::warn!(%broadcast, epoch = self.epoch, about, "{}", warning.message());
        }
    }

    /// Takes back warnings that hold no longer.
    pub fn take_back(&self, gone: &[Warning]) {
        self.broadcast.state.lock().take_back(self.epoch, gone);
    }

    /// A frame came that is shown before an earlier one: players show them in the order in which
    /// they come, and so unevenly.
    pub fn reordered(&self) {
        self.broadcast.state.lock().totals.reordered_frames += 1;
    }

    /// The publisher takes its picture back: of each of its tracks this is the first group that may be seen.
    pub fn pause(&self, from: &[TrackGroup], now: RelayTime) {
        let mut state = self.broadcast.state.lock();
        if state.pause(self.epoch, from, now) {
            self.broadcast.announce(&state);
        }
    }

    /// What it sends is its picture again.
    pub fn go_on(&self, now: RelayTime) {
        let mut state = self.broadcast.state.lock();
        if state.go_on(self.epoch, now) {
            self.broadcast.announce(&state);
        }
    }

    /// The publisher cannot encode the rendition on `track`: its players get another, if there is one.
    pub fn refuse(&self, track: TrackId) {
        let mut state = self.broadcast.state.lock();
        if state.refuse(self.epoch, track) {
            self.broadcast.announce(&state);
        }
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

/// A player's seat at a broadcast: its cursors and its records.
#[derive(Debug)]
pub struct PlayerSeat {
    broadcast: Arc<Broadcast>,
    means: Means,
    fit: Fit,
    /// What its path is known by where it is narrow.
    path: Option<u64>,
    cursors: Cursors,
    /// Since when it is to go on with other pictures than it has.
    changing: Option<RelayTime>,
    progress: Progress,
    /// When it was last reported.
    reported: Option<RelayTime>,
    pleas: Share,
    changes: Share,
    /// Whether the player takes renditions for narrow paths.
    any_width: bool,
    /// Whether it is to hear what there is.
    listens: bool,
    /// It is a relay that serves others.
    relay: Option<Relay>,
    /// Whether the player has come: one that is expected counts for nothing.
    here: bool,
    left: Option<Code>,
}

/// How often one player may have the publisher asked for a keyframe (PROTOCOL 2.9).
const PLEAS: Share = Share::new(4, Duration::from_secs(5));
/// How often it may say something else of what it can decode (PROTOCOL 2.10).
const CHANGES: Share = Share::new(3, Duration::from_secs(10));
/// A player that has a rendition goes on with the main track at its next keyframe, but after this at
/// any rate.
const CHANGES_WITHIN: Duration = Duration::from_secs(3);
/// More blank pictures, and more errors, a second no player has: no display shows as many.
const REPORTED: u64 = 120;

impl PlayerSeat {
    pub(super) fn new(broadcast: &Arc<Broadcast>) -> Self {
        Self {
            broadcast: broadcast.clone(),
            means: Means::default(),
            fit: Fit::default(),
            path: None,
            changing: None,
            cursors: Cursors::default(),
            progress: Progress::default(),
            reported: None,
            pleas: PLEAS,
            changes: CHANGES,
            any_width: false,
            listens: false,
            relay: None,
            here: false,
            left: None,
        }
    }

    /// The player has come: it counts as one from now on.
    ///
    /// # Errors
    /// [`AttachError::Ended`] or [`AttachError::Full`].
    pub fn arrive(&mut self) -> Result<(), AttachError> {
        let broadcast = &self.broadcast;
        let mut state = broadcast.state.lock();
        if !self.here {
            match self.relay {
                None => state.attach_player(&broadcast.settings)?,
                Some(_) => state.attach_relay()?,
            }
            let counts = (self.means, self.counts_as());
            state.renditions.recount(None, Some(counts));
            self.here = true;
            if self.listens && self.relay.is_none() {
                state.sound.count(true);
            }
            broadcast.announce(&state);
        }
        Ok(())
    }

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

    /// The player can decode `codecs` and nothing else. Until it says so it is served what the
    /// publisher chose. Where that is nothing for it, the publisher is asked for a rendition.
    ///
    /// False when it has said something else too often to be heard at once: it is to be said again.
    pub fn decodes(&mut self, codecs: CodecSet, now: RelayTime) -> bool {
        if self.means.codecs == Some(codecs) {
            return true;
        }
        if !self.changes.take(now) {
            return false;
        }
        self.change(Means {
            codecs: Some(codecs),
            ..self.means
        });
        true
    }

    /// Whether the player is to hear what there is (PROTOCOL 9.2).
    pub fn listen(&mut self, on: bool) {
        if std::mem::replace(&mut self.listens, on) == on || !self.here || self.relay.is_some() {
            return;
        }
        let mut state = self.broadcast.state.lock();
        state.sound.count(on);
        self.broadcast.announce(&state);
    }

    /// Whether it is to hear what there is.
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// The player takes renditions for narrow paths (PROTOCOL 2.10): those of versions before 3 do not
    /// know their tracks.
    pub fn takes_any_width(&mut self) {
        self.any_width = true;
    }

    /// What there is to see of the path to the player now: where that does not fit what the publisher
    /// chose, the publisher is asked for less.
    pub fn see_path(&mut self, view: View, now: RelayTime) {
        if !self.any_width {
            return;
        }
        let mut state = self.broadcast.state.lock();
        let demand = state.demand(now);
        let was_narrow = self.fit.is_narrow();
        let narrow = self.fit.judge(view, demand, now);
        tracing::trace!(?view, ?demand, narrow, fit = ?self.fit, "a path");
        if was_narrow != narrow {
            tracing::debug!(broadcast = %self.broadcast.id(), ?view, ?demand, narrow, "a player's path");
        }
        if !narrow && self.path.is_none() {
            return;
        }
        let number = *self.path.get_or_insert_with(|| state.number_path());
        // What is not known now is as it was.
        let width = match (narrow, view.carries) {
            (true, None) => self.means.width,
            (narrow, carries) => state.see_path(number, carries.filter(|_| narrow), now),
        };
        self.path = self.path.filter(|_| narrow);
        drop(state);
        self.change(Means {
            width,
            ..self.means
        });
    }

    /// Whether its path is taken to be too narrow for what the publisher chose, and has not shown since that
    /// it carries more.
    pub fn is_to_prove_itself(&self) -> bool {
        self.fit.is_to_prove_itself()
    }

    fn change(&mut self, means: Means) {
        let before = std::mem::replace(&mut self.means, means);
        self.recount((before, self.counts_as()));
    }

    /// It counts as others than before.
    fn recount(&self, before: (Means, u32)) {
        let after = (self.means, self.counts_as());
        if before == after || !self.here {
            return;
        }
        let mut state = self.broadcast.state.lock();
        state.renditions.recount(Some(before), Some(after));
        self.broadcast.announce(&state);
    }

    /// What the player can be served by.
    pub fn means(&self) -> Means {
        self.means
    }

    /// What the player is served now.
    pub fn serving(&self) -> Serving {
        self.serving_of(&self.broadcast.state.lock())
    }

    /// Whether the player is to go on with another track of this kind than it is on: a step of its own
    /// does so, the next one or once there is a keyframe.
    pub fn is_to_move(&self, kind: MediaKind) -> bool {
        let state = self.broadcast.state.lock();
        self.track_of(kind, &state) != self.cursors.of(kind).track()
    }

    /// Its place in the cache of the track of this kind.
    pub fn cursor(&self, kind: MediaKind) -> &Cursor {
        self.cursors.of(kind)
    }

    /// Goes on from where somebody else has brought the player.
    pub fn resume(&mut self, kind: MediaKind, cursor: Cursor) {
        *self.cursors.of_mut(kind) = cursor;
    }

    /// What the player gets next of this kind, over a path that `carries` so many bytes per second;
    /// asks the publisher for a keyframe where that is the way on.
    pub fn step(&mut self, kind: MediaKind, carries: Option<u64>, now: RelayTime) -> Step {
        let mut state = self.broadcast.state.lock();
        let track = self.track_of(kind, &state);
        let stays = self.stays(kind, &state, now);
        self.changing = stays.then(|| self.changing.unwrap_or(now));
        let cursor = self.cursors.of_mut(kind);
        match stays {
            true => self.broadcast.ask(&mut state, track, Need::Join, now),
            false => cursor.follow(track),
        }
        self.broadcast.step_alone(&mut state, cursor, carries, now)
    }

    /// While something of this kind waits to be sent: whether the rest of it is not worth sending.
    pub fn is_overtaken(
        &mut self,
        kind: MediaKind,
        backlog: Backlog,
        carries: Option<u64>,
        now: RelayTime,
    ) -> bool {
        self.cursors.of_mut(kind).sent_all_but(backlog.unsent);
        let state = self.broadcast.state.lock();
        let cursor = self.cursors.of(kind);
        let settings = &self.broadcast.settings;
        let outlook = (carries, self.broadcast.account.is_to_make_way());
        let moves = self.track_of(kind, &state) != cursor.track();
        moves && !self.stays(kind, &state, now)
            || state.is_overtaken(cursor, backlog, settings, outlook, now)
    }

    /// Gives up the group of this kind that is being sent; the next step opens a newer one.
    pub fn abandon(&mut self, kind: MediaKind, need: Need, now: RelayTime) {
        self.cursors.of_mut(kind).abandon(need, now);
    }

    /// The player's decoder of this kind lost its footing, and it cannot be told from where on it has
    /// nothing: the cached group again where that is little, else the next keyframe, asked for if one
    /// is due.
    pub fn restart(&mut self, kind: MediaKind, now: RelayTime) {
        let state = self.broadcast.state.lock();
        let cursor = self.cursors.of_mut(kind);
        let Some(track) = cursor.track() else {
            return;
        };
        if state.track(track).is_fresh() {
            *cursor = Cursor::on(track);
        } else if self.pleas.take(now) {
            cursor.abandon(Need::Broken, now);
        }
    }

    /// The player's decoder of pictures lost its footing: asks the publisher for a keyframe, if one is
    /// due and this player has not had more than its share of them.
    pub fn request_keyframe(&mut self, now: RelayTime) {
        // A relay asks for all that are behind it, and has held each of them to its share.
        let need = match self.relay {
            Some(_) => Need::Join,
            None if self.pleas.take(now) => Need::Broken,
            None => return,
        };
        let mut state = self.broadcast.state.lock();
        let track = self.cursors.of(MediaKind::Video).track();
        self.broadcast.ask(&mut state, track, need, now);
    }

    /// Takes what the player's page has counted since its session began. What it says goes into sums,
    /// and counts no further than it can be true.
    pub fn report(&mut self, progress: Progress, now: RelayTime) {
        let before = std::mem::replace(&mut self.progress, progress);
        let since = self.reported.replace(now);
        let seconds = since.map_or(1, |since| now.since(since).as_secs() + 1);
        let most = REPORTED.saturating_mul(seconds);
        let black = progress.black.saturating_sub(before.black);
        let errors = progress
            .decoder_errors
            .saturating_sub(before.decoder_errors);
        let mut state = self.broadcast.state.lock();
        state.totals.black_frames += black.min(most);
        state.totals.decoder_errors += u64::from(errors).min(most);
    }

    fn serving_of(&self, state: &State) -> Serving {
        state.renditions.servings().of(self.means)
    }

    /// Whether the player goes on with what it has although it is to have the main track again: it can
    /// decode what it has, and the other would be shown from a time long gone. A keyframe of that is asked
    /// for then; of a rendition it is not, for on the narrow paths of the others it would take seconds.
    fn stays(&self, kind: MediaKind, state: &State, now: RelayTime) -> bool {
        let cursor = self.cursors.of(kind);
        let Some(from) = cursor.track().filter(|from| *from != TrackId::MAIN) else {
            return false;
        };
        self.track_of(kind, state) == Some(TrackId::MAIN)
            && cursor.is_placed()
            && state.renditions.suits(from, self.means)
            && !state.track(TrackId::MAIN).is_fresh()
            && self
                .changing
                .is_none_or(|since| now - since < CHANGES_WITHIN)
    }

    /// The track of this kind that the player is to get; `None`: nothing that is there.
    fn track_of(&self, kind: MediaKind, state: &State) -> Option<TrackId> {
        match kind {
            MediaKind::Video => {
                let track = self.serving_of(state).sends();
                track.filter(|track| *track != TrackId::MAIN || !self.means.exact)
            }
        }
    }

    /// Gives up the seat; `code` is recorded as the reason.
    pub fn leave(mut self, code: Code) {
        // Dropping does the rest.
        self.left = Some(code);
    }
}

impl Drop for PlayerSeat {
    fn drop(&mut self) {
        if !self.here {
            return;
        }
        let mut state = self.broadcast.state.lock();
        if let Some(number) = self.path {
            state.forget_path(number);
        }
        match &self.relay {
            Some(relay) => state.detach_relay((self.means, self.counts_as()), relay.counted()),
            None => {
                if self.listens {
                    state.sound.count(false);
                }
                state.detach_player(self.means, self.left.unwrap_or(Code::Internal));
            }
        }
        self.broadcast.announce(&state);
    }
}

#[cfg(test)]
mod tests;
