//! The broadcasts that this relay knows.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use steadycast_codec_glue::wire::{Code, Phase};

use super::memory::Memory;
use super::privacy::Privacy;
use super::{Broadcast, BroadcastId, OwnSettings, Presence, RelayTime, Settings, Totals};

/// Why a broadcast cannot be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// There are as many as there may be.
    #[error("the relay has as many broadcasts as it may have (broadcast.max_broadcasts)")]
    Full,
    /// The id is taken.
    #[error("a broadcast of this id exists")]
    Exists,
}

/// What whoever makes a broadcast says of it.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Its name for people.
    pub title: String,
    /// Only people with its link can see it (PROTOCOL 12).
    pub private: bool,
    /// What it has less of than others.
    pub settings: OwnSettings,
}

impl<T: Into<String>> From<T> for Description {
    fn from(title: T) -> Self {
        Self {
            title: title.into(),
            private: false,
            settings: OwnSettings::default(),
        }
    }
}

/// The broadcasts that this relay knows, by id.
#[derive(Debug)]
pub struct Registry {
    /// Of broadcasts that are made from now on.
    settings: RwLock<Arc<Settings>>,
    broadcasts: RwLock<HashMap<BroadcastId, Arc<Broadcast>>>,
    /// What has happened at those that have ended.
    ended: Mutex<Totals>,
    memory: Arc<Memory>,
}

impl Registry {
    /// An empty registry.
    pub fn new(settings: Settings) -> Self {
        Self {
            memory: Memory::new(settings.cache_bytes, settings.broadcast_bytes),
            settings: RwLock::new(Arc::new(settings)),
            broadcasts: RwLock::default(),
            ended: Mutex::default(),
        }
    }

    /// Creates a broadcast that waits for its publisher.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn create(
        &self,
        id: BroadcastId,
        description: Description,
        now: RelayTime,
    ) -> Result<Arc<Broadcast>, RegistryError> {
        self.add(id, |id| {
            self.make(id, description, Presence::Never, (now, now))
        })
    }

    /// Makes a broadcast again that a relay before this one had, however many there are: none is
    /// lost because fewer are allowed now. A publisher that has been away is given no more time, nor is one
    /// that has never come.
    pub fn restore(
        &self,
        id: BroadcastId,
        description: Description,
        presence: Presence,
        (created, now): (RelayTime, RelayTime),
    ) {
        let broadcast = self.make(id.clone(), description, presence, (created, now));
        self.broadcasts.write().insert(id, broadcast);
    }

    /// The same of a broadcast that several relays know, which comes here where there is room for it.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn bring_back(
        &self,
        id: BroadcastId,
        description: Description,
        presence: Presence,
        times: (RelayTime, RelayTime),
    ) -> Result<Arc<Broadcast>, RegistryError> {
        self.add(id, |id| self.make(id, description, presence, times))
    }

    /// Takes in a broadcast of another relay, at this address: nothing but that relay's word ends it, and that nobody
    /// watches it. Where it is not known what it is, it is called by its id, and what comes says whether it is private.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn take_in(
        &self,
        id: BroadcastId,
        description: Option<Description>,
        upstream: Arc<str>,
        now: RelayTime,
    ) -> Result<Arc<Broadcast>, RegistryError> {
        let (description, privacy) = match description {
            Some(known) => {
                let private = known.private;
                (known, Privacy::Known { private })
            }
            None => (id.to_string().into(), Privacy::elsewhere()),
        };
        let settings = self.settings_of(&description);
        self.add(id, |id| {
            Broadcast::new(
                id,
                (description.title, Some(upstream), privacy),
                settings,
                &self.memory,
                Presence::Never,
                (now, now),
            )
        })
    }

    /// Adds a broadcast where there is room for one of this id.
    fn add(
        &self,
        id: BroadcastId,
        make: impl FnOnce(BroadcastId) -> Arc<Broadcast>,
    ) -> Result<Arc<Broadcast>, RegistryError> {
        let mut broadcasts = self.broadcasts.write();
        if broadcasts.contains_key(&id) {
            return Err(RegistryError::Exists);
        }
        if broadcasts.len() >= self.most() {
            return Err(RegistryError::Full);
        }
        let broadcast = make(id.clone());
        broadcasts.insert(id, broadcast.clone());
        Ok(broadcast)
    }

    /// Lets go of a broadcast of another relay that nobody watches; false when somebody does. Whoever comes at this very
    /// moment is told to come again.
    pub fn let_go(&self, broadcast: &Broadcast) -> bool {
        let mut broadcasts = self.broadcasts.write();
        if !broadcast.end_unwatched(Code::ShuttingDown) {
            return false;
        }
        let is_this = |known: &Arc<Broadcast>| known.incarnation() == broadcast.incarnation();
        if broadcasts.get(broadcast.id()).is_some_and(is_this) {
            broadcasts.remove(broadcast.id());
            *self.ended.lock() += &broadcast.snapshot().totals;
        }
        true
    }

    fn make(
        &self,
        id: BroadcastId,
        description: Description,
        presence: Presence,
        times: (RelayTime, RelayTime),
    ) -> Arc<Broadcast> {
        let private = description.private;
        let settings = self.settings_of(&description);
        Broadcast::new(
            id,
            (description.title, None, Privacy::Known { private }),
            settings,
            &self.memory,
            presence,
            times,
        )
    }

    fn settings_of(&self, description: &Description) -> Arc<Settings> {
        let all = self.settings.read().clone();
        match description.settings == OwnSettings::default() {
            true => all,
            false => Arc::new(all.with(description.settings)),
        }
    }

    /// Takes other settings, for broadcasts that are made from now on. How much memory there is stays as it was.
    pub fn adjust(&self, settings: Settings) {
        *self.settings.write() = Arc::new(settings);
    }

    /// Whether there may be one more.
    pub fn has_room(&self) -> bool {
        self.broadcasts.read().len() < self.most()
    }

    /// How many broadcasts there may be at once.
    pub fn most(&self) -> usize {
        self.settings.read().max_broadcasts
    }

    /// The broadcast of this id.
    pub fn find(&self, id: &BroadcastId) -> Option<Arc<Broadcast>> {
        self.broadcasts.read().get(id).cloned()
    }

    /// All broadcasts, by id.
    pub fn list(&self) -> Vec<Arc<Broadcast>> {
        let mut all: Vec<_> = self.broadcasts.read().values().cloned().collect();
        all.sort_by(|a, b| a.id().cmp(b.id()));
        all
    }

    /// Ends a broadcast: everybody at it is told `code`. False when there is none.
    pub fn end(&self, id: &BroadcastId, code: Code) -> bool {
        let Some(broadcast) = self.broadcasts.write().remove(id) else {
            return false;
        };
        broadcast.end(code);
        *self.ended.lock() += &broadcast.snapshot().totals;
        true
    }

    /// What has happened at broadcasts that have ended, all together.
    pub fn ended_totals(&self) -> Totals {
        self.ended.lock().clone()
    }

    /// Lets time pass. Returns the broadcasts that ended because of it, and those whose phase has changed
    /// since the last time.
    pub fn tick(&self, now: RelayTime) -> Ticked {
        let mut ticked = Ticked::default();
        let mut due = Vec::new();
        for broadcast in self.list() {
            let id = broadcast.id();
            if let Some(code) = broadcast.tick(now) {
                due.push((id.clone(), code));
            }
            // Of another relay's broadcast that relay tells.
            if let Some(phase) = broadcast
                .turned()
                .filter(|_| broadcast.upstream().is_none())
            {
                ticked.turned.push((id.clone(), phase));
            }
        }
        let ended = due.into_iter();
        let ended = ended.filter_map(|(id, code)| self.end(&id, code).then_some(id));
        ticked.ended = ended.collect();
        ticked
    }
}

/// What time has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Broadcasts that have ended because of it.
    pub ended: Vec<BroadcastId>,
    /// Broadcasts whose phase is another than the last time.
    pub turned: Vec<(BroadcastId, Phase)>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::frame::tests::frame;
    use super::super::{
        AttachError, Frame, Progress, PublisherNews, PublisherSeat, Step, Widths, Word,
    };
    use super::*;
    use bytes::BufMut as _;
    use steadycast_codec_glue::wire::{CodecKind, CodecSet, MediaKind, ResumeSecret, TrackId};

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(ms * 1000)
    }

    fn id(name: &str) -> BroadcastId {
        name.parse().unwrap()
    }

    fn registry() -> Registry {
        Registry::new(Settings {
            max_broadcasts: 2,
            ..Settings::default()
        })
    }

    const SECRET: ResumeSecret = ResumeSecret([1; 16]);

    #[test]
    fn ids_are_unique_and_bounded() {
        let registry = registry();
        registry.create(id("a"), "A".into(), at(0)).unwrap();
        assert_eq!(
            registry.create(id("a"), "A".into(), at(0)).unwrap_err(),
            RegistryError::Exists
        );
        registry.create(id("b"), "B".into(), at(0)).unwrap();
        assert_eq!(
            registry.create(id("c"), "C".into(), at(0)).unwrap_err(),
            RegistryError::Full
        );
    }

    #[test]
    fn broadcasts_are_listed_by_id_and_counted_by_whoever_makes_more() {
        let registry = registry();
        for name in ["b", "a"] {
            registry.create(id(name), name.into(), at(0)).unwrap();
        }
        let listed = registry.list();
        let listed: Vec<_> = listed.iter().map(|broadcast| broadcast.id()).collect();
        assert_eq!((listed, registry.most()), (vec![&id("a"), &id("b")], 2));
        assert!(registry.end(&id("a"), Code::Done) && !registry.end(&id("a"), Code::Done));
    }

    #[test]
    fn a_player_outlives_every_publisher() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let mut player = broadcast.attach_player().unwrap();
        for round in 0..3 {
            let seat = broadcast
                .attach_publisher(None, SECRET, Widths::One, at(round))
                .unwrap();
            seat.publish(frame(seat.epoch(), 0, 0, 10), at(round))
                .unwrap();
            assert!(matches!(
                player.step(MediaKind::Video, None, at(round)),
                Step::Open { .. }
            ));
            seat.leave(at(round));
            assert_eq!(broadcast.status().phase, Phase::Held);
        }
        assert_eq!(broadcast.snapshot().players, 1);
    }

    #[test]
    fn the_older_publisher_learns_that_it_is_superseded() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let old = broadcast
            .attach_publisher(None, SECRET, Widths::One, at(0))
            .unwrap();
        let pulses = old.pulses();
        let _new = broadcast
            .attach_publisher(None, SECRET, Widths::One, at(1))
            .unwrap();
        let pulse = *pulses.borrow();
        assert_eq!(old.news(&pulse), PublisherNews::Over(Code::Superseded));
    }

    /// A keyframe that opens a group, in the memory of its broadcast; false where there is none.
    fn publish(seat: &PublisherSeat, group: u32, len: usize, now: RelayTime) -> bool {
        let frame = frame(seat.epoch(), group, 0, len);
        let Ok(mut buffer) = seat.account().buffer(frame.here()) else {
            seat.pass_over(TrackId::MAIN, group, now);
            return false;
        };
        buffer.spare().put_slice(frame.bytes());
        let frame = Frame::new(*frame.header(), buffer.freeze()).unwrap();
        seat.publish(frame, now).unwrap();
        true
    }

    #[test]
    fn greedy_broadcasts_make_way_for_modest_ones_and_nobody_is_thrown_out() {
        let registry = Registry::new(Settings {
            cache_bytes: 100_000,
            broadcast_bytes: 20_000,
            ..Settings::default()
        });
        let names = ["greedy", "greedier", "modest"];
        let broadcasts = names.map(|name| registry.create(id(name), name.into(), at(0)).unwrap());
        let seats = broadcasts.each_ref().map(|broadcast| {
            broadcast
                .attach_publisher(None, SECRET, Widths::One, at(0))
                .unwrap()
        });
        let mut watching = broadcasts[0].attach_player().unwrap();
        let [greedy, greedier, modest] = &seats;
        assert!(publish(greedy, 0, 40_000, at(0)) && publish(greedier, 0, 50_000, at(0)));
        assert!(matches!(
            watching.step(MediaKind::Video, None, at(0)),
            Step::Open { .. }
        ));
        assert!(publish(modest, 0, 15_000, at(1)), "within its share");
        assert_eq!(
            broadcasts[1].snapshot().totals.caches_shed,
            1,
            "the greatest"
        );
        assert_eq!(broadcasts[0].snapshot().totals.caches_shed, 0);
        assert_eq!(broadcasts[2].snapshot().cache.frames, 1);
        // Whoever had less room goes on as soon as there is some.
        assert!(publish(greedier, 1, 30_000, at(2)));
        assert!(
            broadcasts
                .iter()
                .all(|broadcast| broadcast.ended().is_none())
        );
        let used = broadcasts
            .iter()
            .map(|broadcast| broadcast.account().used());
        assert!(used.sum::<usize>() <= 100_000);
        for broadcast in &broadcasts {
            registry.end(broadcast.id(), Code::BroadcastEnded);
        }
        assert_eq!(broadcasts[2].account().used(), 0);
    }

    #[test]
    fn a_publisher_without_room_is_asked_for_a_keyframe_and_its_picture_stays() {
        let registry = Registry::new(Settings {
            cache_bytes: 20_000,
            ..Settings::default()
        });
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let seat = broadcast
            .attach_publisher(None, SECRET, Widths::One, at(0))
            .unwrap();
        let pulses = seat.pulses();
        assert!(!publish(&seat, 0, 30_000, at(0)));
        assert_eq!(pulses.borrow().keyframe_requests[0], 1);
        assert!(publish(&seat, 1, 10_000, at(1)));
        assert_eq!(broadcast.snapshot().totals.groups_passed_over, 1);
        let PublisherNews::Stands { .. } = seat.news(&pulses.borrow()) else {
            panic!("thrown out");
        };
    }

    #[test]
    fn one_player_forces_no_more_keyframes_than_its_share() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let seat = broadcast
            .attach_publisher(None, SECRET, Widths::One, at(0))
            .unwrap();
        let mut player = broadcast.attach_player().unwrap();
        let pulses = seat.pulses();
        for second in 0..60 {
            let group = second as u32;
            let now = at(second * 1_000);
            seat.publish(frame(1, group, 0, 10), now).unwrap();
            while let Step::Open { .. } | Step::Continue(_) =
                player.step(MediaKind::Video, None, now)
            {}
            player.request_keyframe(at(second * 1_000 + 700));
        }
        let asked = pulses.borrow().keyframe_requests[0];
        assert!((4..=16).contains(&asked), "{asked} times in a minute");
    }

    #[test]
    fn a_player_that_changes_its_mind_all_the_time_is_heard_now_and_then_and_wakes_nobody() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let other = broadcast.attach_player().unwrap();
        let mut player = broadcast.attach_player().unwrap();
        let mut news = other.news();
        let [one, two] = [CodecKind::H264, CodecKind::Vp9].map(|codec| CodecSet::NONE.with(codec));
        player.decodes(one, at(0));
        player.decodes(two, at(0));
        news.mark_unchanged();
        let minds = (0..1_000).map(|turn| if turn % 2 == 0 { one } else { two });
        let heard = minds.filter(|mind| player.decodes(*mind, at(0))).count();
        assert!(heard < 500 + 8, "what it has said already costs nothing");
        assert!(!news.has_changed().unwrap());
        assert!(player.decodes(one, at(2_000)) && player.decodes(one, at(2_000)));
        assert_eq!(player.means().codecs, Some(one));
    }

    #[test]
    fn what_a_player_reports_counts_no_further_than_it_can_be_true() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let mut player = broadcast.attach_player().unwrap();
        let all = |black, decoder_errors| Progress {
            black,
            decoder_errors,
        };
        player.report(all(3, 1), at(0));
        player.report(all(u64::MAX, u32::MAX), at(5_000));
        player.report(all(0, 0), at(5_000));
        player.report(all(u64::MAX, u32::MAX), at(5_000));
        let totals = broadcast.snapshot().totals;
        assert!(totals.black_frames < 1_000, "{}", totals.black_frames);
        assert!(totals.decoder_errors < 1_000, "{}", totals.decoder_errors);
        assert!(totals.black_frames >= 3 && totals.decoder_errors >= 1);
    }

    #[test]
    fn a_restart_gives_a_broadcast_whose_publisher_is_away_no_more_time() {
        let registry = registry();
        let restarted = at(10 * 60_000);
        let away = Presence::AwaySince(at(0));
        for (name, presence) in [
            ("away", away),
            ("here", Presence::Here),
            ("never", Presence::Never),
            ("back", away),
        ] {
            registry.restore(id(name), name.into(), presence, (at(0), restarted));
        }
        let back = registry.find(&id("back")).unwrap();
        assert_eq!(
            (back.status().phase, back.presence()),
            (Phase::Waiting, away)
        );
        let seat = back
            .attach_publisher(None, SECRET, Widths::One, restarted)
            .unwrap();
        seat.publish(frame(1, 0, 0, 10), restarted).unwrap();
        assert_eq!(back.presence(), Presence::Here);
        assert!(registry.tick(at(29 * 60_000)).ended.is_empty());
        assert_eq!(registry.tick(at(31 * 60_000)).ended, vec![id("away")]);
        // It has been silent since then.
        assert_eq!(back.presence(), Presence::AwaySince(at(29 * 60_000)));
        assert_eq!(registry.tick(at(41 * 60_000)).ended, vec![id("here")]);
        assert!(registry.find(&id("never")).is_some());
    }

    #[test]
    fn a_broadcast_that_nobody_came_to_ends_as_well() {
        let registry = registry();
        let hours = |hours: u64| at(hours * 3_600_000);
        let attended = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let seat = attended
            .attach_publisher(None, SECRET, Widths::One, at(0))
            .unwrap();
        // One whose relay has restarted meanwhile.
        registry.restore(id("b"), "B".into(), Presence::Never, (at(0), hours(100)));
        let abandoned = registry.find(&id("b")).unwrap();
        let player = abandoned.attach_player().unwrap();
        assert!(registry.tick(hours(168)).ended.is_empty());
        assert_eq!(registry.tick(hours(169)).ended, vec![id("b")]);
        assert_eq!(player.news().borrow().ended, Some(Code::HeldTooLong));
        drop(seat);
        assert!(registry.find(&id("a")).is_some(), "its publisher has come");
    }

    #[test]
    fn a_phase_is_told_once() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let turned = |now| registry.tick(now).turned;
        assert!(turned(at(0)).is_empty(), "it waits from the beginning");
        let seat = broadcast
            .attach_publisher(None, SECRET, Widths::One, at(0))
            .unwrap();
        seat.publish(frame(1, 0, 0, 10), at(0)).unwrap();
        assert_eq!(turned(at(1)), [(id("a"), Phase::Live)]);
        assert!(turned(at(2)).is_empty());
        seat.leave(at(3));
        assert_eq!(turned(at(4)), [(id("a"), Phase::Held)]);
    }

    #[test]
    fn what_was_told_where_a_broadcast_was_is_not_told_again_where_it_goes_on() {
        let registry = registry();
        let edge = registry
            .take_in(id("a"), None, "origin:1".into(), at(0))
            .unwrap();
        let (pulled, _) = edge.follow_relay("origin:1".into(), at(0)).unwrap();
        let live = Word {
            phase: Phase::Live,
            since: at(1),
        };
        pulled.follow(live, at(1));
        pulled
            .publish(frame(pulled.epoch(), 0, 0, 10), at(1))
            .unwrap();
        let seat = edge
            .attach_publisher(None, SECRET, Widths::One, at(2))
            .unwrap();
        seat.publish(frame(seat.epoch(), 0, 0, 10), at(3)).unwrap();
        assert!(
            registry.tick(at(4)).turned.is_empty(),
            "it is live as before"
        );
        seat.leave(at(5));
        assert_eq!(registry.tick(at(6)).turned, [(id("a"), Phase::Held)]);
    }

    #[test]
    fn a_publisher_has_as_many_players_as_it_may() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let publisher = || {
            let seat = broadcast.attach_publisher(None, SECRET, Widths::One, at(0));
            seat.unwrap()
        };
        let first = publisher();
        let players = [(); 2].map(|()| broadcast.attach_player().unwrap());
        first.bound_players(Some(2));
        assert_eq!(broadcast.attach_player().unwrap_err(), AttachError::Full);
        first.bound_players(Some(1));
        assert_eq!(broadcast.snapshot().players, 2, "nobody is thrown out");
        let second = publisher();
        first.bound_players(None);
        assert!(broadcast.attach_player().is_err(), "it has no say any more");
        second.bound_players(None);
        assert!(broadcast.attach_player().is_ok());
        drop(players);
    }

    #[test]
    fn a_broadcast_held_too_long_is_ended_and_its_players_are_told() {
        let registry = registry();
        let broadcast = registry.create(id("a"), "A".into(), at(0)).unwrap();
        let player = broadcast.attach_player().unwrap();
        let seat = broadcast
            .attach_publisher(None, SECRET, Widths::One, at(0))
            .unwrap();
        seat.publish(frame(1, 0, 0, 10), at(0)).unwrap();
        seat.leave(at(0));
        assert!(registry.tick(at(1000)).ended.is_empty());
        let later = at(1000) + Duration::from_secs(31 * 60);
        assert_eq!(registry.tick(later).ended, vec![id("a")]);
        assert_eq!(player.news().borrow().ended, Some(Code::HeldTooLong));
        assert!(registry.find(&id("a")).is_none());
    }
}
