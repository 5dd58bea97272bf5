//! The QUIC endpoint: who gets in, and how all leave.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::crypto::rustls::{NoInitialCipherSuite, QuicServerConfig};
use quinn::{IdleTimeout, TransportConfig, VarInt};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::addresses::Addresses;
use super::session::Shared;
use super::shard::{Common, ShardHandle};
use super::{RelayClock, Settings, routing};
use crate::auth::{Origins, TokenSigner};
use crate::bridge::Bridge;
use crate::broadcast::Registry;
use crate::quic::congestion::PathControl;

/// Why the endpoint cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The socket cannot be used.
    #[error("UDP: {0}")]
    Socket(#[from] io::Error),
    /// The TLS configuration has no cipher suite that QUIC needs.
    #[error("TLS: {0}")]
    Tls(#[from] NoInitialCipherSuite),
}

/// The relay's QUIC endpoint: one or more shards, and their sessions.
pub struct Endpoint {
    shards: Vec<ShardHandle>,
    sessions: TaskTracker,
    /// Ends the shards of an endpoint that is dropped.
    _end: DropGuard,
}

/// What the endpoint's sessions work with.
pub struct Parts {
    /// What strangers may cost.
    pub settings: Settings,
    /// The relay's clock.
    pub clock: RelayClock,
    /// The broadcasts.
    pub registry: Arc<Registry>,
    /// Who recognises tokens.
    pub tokens: Arc<TokenSigner>,
    /// Whose pages may open sessions.
    pub origins: Origins,
    /// Cancelled when every session is to say goodbye.
    pub shutdown: CancellationToken,
    /// The WebRTC sessions, which the shards serve on the same port.
    pub bridge: Arc<Bridge>,
}

impl Endpoint {
    /// Serves sessions on `sockets`, which share an address: a shard for each. They begin at once.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(
        sockets: Vec<UdpSocket>,
        tls: Arc<rustls::ServerConfig>,
        parts: Parts,
    ) -> Result<Self, EndpointError> {
        let end = parts.shutdown.clone().drop_guard();
        let common = Common {
            config: server_config(tls, &parts.settings)?,
            bridge: parts.bridge.clone(),
            shared: Arc::new(Shared::new(parts)),
            addresses: Addresses::default(),
            sessions: TaskTracker::new(),
        };
        let places = routing::places(sockets.len());
        let shards = sockets
            .into_iter()
            .zip(places)
            .enumerate()
            .map(|(number, (socket, routing))| {
                ShardHandle::start(number, socket, routing, common.clone())
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            shards,
            sessions: common.sessions,
            _end: end,
        })
    }

    /// The address that the endpoint is bound to.
    ///
    /// # Errors
    /// When there is none.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let first = self.shards.first().map(|shard| shard.address);
        first.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Sessions being served, handshakes included.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Serves until the shutdown and until all sessions have parted.
    pub async fn run(self) {
        for shard in self.shards {
            shard.over().await;
        }
    }
}

fn server_config(
    tls: Arc<rustls::ServerConfig>,
    settings: &Settings,
) -> Result<quinn::ServerConfig, EndpointError> {
    let crypto = QuicServerConfig::try_from(tls)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config
        .transport_config(Arc::new(transport(settings)))
        .max_incoming(settings.handshakes)
        .incoming_buffer_size(64 << 10)
        .incoming_buffer_size_total(32 << 20);
    Ok(config)
}

/// What every connection starts with: a stranger's share. Publishers get more once they are known.
fn transport(settings: &Settings) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        // WebTransport itself takes three; a publisher's groups get theirs when it is known.
        .max_concurrent_uni_streams(VarInt::from_u32(8))
        // The request, the control stream, and one more so that a client's mistake is seen.
        .max_concurrent_bidi_streams(VarInt::from_u32(3))
        .receive_window(VarInt::from_u32(256 << 10))
        // Cannot change later, so it is a publisher's; the receive window bounds a stranger.
        .stream_receive_window(VarInt::from_u32(1 << 20))
        .send_window(settings.player_send_window)
        .datagram_receive_buffer_size(None)
        .congestion_controller_factory(Arc::new(PathControl))
        // Packets overtake one another on wireless links: time tells what is lost, not numbers.
        .packet_threshold(64)
        .time_threshold(1.5)
        // A connection whose client lives stays: who says nothing on it is told so, in band.
        .keep_alive_interval(Some(settings.idle_timeout / 3))
        .max_idle_timeout(IdleTimeout::try_from(settings.idle_timeout).ok());
    transport
}
