//! TCP connections: the TLS handshakes that make them fit for HTTP, and those that are WebRTC's.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::forwarded::Proxies;
use crate::shard::{Addresses, Gathering, Movable, Moving};
use crate::tls::CHALLENGE_ALPN;
use crate::webrtc::{Arrival, Bridge, Guest, may_begin, read_first};

/// How long a client has for its handshake, or, in development, for its first byte.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long nothing is accepted after the system has refused to (no more files, say).
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is said that it refuses.
const COMPLAINTS: Duration = Duration::from_secs(60);
/// The first byte of a TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// What may be open at once.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Connections in all; of more, one of the most crowded network makes way, but for no other of its
    /// own network: that is closed unheard.
    pub connections: usize,
    /// Connections of one address (IPv6: one /56); more are closed unheard.
    pub per_address: usize,
    /// Connections without a whole request, handshakes included; of more, one of the most crowded
    /// network makes way.
    pub strangers: usize,
    /// Proxies may have as many connections as there may be, for they are many clients.
    pub proxies: Proxies,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    /// The relay's own that it came to; a proxy's clients come to the proxy's way.
    pub came_to: Option<IpAddr>,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// Accepts connections and does their handshakes, each in a task of its own: a silent client holds nobody up.
pub struct Listener {
    tcp: TcpListener,
    door: Arc<Door>,
    bounds: Bounds,
    addresses: Addresses,
    handshakes: JoinSet<io::Result<Option<Connection>>>,
    /// All connections.
    everybody: Gathering,
    /// Those without a whole request.
    strangers: Gathering,
    /// When the system last refused a connection, as far as that was said.
    refused: Option<Instant>,
}

/// How connections become streams.
struct Door {
    tls: TlsAcceptor,
    plain_too: bool,
    /// Takes the connections of WebRTC clients, where they may come over TCP.
    bridge: Option<Arc<Bridge>>,
}

/// What a connection turned out to be for.
enum Opened {
    /// Requests.
    Stream(Stream),
    /// Packets, of which this is the first.
    Packets(TcpStream, Bytes),
}

impl Listener {
    /// Serves TLS on `tcp`; with `plain_too`, in development, unencrypted HTTP as well. `bridge` is given
    /// the connections that begin with a check (RFC 6544).
    ///
    /// # Errors
    /// When the socket cannot be used with the runtime. Call it within one.
    pub fn new(
        tcp: std::net::TcpListener,
        tls: Arc<rustls::ServerConfig>,
        plain_too: bool,
        bridge: Option<Arc<Bridge>>,
        bounds: Bounds,
    ) -> io::Result<Self> {
        tcp.set_nonblocking(true)?;
        Ok(Self {
            tcp: TcpListener::from_std(tcp)?,
            door: Arc::new(Door {
                tls: tls.into(),
                plain_too,
                bridge,
            }),
            bounds,
            addresses: Addresses::default(),
            handshakes: JoinSet::new(),
            everybody: Gathering::default(),
            strangers: Gathering::default(),
            refused: None,
        })
    }

    /// The next connection that is ready for requests. Dropping the future loses none.
    pub(super) async fn accept(&mut self) -> Connection {
        loop {
            tokio::select! {
                accepted = self.tcp.accept() => match accepted {
                    Ok((tcp, address)) => self.begin(tcp, address),
                    Err(error) => {
                        self.complain(&error);
                        sleep(PAUSE).await;
                    }
                },
                Some(done) = self.handshakes.join_next() => {
                    if let Some(connection) = done_with(done) {
                        return connection;
                    }
                }
            }
        }
    }

    /// Says now and then that the system gives no more connections: it is out of files, most often.
    fn complain(&mut self, error: &io::Error) {
        let now = Instant::now();
        if self
            .refused
            .is_none_or(|last| now.duration_since(last) >= COMPLAINTS)
        {
            self.refused = Some(now);
            tracing::warn!(%error, "the system accepts no more connections (see ulimit -n)");
        }
    }

    fn begin(&mut self, tcp: TcpStream, address: SocketAddr) {
        let per_address = match self.bounds.proxies.know(address.ip()) {
            true => self.bounds.connections,
            false => self.bounds.per_address,
        };
        let Some(share) = self.addresses.admit(address.ip(), per_address) else {
            tracing::debug!("closed a connection: its address has too many");
            return;
        };
        let Bounds {
            connections,
            strangers,
            ..
        } = self.bounds;
        // Strangers never take all connections, however few there may be.
        let strangers = strangers.min(connections / 2).max(1);
        let makes_way = CancellationToken::new();
        let place = self
            .everybody
            .admit(address.ip(), makes_way.clone(), connections);
        let Some(place) = place else {
            tracing::warn!("closed a connection: there are as many as there may be");
            return;
        };
        let stranger = self
            .strangers
            .enter(address.ip(), makes_way.clone(), strangers);
        let door = self.door.clone();
        let came_to = tcp.local_addr().ok().map(|local| local.ip());
        let guest = Guest {
            makes_way,
            stranger: Some(stranger),
            _place: place,
            _share: share,
        };
        self.handshakes.spawn(async move {
            let opened = tokio::select! {
                () = guest.makes_way.cancelled() => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                opened = timeout(HANDSHAKE, door.open(tcp)) => opened??,
            };
            match opened {
                Opened::Stream(stream) => {
                    let tls = matches!(stream, Stream::Tls(_));
                    let peer = Peer {
                        address,
                        came_to,
                        tls,
                    };
                    Ok(Some(Connection {
                        stream,
                        peer,
                        guest,
                    }))
                }
                Opened::Packets(stream, first) => {
                    door.hand_over(Arrival {
                        stream,
                        address,
                        first,
                        guest,
                    });
                    Ok(None)
                }
            }
        });
    }
}

/// A handshake is over, one way or another.
fn done_with(done: Result<io::Result<Option<Connection>>, JoinError>) -> Option<Connection> {
    match done {
        Ok(Ok(connection)) => return connection,
        Ok(Err(error)) => tracing::debug!(%error, "a connection without requests"),
        Err(error) => tracing::error!(%error, "a handshake's task has died"),
    }
    None
}

impl Door {
    async fn open(&self, mut tcp: TcpStream) -> io::Result<Opened> {
        tcp.set_nodelay(true)?;
        let mut first = [0];
        if tcp.peek(&mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let [first] = first;
        if self.bridge.is_some() && may_begin(first) {
            let packet = read_first(&mut tcp).await?;
            return Ok(Opened::Packets(tcp, packet));
        }
        if self.plain_too && first != TLS_HANDSHAKE {
            return Ok(Opened::Stream(Stream::Plain(Movable::new(tcp))));
        }
        let tls = self.tls.accept(Movable::new(tcp)).await?;
        if tls.get_ref().1.alpn_protocol() == Some(CHALLENGE_ALPN) {
            // Whoever came has seen what there is to see.
            tracing::debug!("an authority has looked whether a name leads here");
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Opened::Stream(Stream::Tls(Box::new(tls))))
    }

    fn hand_over(&self, arrival: Arrival) {
        if let Some(bridge) = &self.bridge {
            bridge.receive(arrival);
        }
    }
}

/// A connection ready for requests.
pub(super) struct Connection {
    stream: Stream,
    /// Who is at the other end.
    pub(super) peer: Peer,
    /// What it holds of what there may be; a stranger's place is given up with the first request.
    pub(super) guest: Guest,
}

enum Stream {
    Plain(Movable),
    Tls(Box<TlsStream<Movable>>),
}

impl Connection {
    /// What has it move to another runtime.
    pub(super) fn moving(&self) -> Moving {
        match &self.stream {
            Stream::Plain(tcp) => tcp.moving(),
            Stream::Tls(tls) => tls.get_ref().0.moving(),
        }
    }

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
