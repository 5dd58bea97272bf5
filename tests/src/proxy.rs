//! A UDP proxy in front of a relay: its own address can change as a NAT's does, and it can lose
//! and reorder packets as a network does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Target;
use crate::coded::Random;

/// The largest UDP datagram.
const DATAGRAM: usize = 65_535;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Passes,
    /// It is lost.
    Lost,
    /// It arrives after so many others of its direction.
    Late(usize),
}

/// Decides about each packet of a direction.
pub type Fates = Box<dyn FnMut(&[u8]) -> Fate + Send>;

/// All packets arrive.
pub fn faultless() -> Fates {
    Box::new(|_| Fate::Passes)
}

/// Of so many of a hundred media packets each is lost or late, as the seed has it.
pub fn faulty(seed: u64, lost: u32, late: u32) -> Fates {
    let mut random = Random::new(seed);
    Box::new(move |packet| {
        if !is_media(packet) {
            Fate::Passes
        } else if random.percent(lost) {
            Fate::Lost
        } else if random.percent(late) {
            Fate::Late(1 + random.number() as usize % 5)
        } else {
            Fate::Passes
        }
    })
}

/// A link without a queue: of what comes faster than so many bytes a second, packets are lost.
/// What has passed is told.
pub fn policed(bytes_per_second: f64, passed: watch::Sender<usize>) -> Fates {
    /// So much time's bytes may come at once.
    const BURST: f64 = 0.05;
    let most = bytes_per_second * BURST;
    let (mut may_pass, mut at) = (most, Instant::now());
    Box::new(move |packet| {
        let now = Instant::now();
        let grown = may_pass + (now - at).as_secs_f64() * bytes_per_second;
        (may_pass, at) = (grown.min(most), now);
        let len = packet.len();
        if may_pass < len as f64 {
            return Fate::Lost;
        }
        may_pass -= len as f64;
        passed.send_modify(|passed| *passed += len);
        Fate::Passes
    })
}

/// Whether a packet is RTP, and not RTCP (RFC 5761, 4).
pub fn is_media(packet: &[u8]) -> bool {
    matches!(packet, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

/// A proxy for one client; dropping it ends it.
pub struct Proxy {
    target: Target,
    relay: SocketAddr,
    outside: watch::Sender<Arc<UdpSocket>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy for `relay`.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn start(relay: &Target) -> Result<Self> {
        Self::with(relay, faultless(), faultless()).await
    }

    /// Starts a proxy with what becomes of packets to the relay, and to the client.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn with(relay: &Target, out: Fates, back: Fates) -> Result<Self> {
        let inside = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let (outside, _) = watch::channel(outside(Ipv4Addr::LOCALHOST, relay.address).await?);
        let (client, known) = watch::channel(None);
        let mut tasks = JoinSet::new();
        let (out, back) = (Network::new(out), Network::new(back));
        tasks.spawn(outward(inside.clone(), outside.subscribe(), client, out));
        tasks.spawn(inward(inside.clone(), outside.subscribe(), known, back));
        Ok(Self {
            target: Target {
                address: inside.local_addr()?,
                certificate: relay.certificate,
            },
            relay: relay.address,
            outside,
            _tasks: tasks,
        })
    }

    /// Where the client finds the relay.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// From now on the relay sees another address; what is on its way to the old one is lost.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn rebind(&self) -> Result<()> {
        self.move_to(Ipv4Addr::LOCALHOST).await
    }

    /// The same, and the new address is one of another host.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn move_to(&self, host: Ipv4Addr) -> Result<()> {
        self.outside.send_replace(outside(host, self.relay).await?);
        Ok(())
    }
}

async fn outside(host: Ipv4Addr, relay: SocketAddr) -> Result<Arc<UdpSocket>> {
    let socket = UdpSocket::bind((host, 0)).await?;
    socket.connect(relay).await?;
    Ok(Arc::new(socket))
}

/// One direction.
struct Network {
    fates: Fates,
    late: Vec<(usize, Vec<u8>)>,
}

impl Network {
    fn new(fates: Fates) -> Self {
        Self {
            fates,
            late: Vec::new(),
        }
    }

    /// The packets that arrive once this one was sent.
    fn carry(&mut self, packet: &[u8]) -> Vec<Vec<u8>> {
        let mut arrive = Vec::new();
        match (self.fates)(packet) {
            Fate::Passes => arrive.push(packet.to_vec()),
            Fate::Lost => {}
            Fate::Late(count) => self.late.push((count + 1, packet.to_vec())),
        }
        for (count, packet) in &mut self.late {
            *count -= 1;
            if *count == 0 {
                arrive.push(std::mem::take(packet));
            }
        }
        self.late.retain(|(count, _)| *count > 0);
        arrive
    }
}

async fn outward(
    inside: Arc<UdpSocket>,
    outside: watch::Receiver<Arc<UdpSocket>>,
    client: watch::Sender<Option<SocketAddr>>,
    mut network: Network,
) {
    let mut datagram = vec![0; DATAGRAM];
    while let Ok((len, from)) = inside.recv_from(&mut datagram).await {
        client.send_replace(Some(from));
        let socket = outside.borrow().clone();
        for packet in network.carry(&datagram[..len]) {
            // A network loses what it cannot carry.
            let _ = socket.send(&packet).await;
        }
    }
}

async fn inward(
    inside: Arc<UdpSocket>,
    mut outside: watch::Receiver<Arc<UdpSocket>>,
    client: watch::Receiver<Option<SocketAddr>>,
    mut network: Network,
) {
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let socket = outside.borrow_and_update().clone();
        tokio::select! {
            received = socket.recv(&mut datagram) => {
                let to = *client.borrow();
                if let (Ok(len), Some(to)) = (received, to) {
                    for packet in network.carry(&datagram[..len]) {
                        // As above.
                        let _ = inside.send_to(&packet, to).await;
                    }
                }
            }
            changed = outside.changed() => if changed.is_err() {
                return;
            },
        }
    }
}
