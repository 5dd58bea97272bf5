//! What comes in: whose it is, and what becomes of it.

use std::time::Instant;

use steadycast_codec_glue::wire::Code;

use super::{BridgeShard, Packet, Peer, Side, Wire};
use crate::bridge::dtls::DtlsError;
use crate::bridge::feedback::Feedback;
use crate::bridge::ice::Check;
use crate::bridge::peer::{Heard, Path};
use crate::bridge::sessions::Claim;

impl<W: Wire> BridgeShard<W> {
    /// Takes a packet: what it is, its first byte tells (RFC 9443, 3).
    pub(super) async fn receive(&mut self, packet: Packet) {
        match packet.bytes.first() {
            Some(0..=3) => self.take_check(packet).await,
            Some(20..=63) => self.take_dtls(packet).await,
            Some(128..=191) => self.take_media(packet).await,
            _ => {}
        }
    }

    async fn take_check(&mut self, packet: Packet) {
        let Ok(mut check) = Check::parse(&packet.bytes) else {
            return;
        };
        let known = self.by_ufrag.get(check.ufrag()).copied();
        let key = match known {
            Some(key) => match self.peers.get(key).map(|peer| peer.link.verify(&mut check)) {
                Some(Ok(())) => key,
                _ => return,
            },
            None => match self.bridge.claim(&mut check, self.number) {
                Claim::Mine(peer) => self.admit(*peer),
                Claim::Of(shard) if shard != self.number => {
                    return self.bridge.forward(shard, packet);
                }
                _ => return,
            },
        };
        let path = Path {
            remote: packet.from,
            local: packet.to,
        };
        let now = Instant::now();
        let (answer, forgotten) = self.peers[key].link.checked(&check, path, now);
        if self.by_address.insert(packet.from, key) != Some(key) {
            self.bridge.settle(packet.from, self.number);
        }
        if let Some(gone) = forgotten.filter(|gone| self.by_address.get(gone) == Some(&key)) {
            self.by_address.remove(&gone);
            self.bridge.unsettle(gone, self.number);
        }
        if let Some(answer) = answer {
            self.wire
                .send(path.remote, path.local, &answer, answer.len())
                .await;
        }
        match self.peers[key].link.begin(now) {
            Ok(()) => self.send_dtls(key, Some(path)).await,
            Err(error) => self.fail(key, &error).await,
        }
    }

    fn admit(&mut self, peer: Peer) -> usize {
        tracing::debug!(session = peer.session.number, "a client has come");
        let ufrags: Vec<_> = peer.link.ufrags().cloned().collect();
        let key = self.peers.insert(peer);
        self.by_ufrag
            .extend(ufrags.into_iter().map(|ufrag| (ufrag, key)));
        key
    }

    /// The peer at an address that has been checked; hands over what is another shard's.
    fn peer_at(&self, packet: &Packet) -> Option<usize> {
        if let Some(key) = self.by_address.get(&packet.from) {
            return Some(*key);
        }
        let other = self.bridge.shard_of(packet.from)?;
        if other != self.number {
            let packet = Packet {
                bytes: packet.bytes.clone(),
                ..*packet
            };
            self.bridge.forward(other, packet);
        }
        None
    }

    async fn take_dtls(&mut self, packet: Packet) {
        let Some(key) = self.peer_at(&packet) else {
            return;
        };
        let peer = &mut self.peers[key];
        let heard = peer.link.take_dtls(&packet.bytes, Instant::now());
        let path = Path {
            remote: packet.from,
            local: packet.to,
        };
        self.send_dtls(key, Some(path)).await;
        match heard {
            Ok(Heard::Nothing) => {}
            Ok(Heard::Connected) => self.connected(key).await,
            Ok(Heard::Left) => self.end(key, Code::Done).await,
            Err(error) => self.fail(key, &error).await,
        }
    }

    /// Ends a session that will have no keys.
    async fn fail(&mut self, key: usize, error: &DtlsError) {
        let session = self.peers[key].session.number;
        tracing::info!(session, %error, "no DTLS association");
        self.end(key, Code::Malformed).await;
    }

    pub(super) async fn send_dtls(&mut self, key: usize, path: Option<Path>) {
        let peer = &mut self.peers[key];
        let Some(path) = path.or(peer.link.path()) else {
            return;
        };
        while let Some(datagram) = self.peers[key].link.poll_transmit() {
            self.wire
                .send(path.remote, path.local, &datagram, datagram.len())
                .await;
        }
    }

    async fn connected(&mut self, key: usize) {
        let now = self.now();
        let peer = &mut self.peers[key];
        let session = peer.session.clone();
        match &mut peer.side {
            Side::Player(_) => {
                tracing::info!(session = session.number, broadcast = %session.broadcast.id(), "player connected");
                self.channel(&session).alone.push(key);
                self.advance_alone(session.broadcast.id(), key).await;
            }
            Side::Publisher(upstream) => match upstream.attach(now) {
                Ok(()) => {
                    tracing::info!(session = session.number, broadcast = %session.broadcast.id(), "publisher connected");
                    self.channel(&session).publishers.push(key);
                }
                Err(error) => self.end(key, error.code()).await,
            },
        }
    }

    async fn take_media(&mut self, packet: Packet) {
        let Some(key) = self.peer_at(&packet) else {
            return;
        };
        // RTCP has packet types where RTP has the marker and payload types up to 95 (RFC 5761, 4).
        let control = packet
            .bytes
            .get(1)
            .is_some_and(|kind| (192..=223).contains(kind));
        let now = self.now();
        let Peer { link, side, .. } = &mut self.peers[key];
        match (side, control) {
            (Side::Player(player), true) => {
                let Some(opened) = link.open_rtcp(&packet.bytes, now.0) else {
                    return;
                };
                let feedback = Feedback::parse(&opened, player.sender.ssrc());
                self.take_feedback(key, &feedback).await;
            }
            (Side::Player(_), false) => {}
            (Side::Publisher(upstream), true) => {
                if let Some(opened) = link.open_rtcp(&packet.bytes, now.0) {
                    upstream.take_control(&opened, now);
                }
            }
            (Side::Publisher(upstream), false) => {
                let Some(opened) = link.open_rtp(&packet.bytes, now.0) else {
                    return;
                };
                if let Err(error) = upstream.take(opened, now) {
                    let session = self.peers[key].session.number;
                    tracing::info!(session, %error, "publisher refused");
                    return self.end(key, error.code()).await;
                }
                self.speak(key).await;
            }
        }
    }

    async fn take_feedback(&mut self, key: usize, feedback: &Feedback) {
        if feedback.goodbye {
            return self.end(key, Code::Done).await;
        }
        let now = self.now();
        let stuck = match &mut self.peers[key].side {
            Side::Player(player) => player.is_stuck(feedback, now.0),
            Side::Publisher(_) => false,
        };
        if stuck {
            self.leave_cohort(key);
        }
        let Peer {
            link,
            side,
            session,
            ..
        } = &mut self.peers[key];
        let (Side::Player(player), Some(secured)) = (side, &mut link.secured) else {
            return;
        };
        let id = session.broadcast.id().clone();
        let keys = &mut secured.outgoing;
        player.feedback(feedback, stuck, keys, now, &mut self.out);
        self.flush(key).await;
        if stuck {
            self.advance_alone(&id, key).await;
        }
    }

    /// Sends what a publisher is to be told.
    pub(super) async fn speak(&mut self, key: usize) {
        let Peer { link, side, .. } = &mut self.peers[key];
        let Side::Publisher(upstream) = side else {
            return;
        };
        let Some(secured) = &mut link.secured else {
            return;
        };
        while let Some(control) = upstream.poll_control() {
            if let Ok(control) = secured.outgoing.rtcp(&control) {
                self.out.push(&control);
            }
        }
        self.flush(key).await;
    }
}
