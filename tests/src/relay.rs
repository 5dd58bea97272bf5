//! A real relay in this process, on a port of its own.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use steadycast_codec_glue::wire::{Code, Role};
use steadycast_relay::auth::{Expiry, Minted, Order};
use steadycast_relay::broadcast::{BroadcastId, Description, Snapshot};
use steadycast_relay::config::Config;
use steadycast_relay::http::{NewBroadcast, Site};
use steadycast_relay::relay::Relay;
use steadycast_relay::shard::RelayClock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::{Carrier, PATIENCE, Player, Publisher, Target, soon};
use crate::webrtc::Endpoint;

thread_local! {
    /// What clients of the relays that are started on this thread come over.
    static CARRIER: Cell<Carrier> = const { Cell::new(Carrier::WebTransport) };
}

fn carrier() -> Carrier {
    CARRIER.get()
}

/// Plays a scenario whose clients come over `carrier`. The scenario starts its relays on this thread, as a
/// `tokio::test` does.
pub fn over<T>(carrier: Carrier, scenario: impl FnOnce() -> T) -> T {
    let before = CARRIER.replace(carrier);
    let played = scenario();
    CARRIER.set(before);
    played
}

/// Plays these scenarios over WebSocket as well.
#[macro_export]
macro_rules! over_websocket {
    ($($scenario:ident),* $(,)?) => {
        mod over_websocket {
            use $crate::client::Carrier;
            use $crate::relay::over;

            $(
                #[test]
                fn $scenario() -> anyhow::Result<()> {
                    over(Carrier::WebSocket, super::$scenario)
                }
            )*
        }
    };
}

/// A directory that goes with its owner.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("steadycast-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left behind in a temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running relay.
pub struct TestRelay {
    config: Config,
    /// How far its clock is ahead of the system's.
    ahead: Duration,
    target: Target,
    metrics: Option<SocketAddr>,
    cluster: Option<SocketAddr>,
    site: Arc<Site>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
    directory: Directory,
}

impl TestRelay {
    /// Starts a relay with the defaults.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> Result<Self> {
        Self::with(|_| {}).await
    }

    /// Starts a relay whose configuration `change` has changed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Result<Self> {
        let change = |config: &mut Config| {
            change(config);
            Ok(())
        };
        Self::ahead(Duration::ZERO, change).await
    }

    /// The same, with a clock that is so far ahead of the system's.
    ///
    /// # Errors
    /// When it does not start, or cannot be configured.
    pub async fn ahead(
        by: Duration,
        change: impl FnOnce(&mut Config) -> Result<()>,
    ) -> Result<Self> {
        let directory = Directory::new()?;
        let mut config = Config::defaults(true);
        config.server.listen = (Ipv4Addr::LOCALHOST, 0).into();
        config.server.state_dir.clone_from(&directory.0);
        // It is of use where there is an engine, and nowhere else.
        config.cluster.secret = Some("a secret that all relays of the tests know".parse()?);
        change(&mut config)?;
        Self::run(config, directory, by).await
    }

    async fn run(mut config: Config, directory: Directory, ahead: Duration) -> Result<Self> {
        let relay = Relay::load_at(&config, RelayClock::start().ahead(ahead))?;
        config.server.listen = relay.address();
        let cluster = relay.cluster_address();
        config.cluster.listen = cluster;
        let site = relay.site().clone();
        let metrics = relay.metrics_address();
        let identity = site.identities.borrow().clone();
        let hash = identity.and_then(|identity| identity.hash());
        let certificate = hash.context("no hash")?;
        let target = Target {
            address: relay.address(),
            certificate,
            carrier: carrier(),
        };
        Ok(Self {
            config,
            ahead,
            target,
            metrics,
            cluster,
            site,
            shutdown: relay.shutdown().clone(),
            task: tokio::spawn(relay.run()),
            directory,
        })
    }

    /// Stops the relay and starts another on the same port and state, as an upgrade does.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub async fn restart(self) -> Result<Self> {
        self.restart_with(|_| {}).await
    }

    /// The same, with a configuration that `change` has changed.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub async fn restart_with(self, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let mut stopped = self.stopped().await?;
        change(&mut stopped.config);
        stopped.start().await
    }

    /// Stops the relay, and waits until it has.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stopped(self) -> Result<Stopped> {
        self.shutdown.cancel();
        soon("the relay to stop", self.task).await??;
        drop(self.site);
        Ok(Stopped {
            config: self.config,
            directory: self.directory,
            ahead: self.ahead,
        })
    }

    /// The relay goes without a word to the engine, which takes it to be alive for as long as its lease lasts.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn dies(self) -> Result<()> {
        self.died().await.map(drop)
    }

    /// The same, with its port and state for another.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn died(self) -> Result<Stopped> {
        self.task.abort();
        // It has been aborted.
        let _ = soon("the relay to end", self.task).await?;
        drop(self.site);
        Ok(Stopped {
            config: self.config,
            directory: self.directory,
            ahead: self.ahead,
        })
    }

    /// Tells the relay to stop; it drains by itself.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }

    /// Where clients find it.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Where its metrics are, if it has any.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Where other relays find it, if they do.
    ///
    /// # Errors
    /// When it is there for none.
    pub fn cluster(&self) -> Result<SocketAddr> {
        self.cluster.context("there for no other relays")
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.target.address
    }

    /// The time on its clock, in microseconds.
    pub fn now_us(&self) -> u64 {
        self.site.clock.now().as_micros()
    }

    /// Its state directory.
    pub fn directory(&self) -> &Path {
        &self.directory.0
    }

    /// Its admin key.
    ///
    /// # Errors
    /// When there is none in its state directory.
    pub fn admin_key(&self) -> Result<String> {
        let key = std::fs::read_to_string(self.directory().join("admin.key"))?;
        Ok(key.trim().to_owned())
    }

    /// What its pages and API work with.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Creates a broadcast.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn broadcast(&self) -> Result<TestBroadcast<'_>> {
        self.created("Scenario".into()).await
    }

    /// Creates a private broadcast.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn private_broadcast(&self) -> Result<TestBroadcast<'_>> {
        let description = Description {
            private: true,
            ..Description::from("Scenario")
        };
        self.created(description).await
    }

    async fn created(&self, description: Description) -> Result<TestBroadcast<'_>> {
        let new = NewBroadcast {
            description,
            ..NewBroadcast::default()
        };
        let broadcast = self.site.create(new).await?;
        Ok(TestBroadcast {
            relay: self,
            id: broadcast.id,
        })
    }

    /// A broadcast that may be at another relay.
    pub fn known(&self, id: &BroadcastId) -> TestBroadcast<'_> {
        TestBroadcast {
            relay: self,
            id: id.clone(),
        }
    }

    /// Waits until `condition` holds; looks every few milliseconds.
    ///
    /// # Errors
    /// When it does not come to hold.
    pub async fn until(&self, what: &str, condition: impl Fn() -> bool) -> Result<()> {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        let search = async {
            while !condition() {
                looks.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .with_context(|| format!("waited in vain for {what}"))
    }
}

/// A relay that has stopped, with its port and state.
pub struct Stopped {
    config: Config,
    directory: Directory,
    ahead: Duration,
}

impl Stopped {
    /// Starts it again.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(self) -> Result<TestRelay> {
        // The last of its tasks gives the port back a moment later.
        let free = async {
            while steadycast_relay::sockets::Sockets::bind(self.config.server.listen, 1).is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon("the port to be free", free).await?;
        TestRelay::run(self.config, self.directory, self.ahead).await
    }
}

/// A broadcast of a running relay.
pub struct TestBroadcast<'a> {
    relay: &'a TestRelay,
    /// Its id.
    pub id: BroadcastId,
}

impl TestBroadcast<'_> {
    /// A token for it.
    pub fn token(&self, role: Role) -> String {
        self.minted(role).token.as_str().to_owned()
    }

    /// A token for it, and what it is known by.
    #[expect(
        clippy::expect_used,
        reason = "a system without randomness runs no test"
    )]
    pub fn minted(&self, role: Role) -> Minted {
        let minted = self.relay.site.mint(&self.id, role.into());
        minted.expect("a token")
    }

    /// A token for it that ends its sessions with it, after so many seconds.
    #[expect(
        clippy::expect_used,
        reason = "a system without randomness runs no test"
    )]
    pub fn token_to_stay_until(&self, role: Role, seconds: u64) -> String {
        let ttl = Duration::from_secs(seconds);
        let order = Order {
            expiry: Expiry::StayUntil,
            ..Order::link(&self.id, role.into(), ttl, 0)
        };
        let site = &self.relay.site;
        let minted = site.gate.mint(&order, site.clock.now()).expect("a token");
        minted.token.as_str().to_owned()
    }

    /// A token for it that ended long ago.
    #[expect(
        clippy::expect_used,
        reason = "a system without randomness runs no test"
    )]
    pub fn expired_token(&self, role: Role) -> String {
        let long_ago = steadycast_relay::broadcast::RelayTime::from_micros(1_000_000);
        let order = Order::link(&self.id, role.into(), Duration::from_secs(1), 0);
        let minted = self
            .relay
            .site
            .gate
            .mint(&order, long_ago)
            .expect("a token");
        minted.token.as_str().to_owned()
    }

    /// A publisher that takes it over.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn publisher(&self) -> Result<Publisher> {
        Publisher::join(&self.relay.target, &self.token(Role::Publisher), None).await
    }

    /// A player that watches it.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn player(&self) -> Result<Player> {
        Player::join(&self.relay.target, &self.token(Role::Player)).await
    }

    /// Where WebRTC clients watch it.
    pub fn whep(&self) -> Endpoint {
        self.endpoint("whep", Role::Player)
    }

    /// Where WebRTC clients publish it.
    pub fn whip(&self) -> Endpoint {
        self.endpoint("whip", Role::Publisher)
    }

    /// Where somebody with this token watches it.
    pub fn whep_with(&self, token: &str) -> Endpoint {
        let path = format!("/{}/whep", self.id);
        Endpoint::new(self.relay.address(), path, token.to_owned())
    }

    /// Where somebody with this token publishes it.
    pub fn whip_with(&self, token: &str) -> Endpoint {
        let path = format!("/{}/whip", self.id);
        Endpoint::new(self.relay.address(), path, token.to_owned())
    }

    fn endpoint(&self, kind: &str, role: Role) -> Endpoint {
        let path = format!("/{}/{kind}", self.id);
        Endpoint::new(self.relay.address(), path, self.token(role))
    }

    /// What the relay records of it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn records(&self) -> Result<Snapshot> {
        let broadcast = self.relay.site.registry.find(&self.id);
        Ok(broadcast.context("the broadcast has ended")?.snapshot())
    }

    /// Ended player sessions, by the name of their code.
    ///
    /// # Errors
    /// When the broadcast has ended.
    pub fn left(&self, code: Code) -> Result<u64> {
        let left = self.records()?.totals.players_left;
        Ok(left.get(code.name()).copied().unwrap_or_default())
    }

    /// Waits until `condition` holds for the relay's records.
    ///
    /// # Errors
    /// When it does not come to hold.
    pub async fn until(&self, what: &str, condition: impl Fn(&Snapshot) -> bool) -> Result<()> {
        let holds = || self.records().is_ok_and(|records| condition(&records));
        self.relay.until(what, holds).await
    }
}
