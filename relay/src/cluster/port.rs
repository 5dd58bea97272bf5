//! Where other relays come to get broadcasts (PROTOCOL 11.1).

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use crate::config;
use crate::quic::Endpoint;
use crate::relay::RelayError;
use crate::session::{Settings, Shared};
use crate::shard::{Shard, Thread, start};
use crate::sockets::{ListenError, bind_one};

/// How long a connection may be kept ready without a word.
const READY: Duration = Duration::from_secs(24 * 3_600);
/// Bytes that may be on their way to a relay: behind it may be many players.
const WINDOW: u64 = 8 << 20;

/// What relays may cost, where strangers may cost so much: certificates have told that they are none.
pub(crate) fn settings(strangers: &Settings) -> Settings {
    Settings {
        sessions_per_address: usize::MAX,
        hello_timeout: READY,
        player_send_window: strangers.player_send_window.max(WINDOW),
        ..strangers.clone()
    }
}

/// The port, and the shard of its own that serves it.
pub(crate) struct Port {
    address: SocketAddr,
    threads: Vec<Thread>,
}

impl Port {
    /// The socket for relays, where the settings want one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) fn bind(config: &config::Cluster) -> Result<Option<UdpSocket>, ListenError> {
        config.listen.map(bind_one).transpose()
    }

    /// Serves relays at this socket, until the shutdown.
    ///
    /// # Errors
    /// [`RelayError`].
    pub(crate) fn open(
        socket: UdpSocket,
        tls: rustls::ServerConfig,
        shared: Arc<Shared>,
    ) -> Result<Self, RelayError> {
        let address = socket.local_addr()?;
        let endpoint = Endpoint::new(Arc::new(tls), shared)?;
        let serve = move |shard: Shard| -> io::Result<_> { Ok(endpoint.on(&shard)?.run()) };
        let threads = start(vec![socket], serve)?;
        tracing::info!(%address, "listening for relays");
        Ok(Self { address, threads })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until all sessions have parted.
    pub(crate) async fn run(self) {
        for thread in self.threads {
            thread.over().await;
        }
    }
}
