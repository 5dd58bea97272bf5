//! Connections to another relay.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{IdleTimeout, TransportConfig, VarInt};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use wtransport::config::IpBindConfig;
use wtransport::endpoint::endpoint_side::Client;
use wtransport::{ClientConfig, Connection, Endpoint};

use super::talk::Failure;
use crate::config::Peer;

/// A connection that nothing comes of for so long is given up.
const CONNECTING: Duration = Duration::from_secs(3);
/// A second one is tried for after this: of a request that comes in several packets wtransport may lose the first.
const HEDGE: Duration = Duration::from_secs(1);
/// One on which nothing is heard for so long has ended, and how often something is to be heard.
const IDLE: Duration = Duration::from_secs(4);
const ALIVE: Duration = Duration::from_secs(1);
/// Bytes that may be on their way here, of a stream and in all.
const STREAM_WINDOW: u32 = 8 << 20;
const WINDOW: u32 = 32 << 20;
/// Groups that may be on their way at once.
const STREAMS: u32 = 128;
/// Bytes of sound that are kept until they are read.
const DATAGRAMS: usize = 64 << 10;
/// How long to wait before a spare connection is tried for again: longer each time, up to this.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Another relay, and a connection to it that is ready for as long as this is kept.
pub(super) struct Upstream {
    line: Arc<Ready>,
    _end: DropGuard,
}

/// What is ready.
struct Ready {
    peer: Peer,
    endpoint: Arc<Endpoint<Client>>,
    spare: Mutex<Option<Connection>>,
    taken: Notify,
}

/// The relays that this one gets broadcasts from, each known once.
pub(super) struct Upstreams {
    endpoint: Arc<Endpoint<Client>>,
    /// The runtime of all links.
    runtime: Handle,
    known: Mutex<HashMap<Peer, Weak<Upstream>>>,
}

impl Upstreams {
    pub(super) fn new(endpoint: Arc<Endpoint<Client>>, runtime: Handle) -> Self {
        Self {
            endpoint,
            runtime,
            known: Mutex::default(),
        }
    }

    /// The relay at this address.
    pub(super) fn at(&self, peer: &Peer) -> Arc<Upstream> {
        let mut known = self.known.lock();
        if let Some(upstream) = known.get(peer).and_then(Weak::upgrade) {
            return upstream;
        }
        known.retain(|_, known| known.strong_count() > 0);
        let line = Arc::new(Ready {
            peer: peer.clone(),
            endpoint: self.endpoint.clone(),
            spare: Mutex::default(),
            taken: Notify::new(),
        });
        let end = CancellationToken::new();
        let (kept, ended) = (line.clone(), end.clone());
        self.runtime.spawn(async move {
            tokio::select! {
                () = kept.keep() => {}
                () = ended.cancelled() => kept.close(),
            }
        });
        let upstream = Arc::new(Upstream {
            line,
            _end: end.drop_guard(),
        });
        known.insert(peer.clone(), Arc::downgrade(&upstream));
        upstream
    }

    /// Where links run.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// An endpoint for connections to other relays. Call it within the runtime that they are to live in.
///
/// # Errors
/// When there is no socket.
pub(super) fn endpoint(tls: rustls::ClientConfig) -> std::io::Result<Endpoint<Client>> {
    let crypto = QuicClientConfig::try_from(tls).map_err(std::io::Error::other)?;
    let mut quic = quinn::ClientConfig::new(Arc::new(crypto));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS))
        .receive_window(VarInt::from_u32(WINDOW))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .datagram_receive_buffer_size(Some(DATAGRAMS))
        .keep_alive_interval(Some(ALIVE))
        .max_idle_timeout(IdleTimeout::try_from(IDLE).ok());
    quic.transport_config(Arc::new(transport));
    let bound = |to| {
        let config = ClientConfig::builder()
            .with_bind_config(to)
            .build_with_quic_config(quic.clone());
        Endpoint::client(config)
    };
    // A host may have no IPv6.
    bound(IpBindConfig::InAddrAnyDual).or_else(|_| bound(IpBindConfig::InAddrAnyV4))
}

impl Upstream {
    /// Where it is.
    pub(super) fn peer(&self) -> &Peer {
        &self.line.peer
    }

    /// A connection: the one that is ready, or another.
    pub(super) async fn connection(&self) -> Result<Connection, Failure> {
        let spare = self.line.spare.lock().take();
        self.line.taken.notify_one();
        match spare.filter(lives) {
            Some(spare) => Ok(spare),
            None => self.line.connect().await,
        }
    }

    /// The relay has not answered: what is ready may lead nowhere either.
    pub(super) fn distrust(&self) {
        self.line.close();
        self.line.taken.notify_one();
    }
}

impl Ready {
    /// Closes what is ready.
    fn close(&self) {
        if let Some(spare) = self.spare.lock().take() {
            spare.close(wtransport::VarInt::from_u32(0), b"");
        }
    }

    /// Keeps a connection ready. Never ends.
    async fn keep(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connect().await {
                Ok(connection) => {
                    pause = FIRST_PAUSE;
                    *self.spare.lock() = Some(connection.clone());
                    self.spared(&connection).await;
                }
                Err(error) => {
                    tracing::debug!(relay = %self.peer, %error, "no connection is ready");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Waits until the connection that is ready is so no longer.
    async fn spared(&self, connection: &Connection) {
        loop {
            tokio::select! {
                _ = connection.closed() => return drop(self.spare.lock().take()),
                () = self.taken.notified() => if self.spare.lock().is_none() {
                    return;
                },
            }
        }
    }

    /// Connects. Where nothing has come of that after a while it is tried a second time beside the first.
    async fn connect(&self) -> Result<Connection, Failure> {
        let connecting = async {
            let first = self.attempt();
            tokio::pin!(first);
            if let Ok(connected) = timeout(HEDGE, &mut first).await {
                return connected;
            }
            tokio::select! {
                connected = &mut first => connected,
                connected = self.attempt() => connected,
            }
        };
        let connected = timeout(CONNECTING, connecting).await;
        connected.unwrap_or_else(|_| Err(Failure::unreached("no connection in time")))
    }

    async fn attempt(&self) -> Result<Connection, Failure> {
        let url = format!("https://{}/session", self.peer);
        let connected = self.endpoint.connect(url).await;
        connected.map_err(Failure::unreached)
    }
}

fn lives(connection: &Connection) -> bool {
    connection.quic_connection().close_reason().is_none()
}
