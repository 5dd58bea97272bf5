//! Broadcasts that several relays know, and how one comes to be here.
//!
//! Where there is an engine a relay holds only those broadcasts whose *home* it is, which it has claimed, and those that
//! it gets from another. All others it knows by name, which costs it nothing. Whoever comes for one that is not here has
//! it got from its home, or, where no relay that lives has claimed it, made here.

mod adoption;
mod everywhere;
mod look_after;
mod memory;
mod moves;
mod publishers;
mod turns;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use self::memory::Memory;
use self::turns::Turns;
use crate::broadcast::{Broadcast, BroadcastId, Description, Registry, RegistryError, RelayTime};
use crate::directory::{Bid, Claim, ClaimEpoch, ClaimError, Directory, RelayId, State};
use crate::shard::RelayClock;
use crate::store::{Catalog, Entry, StateDir};

pub use adoption::turn;
pub(crate) use everywhere::Everywhere;
pub(crate) use look_after::look_after;
pub(crate) use moves::Moves;

/// How long somebody who comes waits for a relay that has only just begun to know the others.
const PATIENCE: Duration = Duration::from_secs(3);
/// For so long it has only just begun: where it has not reached them by then, who comes is told so without waiting.
const BEGINNING: Duration = Duration::from_secs(10);

/// The broadcasts that this relay is the home of, and how it becomes that.
#[derive(Debug)]
pub struct Homes {
    registry: Arc<Registry>,
    catalog: Arc<Catalog>,
    directory: Arc<dyn Directory>,
    clock: RelayClock,
    /// Which claims it holds.
    claims: Mutex<HashMap<BroadcastId, ClaimEpoch>>,
    turns: Turns,
    memory: Memory,
    started: Instant,
}

/// A broadcast that is at this relay, and what says so.
#[derive(Debug)]
pub struct Home {
    /// The broadcast.
    pub broadcast: Arc<Broadcast>,
    /// The claim of it.
    pub claim: Claim,
}

/// Why a broadcast cannot be at this relay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// No relay knows one of this id.
    #[error("there is no such broadcast")]
    Unknown,
    /// It may not be claimed.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// There are as many as there may be here.
    #[error("the relay has as many broadcasts as it may have")]
    Full,
}

impl Homes {
    /// None yet.
    pub(crate) fn new(
        registry: Arc<Registry>,
        catalog: Arc<Catalog>,
        directory: Arc<dyn Directory>,
        (clock, dir): (RelayClock, StateDir),
    ) -> Self {
        Self {
            registry,
            catalog,
            directory,
            clock,
            claims: Mutex::default(),
            turns: Turns::default(),
            memory: Memory::new(dir),
            started: Instant::now(),
        }
    }

    /// What is known of a broadcast, wherever it is; `None`: there is none of this id.
    pub fn entry(&self, id: &BroadcastId) -> Option<Entry> {
        self.catalog.entry(id)
    }

    /// What is known of all broadcasts.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Waits, where this relay has only just begun, until it is known which broadcasts there are and where: but not for
    /// long.
    pub(crate) async fn begun(&self) {
        let (mut events, mut heard) = (self.directory.listen(), self.catalog.heard());
        let begun = async {
            while !self.knows_all() && self.directory.state() != State::Away {
                tokio::select! {
                    _ = events.next() => {}
                    _ = heard.changed() => {}
                }
            }
        };
        let by = (Instant::now() + PATIENCE).min(self.started + BEGINNING);
        // Who has come is told that the others are not reached.
        let _ = timeout_at(by, begun).await;
    }

    /// Whether it is known which broadcasts there are and where, up to date.
    pub(crate) fn knows_all(&self) -> bool {
        self.directory.state() == State::Joined && self.catalog.is_reached()
    }

    /// The relay that has a broadcast, where it is another one and lives.
    pub fn elsewhere(&self, id: &BroadcastId) -> Option<RelayId> {
        let found = self.directory.find(id)?;
        (!found.is_own && found.lease.is_some()).then_some(found.relay)
    }

    /// Has a broadcast be at this relay: claims it, and makes it in the registry from what is known of it where it is
    /// not there. One that is got from another relay stays as it is there.
    ///
    /// # Errors
    /// [`HomeError`]; it is where it was then.
    pub async fn bring(&self, id: &BroadcastId, bid: Bid) -> Result<Home, HomeError> {
        // Of several who come at once the first one claims it for all.
        let _turn = self.turns.of(id).await;
        if let (Bid::Home, Some(home)) = (bid, self.at_home(id)) {
            return Ok(home);
        }
        let entry = self.entry(id).ok_or(HomeError::Unknown)?;
        let claim = self.directory.claim(id, bid).await?;
        self.claims.lock().insert(id.clone(), claim.epoch);
        match self.here(entry) {
            Ok(broadcast) => Ok(Home { broadcast, claim }),
            Err(error) => {
                self.leave(id);
                Err(error)
            }
        }
    }

    /// Gives back the claim of a broadcast, which somebody else may have from now on.
    pub fn leave(&self, id: &BroadcastId) {
        let claim = self.claims.lock().remove(id);
        if let Some(epoch) = claim {
            self.directory.release(id, epoch);
        }
    }

    /// A claim was lost to another relay's, of this epoch.
    pub fn lost(&self, id: &BroadcastId, to: ClaimEpoch) {
        let mut claims = self.claims.lock();
        if claims.get(id).is_some_and(|own| *own < to) {
            claims.remove(id);
        }
    }

    /// Whether this relay has the claim of a broadcast, as far as it knows.
    pub fn holds(&self, id: &BroadcastId) -> bool {
        self.claims.lock().contains_key(id)
    }

    fn at_home(&self, id: &BroadcastId) -> Option<Home> {
        let epoch = *self.claims.lock().get(id)?;
        let broadcast = self.registry.find(id)?;
        let own = broadcast.upstream().is_none();
        own.then(|| Home {
            broadcast,
            claim: Claim {
                relay: self.directory.own().clone(),
                epoch,
                lineage: None,
                home: true,
            },
        })
    }

    fn here(&self, entry: Entry) -> Result<Arc<Broadcast>, HomeError> {
        let now = self.clock.now();
        let presence = entry.publisher.after_restart(now);
        let created = RelayTime::from_micros(entry.created.saturating_mul(1_000_000));
        let description = Description {
            title: entry.title,
            private: entry.private,
            settings: entry.settings,
        };
        let id = entry.id;
        let made = self
            .registry
            .bring_back(id.clone(), description, presence, (created, now));
        match made {
            Ok(broadcast) => Ok(broadcast),
            Err(RegistryError::Full) => Err(HomeError::Full),
            // It may have ended since.
            Err(RegistryError::Exists) => self.registry.find(&id).ok_or(HomeError::Unknown),
        }
    }
}
