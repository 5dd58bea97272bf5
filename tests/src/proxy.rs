//! A UDP proxy in front of a relay: its own address can change as a NAT's does, and it can lose
//! and reorder packets as a network does.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    /// It arrives at this time.
    At(Instant),
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

/// A link of so many bytes a second with a queue in front of it, and some way to go: what would wait for
/// longer than others wait on home routers is lost.
pub fn queued(bytes_per_second: f64) -> Fates {
    const WAY: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_millis(150);
    let mut free = Instant::now();
    Box::new(move |packet| {
        let now = Instant::now();
        let begins = free.max(now);
        if begins - now > LONGEST {
            return Fate::Lost;
        }
        free = begins + Duration::from_secs_f64(packet.len() as f64 / bytes_per_second);
        Fate::At(free + WAY)
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
                carrier: relay.carrier,
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
    /// In the order in which they arrive.
    queue: VecDeque<(Instant, Vec<u8>)>,
}

impl Network {
    fn new(fates: Fates) -> Self {
        Self {
            fates,
            late: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// The next packet of the queue, once it is its time. Cancel-safe.
    async fn arrival(&mut self) -> Vec<u8> {
        match self.queue.front() {
            Some((at, _)) => tokio::time::sleep_until((*at).into()).await,
            None => std::future::pending().await,
        }
        self.queue
            .pop_front()
            .map_or_else(Vec::new, |(_, packet)| packet)
    }

    /// The packets that arrive once this one was sent.
    fn carry(&mut self, packet: &[u8]) -> Vec<Vec<u8>> {
        let mut arrive = Vec::new();
        match (self.fates)(packet) {
            Fate::Passes => arrive.push(packet.to_vec()),
            Fate::Lost => {}
            Fate::At(time) => self.queue.push_back((time, packet.to_vec())),
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
    loop {
        let arrived = tokio::select! {
            received = inside.recv_from(&mut datagram) => {
                let Ok((len, from)) = received else {
                    return;
                };
                client.send_replace(Some(from));
                network.carry(&datagram[..len])
            }
            packet = network.arrival() => vec![packet],
        };
        let socket = outside.borrow().clone();
        for packet in arrived {
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
        let arrived = tokio::select! {
            received = socket.recv(&mut datagram) => match received {
                Ok(len) => network.carry(&datagram[..len]),
                Err(_) => continue,
            },
            packet = network.arrival() => vec![packet],
            changed = outside.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Some(to) = *client.borrow() else {
            continue;
        };
        for packet in arrived {
            // As above.
            let _ = inside.send_to(&packet, to).await;
        }
    }
}
