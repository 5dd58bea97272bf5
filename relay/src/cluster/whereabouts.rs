//! Which relay has a broadcast that is not here.

use std::future::ready;
use std::sync::Arc;

use crate::broadcast::BroadcastId;
use crate::config::Peer;
use crate::directory::Directory;
use crate::session::Answer;

/// Says which relay has a broadcast. It is asked when a broadcast is wanted that is not here, and again whenever the link
/// by which one comes is lost.
pub(crate) trait Whereabouts: Send + Sync {
    /// The relay to get it from; `None`: nobody has it.
    fn of<'a>(&'a self, id: &'a BroadcastId) -> Answer<'a, Option<Peer>>;

    /// Whether broadcasts move from relay to relay.
    fn moves(&self) -> bool;
}

/// The setting `cluster.origin`: one relay has whatever is not here.
pub(super) struct Fixed(pub(super) Option<Peer>);

impl Whereabouts for Fixed {
    fn of<'a>(&'a self, _: &'a BroadcastId) -> Answer<'a, Option<Peer>> {
        Box::pin(ready(self.0.clone()))
    }

    fn moves(&self) -> bool {
        false
    }
}

/// The directory says which relay has what; `otherwise` has whatever nobody has claimed.
pub(super) struct Claimed {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) otherwise: Option<Peer>,
}

impl Whereabouts for Claimed {
    fn of<'a>(&'a self, id: &'a BroadcastId) -> Answer<'a, Option<Peer>> {
        Box::pin(ready(self.look(id)))
    }

    fn moves(&self) -> bool {
        true
    }
}

impl Claimed {
    fn look(&self, id: &BroadcastId) -> Option<Peer> {
        let Some(found) = self.directory.find(id) else {
            return self.otherwise.clone();
        };
        let lease = found.lease.filter(|_| !found.is_own)?;
        let place = lease.places.links.as_deref()?.parse();
        if place.is_err() {
            tracing::warn!(broadcast = %id, relay = %found.relay, "it says no place where it is reached");
        }
        place.ok()
    }
}
