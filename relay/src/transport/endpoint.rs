//! The QUIC endpoint: who gets in, and how all leave.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicServerConfig};
use quinn::{IdleTimeout, TransportConfig, VarInt};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::addresses::Addresses;
use super::session::{self, Shared};
use super::{RelayClock, Settings};
use crate::auth::{Origins, TokenSigner};
use crate::broadcast::Registry;

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

/// The relay's QUIC endpoint and its sessions.
pub struct Endpoint {
    quic: quinn::Endpoint,
    shared: Arc<Shared>,
    addresses: Addresses,
    sessions: TaskTracker,
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
}

/// How long sessions have to part when the relay stops.
const DRAIN: Duration = Duration::from_secs(3);

impl Endpoint {
    /// Serves sessions on `socket`.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(
        socket: UdpSocket,
        tls: Arc<rustls::ServerConfig>,
        parts: Parts,
    ) -> Result<Self, EndpointError> {
        let config = server_config(tls, &parts.settings)?;
        let quic = quinn::Endpoint::new(
            quinn::EndpointConfig::default(),
            Some(config),
            socket,
            Arc::new(quinn::TokioRuntime),
        )?;
        Ok(Self {
            quic,
            shared: Arc::new(Shared::new(parts)),
            addresses: Addresses::default(),
            sessions: TaskTracker::new(),
        })
    }

    /// The address that the endpoint is bound to.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.quic.local_addr()
    }

    /// Sessions being served, handshakes included.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Accepts sessions until the shutdown, then lets all of them part.
    pub async fn run(&self) {
        loop {
            tokio::select! {
                incoming = self.quic.accept() => match incoming {
                    Some(incoming) => self.admit(incoming),
                    None => break,
                },
                () = self.shared.shutdown.cancelled() => break,
            }
        }
        self.drain().await;
    }

    fn admit(&self, incoming: quinn::Incoming) {
        let settings = &self.shared.settings;
        let under_way = self.quic.open_connections().max(self.sessions.len());
        if under_way >= settings.sessions {
            tracing::warn!(
                sessions = under_way,
                "refused a connection: the relay is full"
            );
            incoming.refuse();
            return;
        }
        let pending = self.sessions.len().saturating_sub(self.established());
        if pending > settings.retry_above
            && !incoming.remote_address_validated()
            && incoming.may_retry()
        {
            // Fails only where `may_retry` is false.
            let _ = incoming.retry();
            return;
        }
        let address = incoming.remote_address().ip();
        let Some(place) = self.addresses.admit(address, settings.sessions_per_address) else {
            tracing::debug!("refused a connection: its address has too many");
            incoming.refuse();
            return;
        };
        let shared = self.shared.clone();
        self.sessions.spawn(async move {
            session::serve(incoming, shared).await;
            drop(place);
        });
    }

    /// Sessions past their handshake.
    fn established(&self) -> usize {
        self.shared.established.load(Ordering::Relaxed)
    }

    async fn drain(&self) {
        self.sessions.close();
        if tokio::time::timeout(DRAIN, self.sessions.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                sessions = self.sessions.len(),
                "sessions that did not part in time"
            );
        }
        self.quic.close(VarInt::from_u32(0), b"");
        let _ = tokio::time::timeout(Duration::from_secs(1), self.quic.wait_idle()).await;
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
    let mut cubic = CubicConfig::default();
    cubic.initial_window(256 << 10);
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
        .congestion_controller_factory(Arc::new(cubic))
        // A connection whose client lives stays: who says nothing on it is told so, in band.
        .keep_alive_interval(Some(settings.idle_timeout / 3))
        .max_idle_timeout(IdleTimeout::try_from(settings.idle_timeout).ok());
    transport
}
