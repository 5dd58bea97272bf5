//! Other relays (PROTOCOL 11): a broadcast that is at one of them is watched here as well.
//!
//! Relays form a tree for each broadcast, whose root is the relay that the publisher is at. A relay that is asked for a
//! broadcast which it has not **pulls** it: one session at a relay that has it (`link`), and one for each rendition that
//! its own players need (`renditions`), feed an ordinary broadcast through a publisher's seat (`feed`, `line`), so that
//! cache, players of all carriers and other relays are served as ever. `pull` keeps that up, whatever becomes of the
//! link, for as long as somebody watches; `pulls` sees to it that it happens once. The other way round, relays that come
//! here (`port`) have sessions like players' (`session/relay.rs`). Which relay has a broadcast is for `whereabouts` to say.

mod children;
mod clock;
mod feed;
mod line;
mod link;
mod port;
mod pull;
mod pulls;
mod renditions;
mod runtime;
mod talk;
pub mod tree;
mod upstream;
mod way;
mod whereabouts;

use std::io;
use std::sync::Arc;

use steadycast_codec_glue::wire::Hop;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::children::Own;
use self::pulls::Parts;
use self::runtime::Runtime;
use self::upstream::{Upstream, Upstreams};
use self::whereabouts::{Claimed, Fixed, Whereabouts};
use crate::auth::{RandomError, random};
use crate::broadcast::Registry;
use crate::config;
use crate::directory::{Directory, State};
use crate::shard::RelayClock;
use crate::tls::{RelayPapers, RelayTls, TlsError};

pub(crate) use port::{Port, settings};
pub(crate) use pulls::{AtHome, Names, Others, Pulls};
pub use talk::SILENCE;

/// Why a relay cannot have to do with others.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is nothing that they would know it by.
    #[error("cluster: {0}")]
    Tls(#[from] TlsError),
    /// The system gives no thread or no socket.
    #[error("cluster: {0}")]
    System(#[from] io::Error),
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// This relay among others.
pub(crate) struct Cluster {
    pulls: Arc<Pulls>,
    /// TLS for those that come here, until it is used.
    pub(crate) server: rustls::ServerConfig,
    /// What keeps its certificates as their files are, until it runs.
    pub(crate) papers: Option<RelayPapers>,
    over: oneshot::Receiver<()>,
    /// Links go with it.
    _links: DropGuard,
    _origin: Option<Arc<Upstream>>,
}

impl Cluster {
    /// Gets ready to have to do with others, who reach it at `place`, if the settings say so.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub(crate) fn start(
        (config, place): (&config::Cluster, Option<Box<str>>),
        (registry, at_home): (&Arc<Registry>, Arc<dyn AtHome>),
        directory: &Arc<dyn Directory>,
        clock: RelayClock,
        shutdown: &CancellationToken,
    ) -> Result<Option<Self>, ClusterError> {
        let used = config.is_used() || config.directory().is_some();
        let Some(files) = config.files().filter(|_| used) else {
            return Ok(None);
        };
        let RelayTls {
            server,
            client,
            papers,
        } = RelayTls::read(files)?;
        let links = shutdown.child_token();
        let runtime = Runtime::start(client, links.clone())?;
        let upstreams = Arc::new(Upstreams::new(runtime.endpoint, runtime.handle));
        // A connection to it is ready from the start.
        let origin = config.origin.as_ref().map(|peer| upstreams.at(peer));
        let whereabouts: Arc<dyn Whereabouts> = match directory.state() {
            State::Alone => Arc::new(Fixed(config.origin.clone())),
            _ => Arc::new(Claimed {
                directory: directory.clone(),
                otherwise: config.origin.clone(),
            }),
        };
        let about = Own {
            place,
            region: config.region().map(Into::into),
            // Where there is no engine, its operator has chosen who gets what from whom.
            children: config.directory().map(|_| config.children),
        };
        let pulls = Pulls::new(Parts {
            own: Hop(random()?),
            registry: registry.clone(),
            clock,
            linger: config.linger,
            ways: way::Parts {
                about: Arc::new(about),
                upstreams,
                whereabouts,
            },
            at_home,
        });
        Ok(Some(Self {
            pulls: Arc::new(pulls),
            server,
            papers: Some(papers),
            over: runtime.over,
            _links: links.drop_guard(),
            _origin: origin,
        }))
    }

    /// What is got from others.
    pub(crate) fn pulls(&self) -> Arc<Pulls> {
        self.pulls.clone()
    }

    /// What sessions see of it.
    pub(crate) fn others(&self) -> Arc<Others> {
        Arc::new(Others(self.pulls.clone()))
    }

    /// Waits until all links have ended.
    pub(crate) async fn over(self) {
        // It says so by dropping its end.
        let _ = self.over.await;
    }
}
