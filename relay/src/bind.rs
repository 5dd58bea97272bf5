//! The sockets of the relay: TCP and UDP on the same port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Attempts to find a port that is free for both, when any port will do.
const ATTEMPTS: usize = 16;

/// The relay's sockets.
#[derive(Debug)]
pub struct Sockets {
    /// For the pages and the API.
    pub tcp: TcpListener,
    /// For the sessions.
    pub udp: UdpSocket,
    /// What both are bound to.
    pub address: SocketAddr,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({protocol}): {source}")]
pub struct BindError {
    address: SocketAddr,
    protocol: &'static str,
    source: io::Error,
}

/// Binds both sockets. `[::]` takes IPv4 too; on a host without IPv6 it means `0.0.0.0`.
///
/// Port 0 is any port that is free for both.
///
/// # Errors
/// [`BindError`].
pub fn bind(listen: SocketAddr) -> Result<Sockets, BindError> {
    match bind_both(listen) {
        Err(error) if is_any_v6(listen) && lacks_ipv6(&error.source) => {
            tracing::warn!("the host has no IPv6; listening on IPv4 alone");
            bind_both((Ipv4Addr::UNSPECIFIED, listen.port()).into())
        }
        bound => bound,
    }
}

fn bind_both(listen: SocketAddr) -> Result<Sockets, BindError> {
    let mut attempts = if listen.port() == 0 { ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        match bind_once(listen) {
            Err(error) if attempts > 0 && error.source.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound,
        }
    }
}

fn bind_once(listen: SocketAddr) -> Result<Sockets, BindError> {
    let failed = |address, protocol| {
        move |source| BindError {
            address,
            protocol,
            source,
        }
    };
    let tcp = tcp(listen).map_err(failed(listen, "TCP"))?;
    let address = tcp.local_addr().map_err(failed(listen, "TCP"))?;
    let udp = udp(address).map_err(failed(address, "UDP"))?;
    Ok(Sockets { tcp, udp, address })
}

fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address, Type::STREAM, Protocol::TCP)?;
    // A restart must not wait for the old connections' last packets. Windows means another thing.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket(address, Type::DGRAM, Protocol::UDP)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn socket(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // Systems differ in their default.
        socket.set_only_v6(!is_any_v6(address))?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn is_any_v6(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

fn lacks_ipv6(error: &io::Error) -> bool {
    // Without the protocol family the socket fails, with IPv6 switched off the bind does.
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable
    ) || error.raw_os_error() == Some(97) // EAFNOSUPPORT
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn both_sockets_have_one_port_and_any_address_takes_ipv4() {
        let sockets = bind("[::]:0".parse().unwrap()).unwrap();
        assert_eq!(sockets.udp.local_addr().unwrap(), sockets.address);
        assert_ne!(sockets.address.port(), 0);
        TcpStream::connect(("127.0.0.1", sockets.address.port())).unwrap();
    }

    #[test]
    fn an_address_in_use_is_named() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = bind(first.address).unwrap_err().to_string();
        assert!(error.contains(&first.address.to_string()), "{error}");
    }

    #[test]
    fn a_port_taken_over_udp_alone_is_taken() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let error = bind(udp.local_addr().unwrap()).unwrap_err().to_string();
        assert!(error.contains("UDP"), "{error}");
    }
}
