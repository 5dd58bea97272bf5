//! One shard's peers, and the loop that moves them.

mod deliver;
mod receive;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use slab::Slab;
use steadycast_codec_glue::wire::{Code, Role};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Wakes};
use super::datagrams::Datagrams;
use super::ice::{Credentials, Ufrag};
use super::peer::Link;
use super::player::Player;
use super::session::Session;
use super::sessions::Bridge;
use super::upstream::Upstream;
use crate::broadcast::{BroadcastId, RelayTime};
use crate::transport::{RelayClock, addresses};

/// Packets that may wait for a shard.
const WAITING: usize = 2_048;
/// Packets that are taken in a row before players have their turn.
const IN_A_ROW: usize = 64;
/// How often time is let pass where nothing is urgent.
const TICK: Duration = Duration::from_millis(20);

/// How often those are looked at who wait for their pace.
const PACED: Duration = Duration::from_millis(2);

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
    /// What it takes of its network's share.
    pub(super) share: addresses::Place,
}

/// What a peer is here for.
pub(super) enum Side {
    Player(Box<Player>),
    Publisher(Box<Upstream>),
}

impl Side {
    pub(super) fn role(&self) -> Role {
        match self {
            Self::Player(_) => Role::Player,
            Self::Publisher(_) => Role::Publisher,
        }
    }
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
    channels: HashMap<BroadcastId, Channel>,
    wakes: Arc<Wakes>,
    /// Players that wait for their pace.
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
        match self.paced.is_empty() {
            true => self.next_tick,
            false => Instant::now() + PACED,
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

    fn channel(&mut self, session: &Session) -> &mut Channel {
        let broadcast = &session.broadcast;
        self.channels
            .entry(broadcast.id().clone())
            .or_insert_with(|| {
                let packetizer = self.bridge.packetizer(broadcast.id());
                Channel::open(broadcast, packetizer, &self.wakes)
            })
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
        self.by_ufrag.retain(|_, other| *other != key);
        // Others may have come to an address of this one since.
        for (address, _) in self.by_address.extract_if(|_, other| *other == key) {
            self.bridge.unsettle(address, self.number);
        }
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
                if let Some(gone) = self.peers[key].link.restart(credentials) {
                    self.by_ufrag.remove(&gone);
                    self.bridge.rename(&gone);
                }
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
            ..
        } = &mut self.peers[key];
        let settings = self.bridge.settings();
        let (since, patience) = match link.handshaking() {
            Some(began) => (began, settings.connect_timeout),
            None => (link.heard(), settings.idle_timeout),
        };
        if now.0.duration_since(since) > patience {
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
