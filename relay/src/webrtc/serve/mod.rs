//! One shard's peers, and the loop that moves them.

mod channels;
mod connections;
mod deliver;
mod receive;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;
use steadycast_codec_glue::wire::Code;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::channels::Channels;
use super::egress::datagrams::Datagrams;
use super::ice::Ufrag;
use super::session::Session;
use super::session::bridge::Bridge;
use super::session::door::{Command, Door};
use super::session::link::Pair;
use super::session::peer::{Peer, Side};
use super::tcp::{Arrival, Outlet};
use crate::auth::Withdrawal;
use crate::shard::{Inlet, Packet, RelayClock, Remote, Shard, ShardSocket, Wire};

/// Packets that may wait for a shard.
const WAITING: usize = 2_048;
/// Packets that are taken in a row before players have their turn.
const IN_A_ROW: usize = 64;
/// How often time is let pass for what is not a player's.
const TICK: Duration = Duration::from_millis(20);
/// A player with keys has its turn once in so many of these: of most players time alone asks nothing.
const UNHURRIED: usize = 5;
/// How often players are told of their paths at most (PROTOCOL 2.13).
const WORDS: Duration = Duration::from_secs(1);

/// The WebRTC peers of one shard.
pub(crate) struct Peers<W: Wire> {
    bridge: Arc<Bridge>,
    number: usize,
    outlet: Arc<Outlet<W>>,
    /// Where connections put their packets.
    inlet: Inlet,
    clock: RelayClock,
    packets: mpsc::Receiver<Packet>,
    commands: mpsc::UnboundedReceiver<Command>,
    peers: Slab<Peer>,
    by_ufrag: HashMap<Ufrag, usize>,
    by_number: HashMap<u64, usize>,
    by_remote: HashMap<Remote, usize>,
    channels: Channels<W>,
    out: Datagrams,
    next_tick: Instant,
    ticks: usize,
    /// When players are told of their paths next.
    next_word: Instant,
}

impl Peers<ShardSocket> {
    /// The peers of a shard; their packets come from its socket.
    pub(crate) fn on(shard: &Shard, bridge: Arc<Bridge>, clock: RelayClock) -> Self {
        let (peers, inlet) = Self::new(bridge, shard.socket().clone(), clock);
        shard.divert(inlet);
        peers
    }
}

impl<W: Wire> Peers<W> {
    /// A shard without peers, and where its socket puts their packets.
    fn new(bridge: Arc<Bridge>, wire: Arc<W>, clock: RelayClock) -> (Self, Inlet) {
        let (packets_in, packets) = mpsc::channel(WAITING);
        let (commands_in, commands) = mpsc::unbounded_channel();
        let number = bridge.routes().enlist(Door {
            packets: packets_in.clone(),
            commands: commands_in,
        });
        let shard = Self {
            bridge,
            number,
            outlet: Arc::new(Outlet::new(wire)),
            inlet: Inlet::new(packets_in.clone()),
            clock,
            packets,
            commands,
            peers: Slab::new(),
            by_ufrag: HashMap::new(),
            by_number: HashMap::new(),
            by_remote: HashMap::new(),
            channels: Channels::default(),
            out: Datagrams::default(),
            next_tick: Instant::now(),
            ticks: 0,
            next_word: Instant::now(),
        };
        (shard, Inlet::new(packets_in))
    }

    /// Serves until the shutdown; then all peers are told that it is over.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let (wakes, sounds) = (
            self.channels.wakes().clone(),
            self.channels.sounds().clone(),
        );
        loop {
            let due = self.channels.deadline();
            let due = due.map_or(self.next_tick, |due| due.min(self.next_tick));
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(command) = self.commands.recv() => self.obey(command).await,
                Some(packet) = self.packets.recv() => self.receive_row(packet).await,
                ready = sounds.ready() => for broadcast in ready {
                    self.advance(broadcast).await;
                },
                ready = wakes.ready() => for broadcast in ready {
                    self.wake(broadcast).await;
                },
                () = tokio::time::sleep_until(due.into()) => self.pass_time().await,
            }
        }
        for key in self.peers.iter().map(|(key, _)| key).collect::<Vec<_>>() {
            self.end(key, Code::ShuttingDown).await;
        }
        self.bridge.shut_down();
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

    /// Ends a peer's session.
    async fn end(&mut self, key: usize, code: Code) {
        if !self.peers.contains(key) {
            return;
        }
        self.peers[key].link.close(Instant::now());
        self.send_dtls(key, None).await;
        let peer = self.peers.remove(key);
        for ufrag in peer.link.ufrags() {
            self.by_ufrag.remove(ufrag);
        }
        self.by_number.remove(&peer.session.number);
        for remote in peer.link.remotes() {
            self.leave(key, remote);
        }
        self.channels.leave(&peer, key, code);
        tracing::info!(session = peer.session.number, %code, "WebRTC session ended");
        self.bridge.forget(&peer, code);
        peer.leave(code);
    }

    /// A peer is not there any more.
    fn leave(&mut self, key: usize, remote: Remote) {
        self.outlet.close(remote);
        // Others may have come to an address of this one since.
        if self.by_remote.get(&remote) == Some(&key) {
            self.by_remote.remove(&remote);
            self.bridge.routes().unsettle(remote, self.number);
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Close(session) => {
                if let Some(key) = self.by_number.get(&session.number).copied() {
                    self.end(key, Code::Done).await;
                }
            }
            Command::Restart(session, pair) => self.restart(&session, pair),
            Command::Plea(number) => self.plead(number).await,
            Command::Adopt(arrival, number) => self.adopt(*arrival, number).await,
            Command::Lost(remote) => self.lose(remote),
            Command::Seated(number, seat) => self.seated(number, seat).await,
        }
    }

    fn restart(&mut self, session: &Session, pair: Pair) {
        let Some(key) = self.by_number.get(&session.number).copied() else {
            return;
        };
        self.by_ufrag.insert(pair.ours.ufrag.clone(), key);
        let peer = &mut self.peers[key];
        if let Some(gone) = peer.link.restart(pair) {
            self.by_ufrag.remove(&gone);
            self.bridge.rename(&peer.session, &gone);
        }
    }

    /// Does what time alone makes due.
    async fn pass_time(&mut self) {
        self.pass_players_time().await;
        let now = Instant::now();
        if now < self.next_tick {
            return;
        }
        self.next_tick = now + TICK;
        self.ticks = self.ticks.wrapping_add(1);
        let turn = self.ticks % UNHURRIED;
        let hurried = |peer: &Peer| !matches!(peer.side, Side::Player(_));
        let peers = self.peers.iter();
        let theirs = peers.filter(|(key, peer)| key % UNHURRIED == turn || hurried(peer));
        for key in theirs.map(|(key, _)| key).collect::<Vec<_>>() {
            self.tick_peer(key).await;
        }
        if self.next_word <= now {
            self.next_word = now + WORDS;
            for key in self.channels.report_paths(&self.peers, now) {
                tracing::info!(
                    session = self.peers[key].session.number,
                    "brings more than its token allows"
                );
                self.end(key, Code::TooMany).await;
            }
        }
    }

    async fn tick_peer(&mut self, key: usize) {
        let now = self.clock.moment();
        let peer = &mut self.peers[key];
        // Who has its keys hears of the broadcast's end with everybody else.
        let ended = match peer.link.handshaking() {
            Some(_) => peer.session.has_to_end(),
            None => peer.session.record.pass().withdrawn().map(Withdrawal::code),
        };
        if let Some(code) = ended {
            return self.end(key, code).await;
        }
        let Peer { link, .. } = peer;
        let settings = self.bridge.settings();
        let (since, patience) = match link.handshaking() {
            Some(began) => (began, settings.connect_timeout),
            None => (link.heard(), settings.idle_timeout),
        };
        if now.instant.duration_since(since) > patience || link.has_expired(now.instant) {
            return self.end(key, Code::Silent).await;
        }
        if let Some(idle) = link.idle_connection(now.instant) {
            self.lose(idle);
        }
        self.ask(key, now.instant).await;
        let Peer { link, side, .. } = &mut self.peers[key];
        if let Some(due) = link.poll_timeout()
            && due <= now.instant
        {
            let failed = link.pass_time(now.instant).is_err();
            self.send_dtls(key, None).await;
            if failed {
                self.end(key, Code::Silent).await;
            }
            return;
        }
        if let Side::Publisher(upstream) = side {
            match upstream.pass_time(link.heard(), now) {
                Ok(()) => self.speak(key).await,
                Err(error) => self.end(key, error.code()).await,
            }
        }
    }
}
