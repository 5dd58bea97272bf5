//! The shards, and what each of them serves: WebTransport sessions and WebRTC, on one port, and its share of the
//! sessions that come in over WebSocket.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::quic::Endpoint;
use crate::shard::{DRAIN, Pulse, RelayClock, Shard, Thread, start};
use crate::webrtc::{Bridge, Peers};
use crate::websocket::Entrance;

/// What the shards serve.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) endpoint: Endpoint,
    pub(crate) bridge: Arc<Bridge>,
    pub(crate) entrance: Arc<Entrance>,
    pub(crate) clock: RelayClock,
    pub(crate) shutdown: CancellationToken,
}

/// Running shards; dropping them ends them.
pub(crate) struct Shards {
    threads: Vec<Thread>,
    _end: DropGuard,
}

impl Shards {
    /// Serves on `sockets`, which share an address: a shard for each. They begin at once.
    ///
    /// # Errors
    /// When the system gives no thread, or a socket cannot be used.
    pub(crate) fn start(sockets: Vec<UdpSocket>, services: Services) -> io::Result<Self> {
        let end = services.shutdown.clone().drop_guard();
        let threads = start(sockets, move |shard| services.clone().serve(&shard))?;
        Ok(Self { threads, _end: end })
    }

    /// Whether each gets on with its work.
    pub(crate) fn pulses(&self) -> Vec<Pulse> {
        self.threads.iter().map(Thread::pulse).collect()
    }

    /// Waits until the shutdown, and until all sessions have parted.
    pub(crate) async fn run(self) {
        for thread in self.threads {
            thread.over().await;
        }
    }
}

impl Services {
    fn serve(self, shard: &Shard) -> io::Result<impl Future<Output = ()> + use<>> {
        let peers = Peers::on(shard, self.bridge, self.clock);
        let sessions = self.endpoint.on(shard)?;
        self.entrance.open();
        let shutdown = self.shutdown;
        Ok(async move {
            let peers = tokio::spawn(peers.run(shutdown));
            sessions.run().await;
            // They end by themselves at the shutdown.
            let _ = tokio::time::timeout(DRAIN, peers).await;
        })
    }
}
