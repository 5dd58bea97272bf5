//! What goes out: each broadcast's frames, to its players.

use std::time::Instant;

use super::{Peer, Peers, Side, Wire};
use crate::broadcast::Incarnation;
use crate::webrtc::egress::carrier::Egress;
use crate::webrtc::session::peer::Newcomer;

/// Players that are sent to in a row, before QUIC has its turn.
const IN_A_TURN: usize = 16;

/// Players that are told in a row that their broadcast is over.
const GOODBYES: usize = 64;

impl<W: Wire> Peers<W> {
    /// Sends what is in `out` to a peer.
    pub(super) async fn flush(&mut self, key: usize) {
        if self.out.is_empty() {
            return;
        }
        if let Some(path) = self.peers[key].link.path() {
            let outlet = &self.outlet;
            for (call, size) in self.out.calls(|size| outlet.most(path, size)) {
                outlet.send(path, call, size).await;
            }
        }
        self.out.clear();
    }

    /// A broadcast has something new.
    pub(super) async fn wake(&mut self, broadcast: Incarnation) {
        let Some(attended) = self.channels.get(broadcast) else {
            return;
        };
        if let Some(code) = attended.players.broadcast().ended() {
            for key in attended.first(GOODBYES) {
                self.end(key, code).await;
            }
            if self.channels.get(broadcast).is_some() {
                // The others' turn is after whoever waits meanwhile.
                self.channels.wakes().wake(broadcast);
            }
            return;
        }
        attended.players.wake();
        self.advance(broadcast).await;
    }

    /// Does what time makes due for players.
    pub(super) async fn pass_players_time(&mut self) {
        for broadcast in self.channels.due(Instant::now()) {
            if let Some(attended) = self.channels.get(broadcast) {
                attended.players.pass_time(self.clock.moment());
            }
            self.advance(broadcast).await;
        }
    }

    /// Brings a broadcast's players what they have not got.
    pub(super) async fn advance(&mut self, broadcast: Incarnation) {
        while let Some(attended) = self.channels.get(broadcast) {
            let more = attended.players.advance(self.clock.moment(), IN_A_TURN);
            attended.count(self.clock.now());
            for (player, code) in attended.players.take_over() {
                let peer = self
                    .channels
                    .get(broadcast)
                    .and_then(|at| at.peers.get(&player).copied());
                if let Some(peer) = peer {
                    self.end(peer, code).await;
                }
            }
            if !more {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A player has connected: it gets its frames from now on.
    pub(super) async fn join(&mut self, key: usize) {
        let now = Instant::now();
        let Peer {
            session,
            link,
            side,
            ..
        } = &mut self.peers[key];
        let (Some(keys), Some(path)) = (link.take_outgoing(), link.path()) else {
            return;
        };
        let Side::Expected(newcomer) = side else {
            return;
        };
        if let Err(error) = newcomer.seat.arrive() {
            return self.end(key, error.code()).await;
        }
        let Side::Expected(newcomer) = std::mem::replace(side, Side::Player(0)) else {
            return;
        };
        let (session, outlet) = (session.clone(), self.outlet.clone());
        let attended = self.channels.open(&session, &self.bridge);
        let Newcomer {
            seat,
            sender,
            sound,
        } = *newcomer;
        let senders = (sender, sound);
        let egress = Egress::new(session.clone(), outlet, path, keys, senders, now);
        let player = attended.players.join(seat, |_| egress);
        attended.peers.insert(player, key);
        self.peers[key].side = Side::Player(player);
        self.advance(session.broadcast.incarnation()).await;
    }
}
