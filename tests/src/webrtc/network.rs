//! What a peer sends by: a UDP socket, or one connection (RFC 6544) with the length of each packet before it.

use std::net::SocketAddr;

use anyhow::Result;
use str0m::Candidate;
use str0m::net::{Protocol, TcpType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UdpSocket};

use super::session::Endpoint;

/// A peer's way out.
pub(super) enum Network {
    Udp(UdpSocket),
    Tcp {
        read: OwnedReadHalf,
        write: OwnedWriteHalf,
        /// What has come of a packet that is not whole.
        begun: Vec<u8>,
        relay: SocketAddr,
    },
}

impl Network {
    /// The way that an endpoint's client has, and its own address there.
    pub(super) async fn open(endpoint: &Endpoint) -> Result<(Self, SocketAddr)> {
        if endpoint.over_tcp {
            let relay = endpoint.via.unwrap_or(endpoint.http);
            let stream = TcpStream::connect(relay).await?;
            stream.set_nodelay(true)?;
            let here = stream.local_addr()?;
            let (read, write) = stream.into_split();
            let network = Self::Tcp {
                read,
                write,
                begun: Vec::new(),
                relay,
            };
            return Ok((network, here));
        }
        let here = match endpoint.http {
            SocketAddr::V4(_) => "127.0.0.1:0",
            SocketAddr::V6(_) => "[::1]:0",
        };
        let socket = UdpSocket::bind(here).await?;
        let here = socket.local_addr()?;
        Ok((Self::Udp(socket), here))
    }

    /// What ICE calls it.
    pub(super) fn candidate(&self, here: SocketAddr) -> Result<Candidate> {
        Ok(match self {
            Self::Udp(_) => Candidate::host(here, "udp")?,
            Self::Tcp { .. } => {
                let candidate = Candidate::builder().tcp().host(here);
                candidate.tcptype(TcpType::Active).build()?
            }
        })
    }

    pub(super) fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp { .. } => Protocol::Tcp,
        }
    }

    /// Sends a packet. A network loses what it cannot carry.
    pub(super) async fn send(&mut self, packet: &[u8], to: SocketAddr) {
        match self {
            Self::Udp(socket) => drop(socket.send_to(packet, to).await),
            Self::Tcp { write, .. } => drop(write.write_all(&framed(packet)).await),
        }
    }

    /// The next packet, and where it came from; pending for ever once a connection has ended. Cancel-safe.
    pub(super) async fn receive(&mut self, packet: &mut [u8]) -> (usize, SocketAddr) {
        match self {
            Self::Udp(socket) => loop {
                if let Ok(received) = socket.recv_from(packet).await {
                    return received;
                }
            },
            Self::Tcp {
                read, begun, relay, ..
            } => loop {
                if let Some(length) = take(begun, packet) {
                    return (length, *relay);
                }
                match read.read_buf(begun).await {
                    Ok(0) | Err(_) => std::future::pending().await,
                    Ok(_) => {}
                }
            },
        }
    }
}

/// A packet with its length before it (RFC 4571).
#[must_use]
pub fn framed(packet: &[u8]) -> Vec<u8> {
    let length = (packet.len() as u16).to_be_bytes();
    [&length[..], packet].concat()
}

/// Takes out the first packet, where it is whole.
pub(super) fn take(begun: &mut Vec<u8>, packet: &mut [u8]) -> Option<usize> {
    let (length, rest) = begun.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    packet
        .get_mut(..length)?
        .copy_from_slice(rest.get(..length)?);
    begun.drain(..2 + length);
    Some(length)
}
