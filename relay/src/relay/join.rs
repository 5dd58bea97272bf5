//! What a relay has to do with others that have the same engine.

use std::net::UdpSocket;
use std::sync::Arc;

use steadycast_codec_glue::wire::Role;

use super::RelayError;
use crate::auth::{Gate, Issuers, RandomError, Revocation, Transport, random};
use crate::broadcast::Registry;
use crate::cluster::{AtHome, Cluster, Names};
use crate::config::{self, Config};
use crate::directory::engine::Connection;
use crate::directory::{
    self, Alone, Directory, Engine, Keeper, Lease, Load, Places, RelayId, Standing,
};
use crate::homes::{self, Everywhere, Homes, Moves};
use crate::http::{Rules, Site};
use crate::peers::{self, Seal};
use crate::session::Elsewhere;
use crate::shard::RelayClock;
use crate::store::catalog;
use crate::store::taken_back::{self, Taken};
use crate::store::{Catalog, ClusterSecret, Ledger, LocalStore, StateDir, TokenKeys};

/// What the rest of a relay stands on: what is kept, and whom it knows.
pub(super) struct Base {
    pub(super) dir: StateDir,
    pub(super) clock: RelayClock,
    pub(super) registry: Arc<Registry>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) token_keys: Arc<TokenKeys>,
    pub(super) gate: Arc<Gate>,
    pub(super) directory: Arc<dyn Directory>,
    /// Where there is an engine.
    pub(super) homes: Option<Arc<Homes>>,
}

impl Base {
    /// Reads what is kept; gives besides what keeps the directory, where there is an engine.
    pub(super) fn lay(
        config: &Config,
        (dir, links): (StateDir, &Option<UdpSocket>),
        (registry, clock): (Arc<Registry>, RelayClock),
        issuers: Option<Arc<Issuers>>,
    ) -> Result<(Self, Option<Keeper>), RelayError> {
        let secret = config.cluster.secret()?;
        let (ledger, revocations) = Ledger::open(Arc::new(LocalStore::open(&dir)?))?;
        let life = Rules::from(config).longest_life();
        let token_keys = TokenKeys::open(&dir, life, clock.now())?;
        let gate = Gate::new(
            token_keys.signer(),
            dir.admin_key(config.server.admin_key.as_ref())?,
            issuers,
        );
        let gate = gate.asking(config.auth.authority()?);
        let gate = Arc::new(gate.numbering_from(first_number(config)?));
        for revocation in revocations {
            gate.remember(revocation);
        }
        let links = advertised(&config.cluster, links.as_ref());
        let known = (links, secret.clone());
        let (directory, keeper) = directory(config, (&dir, known), clock, &gate)?;
        let ledger = Arc::new(ledger);
        let homes = secret.map(|secret| {
            let catalog = Arc::new(Catalog::new(ledger.clone(), secret));
            Arc::new(Homes::new(
                registry.clone(),
                catalog,
                directory.clone(),
                (clock, dir.clone()),
            ))
        });
        let base = Self {
            dir,
            clock,
            registry,
            ledger,
            token_keys: Arc::new(token_keys),
            gate,
            directory,
            homes,
        };
        Ok((base, keeper))
    }

    /// What sessions ask for broadcasts that are not here, where others may have them, and what takes care of those that
    /// move.
    pub(super) fn elsewhere(
        &self,
        cluster: Option<&Cluster>,
    ) -> (Option<Arc<dyn Elsewhere>>, Option<Moves>) {
        let Some(homes) = &self.homes else {
            let others = cluster.map(|cluster| -> Arc<dyn Elsewhere> { cluster.others() });
            return (others, None);
        };
        let (others, pulls) = (cluster.map(Cluster::others), cluster.map(Cluster::pulls));
        let moves = Moves::of(homes.clone(), pulls);
        let everywhere = Everywhere::new(homes.clone(), others);
        (Some(Arc::new(everywhere)), Some(moves))
    }

    /// What is known of broadcasts besides where they are.
    pub(super) fn at_home(&self) -> Arc<dyn AtHome> {
        match &self.homes {
            Some(homes) => homes.clone(),
            None => Arc::new(Names),
        }
    }
}

/// What a relay does over its connection to the engine beside the directory; never ends.
pub(super) async fn beside(site: &Site, connection: Connection, settings: &directory::Settings) {
    tokio::join!(
        follow(site, connection.clone(), settings),
        talk(site, connection, settings),
    );
}

/// Others have what this relay had from now on.
pub(super) fn leave(site: &Site) {
    if let Some(homes) = &site.homes {
        homes.give_up_all();
    }
}

/// Has relays ask one another, and tell what happens.
async fn talk(site: &Site, connection: Connection, settings: &directory::Settings) {
    let Some(homes) = &site.homes else {
        return;
    };
    let seal = match Seal::new(homes.catalog().secret()) {
        Ok(seal) => Arc::new(seal),
        Err(error) => return tracing::error!(%error, "other relays are neither asked nor answered"),
    };
    let name = (&*settings.prefix, site.directory.own());
    site.peers
        .reached_over(connection.clone(), name.0, seal.clone());
    let events = site.records.events().listen();
    let metrics = site.records.metrics();
    tokio::join!(
        peers::tell(connection.clone(), name, &seal, events),
        peers::serve(connection, name, &seal, site, metrics),
    );
}

/// Has what is so at one relay be so at all: what was taken back, which broadcasts there are, and where each is.
async fn follow(site: &Site, connection: Connection, settings: &directory::Settings) {
    let (Some(outbox), Some(homes)) = (&site.outbox, &site.homes) else {
        return;
    };
    let name = |what| format!("{}-{what}", settings.prefix);
    let (replicas, catalog) = (settings.replicas, homes.catalog());
    let other = connection.clone();
    tokio::join!(
        // What they wait with is large, and would be carried through the stack of whoever starts them.
        Box::pin(taken_back::follow(
            name("taken-back"),
            replicas,
            other,
            outbox,
            site
        )),
        Box::pin(catalog::follow(
            name("broadcasts"),
            replicas,
            connection,
            catalog,
            site
        )),
        Box::pin(homes::look_after(homes, settings.lease)),
        homes.remember(),
    );
}

impl Taken for Site {
    fn all(&self) -> Vec<Revocation> {
        self.gate.taken_back()
    }

    async fn hear(&self, revocation: Revocation) -> bool {
        let heard = Site::hear(self, revocation).await;
        if let Err(error) = &heard {
            tracing::error!(%error, "what was taken back elsewhere is good here");
        }
        heard.is_ok()
    }
}

/// The number before that of a relay's first session. With other relays no two are to have the same: each begins
/// somewhere at random, below what JavaScript knows exactly, with room for more sessions than a relay lives to see.
fn first_number(config: &Config) -> Result<u64, RandomError> {
    match config.cluster.directory() {
        Some(_) => Ok(u64::from_be_bytes(random()?) >> 12),
        None => Ok(0),
    }
}

/// Which relay has what, and what keeps that up to date, where there are others.
fn directory(
    config: &Config,
    (dir, (links, secret)): (&StateDir, (Option<Box<str>>, Option<ClusterSecret>)),
    clock: RelayClock,
    gate: &Arc<Gate>,
) -> Result<(Arc<dyn Directory>, Option<Keeper>), RelayError> {
    let cluster = &config.cluster;
    let places = Places {
        links,
        pages: config
            .server
            .public_url
            .as_ref()
            .map(|url| url.to_string().into()),
        region: cluster.region().map(Into::into),
    };
    let Some(mut settings) = cluster.directory() else {
        // Nobody else sees its name, so that it need not be the same the next time.
        let own = match &cluster.id {
            Some(id) => id.clone(),
            None => RelayId::from_random(random()?),
        };
        let lease = Lease {
            relay: own,
            run: clock.now().as_micros(),
            places,
            load: Load::default(),
            standing: Standing::Ready,
            seconds: cluster.lease.as_secs(),
        };
        return Ok((Arc::new(Alone::new(lease, clock)), None));
    };
    settings.secret = secret;
    let own = dir.relay_id(cluster.id.as_ref())?;
    let (gate, most) = (gate.clone(), config.limits.sessions as u64);
    let loads = move || {
        let [publishers, players] = [Role::Publisher, Role::Player]
            .map(|role| Transport::ALL.map(|transport| (transport, gate.count(transport, role))));
        let there = || publishers.iter().chain(&players);
        let over_webrtc = there().filter(|(transport, _)| *transport == Transport::WebRtc);
        let over_webrtc: usize = over_webrtc.map(|(_, count)| count).sum();
        let all: usize = there().map(|(_, count)| count).sum();
        Load {
            sessions: gate.sessions() as u64,
            players: players.iter().map(|(_, count)| *count as u64).sum(),
            taken: over_webrtc.max(all - over_webrtc) as u64,
            most,
        }
    };
    let (engine, keeper) = Engine::new(settings, own, places, clock, Box::new(loads))?;
    Ok((Arc::new(engine), Some(keeper)))
}

/// Where other relays reach this one: what the settings say, or where it listens if that is one address.
pub(super) fn advertised(cluster: &config::Cluster, links: Option<&UdpSocket>) -> Option<Box<str>> {
    if let Some(peer) = &cluster.advertise {
        return Some(peer.as_str().into());
    }
    let address = links?.local_addr().ok()?;
    (!address.ip().is_unspecified()).then(|| address.to_string().into())
}
