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

    /// The relay at this address, which has a broadcast, does not answer.
    fn unreached(&self, id: &BroadcastId, peer: &str);
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

    fn unreached(&self, _: &BroadcastId, _: &str) {}
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

    fn unreached(&self, id: &BroadcastId, peer: &str) {
        let Some(found) = self.directory.find(id).filter(|found| !found.is_own) else {
            return;
        };
        let lease = found.lease.as_ref();
        let is_it = lease.is_some_and(|lease| lease.places.links.as_deref() == Some(peer));
        if is_it {
            tracing::warn!(relay = %found.relay, "it does not answer, and is taken to be dead");
            self.directory.report_dead(&found.relay);
        }
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
