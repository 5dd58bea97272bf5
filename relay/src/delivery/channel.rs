//! One broadcast's players on one shard, over one kind of carrier.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;
use steadycast_codec_glue::wire::{Code, MediaKind, TrackId};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::watch;

use super::carrier::{Carrier, Gone, Packer, Rush, Sent, Sounder as _};
use super::cohort::{Cohort, Round};
use super::given::{Given, Portion};
use super::listeners::Listeners;
use super::news::PathNews;
use super::pairs::{Pairs, Place};
use super::reception::{Reception, Version};
use super::timers::Timers;
use crate::broadcast::{
    Broadcast, Means, Moment, News, PlayerSeat, RelayTime, Sounds, Step, View, Width,
};

/// What players may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A player that has acknowledged nothing for this long, while something is on its way to it,
    /// is ended.
    pub(crate) stall: Duration,
}

/// The players of one broadcast on one shard.
pub(crate) struct Channel<C: Carrier> {
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) limits: Limits,
    packer: C::Packer,
    pub(super) players: Slab<Player<C>>,
    cohorts: [Cohort<C::Packer, C::Parcel>; TrackId::COUNT],
    news: watch::Receiver<News>,
    sounds: Sounds,
    sounder: C::Sounder,
    listeners: Listeners<(C::Sound, Place)>,
    pairs: Pairs,
    /// A frame that some wait for.
    awaited: Option<C::Sound>,
    /// Players that go by themselves.
    alone: BTreeSet<usize>,
    /// Those of them that have something to do.
    turns: VecDeque<usize>,
    pub(super) timers: Timers,
    /// When paths were last looked at.
    seen: Option<Instant>,
    /// Players whose sessions are to end, and why.
    pub(super) over: Vec<(usize, Code)>,
    /// When the frames arrived that all players of a track have been given.
    relayed: Vec<RelayTime>,
}

/// One player.
pub(super) struct Player<C: Carrier> {
    pub(super) seat: PlayerSeat,
    pub(super) carrier: C,
    pub(super) packer: C::Packer,
    pub(super) standing: Standing,
    /// Whether it is in the queue of turns.
    in_turn: bool,
    /// When its cursor wants to be asked again.
    pub(super) again: Option<RelayTime>,
    /// When frames were last left out because it could not keep up.
    pub(super) skipped: Option<Instant>,
    /// When its path was last filled up, to see what it carries.
    filled: Option<Instant>,
    pub(super) given: Given,
}

/// A path on which no frame was left out for this long is wide enough.
const WIDE_AFTER: Duration = Duration::from_secs(10);
/// A path that may carry more than it is given is filled up so often, with so much of what it carries in
/// a second: a tenth.
const FILLED_EVERY: Duration = Duration::from_secs(1);
const FILL: u64 = 10;
/// How often it is seen whether paths are wide enough.
const SEEN_EVERY: Duration = Duration::from_millis(500);

/// With whom a player moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// By itself.
    Alone,
    /// With the cohort of a track, in which it has this place.
    Together(TrackId, usize),
    /// Its session is to end.
    Over,
}

impl<C: Carrier> Player<C> {
    /// Takes its place in the queue of turns, once.
    fn queue_up(&mut self, key: usize, turns: &mut VecDeque<usize>) {
        if !std::mem::replace(&mut self.in_turn, true) {
            turns.push_back(key);
        }
    }

    /// Has a path that is given less than the publisher chose show now and then what it carries.
    fn fill(&mut self, carries: Option<u64>, now: Instant) {
        let filled = |at| now.saturating_duration_since(at) < FILLED_EVERY;
        let Some(carries) = carries.filter(|_| self.seat.is_to_prove_itself()) else {
            return;
        };
        // A path on which something waits is full by itself.
        let waits = self.carrier.backlog().unsent > 0;
        if self.standing != Standing::Over && !waits && !self.filled.is_some_and(filled) {
            self.filled = Some(now);
            let bytes = usize::try_from(carries / FILL).unwrap_or(usize::MAX);
            self.carrier.fill(bytes, now);
        }
    }
}

impl<C: Carrier> Channel<C> {
    /// A channel without players. `packer` is where those of each of them begin.
    pub(crate) fn new(broadcast: &Arc<Broadcast>, packer: C::Packer, limits: Limits) -> Self {
        Self {
            broadcast: broadcast.clone(),
            limits,
            cohorts: std::array::from_fn(|_| Cohort::new(packer.clone())),
            packer,
            players: Slab::new(),
            news: broadcast.news(),
            sounds: broadcast.sounds(),
            sounder: C::Sounder::default(),
            listeners: Listeners::default(),
            pairs: Pairs::default(),
            awaited: None,
            alone: BTreeSet::new(),
            turns: VecDeque::new(),
            timers: Timers::default(),
            seen: None,
            over: Vec::new(),
            relayed: Vec::new(),
        }
    }

    /// Its broadcast.
    pub(crate) fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Takes in a player; returns its key, which is good until it leaves. `carrier` is told what
    /// that is before it is asked for anything.
    pub(crate) fn join(&mut self, seat: PlayerSeat, carrier: impl FnOnce(usize) -> C) -> usize {
        let key = self.timers.enter();
        let player = Player {
            seat,
            carrier: carrier(key),
            packer: self.packer.clone(),
            standing: Standing::Alone,
            in_turn: false,
            again: None,
            skipped: None,
            filled: None,
            given: Given::default(),
        };
        // Both slabs take and give the same keys.
        let same = self.players.insert(player);
        debug_assert_eq!(same, key);
        if self.players[key].seat.listens() {
            self.listeners.add(key);
        }
        self.alone.insert(key);
        self.ready(key);
        key
    }

    /// A player leaves; gives back what it came with.
    pub(crate) fn leave(&mut self, key: usize) -> Option<(PlayerSeat, C)> {
        if !self.players.contains(key) {
            return None;
        }
        self.go_alone(key);
        self.listeners.remove(key);
        let player = self.players.remove(key);
        self.timers.remove(key);
        self.alone.remove(&key);
        if player.in_turn {
            self.turns.retain(|other| *other != key);
        }
        self.over.retain(|(other, _)| *other != key);
        Some((player.seat, player.carrier))
    }

    /// A player's seat.
    pub(crate) fn seat(&mut self, key: usize) -> Option<&mut PlayerSeat> {
        self.players.get_mut(key).map(|player| &mut player.seat)
    }

    /// A player is to hear what there is from now on, or not any more.
    pub(crate) fn listen(&mut self, key: usize, on: bool) {
        let Some(player) = self.players.get_mut(key) else {
            return;
        };
        if player.seat.listens() == on {
            return;
        }
        player.seat.listen(on);
        match on {
            true => self.listeners.add(key),
            false => self.listeners.remove(key),
        }
    }

    /// What a player can be served by.
    pub(crate) fn means(&self, key: usize) -> Option<Means> {
        self.players.get(key).map(|player| player.seat.means())
    }

    /// A player's end of its transport.
    pub(crate) fn carrier(&mut self, key: usize) -> Option<&mut C> {
        self.players.get_mut(key).map(|player| &mut player.carrier)
    }

    /// Looks, now and then, at the paths of players that have less than the publisher chose, or had trouble
    /// of late: where one is too narrow for that, its player is to have less.
    fn see_paths(&mut self, now: Moment) {
        let again = |seen: Instant| now.instant.saturating_duration_since(seen) >= SEEN_EVERY;
        if !self.seen.is_none_or(again) {
            return;
        }
        self.seen = Some(now.instant);
        for (_, player) in &mut self.players {
            let skipped = player.skipped.is_some_and(|at| is_lately(at, now.instant));
            // A path that has carried everything is wide enough.
            if skipped || player.seat.means().width != Width::Wide {
                let carries = player.carrier.carries();
                player.seat.see_path(View { carries, skipped }, now.relay);
                player.fill(carries, now.instant);
            }
        }
    }

    /// What there is to say of a player's path.
    pub(crate) fn path(&self, key: usize, now: Instant) -> Option<PathNews> {
        let player = self.players.get(key)?;
        let carries = player.carrier.carries();
        let skipped = player.skipped.is_some_and(|at| is_lately(at, now));
        let narrow = skipped || player.seat.means().width != Width::Wide;
        Some(PathNews::of(carries.filter(|_| narrow)))
    }

    /// What a player gets at present.
    pub(crate) fn reception(&self, key: usize, now: Instant) -> Option<Reception> {
        let player = self.players.get(key)?;
        let means = player.seat.means();
        let serving = self.news.borrow().serving(means);
        Some(Reception {
            version: Version::of(serving, means, player.given),
            skips: player.skipped.is_some_and(|at| is_lately(at, now)),
            carries_kbps: self.path(key, now)?.carries_kbps,
            rtt: player.carrier.round_trip(),
        })
    }

    /// What a player has been given so far.
    pub(crate) fn given(&self, key: usize) -> Option<Given> {
        self.players.get(key).map(|player| player.given)
    }

    /// Whether nobody is here.
    pub(crate) fn is_empty(&self) -> bool {
        self.players.is_empty()
    }

    /// The broadcast has something new: a frame, or other worth of those that are there.
    pub(crate) fn wake(&mut self) {
        if self.news.has_changed().unwrap_or(false) {
            let news = *self.news.borrow_and_update();
            self.sort_out(&news);
        }
        for key in &self.alone {
            self.players[*key].queue_up(*key, &mut self.turns);
        }
    }

    /// A player may be able to go on. Whether it has a turn now: one that moves with others has
    /// its turn with them.
    pub(crate) fn ready(&mut self, key: usize) -> bool {
        let Some(player) = self.players.get_mut(key) else {
            return false;
        };
        let alone = player.standing == Standing::Alone;
        if alone {
            player.queue_up(key, &mut self.turns);
        }
        alone
    }

    /// When time alone makes something due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let due = [self.timers.next(), self.pairs.due()];
        due.into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn pass_time(&mut self, now: Moment) {
        let due = std::iter::from_fn(|| self.timers.take_due(now.instant)).collect::<Vec<_>>();
        for key in due {
            let player = &mut self.players[key];
            let again = player.again.is_some_and(|again| again <= now.relay);
            if player.carrier.pass_time(now) || again {
                self.ready(key);
            }
            self.check_stall(key, now.instant);
            // Of one that has a turn now the next time is known after that.
            if !self.players[key].in_turn {
                self.set_timer(key, now);
            }
        }
    }

    /// Brings players what they have not got, `most` of them; true while others still wait.
    pub(crate) fn advance(&mut self, now: Moment, most: usize) -> bool {
        self.see_paths(now);
        let mut left = most;
        if self.tell(now, &mut left) {
            return true;
        }
        for track in TrackId::all() {
            if self.advance_together(track, now, &mut left) {
                return true;
            }
        }
        while let Some(key) = self.turns.pop_front() {
            if let Some(player) = self.players.get_mut(key) {
                player.in_turn = false;
                self.advance_alone(key, now);
                self.set_timer(key, now);
            }
            left = left.saturating_sub(1);
            if left == 0 {
                return !self.turns.is_empty();
            }
        }
        false
    }

    /// Takes the players whose sessions are to end, and why. They stay until they leave.
    pub(crate) fn take_over(&mut self) -> Vec<(usize, Code)> {
        std::mem::take(&mut self.over)
    }

    /// When the frames arrived that all players of a track have been given since this was asked last.
    pub(crate) fn take_relayed(&mut self) -> Vec<RelayTime> {
        std::mem::take(&mut self.relayed)
    }

    /// Hands sound to those that listen; true while some wait for their turn.
    fn tell(&mut self, now: Moment, left: &mut usize) -> bool {
        loop {
            if self.listeners.is_idle() && !self.begin_sound(now.instant) {
                return false;
            }
            let players = &mut self.players;
            let tally = self.listeners.tell(left, |key, (sound, place)| {
                let player = players.get_mut(key);
                player.is_some_and(|player| player.carrier.hear(sound, *place, now))
            });
            match tally {
                Some(((sound, place), tally)) => {
                    self.awaited = (place == Place::First).then_some(sound);
                    // Who waited for it was counted then.
                    let sent = tally.sent * u64::from(place != Place::Left);
                    let listeners = self.broadcast.count_sound(sent, tally.dropped);
                    self.pairs.fit(listeners);
                }
                None => return !self.listeners.is_idle(),
            }
        }
    }

    /// Begins to hand out the next frame of sound, if there is one for somebody.
    fn begin_sound(&mut self, now: Instant) -> bool {
        let listeners = self.listeners.count();
        loop {
            if let Some((packet, place)) = self.pairs.pop(now) {
                let awaited = self.awaited.take().filter(|_| place == Place::Left);
                let sound = awaited.unwrap_or_else(|| self.sounder.sound(&packet));
                self.listeners.begin((sound, place));
                return true;
            }
            match self.sounds.try_recv() {
                Ok(packet) if listeners > 0 => self.pairs.push(packet, now),
                Ok(_) => {}
                Err(TryRecvError::Lagged(missed)) => {
                    self.broadcast.count_sound(0, missed * listeners as u64);
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return false,
            }
        }
    }

    fn advance_together(&mut self, track: TrackId, now: Moment, left: &mut usize) -> bool {
        let at = usize::from(track.number());
        loop {
            if self.cohorts[at].round.is_none() && !self.begin_round(at, now) {
                return false;
            }
            let Some(mut round) = self.cohorts[at].round.take() else {
                return false;
            };
            while let Some(key) = self.cohorts[at].members.get(round.at).copied() {
                if *left == 0 {
                    self.cohorts[at].round = Some(round);
                    return true;
                }
                *left -= 1;
                self.serve(key, &mut round, now);
            }
            self.relayed.extend(round.arrived);
        }
    }

    /// Sends a round to its next member. One that cannot take it leaves.
    fn serve(&mut self, key: usize, round: &mut Round<C::Parcel>, now: Moment) {
        let player = &mut self.players[key];
        // It costs next to nothing beside a picture.
        if let Some(sound) = self.awaited.as_ref().filter(|_| player.seat.listens()) {
            player.carrier.hear(sound, Place::Left, now);
        }
        if round.opens {
            player.carrier.open();
        }
        player.carrier.queue(&round.parcels, Rush::Live);
        player.given.add(round.portion, now.relay);
        match player.carrier.send(now) {
            Ok(Sent::All) => round.at += 1,
            // It has been served, as far as the cohort goes.
            Ok(Sent::Blocked) => self.leave_cohort(key),
            Err(Gone) => self.end(key, Code::Done),
        }
        self.set_timer(key, now);
    }

    fn begin_round(&mut self, at: usize, now: Moment) -> bool {
        let cohort = &mut self.cohorts[at];
        let players = cohort.members.len();
        if players == 0 {
            return false;
        }
        let step = self
            .broadcast
            .step_together(&mut cohort.cursor, players, now.relay);
        let (pieces, opens) = match step {
            Some(Step::Continue(pieces)) => (pieces, false),
            Some(Step::Open { frames, .. }) => (frames, true),
            Some(_) => return false,
            None => {
                self.disband(at);
                return false;
            }
        };
        if opens {
            cohort.packer.cut();
        }
        cohort.round = Some(Round {
            portion: Portion::of(&pieces),
            parcels: cohort.packer.pack(pieces),
            opens,
            begun: now.relay,
            arrived: cohort.cursor.arrived(),
            at: 0,
        });
        true
    }

    /// They lag, all of them: each decides for itself.
    fn disband(&mut self, at: usize) {
        while let Some(key) = self.cohorts[at].members.last().copied() {
            self.leave_cohort(key);
        }
    }

    /// Lets those go by themselves who are to be on another track.
    fn sort_out(&mut self, news: &News) {
        let moving = |player: &Player<C>| match player.standing {
            Standing::Together(track, _) => {
                news.serving(player.seat.means()).sends() != Some(track)
            }
            Standing::Alone | Standing::Over => false,
        };
        let moving = self.players.iter().filter(|(_, player)| moving(player));
        for key in moving.map(|(key, _)| key).collect::<Vec<_>>() {
            self.go_alone(key);
        }
    }

    /// A player says otherwise what it can decode.
    pub(crate) fn sort(&mut self, key: usize) {
        if let Some(player) = self.players.get(key)
            && player.seat.is_to_move(MediaKind::Video)
        {
            self.go_alone(key);
        }
    }

    /// A player's decoder lost its footing: it begins again at a keyframe.
    pub(crate) fn restart(&mut self, key: usize, now: Moment) {
        self.go_alone(key);
        let player = &mut self.players[key];
        player.carrier.cut();
        player.packer.cut();
        player.seat.restart(MediaKind::Video, now.relay);
        self.ready(key);
    }

    /// A player goes on by itself, from where its cohort is.
    fn go_alone(&mut self, key: usize) {
        if matches!(self.players[key].standing, Standing::Together(..)) {
            self.leave_cohort(key);
        }
    }

    /// Takes in a player that has everything, if it stands where the others do.
    pub(super) fn enter_cohort(&mut self, key: usize) {
        let player = &self.players[key];
        // Of a relay's frames none is left out, as they are where all of a cohort are late.
        if player.seat.is_to_move(MediaKind::Video) || player.seat.is_of_relay() {
            return;
        }
        let cursor = player.seat.cursor(MediaKind::Video);
        let Some(track) = cursor.track().filter(|_| cursor.is_placed()) else {
            return;
        };
        let cohort = &mut self.cohorts[usize::from(track.number())];
        if cohort.members.is_empty() {
            cohort.round = None;
            cohort.cursor = cursor.clone();
            cohort.packer = player.packer.clone();
        } else if !cohort.cursor.is_beside(cursor) {
            // The others are not there yet; it asks again when something is new.
            return;
        }
        let moved = cohort.add(key);
        self.players[key].again = None;
        self.alone.remove(&key);
        self.place(track, moved);
    }

    fn leave_cohort(&mut self, key: usize) {
        let Standing::Together(track, place) = self.players[key].standing else {
            return;
        };
        let cohort = &mut self.cohorts[usize::from(track.number())];
        let player = &mut self.players[key];
        // The cohort stands where the round ends. One that has not had its turn has it now.
        if let Some(round) = cohort.round.as_ref().filter(|round| place >= round.at) {
            if round.opens {
                player.carrier.open();
            }
            player.carrier.queue(&round.parcels, Rush::Live);
            player.given.add(round.portion, round.begun);
        }
        player.seat.resume(MediaKind::Video, cohort.cursor.clone());
        player.packer = cohort.packer.clone();
        player.standing = Standing::Alone;
        let moved = cohort.remove(place);
        self.place(track, moved);
        self.alone.insert(key);
        self.ready(key);
    }

    fn place(&mut self, track: TrackId, moved: impl IntoIterator<Item = (usize, usize)>) {
        for (key, place) in moved {
            self.players[key].standing = Standing::Together(track, place);
        }
    }

    pub(super) fn end(&mut self, key: usize, code: Code) {
        self.go_alone(key);
        self.alone.remove(&key);
        self.players[key].standing = Standing::Over;
        self.over.push((key, code));
    }
}

/// Whether frames that were left out then say something of the path still.
fn is_lately(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < WIDE_AFTER
}
