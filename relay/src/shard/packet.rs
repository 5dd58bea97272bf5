//! Packets that share the socket with QUIC's.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tokio::sync::mpsc;

/// A packet that is not QUIC's.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) bytes: Bytes,
    pub(crate) from: SocketAddr,
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
