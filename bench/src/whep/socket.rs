//! One player's UDP socket: many packets per system call.

use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Result;
use quinn_udp::{RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket as System, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Room for several keyframes: what is lost here for want of room is this client's doing.
const RECEIVE_BUFFER: usize = 2 << 20;
/// Rows of packets that one system call gives, and their most bytes.
const ROWS: usize = 4;
const ROW: usize = 1 << 16;

/// Where packets are received, one player after another.
pub(super) struct Buffers {
    bytes: Vec<u8>,
    metas: [RecvMeta; ROWS],
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            bytes: vec![0; ROWS * ROW],
            metas: [RecvMeta::default(); ROWS],
        }
    }
}

/// A socket of one player: the relay tells players by their address.
pub(super) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
}

impl Socket {
    /// A socket that talks with the relay alone. Call it within a runtime.
    pub(super) fn connect(to: SocketAddr) -> Result<Self> {
        let (domain, any) = match to {
            SocketAddr::V4(_) => (Domain::IPV4, Ipv4Addr::UNSPECIFIED.into()),
            SocketAddr::V6(_) => (Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()),
        };
        let socket = System::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        // The system may grant less.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        socket.bind(&SocketAddr::new(any, 0).into())?;
        socket.connect(&to.into())?;
        Ok(Self {
            state: UdpSocketState::new((&socket).into())?,
            io: UdpSocket::from_std(socket.into())?,
        })
    }

    /// Waits for packets, and gives all that are there. Cancel-safe.
    pub(super) async fn receive(
        &self,
        buffers: &RefCell<Buffers>,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        self.io.readable().await?;
        let Buffers { bytes, metas } = &mut *buffers.borrow_mut();
        loop {
            let mut rows = bytes.chunks_mut(ROW);
            let mut slices: [_; ROWS] =
                std::array::from_fn(|_| IoSliceMut::new(rows.next().unwrap_or_default()));
            let received = self.io.try_io(Interest::READABLE, || {
                self.state.recv((&self.io).into(), &mut slices, metas)
            });
            let count = match received {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            for (row, meta) in bytes.chunks(ROW).zip(&metas[..count]) {
                row[..meta.len]
                    .chunks(meta.stride.max(1))
                    .for_each(&mut each);
            }
        }
    }

    /// Sends a packet. Where the system takes no more it is lost, as on a network.
    pub(super) fn send(&self, packet: &[u8]) {
        let _ = SockRef::from(&self.io).send(packet);
    }
}
