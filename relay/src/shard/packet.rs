//! Packets that share the socket with QUIC's.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Where a packet comes from, or goes: a client's address, over UDP or by one TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Remote {
    pub(crate) address: SocketAddr,
    /// The number of the connection, which no other has or will have; `None`: UDP.
    pub(crate) connection: Option<u64>,
}

impl Remote {
    pub(crate) fn udp(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }
}

/// A packet that is not QUIC's.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) bytes: Bytes,
    pub(crate) from: Remote,
    /// The relay's address that it came to, where it has several.
    pub(crate) to: Option<IpAddr>,
}

/// Whether a packet is QUIC's: STUN, DTLS, RTP and RTCP begin otherwise (RFC 9443, 3).
pub(crate) fn is_quic(first: u8) -> bool {
    !matches!(first, 0..=3 | 20..=63 | 128..=191)
}

/// Where a socket puts the packets that are not QUIC's.
#[derive(Debug, Clone)]
pub(crate) struct Inlet(mpsc::Sender<Packet>);

impl Inlet {
    pub(crate) fn new(packets: mpsc::Sender<Packet>) -> Self {
        Self(packets)
    }

    /// Hands over a packet. When too many wait, it is lost, as on a network.
    pub(crate) fn put(&self, packet: Packet) {
        let _ = self.0.try_send(packet);
    }

    /// Hands over a packet of a connection, on which nothing is lost; waits while too many wait.
    pub(crate) async fn put_all(&self, packet: Packet) {
        // A shard that has ended has no use for it.
        let _ = self.0.send(packet).await;
    }
}

/// What such packets are answered through.
pub(crate) trait Wire: Send + Sync + 'static {
    /// Sends packets of one size, the last perhaps shorter, to one address; waits where the
    /// system takes no more.
    fn send(
        &self,
        to: SocketAddr,
        from: Option<IpAddr>,
        packets: &[u8],
        size: usize,
    ) -> impl Future<Output = ()> + Send;

    /// The same without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where the system takes no more; others are this destination's alone.
    fn send_now(
        &self,
        to: SocketAddr,
        from: Option<IpAddr>,
        packets: &[u8],
        size: usize,
    ) -> io::Result<()>;

    /// The most bytes of packets of a size that go into one call.
    fn most(&self, size: usize) -> usize;
}
