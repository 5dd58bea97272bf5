//! Links between relays that can be cut. Whoever comes through one is seen under an address of its own, as behind a NAT, so
//! that several relays may come at once, and any of them can be cut off by itself.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// The largest UDP datagram.
const DATAGRAM: usize = 65_535;

/// The way to a relay. Dropping it ends it.
pub struct Cable {
    address: SocketAddr,
    cut: Arc<Mutex<Cut>>,
    task: AbortHandle,
}

/// What does not come through.
#[derive(Debug, Clone, Default)]
enum Cut {
    #[default]
    Nothing,
    Everything,
    /// What comes from these ports, and what goes there.
    From(Vec<u16>),
}

impl Cut {
    fn takes(&self, client: SocketAddr) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::From(ports) => ports.contains(&client.port()),
        }
    }
}

impl Cable {
    /// One to the relay at this address.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn to(address: SocketAddr) -> Result<Self> {
        Self::long(address, Duration::ZERO).await
    }

    /// One on which everything is so long on its way.
    ///
    /// # Errors
    /// When there is no socket.
    pub async fn long(address: SocketAddr, way: Duration) -> Result<Self> {
        let inside = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let cut = Arc::new(Mutex::default());
        let own = inside.local_addr()?;
        let ends = Ends {
            inside,
            relay: address,
            way,
            cut: cut.clone(),
        };
        Ok(Self {
            address: own,
            cut,
            task: tokio::spawn(ends.carry()).abort_handle(),
        })
    }

    /// Its other end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing comes through from now on, or everything again.
    pub fn cut(&self, cut: bool) {
        *self.cut.lock() = match cut {
            true => Cut::Everything,
            false => Cut::Nothing,
        };
    }

    /// Nothing comes through from these ports, and nothing goes there, until [everything does again](Self::cut).
    pub fn cut_from(&self, ports: Vec<u16>) {
        *self.cut.lock() = Cut::From(ports);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a cable lies between.
struct Ends {
    inside: Arc<UdpSocket>,
    relay: SocketAddr,
    way: Duration,
    cut: Arc<Mutex<Cut>>,
}

impl Ends {
    async fn carry(self) {
        let mut clients: HashMap<SocketAddr, Lane> = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut datagram = vec![0; DATAGRAM];
        // It ends with its socket.
        while let Ok((len, client)) = self.inside.recv_from(&mut datagram).await {
            if self.cut.lock().takes(client) {
                continue;
            }
            let lane = match clients.get(&client) {
                Some(lane) => lane,
                None => {
                    let Ok(outside) = self.outside().await else {
                        continue;
                    };
                    tasks.spawn(back(
                        outside.clone(),
                        self.inside.clone(),
                        client,
                        self.way,
                        self.cut.clone(),
                    ));
                    let lane = Lane::new(outside, None, self.way, &mut tasks);
                    clients.entry(client).or_insert(lane)
                }
            };
            lane.take(&datagram[..len]);
        }
    }

    async fn outside(&self) -> Result<Arc<UdpSocket>> {
        let outside = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        outside.connect(self.relay).await?;
        Ok(Arc::new(outside))
    }
}

/// Everything from the relay that is for a client.
async fn back(
    outside: Arc<UdpSocket>,
    inside: Arc<UdpSocket>,
    client: SocketAddr,
    way: Duration,
    cut: Arc<Mutex<Cut>>,
) {
    let mut tasks = JoinSet::new();
    let lane = Lane::new(inside, Some(client), way, &mut tasks);
    let mut datagram = vec![0; DATAGRAM];
    loop {
        // That nobody listens there at the moment is no end: the relay may be back.
        let Ok(len) = outside.recv(&mut datagram).await else {
            continue;
        };
        if !cut.lock().takes(client) {
            lane.take(&datagram[..len]);
        }
    }
}

/// One direction.
struct Lane {
    way: Duration,
    queue: mpsc::UnboundedSender<(Instant, Vec<u8>)>,
}

impl Lane {
    /// Goes out of this socket, to this address where it is not connected.
    fn new(
        socket: Arc<UdpSocket>,
        to: Option<SocketAddr>,
        way: Duration,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (queue, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
        tasks.spawn(async move {
            while let Some((at, packet)) = due.recv().await {
                tokio::time::sleep_until(at.into()).await;
                // A network loses what it cannot carry.
                let _ = match to {
                    Some(to) => socket.send_to(&packet, to).await,
                    None => socket.send(&packet).await,
                };
            }
        });
        Self { way, queue }
    }

    fn take(&self, packet: &[u8]) {
        // Its other end goes with the cable.
        let _ = self
            .queue
            .send((Instant::now() + self.way, packet.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn hears(socket: &UdpSocket) -> Result<(Vec<u8>, SocketAddr)> {
        let mut datagram = [0; 16];
        let (len, from) =
            crate::client::soon("a packet", socket.recv_from(&mut datagram)).await??;
        Ok((datagram[..len].to_vec(), from))
    }

    #[tokio::test]
    async fn each_of_several_has_its_own_answers_and_can_be_cut_off_by_itself() -> Result<()> {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let (relay, one, two) = (bind().await?, bind().await?, bind().await?);
        let cable = Cable::to(relay.local_addr()?).await?;
        let mut from = Vec::new();
        for (client, says) in [(&one, b"1"), (&two, b"2")] {
            client.send_to(says, cable.address()).await?;
            let (heard, as_whom) = hears(&relay).await?;
            assert_eq!(heard, says);
            from.push(as_whom);
        }
        relay.send_to(b"to 1", from[0]).await?;
        relay.send_to(b"to 2", from[1]).await?;
        assert_eq!(hears(&one).await?.0, b"to 1");
        assert_eq!(hears(&two).await?.0, b"to 2");
        cable.cut_from(vec![one.local_addr()?.port()]);
        one.send_to(b"lost", cable.address()).await?;
        two.send_to(b"through", cable.address()).await?;
        assert_eq!(hears(&relay).await?.0, b"through");
        relay.send_to(b"lost", from[0]).await?;
        relay.send_to(b"through", from[1]).await?;
        assert_eq!(hears(&two).await?.0, b"through");
        cable.cut(false);
        one.send_to(b"again", cable.address()).await?;
        assert_eq!(hears(&relay).await?.0, b"again");
        Ok(())
    }
}
