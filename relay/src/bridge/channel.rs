//! What a shard sends of one broadcast, and to whom.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{CodecSet, TrackId};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::assembly::Assembly;
use super::packets::{Packetizer, Packets};
use super::player::{Player, assemble};
use crate::broadcast::{Broadcast, BroadcastId, Cursor, News, RelayTime, Step};

/// Which broadcasts have something new.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    ids: Mutex<HashSet<BroadcastId>>,
    notify: Notify,
}

impl Wakes {
    fn wake(&self, id: &BroadcastId) {
        if self.ids.lock().insert(id.clone()) {
            self.notify.notify_one();
        }
    }

    /// Waits for broadcasts that have something new. Cancel-safe.
    pub(super) async fn ready(&self) -> HashSet<BroadcastId> {
        loop {
            let ids = std::mem::take(&mut *self.ids.lock());
            if !ids.is_empty() {
                return ids;
            }
            self.notify.notified().await;
        }
    }
}

/// The peers of one broadcast on one shard.
pub(super) struct Channel {
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) packetizer: Arc<Packetizer>,
    pub(super) publishers: Vec<usize>,
    /// Players that go by themselves until they have everything.
    pub(super) alone: Vec<usize>,
    /// One for each track.
    cohorts: [Cohort; TrackId::COUNT],
    news: watch::Receiver<News>,
    listening: Vec<AbortHandle>,
}

/// The players that have everything of a track: they stand at one place, so that the cache is
/// asked once for all of them.
#[derive(Default)]
struct Cohort {
    members: Vec<usize>,
    cursor: Cursor,
    assembly: Assembly,
}

/// What all players that stand together get next.
pub(super) struct Round {
    pub(super) frames: Vec<Arc<Packets>>,
    /// They lag, all of them: each decides for itself.
    pub(super) disband: bool,
}

impl Channel {
    pub(super) fn open(
        broadcast: &Arc<Broadcast>,
        packetizer: Arc<Packetizer>,
        wakes: &Arc<Wakes>,
    ) -> Self {
        let listen = |track| {
            let mut frames = broadcast.frames(track);
            let (id, wakes) = (broadcast.id().clone(), wakes.clone());
            let listening = tokio::spawn(async move {
                while frames.changed().await.is_ok() {
                    wakes.wake(&id);
                }
            });
            listening.abort_handle()
        };
        Self {
            broadcast: broadcast.clone(),
            packetizer,
            publishers: Vec::new(),
            alone: Vec::new(),
            cohorts: Default::default(),
            news: broadcast.news(),
            listening: TrackId::all().map(listen).collect(),
        }
    }

    /// What those get next who have everything of `track`, and who they are; `None` when there is
    /// nothing, or nobody.
    pub(super) fn round(
        &mut self,
        track: TrackId,
        now: RelayTime,
        members: &mut Vec<usize>,
    ) -> Option<Round> {
        let cohort = &mut self.cohorts[usize::from(track.number())];
        let players = cohort.members.len();
        if players == 0 {
            return None;
        }
        members.clear();
        members.extend_from_slice(&cohort.members);
        let disband = Round {
            frames: Vec::new(),
            disband: true,
        };
        let step = self
            .broadcast
            .step_together(&mut cohort.cursor, players, now);
        let pieces = match step {
            Some(Step::Continue(pieces)) => pieces,
            Some(Step::Open { frames, .. }) => {
                cohort.assembly.cut();
                frames
            }
            Some(_) => return None,
            None => return Some(disband),
        };
        Some(Round {
            frames: assemble(&mut cohort.assembly, &self.packetizer, pieces),
            disband: false,
        })
    }

    /// Whether players may be on another track than they should be, since the last call.
    pub(super) fn has_news(&mut self) -> bool {
        let news = self.news.has_changed().unwrap_or(false);
        if news {
            self.news.mark_unchanged();
        }
        news
    }

    /// The track that is for those who can decode `codecs`.
    pub(super) fn track_of(&self, codecs: Option<CodecSet>) -> Option<TrackId> {
        self.news.borrow().serving(codecs).sends()
    }

    /// The players that stand together, with their track.
    pub(super) fn together(&self) -> impl Iterator<Item = (TrackId, usize)> {
        let tracks = TrackId::all().zip(&self.cohorts);
        tracks.flat_map(|(track, cohort)| cohort.members.iter().map(move |key| (track, *key)))
    }

    /// Takes in a player that has everything, if it stands where the others do.
    pub(super) fn enter(&mut self, key: usize, player: &mut Player) {
        let cursor = player.seat.cursor();
        let Some(track) = cursor.track().filter(|_| cursor.is_placed()) else {
            return;
        };
        let cohort = &mut self.cohorts[usize::from(track.number())];
        if cohort.members.is_empty() {
            cohort.cursor = cursor.clone();
            cohort.assembly = player.assembly.clone();
        } else if !cohort.cursor.is_beside(cursor) {
            return;
        }
        self.alone.retain(|other| *other != key);
        cohort.members.push(key);
        player.together = true;
    }

    /// A player goes on by itself from where the others are.
    pub(super) fn leave(&mut self, key: usize, player: &mut Player) {
        let mut cohorts = self.cohorts.iter_mut();
        if let Some(cohort) = cohorts.find(|cohort| cohort.members.contains(&key)) {
            cohort.members.retain(|other| *other != key);
            player.resume(&cohort.cursor, &cohort.assembly);
        }
        self.alone.push(key);
    }

    /// All of its peers.
    pub(super) fn everybody(&self) -> Vec<usize> {
        let together = self.together().map(|(_, key)| key);
        let others = self.alone.iter().chain(&self.publishers);
        others.copied().chain(together).collect()
    }

    /// Forgets a peer; true when nobody is left.
    pub(super) fn remove(&mut self, key: usize) -> bool {
        let cohorts = self.cohorts.iter_mut().map(|cohort| &mut cohort.members);
        for list in cohorts.chain([&mut self.alone, &mut self.publishers]) {
            list.retain(|other| *other != key);
        }
        self.everybody().is_empty()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.listening.iter().for_each(AbortHandle::abort);
    }
}
