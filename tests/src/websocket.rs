//! Sessions over WebSocket, as a page opens them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll};

use anyhow::{Context, Result, ensure};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use parking_lot::Mutex;
use qmux::ws::tokio_tungstenite::{WebSocketStream, client_async_with_config};
use qmux::ws::tungstenite::client::IntoClientRequest;
use qmux::ws::tungstenite::handshake::client::Response;
use qmux::ws::tungstenite::http::HeaderValue;
use qmux::ws::tungstenite::http::header::{HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use qmux::ws::tungstenite::protocol::frame::Frame;
use qmux::ws::tungstenite::protocol::frame::coding::{Data, OpCode};
use qmux::ws::tungstenite::{Error, Message};
use qmux::{Config, Session};
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::Target;

/// What a page offers (PROTOCOL 10).
pub const SUBPROTOCOL: &str = "qmux-02.steadycast";

/// A WebSocket without anything on it yet.
pub type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// Opens a session, with `origin` as a browser would send it, that takes so many bytes of each stream without reading them.
///
/// # Errors
/// When the relay refuses.
pub async fn connect(
    target: &Target,
    path: &str,
    origin: Option<&str>,
    window: u64,
) -> Result<Session> {
    let socket = open(target, path, origin, SUBPROTOCOL).await?;
    Ok(session(socket, window))
}

/// A session on a WebSocket.
pub fn session<S>(socket: S, window: u64) -> Session
where
    S: Stream<Item = Result<Message, Error>>
        + Sink<Message, Error = Error>
        + Unpin
        + Send
        + 'static,
{
    let mut config = Config::default();
    // Of all streams together no bound: qmux 0.6.6 gives nothing back of what was not read of one that is reset.
    config.max_data = 1 << 60;
    config.max_stream_data_uni = window;
    let upgraded = qmux::ws::Upgraded::new(socket).with_session_config(config);
    upgraded.with_alpn(SUBPROTOCOL).connect()
}

/// Opens a WebSocket that offers `subprotocol`.
///
/// # Errors
/// When the relay refuses.
pub async fn open(
    target: &Target,
    path: &str,
    origin: Option<&str>,
    subprotocol: &str,
) -> Result<Socket> {
    let headers = [
        (SEC_WEBSOCKET_PROTOCOL, Some(subprotocol)),
        (ORIGIN, origin),
    ];
    let given = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let (socket, response) = upgrade(target, path, given).await?;
    let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let chosen = chosen.context("no subprotocol was chosen")?;
    ensure!(chosen == subprotocol, "another subprotocol: {chosen:?}");
    Ok(socket)
}

/// Opens a WebSocket with these headers, and gives the answer as well.
///
/// # Errors
/// When the relay refuses.
pub async fn upgrade<'a>(
    target: &Target,
    path: &str,
    headers: impl IntoIterator<Item = (HeaderName, &'a str)>,
) -> Result<(Socket, Response)> {
    let url = format!("wss://localhost:{}{path}", target.address.port());
    let mut request = url.into_client_request()?;
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_str(value)?);
    }
    let stream = encrypted(target.address, target.certificate, b"http/1.1").await?;
    Ok(client_async_with_config(request, stream, None).await?)
}

/// A TLS connection to whoever has this certificate.
///
/// # Errors
/// When nobody answers, or somebody else.
pub async fn encrypted(
    address: SocketAddr,
    certificate: [u8; 32],
    protocol: &[u8],
) -> Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pinned = Arc::new(Pinned {
        certificate,
        provider: provider.clone(),
    });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(pinned)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    Ok(TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await?)
}

/// Trusts one certificate, as `serverCertificateHashes` does.
#[derive(Debug)]
struct Pinned {
    certificate: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match digest(&SHA256, end_entity).as_ref() == self.certificate {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// A WebSocket in which a session is and something else besides; clones are the same one.
pub struct Tapped<S> {
    socket: Arc<Mutex<S>>,
    in_pieces: bool,
    silent: Arc<AtomicBool>,
}

impl<S> Clone for Tapped<S> {
    fn clone(&self) -> Self {
        Self {
            socket: self.socket.clone(),
            in_pieces: self.in_pieces,
            silent: self.silent.clone(),
        }
    }
}

impl<S> Tapped<S> {
    /// One whose messages go as they are.
    pub fn new(socket: S) -> Self {
        Self {
            socket: Arc::new(Mutex::new(socket)),
            in_pieces: false,
            silent: Arc::default(),
        }
    }

    /// One whose messages are each cut into two frames, as proxies may do.
    pub fn in_pieces(socket: S) -> Self {
        Self {
            in_pieces: true,
            ..Self::new(socket)
        }
    }

    /// From now on it neither reads nor writes, as a computer that was put to sleep; for good.
    pub fn silence(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }
}

impl<S: Stream + Unpin> Stream for Tapped<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        if self.is_silent() {
            return Poll::Pending;
        }
        self.socket.lock().poll_next_unpin(cx)
    }
}

impl<S: Sink<Message> + Unpin> Sink<Message> for Tapped<S> {
    type Error = S::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        if self.is_silent() {
            return Poll::Pending;
        }
        self.socket.lock().poll_ready_unpin(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), S::Error> {
        let mut socket = self.socket.lock();
        match message {
            Message::Binary(mut bytes) if self.in_pieces => {
                let rest = bytes.split_off(bytes.len() / 2);
                let first = Frame::message(bytes, OpCode::Data(Data::Binary), false);
                let last = Frame::message(rest, OpCode::Data(Data::Continue), true);
                socket.start_send_unpin(Message::Frame(first))?;
                socket.start_send_unpin(Message::Frame(last))
            }
            message => socket.start_send_unpin(message),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.socket.lock().poll_flush_unpin(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.socket.lock().poll_close_unpin(cx)
    }
}
