//! Several relays: the authority whose certificates they know one another by, and those that have one engine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use steadycast_relay::broadcast::BroadcastId;
use steadycast_relay::config::{Config, Peer};
use steadycast_relay::directory::State;

pub use crate::cable::Cable;
use crate::nats::Server;
use crate::relay::TestRelay;

/// A certificate authority of relays.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Another one than all others.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "Relays");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self(issuer))
    }

    /// Its certificate, as PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Has a relay know others by this authority, and shows them a certificate of `shown`'s.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn admit(&self, shown: &Self, config: &mut Config) -> Result<()> {
        let [authority, certificate, key] = self.write(shown, &config.server.state_dir)?;
        let cluster = &mut config.cluster;
        cluster.authority = Some(authority);
        cluster.certificate = Some(certificate);
        cluster.key = Some(key);
        Ok(())
    }

    /// Writes into a directory what a relay is told apart by: this authority's certificate, one of `shown`'s for the
    /// relay, and its key.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn write(&self, shown: &Self, directory: &Path) -> Result<[PathBuf; 3]> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(vec!["relay.invalid".to_owned()])?;
        let certificate = params.signed_by(&key, &shown.0)?;
        let file = |name: &str, text: String| {
            let path = directory.join(name);
            std::fs::write(&path, text)?;
            anyhow::Ok(path)
        };
        Ok([
            file("authority.pem", self.0.pem())?,
            file("relay.pem", certificate.pem())?,
            file("relay.key", key.serialize_pem())?,
        ])
    }

    /// A relay that others may come to.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn origin(&self) -> Result<TestRelay> {
        self.relay(None, Duration::ZERO, |_| {}).await
    }

    /// A relay that gets what it has not from the one at this address, and that others may come to.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn edge(&self, of: SocketAddr) -> Result<TestRelay> {
        self.relay(Some(of), Duration::ZERO, |_| {}).await
    }

    /// The same of either, with a clock that is so far ahead, and a configuration that `change` has changed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn relay(
        &self,
        origin: Option<SocketAddr>,
        ahead: Duration,
        change: impl FnOnce(&mut Config),
    ) -> Result<TestRelay> {
        TestRelay::ahead(ahead, |config| {
            self.admit(self, config)?;
            config.cluster.listen = Some((Ipv4Addr::LOCALHOST, 0).into());
            config.cluster.origin = origin.map(Peer::from);
            change(config);
            Ok(())
        })
        .await
    }
}

/// How long leases last here.
const LEASE: Duration = Duration::from_secs(4);

/// Several relays that have one engine.
pub struct Cluster {
    /// The engine.
    pub engine: Server,
    /// The relays, which are called `r0`, `r1` and so on.
    pub relays: Vec<TestRelay>,
    authority: Authority,
}

impl Cluster {
    /// So many relays, each of which knows all others.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn of(relays: usize) -> Result<Self> {
        Self::with(relays, |_, _| {}).await
    }

    /// The same, with configurations that `change` has changed for each by its number.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn with(relays: usize, change: impl Fn(usize, &mut Config)) -> Result<Self> {
        let mut cluster = Self {
            engine: Server::start().await?,
            relays: Vec::new(),
            authority: Authority::new()?,
        };
        for number in 0..relays {
            let relay = cluster.another(number, &change).await?;
            cluster.relays.push(relay);
        }
        cluster.know_one_another().await?;
        Ok(cluster)
    }

    /// A relay of the cluster that is not in the list.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn another(
        &self,
        number: usize,
        change: impl Fn(usize, &mut Config),
    ) -> Result<TestRelay> {
        let (id, engine) = (format!("r{number}").parse()?, self.engine.url().parse()?);
        let join = |config: &mut Config| {
            config.cluster.id = Some(id);
            config.cluster.nats = vec![engine];
            config.cluster.lease = LEASE;
            change(number, config);
        };
        self.authority.relay(None, Duration::ZERO, join).await
    }

    /// A broadcast of the first relay's that all others know.
    ///
    /// # Errors
    /// When it cannot be made or kept.
    pub async fn broadcast(&self) -> Result<BroadcastId> {
        let first = self.relays.first().context("no relay")?;
        let id = first.broadcast().await?.id;
        for relay in &self.relays {
            let known = || relay.site().knows(&id);
            relay.until("a broadcast of the first", known).await?;
        }
        Ok(id)
    }

    /// Waits until each relay knows all others.
    ///
    /// # Errors
    /// When one does not.
    pub async fn know_one_another(&self) -> Result<()> {
        let all = self.relays.len();
        for relay in &self.relays {
            let site = relay.site();
            let directory = &site.directory;
            let joined = || {
                let homes = site.homes.as_ref();
                directory.state() == State::Joined
                    && directory.relays().len() == all
                    && homes.is_some_and(|homes| homes.catalog().is_reached())
            };
            relay.until("the other relays", joined).await?;
        }
        Ok(())
    }
}
