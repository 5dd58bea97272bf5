//! What goes out: each broadcast's frames, to its players.

use std::time::Instant;

use steadycast_codec_glue::wire::{Code, TrackId};

use super::{BridgeShard, Peer, Side, Wire};
use crate::bridge::player::Sent;
use crate::broadcast::{BroadcastId, RelayTime};

/// Players that are sent to in a row, before QUIC has its turn.
const IN_A_TURN: usize = 16;

impl<W: Wire> BridgeShard<W> {
    /// Sends what is in `out` to a peer.
    pub(super) async fn flush(&mut self, key: usize) {
        if self.out.is_empty() {
            return;
        }
        if let Some(path) = self.peers[key].link.path() {
            let wire = &self.wire;
            for (call, size) in self.out.calls(|size| wire.most(size)) {
                wire.send(path.remote, path.local, call, size).await;
            }
        }
        self.out.clear();
    }

    /// Brings a broadcast's players what has come since.
    pub(super) async fn advance(&mut self, id: &BroadcastId) {
        let Some(channel) = self.channels.get(id) else {
            return;
        };
        if let Some(code) = channel.broadcast.ended() {
            return self.end_channel(id, code).await;
        }
        self.sort_out(id);
        for track in TrackId::all() {
            self.advance_together(id, track).await;
        }
        let mut alone = std::mem::take(&mut self.members);
        alone.clear();
        if let Some(channel) = self.channels.get(id) {
            alone.extend_from_slice(&channel.alone);
        }
        for key in &alone {
            self.advance_alone(id, *key).await;
        }
        self.members = alone;
    }

    async fn advance_together(&mut self, id: &BroadcastId, track: TrackId) {
        let mut members = std::mem::take(&mut self.members);
        while let Some(channel) = self.channels.get_mut(id) {
            let Some(round) = channel.round(track, self.clock.now(), &mut members) else {
                break;
            };
            for (at, key) in members.iter().enumerate() {
                if let Side::Player(player) = &mut self.peers[*key].side {
                    player.queue(&round.frames, false);
                }
                if self.send(*key).await == Sent::Paced || round.disband {
                    self.leave_cohort(*key);
                }
                if at % IN_A_TURN == IN_A_TURN - 1 {
                    tokio::task::yield_now().await;
                }
            }
            if round.disband {
                break;
            }
        }
        self.members = members;
    }

    /// Lets those go by themselves who are to be on another track.
    fn sort_out(&mut self, id: &BroadcastId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        if !channel.has_news() {
            return;
        }
        let codecs = |key: usize| match &self.peers[key].side {
            Side::Player(player) => player.seat.codecs(),
            Side::Publisher(_) => None,
        };
        let moving = |&(track, key): &(_, usize)| channel.track_of(codecs(key)) != Some(track);
        let moving: Vec<_> = channel.together().filter(moving).collect();
        for (_, key) in moving {
            self.leave_cohort(key);
        }
    }

    /// Sends what a player's pace allows.
    async fn send(&mut self, key: usize) -> Sent {
        let now = Instant::now();
        let sent_at = abs_send_time(self.clock.now());
        let Peer { link, side, .. } = &mut self.peers[key];
        let (Side::Player(player), Some(secured)) = (side, &mut link.secured) else {
            return Sent::All;
        };
        let sent = player.send(&mut secured.outgoing, now, sent_at, &mut self.out);
        match sent {
            Sent::Paced => drop(self.paced.insert(key)),
            // Hardly ever does anybody wait, and looking one up costs at each frame of each player.
            Sent::All if self.paced.is_empty() => {}
            Sent::All => drop(self.paced.remove(&key)),
        }
        self.flush(key).await;
        sent
    }

    /// A player goes on by itself, from where its channel's others are.
    pub(super) fn leave_cohort(&mut self, key: usize) {
        let Peer { session, side, .. } = &mut self.peers[key];
        let Side::Player(player) = side else { return };
        if let Some(channel) = self.channels.get_mut(session.broadcast.id())
            && std::mem::take(&mut player.together)
        {
            channel.leave(key, player);
        }
    }

    /// Brings a player that goes by itself what it has not got; it joins the others once it has
    /// everything.
    pub(super) async fn advance_alone(&mut self, id: &BroadcastId, key: usize) {
        loop {
            if self.send(key).await == Sent::Paced {
                let now = self.clock.now();
                if let Side::Player(player) = &mut self.peers[key].side {
                    player.skip_if_overtaken(now);
                }
                return;
            }
            let now = self.clock.now();
            let (
                Some(channel),
                Some(Peer {
                    side: Side::Player(player),
                    ..
                }),
            ) = (self.channels.get_mut(id), self.peers.get_mut(key))
            else {
                return;
            };
            if player.together {
                return;
            }
            if player.take_next(&channel.packetizer, now).is_none() {
                if player.again.is_none() {
                    channel.enter(key, player);
                }
                return;
            }
        }
    }

    async fn end_channel(&mut self, id: &BroadcastId, code: Code) {
        let Some(channel) = self.channels.get(id) else {
            return;
        };
        for key in channel.everybody() {
            self.end(key, code).await;
        }
    }
}

/// The time of sending in 1/2^18 s, 24 bits of it.
fn abs_send_time(now: RelayTime) -> u32 {
    let micros = u128::from(now.as_micros());
    ((micros << 18) / 1_000_000) as u32 & 0x00ff_ffff
}
