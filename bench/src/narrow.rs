//! Narrow paths: for each player behind one, a relay's address that packets reach through a queue.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Result, ensure};
use bytes::Bytes;
use steadycast_lab::{Path, Rate, Shape, Ways};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::Client;
use crate::target::Target;

/// The largest UDP datagram.
const DATAGRAM: usize = 65_535;
/// What IPv4 and UDP add to each.
const HEADERS: usize = 28;
/// How long a packet takes one way, and what the path queues on the way down, in milliseconds.
const DELAY_MS: u64 = 20;
const QUEUE_MS: u64 = 200;

/// A path to a relay that carries little, and the one client behind it. Dropping it ends both.
pub struct NarrowPath {
    /// Opens the session.
    pub client: Client,
    _carrying: JoinSet<()>,
}

impl NarrowPath {
    /// A path of so many kbit/s down. Call it within a runtime.
    ///
    /// # Errors
    /// When the relay cannot be found, shows a certificate for its own name, or a socket cannot be
    /// made.
    pub async fn open(relay: &Target, kbit: u64, seed: u64) -> Result<Self> {
        ensure!(
            !relay.certificates.is_empty(),
            "--narrow comes to the relay by another address, which its certificate is not for"
        );
        let address = relay.address()?;
        let inside = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let outside = UdpSocket::bind((any_of(address), 0)).await?;
        outside.connect(address).await?;
        let client = Client::new(&relay.by_way_of(inside.local_addr()?), 1)?;
        let down = Shape::delay_ms(DELAY_MS).narrow(Rate::kbit(kbit), QUEUE_MS);
        let path = Path::new(&Ways::of(down, Shape::delay_ms(DELAY_MS)), seed);
        let mut carrying = JoinSet::new();
        carrying.spawn(carry(inside, outside, path));
        Ok(Self {
            client,
            _carrying: carrying,
        })
    }
}

/// The unspecified address of the same family.
fn any_of(address: SocketAddr) -> IpAddr {
    match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Carries packets until it is dropped. What a socket does not take is lost, as on any network.
async fn carry(inside: UdpSocket, outside: UdpSocket, mut path: Path<Bytes>) {
    let start = Instant::now();
    let mut player = None;
    let (mut up, mut down) = (vec![0; DATAGRAM], vec![0; DATAGRAM]);
    loop {
        let due = path.next_due().map(|due| start + due);
        tokio::select! {
            got = inside.recv_from(&mut up) => if let Ok((len, from)) = got {
                player = Some(from);
                let packet = Bytes::copy_from_slice(&up[..len]);
                path.up.send(start.elapsed(), len + HEADERS, packet);
            },
            got = outside.recv(&mut down) => if let Ok(len) = got {
                let packet = Bytes::copy_from_slice(&down[..len]);
                path.down.send(start.elapsed(), len + HEADERS, packet);
            },
            () = sleep_until(due.unwrap_or(start)), if due.is_some() => {}
        }
        let now = start.elapsed();
        while let Some(arrival) = path.up.poll(now) {
            let _ = outside.send(&arrival.packet).await;
        }
        while let (Some(arrival), Some(player)) = (path.down.poll(now), player) {
            let _ = inside.send_to(&arrival.packet, player).await;
        }
    }
}
