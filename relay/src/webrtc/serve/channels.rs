//! The broadcasts that a shard's peers are at, each with its players.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use slab::Slab;
use steadycast_codec_glue::wire::Code;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::auth::Transport;
use crate::broadcast::{Broadcast, Incarnation, RelayTime};
use crate::delivery::{Channel, Limits, Wakes};
use crate::metrics::Metrics;
use crate::records::{Figures, Over};
use crate::shard::Wire;
use crate::webrtc::egress::carrier::{Egress, FramePacker};
use crate::webrtc::session::Session;
use crate::webrtc::session::bridge::Bridge;
use crate::webrtc::session::peer::{Peer, Side};

/// The broadcasts that have peers here.
pub(super) struct Channels<W: Wire> {
    open: HashMap<Incarnation, Attended<W>>,
    wakes: Arc<Wakes<Incarnation>>,
    sounds: Arc<Wakes<Incarnation>>,
}

/// A broadcast with its peers.
pub(super) struct Attended<W: Wire> {
    pub(super) players: Channel<Egress<W>>,
    /// The peer that each player is, by the player's key.
    pub(super) peers: HashMap<usize, usize>,
    pub(super) publishers: Vec<usize>,
    metrics: Arc<Metrics>,
    listening: [AbortHandle; 2],
}

impl<W: Wire> Attended<W> {
    /// Counts how long frames took that all players have by `now`.
    pub(super) fn count(&mut self, now: RelayTime) {
        for arrived in self.players.take_relayed() {
            self.metrics.relayed_after(Transport::WebRtc, now - arrived);
        }
    }
}

impl<W: Wire> Default for Channels<W> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            wakes: Arc::default(),
            sounds: Arc::default(),
        }
    }
}

impl<W: Wire> Channels<W> {
    /// Which broadcasts have something new.
    pub(super) fn wakes(&self) -> &Arc<Wakes<Incarnation>> {
        &self.wakes
    }

    /// Which have something to hear.
    pub(super) fn sounds(&self) -> &Arc<Wakes<Incarnation>> {
        &self.sounds
    }

    pub(super) fn get(&mut self, broadcast: Incarnation) -> Option<&mut Attended<W>> {
        self.open.get_mut(&broadcast)
    }

    /// That of a session's broadcast; begins it where nobody was there.
    pub(super) fn open(&mut self, session: &Session, bridge: &Bridge) -> &mut Attended<W> {
        let (broadcast, wakes, sounds) = (&session.broadcast, &self.wakes, &self.sounds);
        let begin = || {
            let packer = FramePacker::new(bridge.packetizer(broadcast));
            let limits = Limits {
                stall: bridge.settings().player_stall,
            };
            Attended {
                players: Channel::new(broadcast, packer, limits),
                metrics: session.record.metrics().clone(),
                peers: HashMap::new(),
                publishers: Vec::new(),
                listening: [
                    listen(broadcast, broadcast.frames(), wakes.clone()),
                    listen(broadcast, broadcast.sounded(), sounds.clone()),
                ],
            }
        };
        let incarnation = broadcast.incarnation();
        self.open.entry(incarnation).or_insert_with(begin)
    }

    /// When time alone makes something due for a player.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let deadlines = self.open.values();
        deadlines
            .filter_map(|attended| attended.players.deadline())
            .min()
    }

    /// The broadcasts with players for which something is due.
    pub(super) fn due(&self, now: Instant) -> Vec<Incarnation> {
        let due =
            |attended: &Attended<W>| attended.players.deadline().is_some_and(|due| due <= now);
        let due = self.open.iter().filter(|(_, attended)| due(attended));
        due.map(|(broadcast, _)| *broadcast).collect()
    }

    /// Records for each player what its path is like, and what publishers bring; gives those that bring too much.
    pub(super) fn report_paths(&self, peers: &Slab<Peer>, now: Instant) -> Vec<usize> {
        let mut too_much = Vec::new();
        for attended in self.open.values() {
            for (player, peer) in &attended.peers {
                let players = &attended.players;
                let known = (players.path(*player, now), players.means(*player));
                if let ((Some(path), Some(means)), Some(peer)) = (known, peers.get(*peer)) {
                    peer.session.report_path(path, means.width);
                    note(players, *player, peer, now);
                }
            }
            for publisher in &attended.publishers {
                if let Some(peer) = peers.get(*publisher)
                    && let Some(bytes) = note_brought(peer)
                    && peer.session.brings_too_much(bytes, now)
                {
                    too_much.push(*publisher);
                }
            }
        }
        too_much
    }

    /// A peer is gone, with `code` as the reason.
    pub(super) fn leave(&mut self, peer: &Peer, key: usize, code: Code) {
        let broadcast = peer.session.broadcast.incarnation();
        let Some(attended) = self.open.get_mut(&broadcast) else {
            return;
        };
        note_brought(peer);
        if let Side::Player(player) = peer.side {
            note(&attended.players, player, peer, Instant::now());
            attended.peers.remove(&player);
            if let Some((seat, _)) = attended.players.leave(player) {
                seat.leave(code);
            }
        }
        attended.publishers.retain(|other| *other != key);
        if attended.players.is_empty() && attended.publishers.is_empty() {
            self.open.remove(&broadcast);
        }
    }
}

/// Records what a player has been given.
fn note<W: Wire>(players: &Channel<Egress<W>>, player: usize, peer: &Peer, now: Instant) {
    note_over(peer);
    let known = (players.given(player), players.reception(player, now));
    if let (Some(given), Some(reception)) = known {
        peer.session.record.note(Figures { given, reception });
    }
}

/// Records what carries a session.
fn note_over(peer: &Peer) {
    if let Some(path) = peer.link.path() {
        let over = match path.remote.connection {
            Some(_) => Over::Tcp,
            None => Over::Udp,
        };
        peer.session.record.note_over(over);
    }
}

/// Records what a publisher has brought; gives its bytes.
fn note_brought(peer: &Peer) -> Option<u64> {
    let Side::Publisher(upstream) = &peer.side else {
        return None;
    };
    note_over(peer);
    let brought = upstream.brought()?;
    peer.session.record.note_brought(brought, None);
    Some(brought.1)
}

impl<W: Wire> Attended<W> {
    /// Its peers, `most` of them.
    pub(super) fn first(&self, most: usize) -> Vec<usize> {
        let players = self.peers.values();
        players
            .chain(&self.publishers)
            .take(most)
            .copied()
            .collect()
    }
}

impl<W: Wire> Drop for Attended<W> {
    fn drop(&mut self) {
        self.listening.iter().for_each(AbortHandle::abort);
    }
}

/// Wakes whoever serves a broadcast's players at each change.
fn listen(
    broadcast: &Broadcast,
    mut changes: watch::Receiver<u64>,
    wakes: Arc<Wakes<Incarnation>>,
) -> AbortHandle {
    let incarnation = broadcast.incarnation();
    let listening = tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            wakes.wake(incarnation);
        }
    });
    listening.abort_handle()
}
