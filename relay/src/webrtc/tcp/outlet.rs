//! What a shard sends its peers by: its UDP socket, and their connections.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::arrival::{Arrival, Guest};
use super::line::{CALL, Line};
use crate::shard::{Inlet, Packet, Remote, Wire};
use crate::webrtc::session::link::Path;

/// How soon packets are tried again that the system has not taken: it sends packets at once, and what is
/// on a connection when the path carries more.
const RETRY: Duration = Duration::from_millis(1);
const CONNECTION_RETRY: Duration = Duration::from_millis(5);

/// What a shard sends by.
pub(in crate::webrtc) struct Outlet<W> {
    udp: Arc<W>,
    connections: Mutex<HashMap<u64, Connection>>,
}

/// A connection; dropping it ends it.
struct Connection {
    line: Arc<Line>,
    guest: Guest,
    _end: DropGuard,
}

impl<W: Wire> Outlet<W> {
    /// Without connections yet.
    pub(in crate::webrtc) fn new(udp: Arc<W>) -> Self {
        Self {
            udp,
            connections: Mutex::default(),
        }
    }

    /// Takes in a connection under a number of its own, and gives its first packet; what comes by it
    /// afterwards goes to `inlet`. `lost` is called when the client has ended it.
    ///
    /// # Errors
    /// When the system has no use for it any more.
    pub(in crate::webrtc) fn open(
        &self,
        arrival: Arrival,
        number: u64,
        inlet: Inlet,
        lost: impl FnOnce(Remote) + Send + 'static,
    ) -> io::Result<Packet> {
        let remote = Remote {
            address: arrival.address,
            connection: Some(number),
        };
        let line = Arc::new(Line::new(arrival.stream.into_std()?, remote)?);
        let first = line.packet(arrival.first);
        let over = CancellationToken::new();
        let makes_way = arrival.guest.makes_way.clone();
        let connection = Connection {
            line: line.clone(),
            guest: arrival.guest,
            _end: over.clone().drop_guard(),
        };
        self.connections.lock().insert(number, connection);
        tokio::spawn(async move {
            tokio::select! {
                () = over.cancelled() => return,
                () = makes_way.cancelled() => {
                    tracing::debug!("a connection of a session has made way for another");
                }
                error = line.read(&inlet) => tracing::debug!(%error, "a connection has ended"),
                error = line.drain() => tracing::debug!(%error, "a connection has ended"),
            }
            lost(remote);
        });
        Ok(first)
    }

    /// A connection is known to be of a session: it takes no stranger's place any more.
    pub(in crate::webrtc) fn introduce(&self, remote: Remote) {
        let Some(number) = remote.connection else {
            return;
        };
        if let Some(connection) = self.connections.lock().get_mut(&number) {
            connection.guest.stranger = None;
        }
    }

    /// Ends a connection; nothing where the client is reached over UDP.
    pub(in crate::webrtc) fn close(&self, remote: Remote) {
        if let Some(number) = remote.connection {
            self.connections.lock().remove(&number);
        }
    }

    /// Sends packets of one size, the last perhaps shorter. Over UDP it waits where the system takes no
    /// more; over TCP they go behind what waits, or are lost.
    pub(in crate::webrtc) async fn send(&self, path: Path, packets: &[u8], size: usize) {
        match path.remote.connection {
            None => {
                let to = path.remote.address;
                self.udp.send(to, path.local, packets, size).await;
            }
            Some(number) => {
                if let Some(connection) = self.connections.lock().get(&number) {
                    connection.line.send(packets, size);
                }
            }
        }
    }

    /// The same without waiting, and only where nothing waits.
    ///
    /// # Errors
    /// `WouldBlock` where the system takes no more; others are this path's alone.
    pub(in crate::webrtc) fn send_now(
        &self,
        path: Path,
        packets: &[u8],
        size: usize,
    ) -> io::Result<()> {
        match path.remote.connection {
            None => {
                let to = path.remote.address;
                self.udp.send_now(to, path.local, packets, size)
            }
            Some(number) => match self.connections.lock().get(&number) {
                Some(connection) => connection.line.send_now(packets, size),
                None => Err(io::ErrorKind::NotConnected.into()),
            },
        }
    }

    /// The most bytes of packets of a size that go into one call.
    pub(in crate::webrtc) fn most(&self, path: Path, size: usize) -> usize {
        match path.remote.connection {
            None => self.udp.most(size),
            Some(_) => CALL / size.max(1) * size,
        }
    }

    /// How soon packets are tried again that the system has not taken.
    pub(in crate::webrtc) fn retry(&self, path: Path) -> Duration {
        match path.remote.connection {
            None => RETRY,
            Some(_) => CONNECTION_RETRY,
        }
    }
}
