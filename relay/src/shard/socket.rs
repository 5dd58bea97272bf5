//! A shard's UDP socket: few system calls, and every packet with the shard that it belongs to.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use parking_lot::Mutex;
use quinn::udp::{EcnCodepoint, RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::io::Interest;

use super::packet::{Inlet, Packet, Remote, Wire, is_quic};
use super::routing::{Routing, Stray};

/// The most that one system call takes: a UDP datagram's 65,535 bytes less its headers.
const MOST: usize = 65_487;
/// quinn makes at most so many packets at once; when it did, there may be more.
const FULL: usize = 10;

/// A UDP socket that belongs to one shard.
pub(crate) struct ShardSocket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
    pending: Mutex<Pending>,
    /// The system has taken no more, until somebody has waited for it.
    blocked: AtomicBool,
    routing: Routing,
    /// Where packets go that are not QUIC's.
    others: OnceLock<Inlet>,
}

/// Packets to one address that wait to go together.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    to: Option<Group>,
    /// Its last packet is shorter than the others: nothing can follow.
    closed: bool,
}

/// What packets must have in common to go together.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Group {
    destination: SocketAddr,
    ecn: Option<EcnCodepoint>,
    src_ip: Option<IpAddr>,
    segment: usize,
}

impl Group {
    fn of(transmit: &Transmit<'_>) -> Self {
        Self {
            destination: transmit.destination,
            ecn: transmit.ecn,
            src_ip: transmit.src_ip,
            segment: transmit.segment_size.unwrap_or(transmit.contents.len()),
        }
    }
}

impl Pending {
    /// Adds packets if they can go with those that wait.
    fn add(&mut self, transmit: &Transmit<'_>, most: usize) -> bool {
        let Some(to) = self.to else { return false };
        let group = Group::of(transmit);
        let alike = Group {
            segment: to.segment,
            ..group
        } == to;
        let fits = if transmit.segment_size.is_some() {
            group.segment == to.segment
        } else {
            group.segment <= to.segment
        };
        let room = most.saturating_sub(self.bytes.len());
        if self.closed || !alike || !fits || transmit.contents.len() > room {
            return false;
        }
        self.append(transmit, to.segment);
        true
    }

    fn begin(&mut self, transmit: &Transmit<'_>) {
        let to = Group::of(transmit);
        self.to = Some(to);
        self.append(transmit, to.segment);
    }

    fn append(&mut self, transmit: &Transmit<'_>, segment: usize) {
        self.bytes.extend_from_slice(transmit.contents);
        self.closed = !self.bytes.len().is_multiple_of(segment);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.to = None;
        self.closed = false;
    }
}

/// Whether more packets to the same address may follow at once.
fn may_go_on(transmit: &Transmit<'_>) -> bool {
    let whole = |segment| transmit.contents.len() >= FULL * segment;
    transmit.segment_size.is_some_and(whole)
}

impl ShardSocket {
    /// Takes over a bound socket. Call it within the shard's runtime.
    pub(crate) fn new(socket: UdpSocket, routing: Routing) -> io::Result<Self> {
        Ok(Self {
            state: UdpSocketState::new((&socket).into())?,
            io: tokio::net::UdpSocket::from_std(socket)?,
            pending: Mutex::default(),
            blocked: AtomicBool::new(false),
            routing,
            others: OnceLock::new(),
        })
    }

    /// From now on, what is not QUIC's goes there.
    pub(crate) fn divert(&self, inlet: Inlet) {
        // Set once, before the first packet is read.
        let _ = self.others.set(inlet);
    }

    /// Takes out packets that are not QUIC's and moves the rest to the front; returns how many stay.
    fn keep_quic(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
        received: usize,
    ) -> usize {
        let Some(inlet) = self.others.get() else {
            return received;
        };
        let mut kept = 0;
        for at in 0..received {
            match bufs[at].first() {
                Some(first) if !is_quic(*first) && meta[at].len > 0 => {
                    let size = meta[at].stride.max(1);
                    for packet in bufs[at][..meta[at].len].chunks(size) {
                        inlet.put(Packet {
                            bytes: Bytes::copy_from_slice(packet),
                            from: Remote::udp(meta[at].addr),
                            to: meta[at].dst_ip,
                        });
                    }
                }
                _ => {
                    bufs.swap(kept, at);
                    meta.swap(kept, at);
                    kept += 1;
                }
            }
        }
        kept
    }

    /// Sends what waits. What the system does not take is tried again when it does.
    pub(crate) fn flush(&self, cx: &mut Context<'_>) {
        loop {
            match self.send_pending(&mut self.pending.lock()) {
                Ok(()) => return,
                // Whoever is polled next may also send it.
                Err(_) if self.io.poll_send_ready(cx).is_pending() => return,
                Err(_) => {}
            }
        }
    }

    fn send_pending(&self, pending: &mut Pending) -> io::Result<()> {
        let Some(to) = pending.to else { return Ok(()) };
        let sent = self.transmit(&Transmit {
            destination: to.destination,
            ecn: to.ecn,
            contents: &pending.bytes,
            segment_size: Some(to.segment).filter(|size| *size < pending.bytes.len()),
            src_ip: to.src_ip,
        });
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            // Any other failure is this destination's alone: its packets are lost, and QUIC copes.
            _ => {
                pending.clear();
                Ok(())
            }
        }
    }

    fn transmit(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let sent = self.io.try_io(Interest::WRITABLE, || {
            self.state.send((&self.io).into(), transmit)
        });
        if matches!(&sent, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.blocked.store(true, Ordering::Relaxed);
        }
        sent
    }

    /// The most bytes of packets of this size that may go together.
    fn most(&self, segment: usize) -> usize {
        let segments = self.state.max_gso_segments().min(MOST / segment.max(1));
        segments * segment
    }

    fn receive(&self, bufs: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> io::Result<usize> {
        self.io.try_io(Interest::READABLE, || {
            self.state.recv((&self.io).into(), bufs, meta)
        })
    }

    /// Takes a packet that another shard has received for this one.
    fn take_stray(&self, stray: &Stray, buf: &mut [u8], meta: &mut RecvMeta) -> bool {
        let Some(buf) = buf.get_mut(..stray.bytes.len()) else {
            return false;
        };
        buf.copy_from_slice(&stray.bytes);
        *meta = stray.meta;
        true
    }
}

impl AsyncUdpSocket for ShardSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable {
            socket: self,
            waiting: None,
        })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let mut pending = self.pending.lock();
        if pending.add(transmit, self.most(Group::of(transmit).segment)) {
            return Ok(());
        }
        self.send_pending(&mut pending)?;
        if may_go_on(transmit) {
            pending.begin(transmit);
            return Ok(());
        }
        self.transmit(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        while let Poll::Ready(stray) = self.routing.poll_stray(cx) {
            if self.take_stray(&stray, &mut bufs[0], &mut meta[0]) {
                return Poll::Ready(Ok(1));
            }
        }
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            match self.receive(bufs, meta) {
                Ok(received) => {
                    let received = self.keep_quic(bufs, meta, received);
                    let own = self.routing.keep_own(bufs, meta, received);
                    if own > 0 {
                        return Poll::Ready(Ok(own));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

impl Wire for ShardSocket {
    async fn send(&self, to: SocketAddr, from: Option<IpAddr>, packets: &[u8], size: usize) {
        while let Err(error) = self.send_now(to, from, packets, size) {
            // Any other failure is this destination's alone: its packets are lost.
            if error.kind() != io::ErrorKind::WouldBlock || self.io.writable().await.is_err() {
                return;
            }
        }
    }

    fn send_now(
        &self,
        to: SocketAddr,
        from: Option<IpAddr>,
        packets: &[u8],
        size: usize,
    ) -> io::Result<()> {
        self.transmit(&Transmit {
            destination: to,
            ecn: None,
            contents: packets,
            segment_size: Some(size).filter(|size| *size < packets.len()),
            src_ip: from,
        })
    }

    fn most(&self, size: usize) -> usize {
        ShardSocket::most(self, size)
    }
}

impl fmt::Debug for ShardSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardSocket").finish_non_exhaustive()
    }
}

/// Waits until the system takes packets again, for one connection.
struct Writable {
    socket: Arc<ShardSocket>,
    waiting: Option<Waiting>,
}

type Waiting = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

impl UdpPoller for Writable {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, waiting } = &mut *self;
        if waiting.is_none() && !socket.blocked.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let wait = waiting.get_or_insert_with(|| {
            let socket = socket.clone();
            Box::pin(async move { socket.io.writable().await })
        });
        let writable = ready!(wait.as_mut().poll(cx));
        *waiting = None;
        socket.blocked.store(false, Ordering::Relaxed);
        Poll::Ready(writable)
    }
}

impl fmt::Debug for Writable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writable").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: usize = 100;

    fn transmit(port: u16, contents: &[u8], segment_size: Option<usize>) -> Transmit<'_> {
        Transmit {
            destination: ([127, 0, 0, 1], port).into(),
            ecn: None,
            contents,
            segment_size,
            src_ip: None,
        }
    }

    fn begun() -> Pending {
        let mut pending = Pending::default();
        pending.begin(&transmit(1, &[0; 10 * SEGMENT], Some(SEGMENT)));
        pending
    }

    #[test]
    fn packets_of_one_size_to_one_address_go_together_until_a_shorter_one() {
        let mut pending = begun();
        assert!(pending.add(&transmit(1, &[0; 350], Some(SEGMENT)), 6_400));
        assert!(!pending.add(&transmit(1, &[0; SEGMENT], None), 6_400));
        assert_eq!(pending.bytes.len(), 1_350);
    }

    #[test]
    fn a_single_shorter_packet_ends_the_row() {
        let mut pending = begun();
        assert!(pending.add(&transmit(1, &[0; 40], None), 6_400));
        assert!(pending.closed);
    }

    #[test]
    fn others_go_by_themselves() {
        let mut pending = begun();
        assert!(!pending.add(&transmit(2, &[0; SEGMENT], None), 6_400));
        assert!(!pending.add(&transmit(1, &[0; 240], Some(120)), 6_400));
        assert!(!pending.add(&transmit(1, &[0; 120], None), 6_400));
        assert!(!pending.add(&transmit(1, &[0; SEGMENT], None), 1_050));
        assert!(!Pending::default().add(&transmit(1, &[0; SEGMENT], None), 6_400));
    }

    #[test]
    fn only_a_full_row_may_go_on() {
        assert!(may_go_on(&transmit(1, &[0; 1_000], Some(SEGMENT))));
        assert!(!may_go_on(&transmit(1, &[0; 950], Some(SEGMENT))));
        assert!(!may_go_on(&transmit(1, &[0; SEGMENT], None)));
    }
}
