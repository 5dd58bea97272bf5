//! What clients know of the relays, and the run of them: which are whole, and which of them the system says is not there.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use parking_lot::Mutex;
use steadycast_tests::client::Target;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::interval;

/// How often it is asked whether anybody listens where a relay should be.
const KNOCKS: Duration = Duration::from_millis(50);

/// The relays, for those who come to them.
#[derive(Debug)]
pub(super) struct Ground {
    relays: Vec<Relay>,
    numbers: AtomicU32,
    pub(super) over: AtomicBool,
}

#[derive(Debug)]
struct Relay {
    target: Target,
    /// Whether it has been whole, and since when.
    whole: Mutex<Option<Instant>>,
    /// Nobody listens there.
    refuses: AtomicBool,
}

impl Ground {
    pub(super) fn new(targets: Vec<Target>) -> Self {
        let relay = |target| Relay {
            target,
            whole: Mutex::new(Some(Instant::now())),
            refuses: AtomicBool::new(false),
        };
        Self {
            relays: targets.into_iter().map(relay).collect(),
            numbers: AtomicU32::new(1),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn relays(&self) -> usize {
        self.relays.len()
    }

    pub(super) fn target(&self, relay: usize) -> &Target {
        &self.relays[relay].target
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.relays.iter().map(|relay| &relay.target)
    }

    /// The relay whose pages are there.
    pub(super) fn at(&self, url: &str) -> Option<usize> {
        let address: SocketAddr = url.split('/').nth(2)?.parse().ok()?;
        self.targets().position(|target| target.address == address)
    }

    /// A relay is whole from now on, or is not.
    pub(super) fn is_whole(&self, relay: usize, whole: bool) {
        *self.relays[relay].whole.lock() = whole.then(Instant::now);
    }

    /// Whether a relay has been whole for so long.
    pub(super) fn whole_for(&self, relay: usize, time: Duration) -> bool {
        let since = *self.relays[relay].whole.lock();
        since.is_some_and(|since| since.elapsed() >= time)
    }

    /// Whether the system says that nobody listens at a relay's address, by which browsers know at once that a session is
    /// dead. The QUIC of these clients takes no notice of that.
    pub(super) fn refuses(&self, relay: usize) -> bool {
        self.relays[relay].refuses.load(Ordering::Relaxed)
    }

    /// Asks all the time who is not there; never ends.
    pub(super) async fn knock(self: Arc<Self>) {
        let mut all = JoinSet::new();
        for relay in 0..self.relays() {
            let ground = self.clone();
            all.spawn(async move { ground.knock_at(relay).await });
        }
        while all.join_next().await.is_some() {}
    }

    async fn knock_at(&self, relay: usize) -> Result<()> {
        let Relay {
            target, refuses, ..
        } = &self.relays[relay];
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        socket.connect(target.address).await?;
        let mut knocks = interval(KNOCKS);
        loop {
            knocks.tick().await;
            // Means nothing to anybody. What has become of the one before is said with the next.
            let sent = socket.send(&[0]).await;
            refuses.store(sent.is_err(), Ordering::Relaxed);
        }
    }

    /// The number of a publisher that is about to come.
    pub(super) fn number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
