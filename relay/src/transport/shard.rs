//! A share of the sessions: a thread with a runtime, a socket and a QUIC endpoint of its own.
//!
//! Nothing that happens for a frame crosses from one shard to another, except
//! that all read the same cache.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use quinn::VarInt;
use steadycast_codec_glue::wire::TrackId;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::addresses::Addresses;
use super::cohort::Cohort;
use super::driver::ShardRuntime;
use super::routing::Routing;
use super::session::{self, Shared};
use super::socket::ShardSocket;
use crate::bridge::{Bridge, BridgeShard};
use crate::broadcast::{Broadcast, BroadcastId};

/// How long sessions have to part when the relay stops.
const DRAIN: Duration = Duration::from_secs(3);

/// What the sessions of one shard share.
pub(super) struct Shard {
    pub(super) shared: Arc<Shared>,
    cohorts: Mutex<HashMap<(BroadcastId, TrackId), Weak<Cohort>>>,
}

impl Shard {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            cohorts: Mutex::default(),
        }
    }

    /// The cohort of a track of a broadcast; it lives as long as somebody holds it. Call it within
    /// the shard's runtime.
    pub(super) fn cohort(&self, broadcast: &Arc<Broadcast>, track: TrackId) -> Arc<Cohort> {
        let key = (broadcast.id().clone(), track);
        let mut cohorts = self.cohorts.lock();
        if let Some(cohort) = cohorts.get(&key).and_then(Weak::upgrade) {
            return cohort;
        }
        cohorts.retain(|_, cohort| cohort.strong_count() > 0);
        let cohort = Cohort::start(broadcast, track, self.shared.clock);
        cohorts.insert(key, Arc::downgrade(&cohort));
        cohort
    }
}

/// What every shard is started with.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) config: quinn::ServerConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) addresses: Addresses,
    /// Sessions of all shards, handshakes included.
    pub(super) sessions: TaskTracker,
    pub(super) bridge: Arc<Bridge>,
}

/// A running shard.
pub(super) struct ShardHandle {
    /// The address that it is bound to.
    pub(super) address: SocketAddr,
    over: oneshot::Receiver<()>,
}

impl ShardHandle {
    /// Starts a shard on `socket`; it runs until the shutdown, and then until its sessions have
    /// parted.
    ///
    /// # Errors
    /// When the system gives no thread, or the socket cannot be used.
    pub(super) fn start(
        number: usize,
        socket: UdpSocket,
        routing: Routing,
        common: Common,
    ) -> io::Result<Self> {
        let (started, starting) = mpsc::channel();
        let (ended, over) = oneshot::channel();
        let thread = move || {
            match Running::start(socket, routing, common) {
                Ok((runtime, running)) => {
                    // Who started it waits for this.
                    let _ = started.send(running.quic.local_addr());
                    runtime.block_on(running.run());
                }
                Err(error) => drop(started.send(Err(error))),
            }
            drop(ended);
        };
        std::thread::Builder::new()
            .name(format!("shard-{number}"))
            .spawn(thread)?;
        let address = starting.recv().map_err(io::Error::other)??;
        Ok(Self { address, over })
    }

    /// Waits until the shard has ended and its socket is closed.
    pub(super) async fn over(self) {
        // It says so by dropping its end.
        let _ = self.over.await;
    }
}

struct Running {
    quic: quinn::Endpoint,
    common: Common,
    shard: Arc<Shard>,
    bridge: BridgeShard<ShardSocket>,
}

impl Running {
    fn start(
        socket: UdpSocket,
        routing: Routing,
        common: Common,
    ) -> io::Result<(tokio::runtime::Runtime, Self)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let within = runtime.enter();
        let mut config = quinn::EndpointConfig::default();
        // What tells QUIC from the bridge's packets is the bit that this would take (RFC 9443, 3).
        config.grease_quic_bit(false);
        let ids = routing.ids();
        config.cid_generator(move || Box::new(ids.clone()));
        let socket = Arc::new(ShardSocket::new(socket, routing)?);
        let quic = quinn::Endpoint::new_with_abstract_socket(
            config,
            Some(common.config.clone()),
            socket.clone(),
            Arc::new(ShardRuntime::new(socket.clone())),
        )?;
        drop(within);
        let clock = common.shared.clock;
        let (bridge, inlet) = BridgeShard::new(common.bridge.clone(), socket.clone(), clock);
        socket.divert(inlet);
        let shard = Arc::new(Shard::new(common.shared.clone()));
        let running = Self {
            quic,
            common,
            shard,
            bridge,
        };
        Ok((runtime, running))
    }

    async fn run(self) {
        let Self {
            quic,
            common,
            shard,
            bridge,
        } = self;
        let shutdown = common.shared.shutdown.clone();
        let bridge = tokio::spawn(bridge.run(shutdown));
        let sessions = Sessions {
            quic,
            common,
            shard,
        };
        sessions.run().await;
        // It ends by itself at the shutdown.
        let _ = tokio::time::timeout(DRAIN, bridge).await;
    }
}

/// The QUIC sessions of a shard.
struct Sessions {
    quic: quinn::Endpoint,
    common: Common,
    shard: Arc<Shard>,
}

impl Sessions {
    async fn run(self) {
        let shutdown = self.common.shared.shutdown.clone();
        loop {
            tokio::select! {
                incoming = self.quic.accept() => match incoming {
                    Some(incoming) => self.admit(incoming),
                    None => break,
                },
                () = shutdown.cancelled() => break,
            }
        }
        self.drain().await;
    }

    fn admit(&self, incoming: quinn::Incoming) {
        let Common {
            shared,
            addresses,
            sessions,
            ..
        } = &self.common;
        let settings = &shared.settings;
        let under_way = self.quic.open_connections().max(sessions.len());
        if under_way >= settings.sessions {
            tracing::warn!(
                sessions = under_way,
                "refused a connection: the relay is full"
            );
            incoming.refuse();
            return;
        }
        let pending = sessions.len().saturating_sub(shared.established());
        if pending > settings.retry_above
            && !incoming.remote_address_validated()
            && incoming.may_retry()
        {
            // Fails only where `may_retry` is false.
            let _ = incoming.retry();
            return;
        }
        let address = incoming.remote_address().ip();
        let Some(place) = addresses.admit(address, settings.sessions_per_address) else {
            tracing::debug!("refused a connection: its address has too many");
            incoming.refuse();
            return;
        };
        let shard = self.shard.clone();
        sessions.spawn(async move {
            session::serve(incoming, shard).await;
            drop(place);
        });
    }

    async fn drain(&self) {
        let sessions = &self.common.sessions;
        sessions.close();
        if tokio::time::timeout(DRAIN, sessions.wait()).await.is_err() {
            tracing::warn!(
                sessions = sessions.len(),
                "sessions that did not part in time"
            );
        }
        self.quic.close(VarInt::from_u32(0), b"");
        let _ = tokio::time::timeout(Duration::from_secs(1), self.quic.wait_idle()).await;
    }
}
