//! What all sessions share, on whatever carrier and shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use steadycast_codec_glue::wire::{Code, Hop, ResumeSecret, Role, limits};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Settings;
use super::elsewhere::{About, Child, Comer, Elsewhere, NotHere};
use super::ending::Ending;
use crate::auth::{Gate, Origins, random};
use crate::broadcast::{AttachError, Broadcast, BroadcastId, PublisherSeat, Registry};
use crate::placement::Placement;
use crate::records::Records;
use crate::shard::{Addresses, RelayClock};

/// How long a relay waits for a broadcast whose way here would lead through itself, or too far.
const NOT_YET: Duration = Duration::from_millis(500);

/// What sessions work with.
#[derive(Clone)]
pub(crate) struct Parts {
    /// What strangers may cost.
    pub(crate) settings: Settings,
    /// The relay's clock.
    pub(crate) clock: RelayClock,
    /// The broadcasts.
    pub(crate) registry: Arc<Registry>,
    /// Who says what somebody may do.
    pub(crate) gate: Arc<Gate>,
    /// What becomes of sessions.
    pub(crate) records: Arc<Records>,
    /// Whose pages may open sessions.
    pub(crate) origins: Origins,
    /// Where clients may go instead.
    pub(crate) placement: Arc<Placement>,
    /// Cancelled when every session is to say goodbye.
    pub(crate) shutdown: CancellationToken,
    /// What other relays have, where there are any.
    pub(crate) elsewhere: Option<Arc<dyn Elsewhere>>,
    /// Who comes.
    pub(crate) port: Port,
}

/// Whom a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// Publishers and players, who show tokens.
    Clients,
    /// Relays, which have shown their certificates (PROTOCOL 11.1).
    Relays,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: RelayClock,
    pub(crate) registry: Arc<Registry>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) records: Arc<Records>,
    pub(crate) origins: Origins,
    pub(crate) placement: Arc<Placement>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) port: Port,
    elsewhere: Option<Arc<dyn Elsewhere>>,
    /// How many each address has, handshakes included.
    pub(crate) addresses: Addresses,
    /// Sessions on all shards, handshakes included.
    pub(crate) sessions: TaskTracker,
    /// Sessions past their handshake.
    established: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            settings: parts.settings,
            clock: parts.clock,
            registry: parts.registry,
            gate: parts.gate,
            records: parts.records,
            origins: parts.origins,
            placement: parts.placement,
            shutdown: parts.shutdown,
            port: parts.port,
            elsewhere: parts.elsewhere,
            addresses: Addresses::default(),
            sessions: TaskTracker::new(),
            established: AtomicUsize::new(0),
        }
    }

    /// Waits, where the relay has only just begun, until it knows what others know; but not for long.
    pub(crate) async fn begun(&self) {
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.begun().await;
        }
    }

    /// The broadcast of this id, for a client of this role; waits where it is brought from another relay.
    ///
    /// # Errors
    /// [`NotHere`].
    pub(crate) async fn find(
        &self,
        id: &BroadcastId,
        role: Role,
    ) -> Result<Arc<Broadcast>, NotHere> {
        let broadcast = match (self.registry.find(id), &self.elsewhere) {
            (Some(broadcast), _) => broadcast,
            (None, None) => return Err(NotHere::Unknown),
            (None, Some(elsewhere)) => match self.belongs_elsewhere(id, role).await {
                Some(upstream) => return Err(NotHere::Elsewhere(upstream)),
                None if role == Role::Publisher => elsewhere.bring_to_publish(id).await?,
                None => elsewhere.bring(id, &[]).await?,
            },
        };
        match broadcast.upstream().filter(|_| role == Role::Publisher) {
            Some(upstream) if !self.takes_publishers() => {
                let moved = self.belongs_elsewhere(id, role).await;
                Err(NotHere::Elsewhere(moved.unwrap_or(upstream)))
            }
            _ => Ok(broadcast),
        }
    }

    /// The relay that a publisher belongs to which comes for a broadcast of another's.
    async fn belongs_elsewhere(&self, id: &BroadcastId, role: Role) -> Option<Arc<str>> {
        let elsewhere = self
            .elsewhere
            .as_ref()
            .filter(|_| role == Role::Publisher)?;
        match elsewhere.takes_publishers() {
            true => None,
            false => elsewhere.whereabouts(id).await,
        }
    }

    /// Whether a publisher may come to whatever broadcast is here.
    fn takes_publishers(&self) -> bool {
        let elsewhere = self.elsewhere.as_ref();
        elsewhere.is_none_or(|elsewhere| elsewhere.takes_publishers())
    }

    /// Lets a publisher in at a broadcast that is here (PROTOCOL 3).
    ///
    /// # Errors
    /// [`AttachError`].
    pub(super) async fn attach(
        &self,
        broadcast: &Arc<Broadcast>,
        comer: Comer,
    ) -> Result<PublisherSeat, AttachError> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.attach(broadcast, comer).await,
            None => comer.attach(broadcast, self.clock.now()),
        }
    }

    /// The broadcast of this id, for these relays, of which the first says that about itself (PROTOCOL 11.3, 11.10).
    pub(super) async fn find_for_relays(
        &self,
        id: &BroadcastId,
        relays: &[Hop],
        about: &About,
    ) -> Result<Served, NotHere> {
        let elsewhere = self.elsewhere.as_ref().ok_or(NotHere::Unknown)?;
        let asker = *relays.first().ok_or(NotHere::TooFar)?;
        let found = self.registry.find(id);
        let is_own = |here: &Arc<Broadcast>| here.upstream().is_none();
        if self.placement.is_leaving() && !found.as_ref().is_some_and(is_own) {
            return Err(NotHere::Leaving);
        }
        let broadcast = match found {
            Some(broadcast) => broadcast,
            None => elsewhere.bring(id, relays).await?,
        };
        let mut way = elsewhere.way(&broadcast);
        let below = usize::from(about.branch.links).max(relays.len() - 1);
        let fits = |come: &Vec<Hop>| {
            let twice = come.iter().any(|relay| relays.contains(relay));
            !twice && come.len() + 1 + below <= limits::RELAYS
        };
        // Where broadcasts move, one may be about to begin here: it is asked for as soon as that is known elsewhere.
        let patience = match elsewhere.takes_publishers() {
            true => NOT_YET,
            false => Duration::ZERO,
        };
        match timeout(patience, way.wait_for(fits)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return Err(NotHere::TooFar),
        }
        let child = elsewhere.admit(&broadcast, asker, about)?;
        Ok(Served {
            broadcast,
            way,
            child,
        })
    }

    /// Sessions past their handshake.
    pub(crate) fn established(&self) -> usize {
        self.established.load(Ordering::Relaxed)
    }

    /// Another one is, for as long as this is kept.
    pub(super) fn establish(&self) -> Established<'_> {
        self.established.fetch_add(1, Ordering::Relaxed);
        Established(self)
    }

    /// A secret that nobody can guess.
    pub(super) fn secret(&self) -> Result<ResumeSecret, Ending> {
        random()
            .map(ResumeSecret)
            .map_err(|error| Ending::because(Code::Internal, error))
    }
}

/// What a relay is served: a broadcast, and the way that it has come.
pub(super) struct Served {
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) way: watch::Receiver<Vec<Hop>>,
    pub(super) child: Box<dyn Child>,
}

/// A session past its handshake.
pub(super) struct Established<'a>(&'a Shared);

impl Drop for Established<'_> {
    fn drop(&mut self) {
        self.0.established.fetch_sub(1, Ordering::Relaxed);
    }
}
