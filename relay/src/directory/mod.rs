//! Which relay has which broadcast.
//!
//! Each relay has a *lease*, which ends when it is not renewed; a *claim* says which relay a broadcast is at. Every
//! claim has an epoch, which rises with every publisher that comes, at whichever relay. [`Alone`] is the directory of
//! a single relay. [`Engine`] keeps leases and claims in an engine that several relays have (NATS with JetStream), and
//! each relay has a copy, so that looking takes no round trip. Both follow the rules of `view`, which has no sockets
//! and no clock.

mod alone;
mod bid;
mod claim;
pub(crate) mod engine;
mod event;
mod id;
mod lease;
mod leases;
mod remembered;
mod rendezvous;
mod settings;
#[cfg(test)]
mod tests;
mod view;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use alone::Alone;
pub use bid::{Bid, ClaimError};
pub use claim::{Claim, ClaimEpoch, Lineage};
pub use engine::{ConnectError, Engine, EngineError, Keeper, Loads, PATIENCE};
pub use event::{Event, Listener, Missed};
pub use id::{RelayId, RelayIdError};
pub use lease::{Lease, Load, Places, Standing};
pub use remembered::Remembered;
pub use rendezvous::{Mark, rank};
pub use settings::{EngineUrl, EngineUrlError, Settings};
pub use view::{Entry, Found, Prepared, Remedy, View};

use crate::broadcast::BroadcastId;
#[cfg(test)]
pub(crate) use tests::lease as test_lease;

/// Says which relay has which broadcast, and lets this one claim some.
pub trait Directory: fmt::Debug + Send + Sync {
    /// The relay that asks.
    fn own(&self) -> &RelayId;

    /// Where a broadcast is, as far as this relay knows; takes no round trip. `None`: nobody has claimed it.
    fn find(&self, broadcast: &BroadcastId) -> Option<Whereabouts>;

    /// The relays whose leases go on, this one among them, by id.
    fn relays(&self) -> Vec<Arc<Lease>>;

    /// Claims a broadcast for this relay. What was claimed is held until it is released, or lost to a newer claim,
    /// which [`Event::Lost`] tells: listen before you claim.
    ///
    /// # Errors
    /// [`ClaimError`]: another relay has it, or it is not known who has.
    fn claim<'a>(
        &'a self,
        broadcast: &'a BroadcastId,
        bid: Bid,
    ) -> BoxFuture<'a, Result<Claim, ClaimError>>;

    /// Gives a claim back. Nothing happens to one of another epoch, which somebody else has by now.
    fn release(&self, broadcast: &BroadcastId, epoch: ClaimEpoch);

    /// A relay does not answer, on its link for one: nobody is sent to it any more, and the end of its lease is not waited
    /// for. What it has may be claimed once it has not renewed its lease when it should have; one more sign of life of
    /// it takes that back.
    fn report_dead(&self, relay: &RelayId);

    /// Others are told from now on how this relay stands.
    fn stand(&self, standing: Standing);

    /// Hears what changes from now on.
    fn listen(&self) -> Listener;

    /// Whether what is told here is up to date, and claims are taken.
    fn state(&self) -> State;

    /// How much there is.
    fn census(&self) -> Census;

    /// What is to be remembered of it, unless that is the same as it was at this number of changes; `None`: nothing, or
    /// nothing new, or what is known is old already.
    fn remembered(&self, but: Option<u64>) -> Option<(u64, Remembered)> {
        let _ = but;
        None
    }

    /// The engine has not been reached since the start: until it is, this is how things are, as far as is known, and what
    /// was this relay's own is held by it. False: something is known by now, which holds.
    fn recall(&self, remembered: Remembered) -> bool {
        let _ = remembered;
        false
    }
}

/// Where a broadcast is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// The relay that has it.
    pub relay: RelayId,
    /// Which claim says so.
    pub epoch: ClaimEpoch,
    /// The relay's lease; `None`: it has ended, or its relay is known to be dead.
    pub lease: Option<Arc<Lease>>,
    /// Whether it is this relay.
    pub is_own: bool,
    /// No publisher has come to it by that claim.
    pub is_home: bool,
}

/// Whether a directory is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no engine: a relay by itself knows all there is.
    Alone,
    /// The engine has not been reached yet.
    Joining,
    /// The engine answers.
    Joined,
    /// The engine does not answer: what was known last, be it before the start, is told, and no claim is taken.
    Away,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Alone, Self::Joining, Self::Joined, Self::Away];

    /// As figures and the log have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Joining => "joining",
            Self::Joined => "joined",
            Self::Away => "away",
        }
    }
}

/// How much a directory holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Relays whose leases go on.
    pub relays: usize,
    /// Claims of this relay's own.
    pub own: usize,
    /// Claims of all relays.
    pub claims: usize,
}
