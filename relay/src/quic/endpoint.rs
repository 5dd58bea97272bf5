//! The QUIC endpoint: what all shards' sessions are served with.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::congestion::{Controller, ControllerFactory};
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicServerConfig};
use quinn::{IdleTimeout, TransportConfig, VarInt};

use super::accept::Sessions;
use super::congestion::PathControl;
use crate::session::{Settings, Shared};
use crate::shard::{AddressShare, Shard};

/// The TLS configuration has no cipher suite that QUIC needs.
#[derive(Debug, thiserror::Error)]
#[error("TLS: {0}")]
pub struct EndpointError(#[from] NoInitialCipherSuite);

/// The relay's QUIC endpoint, which every shard serves its share of.
#[derive(Clone)]
pub(crate) struct Endpoint {
    config: quinn::ServerConfig,
    pub(super) shared: Arc<Shared>,
}

impl Endpoint {
    /// An endpoint without sessions.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub(crate) fn new(
        tls: Arc<rustls::ServerConfig>,
        shared: Arc<Shared>,
    ) -> Result<Self, EndpointError> {
        Ok(Self {
            config: server_config(tls, &shared.settings)?,
            shared,
        })
    }

    /// How a connection is served whose address has this share. The share is the connection's own: wtransport may keep
    /// one of a stranger, whatever becomes of the session that it was for, and hands it to nobody who could close it.
    pub(super) fn config_for(&self, share: AddressShare) -> Arc<quinn::ServerConfig> {
        let mut config = self.config.clone();
        let mut transport = transport(&self.shared.settings);
        transport.congestion_controller_factory(Arc::new(Holding { _share: share }));
        config.transport_config(Arc::new(transport));
        Arc::new(config)
    }

    /// A shard's share of the sessions.
    ///
    /// # Errors
    /// When its socket cannot be used.
    pub(crate) fn on(&self, shard: &Shard) -> io::Result<Sessions> {
        let quic = shard.quic(self.config.clone())?;
        Ok(Sessions::new(quic, self.clone()))
    }
}

/// What lasts as long as a connection, with its settings: it makes the controllers of its paths.
#[derive(Debug)]
struct Holding {
    _share: AddressShare,
}

impl ControllerFactory for Holding {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Arc::new(PathControl).build(now, current_mtu)
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

/// So many round trips after it was sent a packet is lost. With more a repaired loss is seen later,
/// with less more packets are sent again in vain on a link that jitters.
const TIME_THRESHOLD: f32 = 1.48;
/// What a round trip is taken for until it is known: shorter than RFC 9002 6.2.2 has it, since a
/// needless repetition of a handshake's packet costs next to nothing.
const INITIAL_RTT: Duration = Duration::from_millis(150);

/// Bytes of datagrams that a connection keeps until they are read: a publisher's sound of a second, more or less.
const DATAGRAMS: usize = 16 << 10;
/// Bytes of datagrams that may wait to be sent.
pub(super) const WAITING_DATAGRAMS: usize = 8 << 10;

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
        // The oldest are dropped: of a player's all, for nobody reads them.
        .datagram_receive_buffer_size(Some(DATAGRAMS))
        .datagram_send_buffer_size(WAITING_DATAGRAMS)
        .congestion_controller_factory(Arc::new(PathControl))
        // Packets overtake one another on wireless links: time tells what is lost, not numbers.
        .packet_threshold(64)
        // What a handshake's lost packet waits for is three times as long.
        .initial_rtt(INITIAL_RTT)
        .time_threshold(TIME_THRESHOLD)
        // A connection whose client lives stays: who says nothing on it is told so, in band.
        .keep_alive_interval(Some(settings.idle_timeout / 3))
        .max_idle_timeout(IdleTimeout::try_from(settings.idle_timeout).ok());
    transport
}
