//! What comes in: whose it is, and what becomes of it.

use std::sync::Arc;
use std::time::Instant;

use rtc_stun::message::TransactionId;
use steadycast_codec_glue::wire::Code;

use super::{Packet, Peer, Peers, Remote, Side, Wire};
use crate::broadcast::{AttachError, PublisherSeat};
use crate::excerpt::excerpt_of;
use crate::session::{Comer, Elsewhere};
use crate::telemetry::traces::BroadcastTrace;
use crate::webrtc::dtls::DtlsError;
use crate::webrtc::ice::{Check, Reply};
use crate::webrtc::ingress::upstream::Upstream;
use crate::webrtc::rtcp::Feedback;
use crate::webrtc::session::Session;
use crate::webrtc::session::door::Command;
use crate::webrtc::session::link::{Heard, Path, QuestionId};
use crate::webrtc::session::table::Owner;

impl<W: Wire> Peers<W> {
    /// Takes a packet: what it is, its first byte tells (RFC 9443, 3).
    pub(in crate::webrtc) async fn receive(&mut self, packet: Packet) {
        match packet.bytes.first() {
            Some(0..=3) => match Reply::parse(&packet.bytes) {
                Ok(reply) => self.take_reply(reply, packet).await,
                Err(_) => self.take_check(packet).await,
            },
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
        // A connection is of the session that it came for.
        if self.is_astray(packet.from, known) {
            return;
        }
        let key = match known {
            Some(key) => match self.peers.get(key).map(|peer| peer.link.verify(&mut check)) {
                Some(Ok(())) => key,
                _ => return,
            },
            None => match self.bridge.owner(&mut check, self.number) {
                Owner::Newcomer(peer) => self.admit(*peer),
                Owner::Shard(shard) if shard != self.number && packet.from.connection.is_none() => {
                    return self.bridge.routes().forward(shard, packet);
                }
                _ => return,
            },
        };
        let path = path_of(&packet);
        let now = Instant::now();
        let (answer, forgotten) = self.peers[key].link.checked(&check, path, now);
        self.settle(key, packet.from, now);
        if let Some(gone) = forgotten {
            self.leave(key, gone);
        }
        if let Some(answer) = answer {
            self.outlet.send(path, &answer, answer.len()).await;
        }
        self.ask(key, now).await;
        self.follow(key);
        self.begin(key, path, now).await;
    }

    /// Sends a peer the relay's own check, where one is due.
    pub(super) async fn ask(&mut self, key: usize, now: Instant) {
        let number = self.number;
        let link = &mut self.peers[key].link;
        if let Some((path, question)) = link.poll_question(|| question_id(number, key), now) {
            self.outlet.send(path, &question, question.len()).await;
        }
    }

    /// Takes an answer to such a check: the peer is where it came from.
    async fn take_reply(&mut self, reply: Reply, packet: Packet) {
        let (shard, key) = asker(reply.id());
        if shard != self.number {
            return self.bridge.routes().forward(shard, packet);
        }
        let (path, now) = (path_of(&packet), Instant::now());
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if !peer.link.answered(reply, path, now) {
            return;
        }
        let early = peer.link.take_early();
        self.settle(key, packet.from, now);
        self.follow(key);
        self.begin(key, path, now).await;
        for (path, bytes) in early {
            let packet = Packet {
                bytes,
                from: path.remote,
                to: path.local,
            };
            self.take_dtls(packet).await;
        }
    }

    /// Packets from there are the peer's, unless another has shown that it is there.
    fn settle(&mut self, key: usize, remote: Remote, now: Instant) {
        let surely = self.peers[key].link.is_at(remote, now);
        let other = self.by_remote.get(&remote).filter(|other| **other != key);
        let other = other.and_then(|other| self.peers.get(*other));
        if !surely && other.is_some_and(|other| other.link.is_at(remote, now)) {
            return;
        }
        self.by_remote.insert(remote, key);
        self.bridge.routes().settle(remote, self.number, surely);
    }

    /// Opens DTLS where that is the relay's part, and the peer is known to be there.
    async fn begin(&mut self, key: usize, path: Path, now: Instant) {
        let link = &mut self.peers[key].link;
        if !link.is_open(path) {
            return;
        }
        match link.begin(now) {
            Ok(()) => self.send_dtls(key, Some(path)).await,
            Err(error) => self.fail(key, &error).await,
        }
    }

    /// A player is sent to where its checks come from.
    pub(super) fn follow(&mut self, key: usize) {
        let Peer {
            session,
            link,
            side: Side::Player(player),
            ..
        } = &self.peers[key]
        else {
            return;
        };
        if let (Some(path), Some(attended)) = (
            link.path(),
            self.channels.get(session.broadcast.incarnation()),
        ) && let Some(egress) = attended.players.carrier(*player)
        {
            egress.follow(path);
        }
    }

    fn admit(&mut self, peer: Peer) -> usize {
        tracing::debug!(session = peer.session.number, "a client has come");
        let ufrags: Vec<_> = peer.link.ufrags().cloned().collect();
        let number = peer.session.number;
        let key = self.peers.insert(peer);
        self.by_number.insert(number, key);
        self.by_ufrag
            .extend(ufrags.into_iter().map(|ufrag| (ufrag, key)));
        key
    }

    /// The peer at a place that has been checked; hands over what is another shard's.
    fn peer_at(&self, packet: &Packet) -> Option<usize> {
        if let Some(key) = self.by_remote.get(&packet.from) {
            return Some(*key);
        }
        let other = self.bridge.routes().shard_of(packet.from)?;
        if other != self.number {
            let packet = Packet {
                bytes: packet.bytes.clone(),
                ..*packet
            };
            self.bridge.routes().forward(other, packet);
        }
        None
    }

    async fn take_dtls(&mut self, packet: Packet) {
        let Some(key) = self.peer_at(&packet) else {
            return;
        };
        let (peer, path) = (&mut self.peers[key], path_of(&packet));
        if !peer.link.is_open(path) {
            return peer.link.keep_early(path, packet.bytes);
        }
        let heard = peer.link.take_dtls(&packet.bytes, Instant::now());
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
        let error = excerpt_of(error);
        tracing::info!(session, error, "no DTLS association");
        self.end(key, Code::Malformed).await;
    }

    pub(in crate::webrtc) async fn send_dtls(&mut self, key: usize, path: Option<Path>) {
        let peer = &mut self.peers[key];
        let Some(path) = path.or(peer.link.path()) else {
            return;
        };
        while let Some(datagram) = self.peers[key].link.poll_transmit() {
            self.outlet.send(path, &datagram, datagram.len()).await;
        }
    }

    async fn connected(&mut self, key: usize) {
        let now = self.clock.moment();
        let peer = &mut self.peers[key];
        let session = peer.session.clone();
        match &mut peer.side {
            Side::Expected(_) => {
                let broadcast = session.broadcast.id();
                let trace = BroadcastTrace::of(broadcast);
                tracing::info!(session = session.number, %broadcast, %trace, "player connected");
                self.join(key).await;
            }
            Side::Player(_) => {}
            Side::Publisher(upstream) => {
                let attached = match self.bridge.doorkeeper() {
                    Some(doorkeeper) => Upstream::comer().map(|comer| {
                        self.ask_for_a_seat(doorkeeper.clone(), session, comer);
                    }),
                    None => upstream.attach(session.most_players(), now).map(|()| {
                        self.publishes(key, &session);
                    }),
                };
                if let Err(error) = attached {
                    self.end(key, error.code()).await;
                }
            }
        }
    }

    /// Asks whether a publisher may come; the answer comes as a command.
    fn ask_for_a_seat(&self, doorkeeper: Arc<dyn Elsewhere>, session: Arc<Session>, comer: Comer) {
        let (bridge, shard) = (self.bridge.clone(), self.number);
        tokio::spawn(async move {
            let seat = doorkeeper.attach(&session.broadcast, comer).await;
            let answer = Command::Seated(session.number, seat);
            bridge.routes().command(shard, answer);
        });
    }

    /// It is known whether the publisher of this session may come; where that has ended meanwhile nobody sits.
    pub(super) async fn seated(&mut self, number: u64, seat: Result<PublisherSeat, AttachError>) {
        let Some(key) = self.by_number.get(&number).copied() else {
            return;
        };
        let now = self.clock.moment();
        let Peer { session, side, .. } = &mut self.peers[key];
        match (side, seat) {
            (Side::Publisher(upstream), Ok(seat)) => {
                upstream.sits(seat, session.most_players(), now);
                let session = session.clone();
                self.publishes(key, &session);
            }
            (_, Ok(_)) => {}
            (_, Err(error)) => self.end(key, error.code()).await,
        }
    }

    fn publishes(&mut self, key: usize, session: &Session) {
        let broadcast = session.broadcast.id();
        let trace = BroadcastTrace::of(broadcast);
        tracing::info!(session = session.number, %broadcast, %trace, "publisher connected");
        let attended = self.channels.open(session, &self.bridge);
        attended.publishers.push(key);
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
        let now = self.clock.moment();
        let Peer { link, side, .. } = &mut self.peers[key];
        match (side, control) {
            (Side::Player(player), true) => {
                let (player, opened) = (*player, link.open_rtcp(&packet.bytes, now.instant));
                if let Some(opened) = opened {
                    self.take_feedback(key, player, &opened).await;
                }
            }
            (Side::Expected(_), _) | (Side::Player(_), false) => {}
            (Side::Publisher(upstream), true) => {
                if let Some(opened) = link.open_rtcp(&packet.bytes, now.instant) {
                    upstream.take_control(&opened, now);
                }
            }
            (Side::Publisher(upstream), false) => {
                let Some(opened) = link.open_rtp(&packet.bytes, now.instant) else {
                    return;
                };
                link.spoke(packet.from, now.instant);
                if let Err(error) = upstream.take(opened, now) {
                    let session = self.peers[key].session.number;
                    let why = excerpt_of(&error);
                    tracing::info!(session, why, "publisher refused");
                    return self.end(key, error.code()).await;
                }
                self.speak(key).await;
            }
        }
    }

    async fn take_feedback(&mut self, key: usize, player: usize, packet: &[u8]) {
        let now = self.clock.moment();
        let broadcast = self.peers[key].session.broadcast.incarnation();
        let Some(attended) = self.channels.get(broadcast) else {
            return;
        };
        let Some(egress) = attended.players.carrier(player) else {
            return;
        };
        let feedback = Feedback::parse(packet, egress.sources());
        if feedback.goodbye {
            return self.end(key, Code::Done).await;
        }
        let stuck = egress.is_stuck(&feedback, now.instant);
        egress.take_feedback(&feedback, now);
        if stuck && egress.may_begin_again(now.instant) {
            attended.players.restart(player, now);
        }
        // What has arrived makes room for more.
        if attended.players.ready(player) {
            self.advance(broadcast).await;
        }
    }

    /// The page of a player that opens frames itself cannot go on from what it was sent.
    pub(super) async fn plead(&mut self, number: u64) {
        let known = self.by_number.get(&number).copied();
        let Some((key, peer)) = known.and_then(|key| Some((key, self.peers.get(key)?))) else {
            return;
        };
        let Side::Player(player) = self.peers[key].side else {
            return;
        };
        let (broadcast, now) = (peer.session.broadcast.incarnation(), self.clock.moment());
        let Some(attended) = self.channels.get(broadcast) else {
            return;
        };
        let egress = attended.players.carrier(player);
        if egress.is_some_and(|egress| egress.is_heard(now.instant)) {
            attended.players.restart(player, now);
            self.advance(broadcast).await;
        }
    }

    /// Sends what a publisher is to be told.
    pub(in crate::webrtc) async fn speak(&mut self, key: usize) {
        let Peer { link, side, .. } = &mut self.peers[key];
        let Side::Publisher(upstream) = side else {
            return;
        };
        while let Some(control) = upstream.poll_control() {
            if let Some(control) = link.seal_rtcp(&control) {
                self.out.push(&control);
            }
        }
        self.flush(key).await;
    }
}

fn path_of(packet: &Packet) -> Path {
    Path {
        remote: packet.from,
        local: packet.to,
    }
}

/// Bytes of a question's id that nobody can guess; the rest says whose it is.
const SECRET: usize = 8;

/// A fresh id for a question of this shard to its peer `key`, so that the answer is found by it from
/// wherever it comes.
fn question_id(shard: usize, key: usize) -> QuestionId {
    let mut id = TransactionId::new().0;
    let [.., a, b, c] = (key as u32).to_be_bytes();
    id[SECRET..].copy_from_slice(&[shard as u8, a, b, c]);
    id
}

/// The shard and the peer of a question.
fn asker(id: QuestionId) -> (usize, usize) {
    let [.., shard, a, b, c] = id;
    let key = u32::from_be_bytes([0, a, b, c]);
    (usize::from(shard), key as usize)
}
