//! TCP connections, and the TLS handshakes that make them fit for HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::shard::{AddressShare, Addresses};

/// How long a client has for its handshake, or, in development, for its first byte.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long nothing is accepted after the system has refused to (no more files, say).
const PAUSE: Duration = Duration::from_millis(100);
/// The first byte of a TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// What may be open at once; more is closed unheard.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections, handshakes included.
    pub connections: usize,
    /// Connections of one address (IPv6: one /56).
    pub per_address: usize,
    /// Handshakes under way.
    pub handshakes: usize,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// Accepts connections and does their handshakes, each in a task of its own: a silent client holds nobody up.
pub struct Listener {
    tcp: TcpListener,
    door: Arc<Door>,
    bounds: Bounds,
    connections: Arc<Semaphore>,
    addresses: Addresses,
    handshakes: JoinSet<io::Result<Connection>>,
}

/// How connections become streams.
struct Door {
    tls: TlsAcceptor,
    plain_too: bool,
}

impl Listener {
    /// Serves TLS on `tcp`; with `plain_too`, in development, unencrypted HTTP as well.
    ///
    /// # Errors
    /// When the socket cannot be used with the runtime. Call it within one.
    pub fn new(
        tcp: std::net::TcpListener,
        tls: Arc<rustls::ServerConfig>,
        plain_too: bool,
        bounds: Bounds,
    ) -> io::Result<Self> {
        tcp.set_nonblocking(true)?;
        Ok(Self {
            tcp: TcpListener::from_std(tcp)?,
            door: Arc::new(Door {
                tls: tls.into(),
                plain_too,
            }),
            bounds,
            connections: Arc::new(Semaphore::new(bounds.connections)),
            addresses: Addresses::default(),
            handshakes: JoinSet::new(),
        })
    }

    /// The next connection that is ready for requests. Dropping the future loses none.
    pub(super) async fn accept(&mut self) -> Connection {
        loop {
            tokio::select! {
                accepted = self.tcp.accept() => match accepted {
                    Ok((tcp, address)) => self.begin(tcp, address),
                    Err(error) => {
                        tracing::debug!(%error, "nothing accepted");
                        sleep(PAUSE).await;
                    }
                },
                Some(done) = self.handshakes.join_next() => match done {
                    Ok(Ok(connection)) => return connection,
                    Ok(Err(error)) => tracing::debug!(%error, "a connection without requests"),
                    Err(error) => tracing::error!(%error, "a handshake's task has died"),
                },
            }
        }
    }

    fn begin(&mut self, tcp: TcpStream, address: SocketAddr) {
        let Ok(permit) = self.connections.clone().try_acquire_owned() else {
            tracing::warn!("closed a connection: there are as many as there may be");
            return;
        };
        if self.handshakes.len() >= self.bounds.handshakes {
            tracing::warn!("closed a connection: too many handshakes are under way");
            return;
        }
        let Some(place) = self.addresses.admit(address.ip(), self.bounds.per_address) else {
            tracing::debug!("closed a connection: its address has too many");
            return;
        };
        let door = self.door.clone();
        self.handshakes.spawn(async move {
            let stream = timeout(HANDSHAKE, door.open(tcp)).await??;
            let tls = matches!(stream, Stream::Tls(_));
            Ok(Connection {
                stream,
                peer: Peer { address, tls },
                _permit: permit,
                _place: place,
            })
        });
    }
}

impl Door {
    async fn open(&self, tcp: TcpStream) -> io::Result<Stream> {
        tcp.set_nodelay(true)?;
        if self.plain_too {
            let mut first = [0];
            if tcp.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first[0] != TLS_HANDSHAKE {
                return Ok(Stream::Plain(tcp));
            }
        }
        Ok(Stream::Tls(Box::new(self.tls.accept(tcp).await?)))
    }
}

/// A connection ready for requests.
pub(super) struct Connection {
    stream: Stream,
    /// Who is at the other end.
    pub(super) peer: Peer,
    _permit: OwnedSemaphorePermit,
    _place: AddressShare,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Whether both sides have agreed on HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        match &self.stream {
            Stream::Plain(_) => false,
            Stream::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
