//! The rules of one broadcast, without locks, channels or time of their own.

use std::collections::HashMap;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use steadycast_codec_glue::wire::{
    Code, Phase, ResumeSecret, SoundFormat, SoundPacket, Status, TrackGroup, TrackId,
};

use super::cache::{GroupKey, Taken};
use super::cursor::{Backlog, Cursor, Outlook, Step};
use super::demand::Demand;
use super::fit::Levels;
use super::renditions::{Admission, Means, Renditions, Width, Widths};
use super::sound::Sound;
use super::source::Source;
use super::track::Track;
use super::warning::Warnings;
use super::{
    AttachError, Behind, CacheSnapshot, Capture, Claim, Clock, Frame, Need, Newest, Presence,
    PublishError, RelayTime, RenditionSnapshot, Settings, Totals, Warning, WarningSnapshot,
    Withheld, Word,
};

mod relays;

/// What a player's page has counted since its session began (PROTOCOL 2.2, `Report`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blank pictures shown after the first real one.
    pub black: u64,
    /// Decoder errors.
    pub decoder_errors: u32,
}

#[derive(Debug)]
struct Publisher {
    epoch: u32,
    heard: RelayTime,
    last_frame: Option<RelayTime>,
    warnings: Warnings,
    /// It is another relay, which says how the broadcast is doing.
    follows: Option<Word>,
}

/// One broadcast's state.
#[derive(Debug)]
pub(super) struct State {
    life: Life,
    /// The phase that was asked for last.
    told: Phase,
    since: RelayTime,
    /// Since when the publisher had been away when the relay started.
    away: Option<RelayTime>,
    epoch: u32,
    lineage: Option<ResumeSecret>,
    source: Source,
    publisher: Option<Publisher>,
    tracks: [Track; TrackId::COUNT],
    pub(super) renditions: Renditions,
    players: u32,
    /// Relays that are served, and who is behind them.
    relays: u32,
    behind: Behind,
    /// How many the publisher may have; `None`: as many as any.
    most_players: Option<u32>,
    narrow: NarrowPaths,
    pub(super) sound: Sound,
    pub(super) totals: Totals,
    /// Its publisher has taken the picture back.
    pause: Option<Pause>,
    ended: Option<Code>,
}

/// What has become of the publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// None has sent a frame yet.
    Waiting,
    /// It is attached and heard.
    Live,
    /// It has gone or fallen silent.
    Held,
}

impl Life {
    /// The phase of a broadcast whose picture may be seen.
    fn phase(self) -> Phase {
        match self {
            Self::Waiting => Phase::Waiting,
            Self::Live => Phase::Live,
            Self::Held => Phase::Held,
        }
    }
}

/// A publisher's word that nobody may see its picture. It holds while that publisher is away.
#[derive(Debug, Clone, Copy)]
struct Pause {
    withheld: Withheld,
    since: RelayTime,
}

/// The players whose paths are too narrow for what the publisher chose.
#[derive(Debug, Default)]
struct NarrowPaths {
    /// What each carries, in bytes per second.
    carry: HashMap<u64, u64>,
    /// How many players have had a number so far.
    numbers: u64,
    levels: Levels,
    levelled: RelayTime,
}

/// How often renditions for narrow paths follow what these carry.
const LEVELLED_EVERY: Duration = Duration::from_secs(2);

/// What a tick of the clock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    Nothing,
    Changed,
    HeldTooLong,
}

impl State {
    pub(super) fn new(now: RelayTime) -> Self {
        Self {
            life: Life::Waiting,
            told: Phase::Waiting,
            since: now,
            away: None,
            epoch: 0,
            lineage: None,
            source: Source::default(),
            publisher: None,
            tracks: Default::default(),
            renditions: Renditions::default(),
            players: 0,
            relays: 0,
            behind: Behind::default(),
            most_players: None,
            narrow: NarrowPaths::default(),
            sound: Sound::default(),
            totals: Totals::default(),
            pause: None,
            ended: None,
        }
    }

    /// One that a relay before this one had; a publisher that was there has gone with it.
    pub(super) fn restored(presence: Presence, created: RelayTime, now: RelayTime) -> Self {
        let (away, since) = match presence {
            // It waits since then; a clock that was ahead must not let it wait for years.
            Presence::Never => (None, created.min(now)),
            Presence::Here => (Some(now), now),
            Presence::AwaySince(since) => (Some(since), now),
        };
        Self {
            away,
            ..Self::new(since)
        }
    }

    /// The same, where it comes from another relay.
    pub(super) fn from(mut self, upstream: Option<Arc<str>>) -> Self {
        self.source.becomes(upstream);
        self
    }

    /// Whoever resumes is let in.
    pub(super) fn forget_lineage(&mut self) {
        self.lineage = None;
    }

    /// The lineage of the publisher that is attached.
    pub(super) fn published_by(&self) -> Option<ResumeSecret> {
        self.publisher.as_ref().and(self.lineage)
    }

    /// What is newest of what there is to see on a track.
    pub(super) fn newest(&self, track: TrackId) -> Option<Newest> {
        let track = self.track(track);
        // What has not come to its end may never do so.
        let group = track.cache.pictured()?;
        Some(Newest {
            keyframe: group.head()?,
            captured: group.newest()?.capture_us,
        })
    }

    /// Whether the publisher is there.
    pub(super) fn presence(&self) -> Presence {
        match self.life {
            Life::Live => Presence::Here,
            Life::Held => Presence::AwaySince(self.since),
            Life::Waiting => self.away.map_or(Presence::Never, Presence::AwaySince),
        }
    }

    /// The phase, if it is another than when this was asked last.
    pub(super) fn turned(&mut self) -> Option<Phase> {
        let phase = self.status().phase;
        let before = std::mem::replace(&mut self.told, phase);
        (before != phase).then_some(phase)
    }

    pub(super) fn status(&self) -> Status {
        // Without a picture there is nothing to take back.
        let (phase, since) = match self.pause {
            Some(pause) if self.life != Life::Waiting => (Phase::Paused, pause.since),
            _ => (self.life.phase(), self.since),
        };
        Status {
            phase,
            since_us: since.as_micros(),
            epoch: self.epoch,
            players: self.players.saturating_add(self.behind.players),
        }
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
        widths: Widths,
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
        self.lineage = Some(lineage);
        self.comes_here();
        Ok((self.begin_epoch(widths, now), lineage))
    }

    /// Another publisher is in charge, which may send renditions of these widths. Gives its epoch.
    fn begin_epoch(&mut self, widths: Widths, now: RelayTime) -> u32 {
        self.hand_over();
        self.renditions.reset(widths);
        self.let_go_unwanted();
        self.epoch += 1;
        self.publisher = Some(Publisher {
            epoch: self.epoch,
            heard: now,
            last_frame: None,
            warnings: Warnings::default(),
            follows: None,
        });
        self.totals.publishers_joined += 1;
        self.epoch
    }

    /// A publisher's session has ended. True when that changed what there is to tell.
    pub(super) fn detach_publisher(&mut self, epoch: u32, now: RelayTime) -> bool {
        if !self.is_current(epoch) {
            return false;
        }
        self.publisher = None;
        let sounded = self.sound.format().is_some();
        self.hand_over();
        self.enter_held(now) | sounded
    }

    /// Something was heard from the publisher. True when that changed the phase.
    pub(super) fn heard(&mut self, epoch: u32, now: RelayTime) -> bool {
        let Some(publisher) = self.publisher.as_mut().filter(|p| p.epoch == epoch) else {
            return false;
        };
        publisher.heard = now;
        // Held, but its publisher is attached and has sent a picture: it was only silent.
        publisher.last_frame.is_some() && self.appear(now)
    }

    /// When a publisher's frame was captured that it says was then; `None` when the publisher is not
    /// in charge any more.
    pub(super) fn capture(
        &mut self,
        epoch: u32,
        track: TrackId,
        claim: Claim,
        now: RelayTime,
    ) -> Option<Capture> {
        self.is_current(epoch)
            .then(|| self.track_mut(track).captures.capture(claim, now))
    }

    /// The relay's time of a time on the clock of a publisher's track.
    pub(super) fn time_of(
        &self,
        epoch: u32,
        track: TrackId,
        clock: Clock,
        micros: i128,
    ) -> Option<i128> {
        let captures = &self.track(track).captures;
        captures
            .time_of(clock, micros)
            .filter(|_| self.is_current(epoch))
    }

    /// The frames of a publisher's track were captured earlier than they seem.
    pub(super) fn hold_back(&mut self, epoch: u32, track: TrackId, clock: Clock, by: i128) {
        if self.is_current(epoch) {
            self.track_mut(track).captures.hold_back(clock, by);
        }
    }

    /// The publisher is to be told something. True when that is new.
    pub(super) fn warn(&mut self, epoch: u32, warning: Warning, now: RelayTime) -> bool {
        let publisher = self.publisher.as_mut().filter(|p| p.epoch == epoch);
        publisher.is_some_and(|publisher| publisher.warnings.add(warning, now))
    }

    /// Some of what the publisher was told holds no longer.
    pub(super) fn take_back(&mut self, epoch: u32, gone: &[Warning]) {
        if let Some(publisher) = self.publisher.as_mut().filter(|p| p.epoch == epoch) {
            publisher.warnings.take_back(gone);
        }
    }

    /// What the HTTP API shows of what the publisher is told.
    pub(super) fn warnings(&self) -> Vec<WarningSnapshot> {
        let publisher = self.publisher.as_ref();
        publisher.map_or_else(Vec::new, |publisher| publisher.warnings.shown())
    }

    /// More of a frame that a publisher has begun.
    pub(super) fn extend(&mut self, track: TrackId, key: GroupKey, bytes: Bytes, now: RelayTime) {
        if !self.is_current(key.epoch) {
            return;
        }
        self.totals.bytes_received += bytes.len() as u64;
        // A frame that became late while it came was counted when it began.
        self.track_mut(track).extend(key, bytes, now);
        if let Some(publisher) = &mut self.publisher {
            publisher.heard = now;
        }
    }

    /// The rest of the frame that a publisher has begun in this group will not come.
    pub(super) fn cut(&mut self, track: TrackId, key: GroupKey) {
        if self.is_current(key.epoch) {
            self.track_mut(track).cut(key);
        }
    }

    /// A publisher's frame, or the beginning of one. True when that changed what there is to tell.
    pub(super) fn publish(
        &mut self,
        epoch: u32,
        frame: &Frame,
        now: RelayTime,
    ) -> Result<bool, PublishError> {
        if frame.header().epoch != epoch {
            return Err(PublishError::StaleEpoch(frame.header().epoch));
        }
        if !self.is_current(epoch) {
            return Err(PublishError::Superseded);
        }
        if let Some(code) = self.ended {
            return Err(PublishError::Ended(code));
        }
        let track = frame.header().track;
        if self.admits(frame)? {
            let taken = self.track_mut(track).take(frame, now)?;
            self.totals.late_frames += u64::from(taken == Taken::Late);
            let changed = taken == Taken::Opened && self.opened(frame, now);
            self.record(frame, now);
            return Ok(self.appear(now) || changed);
        }
        self.track_mut(track).drop_frame(frame);
        self.totals.unwanted_frames += 1;
        self.record(frame, now);
        Ok(false)
    }

    /// What the publisher sends sound as from now on. True when that is news.
    pub(super) fn sounds_as(&mut self, epoch: u32, format: Option<SoundFormat>) -> bool {
        self.is_current(epoch) && self.ended.is_none() && self.sound.becomes(format)
    }

    /// A publisher's sound: the frames that go on to those that listen, and whether the phase is another now.
    pub(super) fn take_sound(
        &mut self,
        epoch: u32,
        packet: SoundPacket,
        now: RelayTime,
    ) -> Result<(Vec<SoundPacket>, bool), PublishError> {
        if packet.epoch != epoch {
            return Err(PublishError::StaleEpoch(packet.epoch));
        }
        if !self.is_current(epoch) {
            return Err(PublishError::Superseded);
        }
        if let Some(code) = self.ended {
            return Err(PublishError::Ended(code));
        }
        let frames = self.sound.take(packet, &mut self.totals, now)?;
        Ok((frames, self.heard(epoch, now)))
    }

    /// Whether the frame is wanted; false when it and the news of that have crossed.
    fn admits(&self, frame: &Frame) -> Result<bool, PublishError> {
        let track = frame.header().track;
        if track == TrackId::MAIN {
            return Ok(true);
        }
        match self.renditions.admission(frame) {
            Admission::Wanted => Ok(true),
            Admission::Crossed => Ok(false),
            Admission::Unasked => Err(PublishError::Unasked(track)),
            Admission::OtherCodec => Err(PublishError::OtherCodec(track)),
        }
    }

    /// A keyframe has opened a group. True when players are served otherwise from now on.
    fn opened(&mut self, frame: &Frame, now: RelayTime) -> bool {
        let track = frame.header().track;
        if track != TrackId::MAIN {
            return self.renditions.began(track);
        }
        self.totals.newest_keyframe_us = now.as_micros();
        let changed = self.renditions.main_is(frame.codec());
        if changed {
            self.let_go_unwanted();
        }
        // Another publisher shows a picture of its own.
        let other = self
            .pause
            .is_some_and(|pause| pause.withheld.epoch != frame.header().epoch);
        changed | (other && self.end_pause(now))
    }

    fn record(&mut self, frame: &Frame, now: RelayTime) {
        self.totals.frames_received += 1;
        self.totals.bytes_received += frame.here() as u64;
        let Some(publisher) = &mut self.publisher else {
            return;
        };
        publisher.heard = now;
        if frame.header().track == TrackId::MAIN {
            // A refinement follows a picture that stood still: no gap worth recording.
            if !frame.header().refinement {
                self.totals.gap(publisher.last_frame, now);
            }
            publisher.last_frame = Some(now);
        }
    }

    /// The publisher takes its picture back: what is before these groups goes from every track, and is not taken any
    /// more. True when that is news.
    pub(super) fn pause(&mut self, epoch: u32, from: &[TrackGroup], now: RelayTime) -> bool {
        if !self.is_current(epoch) || self.ended.is_some() {
            return false;
        }
        for track in TrackId::all() {
            match from.iter().find(|first| first.track == track) {
                Some(first) => self.track_mut(track).take_back(GroupKey {
                    epoch,
                    group: first.group,
                }),
                None => self.track_mut(track).let_go(),
            }
        }
        let since = self.paused_since().unwrap_or(now);
        let withheld = Withheld::new(epoch, from);
        let news = self.withheld() != Some(withheld);
        self.pause = Some(Pause { withheld, since });
        news
    }

    /// What the publisher sends is its picture again. True when that is news.
    pub(super) fn go_on(&mut self, epoch: u32, now: RelayTime) -> bool {
        self.is_current(epoch) && self.end_pause(now)
    }

    fn end_pause(&mut self, now: RelayTime) -> bool {
        let paused = self.pause.take().is_some();
        if paused && self.life == Life::Live {
            self.since = now;
        }
        paused
    }

    /// The publisher cannot encode the rendition on `track`. True when that changed what there is to tell.
    pub(super) fn refuse(&mut self, epoch: u32, track: TrackId) -> bool {
        if !self.is_current(epoch) {
            return false;
        }
        let changed = self.renditions.refuse(track);
        self.let_go_unwanted();
        changed
    }

    /// Players have moved to other tracks, or left them: what nobody is to send any more goes.
    fn let_go_unwanted(&mut self) {
        for track in TrackId::all().filter(|track| *track != TrackId::MAIN) {
            if !self.renditions.is_wanted(track) {
                self.track_mut(track).let_go();
            }
        }
    }

    /// Whether one more player may come.
    pub(super) fn admits_player(&self, settings: &Settings) -> Result<(), AttachError> {
        match self.ended {
            Some(code) => Err(AttachError::Ended(code)),
            None if self.players >= self.most_players(settings) => Err(AttachError::Full),
            None => Ok(()),
        }
    }

    fn most_players(&self, settings: &Settings) -> u32 {
        let most = settings.players_per_broadcast;
        self.most_players.map_or(most, |own| own.min(most))
    }

    /// The publisher may have so many players; those who are there stay.
    pub(super) fn bound_players(&mut self, epoch: u32, most: Option<u32>) {
        if self.is_current(epoch) {
            self.most_players = most;
        }
    }

    /// The publisher is asked for so many renditions at once. True when that changed what it is asked for.
    pub(super) fn bound_renditions(&mut self, epoch: u32, most: Option<u32>) -> bool {
        let changed = self.is_current(epoch) && self.renditions.bound(most);
        if changed {
            self.let_go_unwanted();
        }
        changed
    }

    pub(super) fn attach_player(&mut self, settings: &Settings) -> Result<(), AttachError> {
        self.admits_player(settings)?;
        self.players += 1;
        self.totals.players_joined += 1;
        Ok(())
    }

    /// A player of these means has left.
    pub(super) fn detach_player(&mut self, means: Means, code: Code) {
        self.renditions.moved(Some(means), None);
        self.players = self.players.saturating_sub(1);
        *self.totals.players_left.entry(code.name()).or_default() += 1;
    }

    /// What the publisher's picture takes of a path.
    pub(super) fn demand(&mut self, now: RelayTime) -> Demand {
        self.track_mut(TrackId::MAIN).demand(now)
    }

    /// A number for a player whose path may be narrow.
    pub(super) fn number_path(&mut self) -> u64 {
        self.narrow.numbers += 1;
        self.narrow.numbers
    }

    /// A player's path carries so much, too little for the publisher's picture; `None`: enough, or the
    /// player is gone. Gives its width.
    pub(super) fn see_path(&mut self, number: u64, carries: Option<u64>, now: RelayTime) -> Width {
        let Some(carries) = carries else {
            self.narrow.carry.remove(&number);
            return Width::Wide;
        };
        self.narrow.carry.insert(number, carries);
        if self.narrow.levels == Levels::default() {
            self.level(now);
        }
        self.narrow.levels.width(carries)
    }

    /// A player on a narrow path has gone.
    pub(super) fn forget_path(&mut self, number: u64) {
        self.narrow.carry.remove(&number);
    }

    /// Has the renditions for narrow paths follow what these carry. True when one is to take another part.
    fn level(&mut self, now: RelayTime) -> bool {
        let narrow = &mut self.narrow;
        narrow.levelled = now;
        narrow.levels = Levels::of(narrow.carry.values().copied().collect(), narrow.levels);
        let Levels {
            narrow, narrower, ..
        } = self.narrow.levels;
        // Both, whatever the first says.
        self.renditions.limit(Width::Narrow, narrow)
            | self.renditions.limit(Width::Narrower, narrower)
    }

    /// What those get next who stand at `cursor`, over a path that `carries` so many bytes per second.
    pub(super) fn step(
        &self,
        cursor: &mut Cursor,
        settings: &Settings,
        carries: Option<u64>,
        now: RelayTime,
    ) -> Step {
        let Some(track) = cursor.track() else {
            return Step::Wait {
                until: None,
                ask: None,
            };
        };
        let outlook = self.outlook(track, settings, now);
        cursor.step(Outlook { carries, ..outlook })
    }

    pub(super) fn is_overtaken(
        &self,
        cursor: &Cursor,
        backlog: Backlog,
        settings: &Settings,
        (carries, short): (Option<u64>, bool),
        now: RelayTime,
    ) -> bool {
        cursor.track().is_none_or(|track| {
            let outlook = Outlook {
                carries,
                short,
                ..self.outlook(track, settings, now)
            };
            cursor.is_overtaken(backlog, outlook)
        })
    }

    /// The rest of a group that a publisher has begun is passed over: there is no memory for it.
    /// True when it was the group's first loss.
    pub(super) fn pass_over(&mut self, track: TrackId, key: GroupKey) -> bool {
        let first = self.is_current(key.epoch) && self.track_mut(track).pass_over(key);
        self.totals.groups_passed_over += u64::from(first);
        first
    }

    /// The main track, and the renditions that are wanted.
    pub(super) fn running(&self) -> impl Iterator<Item = TrackId> {
        let wanted = TrackId::all().filter(|track| self.renditions.is_wanted(*track));
        iter::once(TrackId::MAIN).chain(wanted)
    }

    /// Whether to ask the publisher for a keyframe of `track` now.
    pub(super) fn ask(
        &mut self,
        track: TrackId,
        need: Need,
        settings: &Settings,
        now: RelayTime,
    ) -> bool {
        let interval = settings.keyframe_interval;
        let ask = self.publisher.is_some() && self.track_mut(track).ask(need, interval, now);
        if ask {
            self.totals.keyframe_requests += 1;
        }
        ask
    }

    pub(super) fn end(&mut self, code: Code) -> bool {
        let first = self.ended.is_none();
        self.ended.get_or_insert(code);
        self.tracks = Default::default();
        first
    }

    /// What time alone changes: silence, age, eviction.
    pub(super) fn tick(&mut self, settings: &Settings, now: RelayTime) -> Tick {
        for track in &mut self.tracks {
            track.cache.evict(now);
        }
        if self.ended.is_some() {
            return Tick::Nothing;
        }
        let (since, most) = match self.presence() {
            Presence::AwaySince(since) => (since, settings.held_timeout),
            Presence::Never if self.publisher.is_none() => (self.since, settings.waiting_timeout),
            Presence::Never | Presence::Here => (now, Duration::MAX),
        };
        // One of another relay's ends when that says so.
        if now - since > most && self.source.is_here() {
            return Tick::HeldTooLong;
        }
        let silent = self
            .publisher
            .as_ref()
            .is_some_and(|p| now - p.heard > settings.publisher_silence);
        let mut changed = silent && self.enter_held(now);
        if self
            .renditions
            .tick(self.is_answered(), settings.rendition_linger, now)
        {
            self.let_go_unwanted();
            changed = true;
        }
        if now - self.narrow.levelled >= LEVELLED_EVERY {
            changed |= self.level(now);
        }
        match changed {
            true => Tick::Changed,
            false => Tick::Nothing,
        }
    }

    /// What the HTTP API shows of the caches.
    pub(super) fn cached(&self) -> CacheSnapshot {
        let mut all = CacheSnapshot::default();
        for Track { cache, .. } in &self.tracks {
            all.groups += cache.groups();
            all.frames += cache.frames();
            all.bytes += cache.bytes();
        }
        all
    }

    /// What the HTTP API shows of the renditions that run.
    pub(super) fn rendition_snapshots(&self) -> Vec<RenditionSnapshot> {
        let wanted = self.renditions.wanted().list().into_iter();
        let shown = wanted.map(|rendition| {
            let track = self.track(rendition.track);
            RenditionSnapshot {
                track: rendition.track.number(),
                codec: rendition.codec.name(),
                max_kbps: rendition.max_kbps,
                players: rendition.players,
                frames_received: track.frames_received,
                bytes_received: track.bytes_received,
            }
        });
        shown.collect()
    }

    /// Bytes in all caches.
    pub(super) fn cached_bytes(&self) -> usize {
        self.tracks.iter().map(|track| track.cache.bytes()).sum()
    }

    /// Evicts all but the newest groups, to make room.
    pub(super) fn evict_previous(&mut self) {
        for track in &mut self.tracks {
            track.cache.evict_previous();
        }
    }

    /// Lets go of all pictures, to make more room: the next keyframe begins anew.
    pub(super) fn shed(&mut self) {
        for track in &mut self.tracks {
            track.cache.shed();
        }
        self.totals.caches_shed += 1;
    }

    pub(super) fn track(&self, track: TrackId) -> &Track {
        &self.tracks[usize::from(track.number())]
    }

    fn track_mut(&mut self, track: TrackId) -> &mut Track {
        &mut self.tracks[usize::from(track.number())]
    }

    /// A publisher has come or gone: what was not whole will never be.
    fn hand_over(&mut self) {
        self.tracks.iter_mut().for_each(Track::hand_over);
        self.sound.hand_over();
    }

    /// Whether a publisher is there that could answer; a silent one cannot.
    fn is_answered(&self) -> bool {
        self.publisher.is_some() && self.life == Life::Live
    }

    fn outlook<'a>(
        &'a self,
        track: TrackId,
        settings: &'a Settings,
        now: RelayTime,
    ) -> Outlook<'a> {
        let track = self.track(track);
        Outlook {
            cache: &track.cache,
            attached: self.is_answered(),
            keyframe_due: track.is_keyframe_due(now),
            settings,
            carries: None,
            short: false,
            now,
        }
    }

    fn is_current(&self, epoch: u32) -> bool {
        self.publisher.as_ref().is_some_and(|p| p.epoch == epoch)
    }

    /// A broadcast that never had a picture goes on waiting for one.
    fn enter_held(&mut self, now: RelayTime) -> bool {
        self.life != Life::Waiting && self.enter(Life::Held, now)
    }

    fn enter(&mut self, life: Life, now: RelayTime) -> bool {
        if self.life == life {
            return false;
        }
        self.life = life;
        self.since = now;
        true
    }
}

#[cfg(test)]
mod tests;
