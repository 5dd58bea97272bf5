//! One shard's peers, and the loop that moves them.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use slab::Slab;
use steadycast_codec_glue::wire::{Code, TrackId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Wakes};
use super::datagrams::Datagrams;
use super::feedback::Feedback;
use super::ice::{Check, Credentials, Ufrag};
use super::peer::{Heard, Link, Path};
use super::player::{Player, Sent};
use super::sessions::{Bridge, Claim, Session};
use super::upstream::Upstream;
use crate::broadcast::{BroadcastId, RelayTime};
use crate::transport::RelayClock;

/// Packets that may wait for a shard.
const WAITING: usize = 2_048;
/// Packets that are taken in a row before players have their turn.
const IN_A_ROW: usize = 64;
/// Players that are sent to in a row, before QUIC has its turn.
const IN_A_TURN: usize = 16;
/// How often time is let pass where nothing is urgent.
const TICK: Duration = Duration::from_millis(20);

/// A packet that is not QUIC's.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) bytes: Bytes,
    pub(crate) from: SocketAddr,
    /// The relay's address that it came to, where it has several.
    pub(crate) to: Option<IpAddr>,
}

/// Whether a packet is the bridge's: STUN, DTLS, RTP and RTCP begin otherwise than QUIC does
/// (RFC 9443, 3).
pub(crate) fn is_for_bridge(first: u8) -> bool {
    matches!(first, 0..=3 | 20..=63 | 128..=191)
}

/// What HTTP wants of a shard.
pub(super) enum Command {
    Close(Arc<Session>),
    Restart(Arc<Session>, Credentials),
}

/// Where a shard takes packets and commands.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) packets: mpsc::Sender<Packet>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

/// Where a shard's socket puts the bridge's packets.
#[derive(Clone)]
pub(crate) struct Inlet(mpsc::Sender<Packet>);

impl Inlet {
    /// Hands over a packet. When too many wait, it is lost, as on a network.
    pub(crate) fn put(&self, packet: Packet) {
        let _ = self.0.try_send(packet);
    }
}

/// What the bridge sends through.
pub(crate) trait Wire: Send + Sync + 'static {
    /// Sends packets of one size, the last perhaps shorter, to one address; waits where the
    /// system takes no more.
    fn send(
        &self,
        to: SocketAddr,
        from: Option<IpAddr>,
        packets: &[u8],
        size: usize,
    ) -> impl Future<Output = ()> + Send;

    /// The most bytes of packets of a size that go into one call.
    fn most(&self, size: usize) -> usize;
}

/// A session with its client.
pub(super) struct Peer {
    pub(super) session: Arc<Session>,
    pub(super) link: Link,
    pub(super) side: Side,
}

/// What a peer is here for.
pub(super) enum Side {
    Player(Box<Player>),
    Publisher(Box<Upstream>),
}

impl Peer {
    /// Gives up its seat; `code` is recorded as the reason.
    pub(super) fn leave(self, code: Code) {
        if let Side::Player(player) = self.side {
            player.seat.leave(code);
        }
    }
}

/// The bridge's part of a shard.
pub(crate) struct BridgeShard<W> {
    bridge: Arc<Bridge>,
    number: usize,
    wire: Arc<W>,
    clock: RelayClock,
    packets: mpsc::Receiver<Packet>,
    commands: mpsc::UnboundedReceiver<Command>,
    peers: Slab<Peer>,
    by_ufrag: HashMap<Ufrag, usize>,
    by_address: HashMap<SocketAddr, usize>,
    pub(super) channels: HashMap<BroadcastId, Channel>,
    wakes: Arc<Wakes>,
    /// Players that wait for their pace, and when the first may go on.
    paced: HashSet<usize>,
    out: Datagrams,
    /// Kept for its room.
    members: Vec<usize>,
    next_tick: Instant,
}

impl<W: Wire> BridgeShard<W> {
    /// A shard without peers, and where its socket puts the bridge's packets.
    pub(crate) fn new(bridge: Arc<Bridge>, wire: Arc<W>, clock: RelayClock) -> (Self, Inlet) {
        let (packets_in, packets) = mpsc::channel(WAITING);
        let (commands_in, commands) = mpsc::unbounded_channel();
        let number = bridge.enlist(Door {
            packets: packets_in.clone(),
            commands: commands_in,
        });
        let shard = Self {
            bridge,
            number,
            wire,
            clock,
            packets,
            commands,
            peers: Slab::new(),
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            channels: HashMap::new(),
            wakes: Arc::default(),
            paced: HashSet::new(),
            out: Datagrams::default(),
            members: Vec::new(),
            next_tick: Instant::now(),
        };
        (shard, Inlet(packets_in))
    }

    /// Serves until the shutdown; then all peers are told that it is over.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let wakes = self.wakes.clone();
        loop {
            let wake_at = self.wake_at();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(command) = self.commands.recv() => self.obey(command).await,
                Some(packet) = self.packets.recv() => self.receive_row(packet).await,
                ready = wakes.ready() => for id in ready {
                    self.advance(&id).await;
                },
                () = tokio::time::sleep_until(wake_at.into()) => self.tick().await,
            }
        }
        for key in self.peers.iter().map(|(key, _)| key).collect::<Vec<_>>() {
            self.end(key, Code::ShuttingDown).await;
        }
    }

    fn wake_at(&self) -> Instant {
        // Whoever waits for its pace has at least a millisecond to wait.
        match self.paced.is_empty() {
            true => self.next_tick,
            false => Instant::now() + Duration::from_millis(2),
        }
    }

    fn now(&self) -> (Instant, RelayTime) {
        (Instant::now(), self.clock.now())
    }

    async fn receive_row(&mut self, first: Packet) {
        self.receive(first).await;
        for _ in 1..IN_A_ROW {
            match self.packets.try_recv() {
                Ok(packet) => self.receive(packet).await,
                Err(_) => return,
            }
        }
    }

    /// Takes a packet: what it is, its first byte tells (RFC 9443, 3).
    async fn receive(&mut self, packet: Packet) {
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
            Some(key) => match self.peers[key].link.verify(&mut check) {
                Ok(()) => key,
                Err(_) => return,
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
        if let Some(gone) = forgotten {
            self.by_address.remove(&gone);
            self.bridge.unsettle(gone);
        }
        if let Some(answer) = answer {
            self.wire
                .send(path.remote, path.local, &answer, answer.len())
                .await;
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
            Err(error) => {
                let session = self.peers[key].session.number;
                tracing::info!(session, %error, "no DTLS association");
                self.end(key, Code::Malformed).await;
            }
        }
    }

    async fn send_dtls(&mut self, key: usize, path: Option<Path>) {
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

    fn channel(&mut self, session: &Session) -> &mut Channel {
        let broadcast = &session.broadcast;
        self.channels
            .entry(broadcast.id().clone())
            .or_insert_with(|| {
                let packetizer = self.bridge.packetizer(broadcast.id());
                Channel::open(broadcast, packetizer, &self.wakes)
            })
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
        if feedback.keyframe {
            self.leave_cohort(key);
        }
        let now = self.now();
        let Peer {
            link,
            side,
            session,
        } = &mut self.peers[key];
        let (Side::Player(player), Some(secured)) = (side, &mut link.secured) else {
            return;
        };
        let id = session.broadcast.id().clone();
        player.feedback(feedback, &mut secured.outgoing, now, &mut self.out);
        self.flush(key).await;
        if feedback.keyframe {
            self.advance_alone(&id, key).await;
        }
    }

    /// Sends what a publisher is to be told.
    async fn speak(&mut self, key: usize) {
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

    /// Sends what is in `out` to a peer.
    async fn flush(&mut self, key: usize) {
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
    async fn advance(&mut self, id: &BroadcastId) {
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
            Sent::All => self.paced.remove(&key),
            Sent::Paced => self.paced.insert(key),
        };
        self.flush(key).await;
        sent
    }

    /// A player goes on by itself, from where its channel's others are.
    fn leave_cohort(&mut self, key: usize) {
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
    async fn advance_alone(&mut self, id: &BroadcastId, key: usize) {
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

    /// Ends a peer's session.
    async fn end(&mut self, key: usize, code: Code) {
        if !self.peers.contains(key) {
            return;
        }
        self.peers[key].link.close(Instant::now());
        self.send_dtls(key, None).await;
        let peer = self.peers.remove(key);
        self.paced.remove(&key);
        for ufrag in peer.link.ufrags() {
            self.by_ufrag.remove(ufrag);
        }
        self.by_address.retain(|_, other| *other != key);
        let id = peer.session.broadcast.id();
        if let Some(channel) = self.channels.get_mut(id)
            && channel.remove(key)
        {
            self.channels.remove(id);
        }
        tracing::info!(session = peer.session.number, %code, "WebRTC session ended");
        self.bridge.forget(&peer, code);
        peer.leave(code);
    }

    fn key_of(&self, session: &Arc<Session>) -> Option<usize> {
        let mut peers = self.peers.iter();
        let found = peers.find(|(_, peer)| Arc::ptr_eq(&peer.session, session));
        found.map(|(key, _)| key)
    }

    async fn obey(&mut self, command: Command) {
        let (Command::Close(session) | Command::Restart(session, _)) = &command;
        let Some(key) = self.key_of(session) else {
            return;
        };
        match command {
            Command::Close(_) => self.end(key, Code::Done).await,
            Command::Restart(_, credentials) => {
                self.by_ufrag.insert(credentials.ufrag.clone(), key);
                self.peers[key].link.restart(credentials);
            }
        }
    }

    /// Lets time pass for all peers.
    async fn tick(&mut self) {
        for key in self.paced.iter().copied().collect::<Vec<_>>() {
            let id = self.peers[key].session.broadcast.id().clone();
            self.advance_alone(&id, key).await;
        }
        let now = Instant::now();
        if now < self.next_tick {
            return;
        }
        self.next_tick = now + TICK;
        for key in self.peers.iter().map(|(key, _)| key).collect::<Vec<_>>() {
            self.tick_peer(key).await;
        }
    }

    async fn tick_peer(&mut self, key: usize) {
        let now = self.now();
        let Peer {
            link,
            side,
            session,
        } = &mut self.peers[key];
        let patience = match link.secured {
            Some(_) => self.bridge.settings().idle_timeout,
            None => self.bridge.settings().connect_timeout,
        };
        if now.0.duration_since(link.heard()) > patience {
            return self.end(key, Code::Silent).await;
        }
        if let Some(due) = link.poll_timeout()
            && due <= now.0
        {
            let failed = link.pass_time(now.0).is_err();
            self.send_dtls(key, None).await;
            if failed {
                self.end(key, Code::Silent).await;
            }
            return;
        }
        let Some(secured) = &mut link.secured else {
            return;
        };
        match side {
            Side::Player(player) => {
                let again = player.again.is_some_and(|again| again <= now.1);
                session.count_sent(player.frames);
                if player.due() <= now.0 {
                    player.pass_time(&mut secured.outgoing, now, &mut self.out);
                }
                let id = again.then(|| session.broadcast.id().clone());
                self.flush(key).await;
                if let Some(id) = id {
                    self.advance_alone(&id, key).await;
                }
            }
            Side::Publisher(upstream) => match upstream.pass_time(link.heard(), now) {
                Ok(()) => self.speak(key).await,
                Err(error) => self.end(key, error.code()).await,
            },
        }
    }
}

/// The time of sending in 1/2^18 s, 24 bits of it.
fn abs_send_time(now: RelayTime) -> u32 {
    let micros = u128::from(now.as_micros());
    ((micros << 18) / 1_000_000) as u32 & 0x00ff_ffff
}
