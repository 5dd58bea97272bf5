//! What a shard sends of one broadcast, and to whom.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::assembly::Assembly;
use super::packets::{Packetizer, Packets};
use super::player::{Player, assemble};
use crate::broadcast::{Broadcast, BroadcastId, Cursor, RelayTime, Step};

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

/// The players of one broadcast on one shard: those that have everything stand at one place, so
/// that the cache is asked once for all of them.
pub(super) struct Channel {
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) packetizer: Arc<Packetizer>,
    pub(super) together: Vec<usize>,
    pub(super) alone: Vec<usize>,
    pub(super) publishers: Vec<usize>,
    cursor: Cursor,
    assembly: Assembly,
    listening: AbortHandle,
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
        let mut frames = broadcast.frames();
        let (id, wakes) = (broadcast.id().clone(), wakes.clone());
        let listening = tokio::spawn(async move {
            while frames.changed().await.is_ok() {
                wakes.wake(&id);
            }
        });
        Self {
            broadcast: broadcast.clone(),
            packetizer,
            together: Vec::new(),
            alone: Vec::new(),
            publishers: Vec::new(),
            cursor: Cursor::default(),
            assembly: Assembly::default(),
            listening: listening.abort_handle(),
        }
    }

    /// What comes next for those that stand together; `None` when they have everything.
    pub(super) fn round(&mut self, now: RelayTime) -> Option<Round> {
        let players = self.together.len();
        if players == 0 {
            return None;
        }
        let disband = Round {
            frames: Vec::new(),
            disband: true,
        };
        let pieces = match self.broadcast.step_together(&mut self.cursor, players, now) {
            Some(Step::Continue(pieces)) => pieces,
            Some(Step::Open { frames, .. }) => {
                self.assembly.cut();
                frames
            }
            Some(_) => return None,
            None => return Some(disband),
        };
        Some(Round {
            frames: assemble(&mut self.assembly, &self.packetizer, pieces),
            disband: false,
        })
    }

    /// Takes in a player that has everything, if it stands where the others do.
    pub(super) fn enter(&mut self, key: usize, player: &mut Player, now: RelayTime) {
        if self.together.is_empty() {
            self.cursor = player.seat.cursor().clone();
            self.assembly = player.assembly.clone();
        } else if !self.cursor.is_beside(player.seat.cursor()) {
            return;
        }
        let _ = now;
        self.alone.retain(|other| *other != key);
        self.together.push(key);
        player.together = true;
    }

    /// A player goes on by itself from where the others are.
    pub(super) fn leave(&mut self, key: usize, player: &mut Player) {
        self.together.retain(|other| *other != key);
        self.alone.push(key);
        player.resume(&self.cursor, &self.assembly);
    }

    /// All of its peers.
    pub(super) fn everybody(&self) -> Vec<usize> {
        [&self.together[..], &self.alone, &self.publishers].concat()
    }

    /// Forgets a peer; true when nobody is left.
    pub(super) fn remove(&mut self, key: usize) -> bool {
        for list in [&mut self.together, &mut self.alone, &mut self.publishers] {
            list.retain(|other| *other != key);
        }
        self.everybody().is_empty()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
