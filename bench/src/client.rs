//! Real sessions over carriers with streams, many of them, for little CPU.

use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use quinn::{TransportConfig, VarInt};
use rustls::crypto::ring::{cipher_suite, default_provider};
use socket2::{Domain, Protocol, Socket, Type};
use steadycast_codec_glue::wire::VERSION;
use steadycast_tests::client::{Carrier, Control, Target as Pinned};
use steadycast_tests::websocket;
use wtransport::proto::WEBTRANSPORT_ALPN;
use wtransport::tls::build_native_cert_store;
use wtransport::tls::client::ServerHashVerification;
use wtransport::{ClientConfig, Endpoint};

use crate::target::Target;

/// Sessions that share a UDP socket: the kernel's work for each is the same as with a socket
/// each, and this process holds fewer buffers.
const PER_SOCKET: usize = 16;
/// Bytes that a browser takes on a stream without reading them.
const BROWSER_WINDOW: u32 = 6 << 20;
const SMALL_WINDOW: u32 = 128 << 10;
const RECEIVE_BUFFER: usize = 8 << 20;
/// Handshakes that fail are tried again: now and then wtransport 0.7.2 loses part of a frame
/// that comes in two packets.
const TRIES: usize = 3;

/// Opens sessions with one relay.
pub struct Client {
    target: Target,
    over: Over,
}

/// What its sessions are opened over.
enum Over {
    /// UDP sockets that they share.
    Quic(Vec<Endpoint<wtransport::endpoint::endpoint_side::Client>>),
    /// A connection each, which takes so many bytes without reading them.
    Tcp { relay: Pinned, window: u32 },
}

impl Client {
    /// A client for about `sessions` WebTransport sessions. Call it within a runtime.
    ///
    /// # Errors
    /// When a socket cannot be made.
    pub fn new(target: &Target, sessions: usize) -> Result<Self> {
        Self::over(target, sessions, Carrier::WebTransport)
    }

    /// The same over this carrier.
    ///
    /// # Errors
    /// When a socket cannot be made; over WebSocket, when the relay shows a certificate that is publicly trusted.
    pub fn over(target: &Target, sessions: usize, carrier: Carrier) -> Result<Self> {
        Self::with_window(target, sessions, carrier, BROWSER_WINDOW)
    }

    /// The same for players that take little: what they leave unread soon holds up the relay.
    ///
    /// # Errors
    /// As [`Client::over`].
    pub fn small(target: &Target, sessions: usize, carrier: Carrier) -> Result<Self> {
        Self::with_window(target, sessions, carrier, SMALL_WINDOW)
    }

    fn with_window(
        target: &Target,
        sessions: usize,
        carrier: Carrier,
        window: u32,
    ) -> Result<Self> {
        let over = match carrier {
            Carrier::WebTransport => {
                let endpoints = (0..sessions.div_ceil(PER_SOCKET))
                    .map(|_| Ok(Endpoint::client(config(target, window)?)?));
                Over::Quic(endpoints.collect::<Result<_>>()?)
            }
            Carrier::WebSocket => {
                let relay = target.pinned()?;
                Over::Tcp { relay, window }
            }
        };
        Ok(Self {
            target: target.clone(),
            over,
        })
    }

    /// Opens session `number` and its control stream.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn open(&self, number: usize) -> Result<Control> {
        let mut control = match &self.over {
            Over::Quic(endpoints) => self.over_quic(&endpoints[number % endpoints.len()]).await,
            Over::Tcp { relay, window } => {
                let path = self.target.session_path();
                let session = websocket::connect(relay, path, None, (*window).into()).await;
                Control::on(session.context("opening a session")?).await
            }
        }?;
        control.version = self.target.version.min(VERSION);
        Ok(control)
    }

    async fn over_quic(
        &self,
        endpoint: &Endpoint<wtransport::endpoint::endpoint_side::Client>,
    ) -> Result<Control> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            match endpoint.connect(&self.target.session_url).await {
                Ok(connection) => return Control::on(connection).await,
                Err(_) if tries > 0 => {}
                Err(error) => return Err(error).context("opening a session"),
            }
        }
    }
}

fn config(target: &Target, window: u32) -> Result<ClientConfig> {
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(VarInt::from_u32(30_000).into()))
        .keep_alive_interval(Some(Duration::from_secs(5)))
        .stream_receive_window(VarInt::from_u32(window))
        .receive_window(VarInt::from_u32(window.saturating_mul(2)));
    Ok(ClientConfig::builder()
        .with_bind_socket(socket()?)
        .with_custom_tls_and_transport(tls(target)?, transport)
        .build())
}

/// A socket with room for a keyframe of each of its players: what is lost here for want of room is
/// this client's doing.
fn socket() -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_only_v6(false)?;
    // The system may grant less.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    socket.bind(&any.into())?;
    Ok(socket.into())
}

fn tls(target: &Target) -> Result<rustls::ClientConfig> {
    let mut provider = default_provider();
    // What browsers prefer on hardware with AES.
    provider
        .cipher_suites
        .sort_by_key(|suite| *suite != cipher_suite::TLS13_AES_128_GCM_SHA256);
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = if target.certificates.is_empty() {
        builder
            .with_root_certificates(build_native_cert_store())
            .with_no_client_auth()
    } else {
        let verifier = ServerHashVerification::new(target.certificates.clone());
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![WEBTRANSPORT_ALPN.to_vec()];
    Ok(config)
}
