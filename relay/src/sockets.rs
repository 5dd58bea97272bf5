//! The two sockets of one port number: UDP for sessions, TCP for the pages.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Bound sockets, not yet serving.
#[derive(Debug)]
pub struct Sockets {
    /// For sessions: one for each shard, all bound to the same address.
    pub udp: Vec<UdpSocket>,
    /// For the pages and the API.
    pub tcp: TcpListener,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({protocol}): {source}")]
pub struct ListenError {
    address: SocketAddr,
    protocol: &'static str,
    source: io::Error,
}

impl ListenError {
    /// What kind of error it is.
    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// What a burst of keyframes may wait in, in bytes; the system may grant less.
pub(crate) const UDP_BUFFER: usize = 4 << 20;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// How often another port is tried where any will do and one is free for UDP only.
const TRIES: usize = 16;

impl Sockets {
    /// Binds `shards` UDP sockets and one for TCP to `address`. An unspecified IPv6 address takes IPv4 as well, and on a
    /// host without IPv6 becomes the unspecified IPv4 address. Port 0 is any port that is free for both.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind(address: SocketAddr, shards: usize) -> Result<Self, ListenError> {
        match Self::bind_either(address, shards) {
            Err(error)
                if address.is_ipv6() && address.ip().is_unspecified() && lacks_ipv6(&error) =>
            {
                Self::bind_either((Ipv4Addr::UNSPECIFIED, address.port()).into(), shards)
            }
            result => result,
        }
    }

    fn bind_either(address: SocketAddr, shards: usize) -> Result<Self, ListenError> {
        let mut tries = if address.port() == 0 { TRIES } else { 1 };
        loop {
            tries -= 1;
            let udp = bind_shards(address, shards).map_err(failed(address, "UDP"))?;
            let bound = bound(&udp).map_err(failed(address, "UDP"))?;
            match bind_tcp(bound) {
                Ok(tcp) => return Ok(Self { udp, tcp }),
                Err(source) if tries == 0 => return Err(failed(bound, "TCP")(source)),
                Err(_) => {}
            }
        }
    }

    /// The address that both are bound to.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        bound(&self.udp)
    }
}

fn failed(address: SocketAddr, protocol: &'static str) -> impl Fn(io::Error) -> ListenError {
    move |source| ListenError {
        address,
        protocol,
        source,
    }
}

fn lacks_ipv6(error: &ListenError) -> bool {
    use io::ErrorKind::{AddrNotAvailable, Unsupported};
    // EAFNOSUPPORT has no kind of its own that is stable.
    const EAFNOSUPPORT: i32 = 97;
    matches!(error.source.kind(), AddrNotAvailable | Unsupported)
        || error.source.raw_os_error() == Some(EAFNOSUPPORT)
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Binds a UDP socket of its own to `address`.
///
/// # Errors
/// [`ListenError`].
pub(crate) fn bind_one(address: SocketAddr) -> Result<UdpSocket, ListenError> {
    bind_udp(address, false).map_err(failed(address, "UDP"))
}

fn bound(udp: &[UdpSocket]) -> io::Result<SocketAddr> {
    let first = udp.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
    first.local_addr()
}

/// The system spreads clients over sockets that share an address.
fn bind_shards(address: SocketAddr, shards: usize) -> io::Result<Vec<UdpSocket>> {
    let shared = shards > 1;
    let first = bind_udp(address, shared)?;
    let bound = first.local_addr()?;
    let mut udp = vec![first];
    for _ in 1..shards {
        udp.push(bind_udp(bound, shared)?);
    }
    Ok(udp)
}

fn bind_udp(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM, Protocol::UDP)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    // The system's limit may be lower: it then grants what it can.
    let _ = socket.set_recv_buffer_size(UDP_BUFFER);
    let _ = socket.set_send_buffer_size(UDP_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = open(address, Type::STREAM, Protocol::TCP)?;
    // A relay that restarts takes its port again although old connections linger.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sockets_have_one_port() {
        let sockets = Sockets::bind("[::]:0".parse().unwrap(), 2).unwrap();
        let tcp = sockets.tcp.local_addr().unwrap();
        assert_eq!(tcp.port(), sockets.address().unwrap().port());
        let shards = sockets.udp.iter().map(|udp| udp.local_addr().unwrap());
        assert!(shards.eq([tcp; 2]));
    }

    #[test]
    fn a_port_in_use_is_named() {
        let first = Sockets::bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
        let address = first.address().unwrap();
        let error = Sockets::bind(address, 1).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
