//! A UDP proxy in front of a relay, whose own address can change as a NAT's does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Target;

/// The largest UDP datagram.
const DATAGRAM: usize = 65_535;

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
        let inside = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let (outside, _) = watch::channel(outside(relay.address).await?);
        let (client, known) = watch::channel(None);
        let mut tasks = JoinSet::new();
        tasks.spawn(outward(inside.clone(), outside.subscribe(), client));
        tasks.spawn(inward(inside.clone(), outside.subscribe(), known));
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
        self.outside.send_replace(outside(self.relay).await?);
        Ok(())
    }
}

async fn outside(relay: SocketAddr) -> Result<Arc<UdpSocket>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.connect(relay).await?;
    Ok(Arc::new(socket))
}

async fn outward(
    inside: Arc<UdpSocket>,
    outside: watch::Receiver<Arc<UdpSocket>>,
    client: watch::Sender<Option<SocketAddr>>,
) {
    let mut datagram = vec![0; DATAGRAM];
    while let Ok((len, from)) = inside.recv_from(&mut datagram).await {
        client.send_replace(Some(from));
        let socket = outside.borrow().clone();
        // A network loses what it cannot carry.
        let _ = socket.send(&datagram[..len]).await;
    }
}

async fn inward(
    inside: Arc<UdpSocket>,
    mut outside: watch::Receiver<Arc<UdpSocket>>,
    client: watch::Receiver<Option<SocketAddr>>,
) {
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let socket = outside.borrow_and_update().clone();
        tokio::select! {
            received = socket.recv(&mut datagram) => {
                let to = *client.borrow();
                if let (Ok(len), Some(to)) = (received, to) {
                    // As above.
                    let _ = inside.send_to(&datagram[..len], to).await;
                }
            }
            changed = outside.changed() => if changed.is_err() {
                return;
            },
        }
    }
}
