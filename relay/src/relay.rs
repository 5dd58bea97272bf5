//! The relay as a whole: what it is made of, how it starts, and how it stops.

mod join;
mod welcome;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use steadycast_codec_glue::wire::Code;
use time::OffsetDateTime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use self::welcome::Welcome;
use crate::auth::{AuthorityError, KeySourceError, KeyWatch, RandomError};
use crate::broadcast::{Registry, RelayTime, Settings, Ticked};
use crate::cli::Failure;
use crate::clocks;
use crate::cluster::{self, Cluster, ClusterError, Port};
use crate::config::{Config, Reachable, SecretError};
use crate::directory::{ConnectError, Keeper as DirectoryKeeper};
use crate::events::{Event, Events, Hooks, HooksError};
use crate::files;
use crate::homes::Moves;
use crate::http::{Bounds, CreateError, Listener, Rules, Site, ViewersTokens, router, serve};
use crate::metrics::{Metrics, MetricsError, MetricsListener, Sources};
use crate::peers::Peers;
use crate::placement::Placement;
use crate::quic::{Endpoint, EndpointError};
use crate::records::{AccessLog, Records};
use crate::reload::Reload;
use crate::session::{self, Elsewhere, Parts, Shared};
use crate::shard::{Pulse, RelayClock};
use crate::shards::{Services, Shards};
use crate::sockets::{ListenError, Sockets};
use crate::store::{StateDir, StateError, StateLock};
use crate::supervisor;
use crate::telemetry::{self, LogLevel, TelemetryError};
use crate::tls::{Identities, Keeper, RelayPapers, Source, TlsError, https_config, quic_config};
use crate::webrtc::{self, Bridge, IdentityError, Reach};
use crate::websocket::{Entrance, Sending};

/// Why the relay cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// Nothing can be logged.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no certificate to serve with.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The keys of others who may issue tokens cannot be read.
    #[error("auth.jwks: {0}")]
    Keys(#[from] KeySourceError),
    /// The outside authority cannot be asked.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// It cannot have to do with other relays.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Events cannot be posted.
    #[error(transparent)]
    Hooks(#[from] HooksError),
    /// The engine that knows which relay has what cannot be used.
    #[error(transparent)]
    Directory(#[from] ConnectError),
    /// The access log cannot be written.
    #[error("log.access_file: {}: {source}", path.display())]
    AccessLog {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The address for metrics cannot be listened on.
    #[error("metrics.listen: {address}: {source}")]
    MetricsAddress {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Two figures have the same name.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There is no certificate for WebRTC.
    #[error(transparent)]
    Bridge(#[from] IdentityError),
    /// The QUIC endpoint cannot serve.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// What all relays of the cluster know cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The first broadcast cannot be created.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The system refuses something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Failure for RelayError {
    fn is_mistake(&self) -> bool {
        match self {
            Self::Telemetry(error) => !matches!(error, TelemetryError::Begun),
            Self::State(error) => !matches!(error, StateError::Random(_)),
            Self::Cluster(error) => matches!(error, ClusterError::Tls(_)),
            Self::Tls(error) => !matches!(error, TlsError::Making(_) | TlsError::Config(_)),
            Self::Listen(_)
            | Self::Keys(_)
            | Self::Directory(_)
            | Self::Secret(_)
            | Self::AccessLog { .. }
            | Self::MetricsAddress { .. } => true,
            _ => false,
        }
    }
}

/// How often silence, age and hold times are looked at: well below the shortest of them.
const TICK: Duration = Duration::from_millis(100);
/// How often it is looked for tokens that were taken back and have ended since.
const FORGET: Duration = Duration::from_secs(3_600);
/// How often it is noted on disk which publishers are there, where that has changed.
const KEEP: Duration = Duration::from_secs(1);

/// A relay that is bound to its port and ready to run.
pub struct Relay {
    dev: bool,
    websockets_over_http2: bool,
    address: SocketAddr,
    site: Arc<Site>,
    shards: Shards,
    cluster: Option<Cluster>,
    relays: Option<Port>,
    listener: Listener,
    keeper: Keeper,
    keys: Option<KeyWatch>,
    metrics: Option<MetricsListener>,
    hooks: Option<Hooks>,
    directory: Option<DirectoryKeeper>,
    /// What takes care of broadcasts that move.
    moves: Option<Moves>,
    shutdown: CancellationToken,
    lock: StateLock,
}

impl Relay {
    /// Reads keys, certificates and broadcasts, and binds the port. Call it within a runtime.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn load(config: &Config) -> Result<Self, RelayError> {
        Self::load_at(config, RelayClock::start())
    }

    /// The same, with a clock that has been started.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn load_at(config: &Config, clock: RelayClock) -> Result<Self, RelayError> {
        let dir = StateDir::open(&config.server.state_dir)?;
        let lock = dir.lock()?;
        if let Some(mode) = dir.open_to_others() {
            let directory = config.server.state_dir.display();
            tracing::warn!(%directory, mode, "other users may read or write the state directory");
        }
        let source = Source::from_config(config, &dir);
        let (keeper, identities) = Keeper::start(source, OffsetDateTime::now_utc())?;
        let shutdown = CancellationToken::new();
        let sockets = Sockets::bind(config.server.listen, config.relay.shards())?;
        let address = sockets.address()?;
        let bridge = Arc::new(Bridge::new(bridge_settings(config, address))?);
        let issuers = config.auth.issuers().map(Arc::new);
        let keys = match (&config.auth.jwks, &issuers) {
            (Some(source), Some(issuers)) => {
                let (source, refresh) = (source.clone(), config.auth.refresh);
                Some(KeyWatch::start(source, refresh, issuers.clone())?)
            }
            _ => None,
        };
        let registry = Arc::new(Registry::new(Settings::from(config)));
        let links = Port::bind(&config.cluster)?;
        let reached_at = join::advertised(&config.cluster, links.as_ref());
        let (base, directory) = join::Base::lay(config, (dir, &links), (registry, clock), issuers)?;
        let cluster = Cluster::start(
            (&config.cluster, reached_at),
            (&base.registry, base.at_home()),
            &base.directory,
            clock,
            &shutdown,
        )?;
        let (elsewhere, moves) = base.elsewhere(cluster.as_ref());
        if let (Some(elsewhere), Some(_)) = (&elsewhere, &moves) {
            bridge.ask_first(elsewhere.clone());
        }
        let site = Arc::new(site(
            config,
            base,
            address,
            identities.clone(),
            shutdown.clone(),
            bridge.clone(),
            elsewhere.clone(),
        )?);
        let hooks = config.hooks.settings().map(|settings| {
            let listener = site.records.events().listen();
            Hooks::new(settings, listener)
        });
        let hooks = hooks.transpose()?;
        let restored = site.restore();
        let tcp = Sending::prepare(&sockets.tcp);
        tracing::info!(%address, broadcasts = restored, %tcp, "listening");
        let quic_tls = Arc::new(quic_config(identities.clone())?);
        let https_tls = Arc::new(https_config(identities, keeper.challenges())?);
        let services = Services {
            endpoint: Endpoint::new(quic_tls, site.entrance.shared().clone())?,
            entrance: site.entrance.clone(),
            bridge,
            clock: site.clock,
            shutdown: shutdown.clone(),
        };
        let shards = Shards::start(sockets.udp, services)?;
        let relays = match (links, &cluster) {
            (Some(links), Some(cluster)) => {
                let mut parts = parts(config, &site, elsewhere);
                parts.settings = cluster::settings(&parts.settings);
                parts.port = session::Port::Relays;
                let shared = Arc::new(Shared::new(parts));
                Some(Port::open(links, cluster.server.clone(), shared)?)
            }
            _ => None,
        };
        let metrics = match config.metrics.listen {
            Some(address) => Some(metrics(address, &site, shards.pulses())?),
            None => None,
        };
        let over_tcp = config.webrtc.tcp.then(|| site.bridge.clone());
        let bounds = Bounds {
            connections: files::room_for(config.limits.sessions),
            per_address: config.limits.sessions_per_address,
            strangers: config.limits.handshakes,
            proxies: config.proxies(),
        };
        Ok(Self {
            dev: config.dev,
            websockets_over_http2: config.server.websockets_over_http2,
            address,
            site,
            shards,
            cluster,
            relays,
            listener: Listener::new(sockets.tcp, https_tls, config.dev, over_tcp, bounds)?,
            keeper,
            keys,
            metrics,
            hooks,
            directory,
            moves,
            shutdown,
            lock,
        })
    }

    /// The address that the relay is bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of its metrics, if it has any.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.address().ok()
    }

    /// The address at which it is there for other relays, if it is.
    pub fn cluster_address(&self) -> Option<SocketAddr> {
        self.relays.as_ref().map(Port::address)
    }

    /// What the pages and the API work with.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Cancelling it stops the relay.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// What reads its settings again, which are these.
    pub(crate) fn reload(&self, config: Config, level: LogLevel) -> Reload {
        let papers = self.cluster.as_ref();
        let papers = papers.and_then(|cluster| cluster.papers.as_ref());
        Reload {
            config,
            level,
            site: self.site.clone(),
            certificates: [Some(self.keeper.nudge()), papers.map(RelayPapers::nudge)],
        }
    }

    /// Serves until the shutdown: then every session is told goodbye, and the relay ends.
    pub async fn run(self) {
        let Self {
            websockets_over_http2,
            site,
            shards,
            mut cluster,
            relays,
            listener,
            keeper,
            keys,
            metrics,
            hooks,
            directory,
            moves,
            shutdown,
            lock,
            ..
        } = self;
        let papers = cluster.as_mut().and_then(|cluster| cluster.papers.take());
        let mut kept = Kept::default();
        // Pages that probe for the relay's return must not find one that is about to go.
        let router = router(site.clone());
        let http = serve(listener, router, websockets_over_http2, shutdown.clone());
        let alive = supervisor::alive(shards.pulses());
        let background = async {
            let keys = async {
                if let Some(keys) = keys {
                    keys.run().await;
                }
            };
            let metrics = async {
                if let Some(metrics) = metrics {
                    metrics.run(shutdown.clone()).await;
                }
            };
            let hooks = async {
                if let Some(hooks) = hooks {
                    hooks.run().await;
                }
            };
            let directory = async {
                if let Some(directory) = directory {
                    let beside = async |connection, settings: &_| {
                        join::beside(&site, connection, settings).await;
                    };
                    directory.run_beside(shutdown.clone(), beside).await;
                    join::leave(&site);
                }
            };
            let papers = async {
                if let Some(papers) = papers {
                    papers.run().await;
                }
            };
            let moves = async {
                if let Some(moves) = moves {
                    moves.run().await;
                }
            };
            let followed = site
                .placement
                .follow(&*site.directory, &site.origins, &shutdown);
            let ticking = tick(&site, &mut kept);
            tokio::join!(
                keeper.run(),
                papers,
                keys,
                metrics,
                hooks,
                directory,
                moves,
                alive,
                followed,
                ticking
            );
        };
        let relays = async {
            if let Some(relays) = relays {
                relays.run().await;
            }
        };
        tokio::select! {
            _ = async { tokio::join!(shards.run(), relays, http) } => {}
            () = background => {}
        }
        if let Some(cluster) = cluster {
            cluster.over().await;
        }
        kept.keep(&site).await;
        // Nothing is written any more.
        drop(lock);
        tracing::info!("stopped");
    }
}

/// Where WebRTC clients reach the relay, and what they may cost.
fn bridge_settings(config: &Config, address: SocketAddr) -> webrtc::Settings {
    let configured = &config.webrtc.addresses;
    let reach = if !configured.is_empty() {
        let place = |reachable: &Reachable| reachable.with_port(address.port());
        Reach::At(configured.iter().map(place).collect())
    } else if address.ip().is_unspecified() {
        Reach::Host {
            port: address.port(),
            ipv6: address.is_ipv6(),
        }
    } else {
        Reach::At(vec![address])
    };
    let limits = &config.limits;
    webrtc::Settings {
        reach,
        tcp: config.webrtc.tcp,
        sessions: limits.sessions,
        per_address: limits.sessions_per_address,
        handshakes: limits.handshakes,
        connect_timeout: limits.connect_timeout * 2,
        idle_timeout: limits.idle_timeout,
        player_stall: limits.player_stall,
    }
}

fn metrics(
    address: SocketAddr,
    site: &Site,
    shards: Vec<Pulse>,
) -> Result<MetricsListener, RelayError> {
    let sources = Sources {
        records: site.records.clone(),
        broadcasts: site.registry.clone(),
        gate: site.gate.clone(),
        identities: site.identities.clone(),
        directory: site.directory.clone(),
        ledger: site.ledger.clone(),
        shards,
    };
    let listener = MetricsListener::bind(address, sources);
    let listener = listener.map_err(|source| RelayError::MetricsAddress { address, source })?;
    let at = listener.address().unwrap_or(address);
    tracing::info!(address = %at, "metrics");
    Ok(listener)
}

fn site(
    config: &Config,
    base: join::Base,
    listens: SocketAddr,
    identities: Identities,
    draining: CancellationToken,
    bridge: Arc<Bridge>,
    elsewhere: Option<Arc<dyn Elsewhere>>,
) -> Result<Site, RelayError> {
    let server = &config.server;
    let join::Base {
        dir,
        clock,
        registry,
        ledger,
        token_keys,
        gate,
        directory,
        homes,
    } = base;
    let access = config.log.access().map(|settings| {
        let path = settings.path.clone();
        let log = AccessLog::open(settings);
        log.map_err(|source| RelayError::AccessLog { path, source })
    });
    let access = access.transpose()?;
    let access = access.map(|log| (log, config.log.access_addresses));
    let metrics = Arc::new(Metrics::new()?);
    let peers = Peers::new(directory.clone(), metrics.clone());
    let events = Arc::new(Events::new(clock, peers.own().cloned()));
    let records = Arc::new(Records::new(clock, metrics, events, access));
    let origins = config.origins();
    let placement = Arc::new(Placement::default());
    let shared = Shared::new(Parts {
        settings: session::Settings::from(&config.limits),
        clock,
        registry: registry.clone(),
        gate: gate.clone(),
        records: records.clone(),
        origins: origins.clone(),
        placement: placement.clone(),
        shutdown: draining.clone(),
        elsewhere,
        port: session::Port::Clients,
    });
    let several = homes.is_some();
    Ok(Site {
        records,
        registry,
        gate,
        state: dir,
        token_keys,
        keeps: AtomicBool::new(true),
        turns: tokio::sync::Mutex::default(),
        makers: tokio::sync::Mutex::default(),
        rules: RwLock::new(Rules::from(config)),
        proxies: config.proxies(),
        origins,
        embedders: RwLock::new(server.embed_origins.clone()),
        public_url: server.public_url.clone(),
        listens,
        viewers: ViewersTokens::default(),
        identities,
        clock,
        draining,
        bridge,
        entrance: Arc::new(Entrance::new(Arc::new(shared))),
        ice_servers: config.webrtc.ice_servers.clone(),
        overflow: config.webrtc.overflow.clone(),
        ledger,
        directory,
        homes,
        peers,
        placement,
        outbox: several.then(Arc::default),
    })
}

/// What further sessions work with.
fn parts(config: &Config, site: &Site, elsewhere: Option<Arc<dyn Elsewhere>>) -> Parts {
    Parts {
        settings: session::Settings::from(&config.limits),
        clock: site.clock,
        registry: site.registry.clone(),
        gate: site.gate.clone(),
        records: site.records.clone(),
        origins: site.origins.clone(),
        placement: site.placement.clone(),
        shutdown: site.draining.clone(),
        elsewhere,
        port: session::Port::Clients,
    }
}

/// Lets time pass for the broadcasts, and keeps the list on disk in line with them.
async fn tick(site: &Site, kept: &mut Kept) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut clock = clocks::Watch::default();
    loop {
        tokio::select! {
            _ = ticks.tick() => clock.look(&site.clock),
            () = site.draining.cancelled(), if kept.stopping.is_none() => {
                kept.stopping = Some(site.clock.now());
            }
        }
        site.gate.tick(site.clock.now());
        site.bridge.tick();
        let events = site.records.events();
        let Ticked { ended, turned } = site.registry.tick(site.clock.now());
        let turned = turned.into_iter();
        turned
            .filter_map(|(id, phase)| Event::turned(id, phase))
            .for_each(|event| events.tell(event));
        if !ended.is_empty() {
            tracing::info!(?ended, code = %Code::HeldTooLong, "ended");
            kept.at = None;
        }
        for id in ended {
            site.timed_out(&id, Code::HeldTooLong);
            events.tell(Event::Ended(id, Code::HeldTooLong));
        }
        if kept.at.is_none_or(|at| at.elapsed() >= KEEP) {
            kept.keep(site).await;
        }
    }
}

/// How the list on disk is doing.
#[derive(Default)]
struct Kept {
    at: Option<Instant>,
    forgot: Option<Instant>,
    fails: bool,
    /// When the relay began to stop.
    stopping: Option<RelayTime>,
}

impl Kept {
    /// Writes what has changed. That it fails is said once.
    async fn keep(&mut self, site: &Site) {
        self.at = Some(Instant::now());
        let mut kept = site.keep(self.stopping).await;
        if self.forgot.is_none_or(|at| at.elapsed() >= FORGET) {
            self.forgot = Some(Instant::now());
            kept = kept.and(site.forget_ended().await);
            kept = kept.and(site.end_unreachable().await);
        }
        match kept {
            Ok(()) => self.fails = false,
            Err(error) => {
                if !std::mem::replace(&mut self.fails, true) {
                    tracing::error!(%error, "after a restart some broadcasts would be as they were");
                }
            }
        }
    }
}

/// Runs a relay with `config` until the process is told to stop.
///
/// # Errors
/// [`RelayError`].
pub fn run(config: &Config) -> Result<(), RelayError> {
    let (level, _traces) = telemetry::init(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        survive_full_files()?;
        // From here on none of them ends the process unheard.
        let mut signals = Signals::heard()?;
        let relay = Relay::load(config)?;
        if relay.dev {
            let welcome = Welcome::to(&relay);
            match relay.site.homes {
                None => welcome.show().await?,
                // The others are known once it runs.
                Some(_) => drop(tokio::spawn(welcome.show_to_several())),
            }
        }
        let shutdown = relay.shutdown().clone();
        let (site, drain) = (relay.site.clone(), config.cluster.drain);
        let reload = (!relay.dev).then(|| relay.reload(config.clone(), level));
        tokio::spawn(async move {
            if let Err(error) = signals.stop(reload).await {
                tracing::error!(%error, "signals are not heard");
                return;
            }
            tracing::info!("stopping");
            supervisor::stopping();
            tokio::select! {
                () = site.leave(drain) => {}
                // Whoever says so twice is in a hurry.
                _ = signals.stop(None) => {}
            }
            shutdown.cancel();
        });
        supervisor::ready();
        relay.run().await;
        Ok(())
    })
}

/// Makes a limit on the size of files an error like that of a full disk, not the process's end.
fn survive_full_files() -> io::Result<()> {
    // It is caught for good, whether anybody listens or not.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

/// What the process is told from outside.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn heard() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for Ctrl-C, or SIGTERM from a supervisor. At SIGHUP the settings are read again; without
    /// `reload` that is the end of the terminal that a development relay runs in.
    async fn stop(&mut self, mut reload: Option<Reload>) -> io::Result<()> {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Ok(()),
                _ = self.terminate.recv() => return Ok(()),
                _ = self.hang_up.recv() => match reload.take() {
                    None => return Ok(()),
                    Some(mut again) => {
                        supervisor::reloading();
                        // It reads files.
                        let done = tokio::task::spawn_blocking(move || {
                            again.reload();
                            again
                        });
                        reload = Some(done.await.map_err(io::Error::other)?);
                        supervisor::ready();
                    }
                },
            }
        }
    }
}
