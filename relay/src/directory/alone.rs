use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use parking_lot::RwLock;

use super::event::Events;
use super::view::{Remedy, View};
use super::{
    Bid, Census, Claim, ClaimEpoch, ClaimError, Directory, Lease, Listener, RelayId, Standing,
    State, Whereabouts,
};
use crate::broadcast::BroadcastId;
use crate::shard::RelayClock;

/// The directory of a relay by itself: what it claims is all there is. It has no task, and asks nobody.
#[derive(Debug)]
pub struct Alone {
    own: RelayId,
    clock: RelayClock,
    known: RwLock<Known>,
    events: Events,
}

#[derive(Debug)]
struct Known {
    view: View,
    lease: Arc<Lease>,
    revision: u64,
}

impl Alone {
    /// Nothing is claimed yet. The lease, which says what others would be told, never ends.
    pub fn new(lease: Lease, clock: RelayClock) -> Self {
        let own = lease.relay.clone();
        Self {
            clock,
            known: RwLock::new(Known {
                view: View::new(own.clone(), lease.lasts()),
                lease: Arc::new(lease),
                revision: 0,
            }),
            own,
            events: Events::new(),
        }
    }

    /// Writes what has to be written, at once.
    fn settle(&self, known: &mut Known) {
        for id in known.view.amiss(usize::MAX) {
            let Some(remedy) = known.view.remedy(&id, None, self.clock.now()) else {
                continue;
            };
            known.revision += 1;
            let claim = match remedy {
                Remedy::Put(prepared) => Some(prepared.claim),
                Remedy::Remove(_) => None,
            };
            let event = known.view.fold(id, known.revision, claim);
            event.into_iter().for_each(|event| self.events.tell(event));
        }
    }

    fn claim_now(&self, broadcast: &BroadcastId, bid: &Bid) -> Result<Claim, ClaimError> {
        let mut known = self.known.write();
        let now = self.clock.now();
        let prepared = known.view.prepare(broadcast, bid, None, now)?;
        known.revision += 1;
        let revision = known.revision;
        let landed = known.view.landed(broadcast, prepared.claim, revision);
        self.settle(&mut known);
        landed
    }
}

impl Directory for Alone {
    fn own(&self) -> &RelayId {
        &self.own
    }

    fn find(&self, broadcast: &BroadcastId) -> Option<Whereabouts> {
        let known = self.known.read();
        let mut found = known.view.find(broadcast, self.clock.now())?;
        found.lease = Some(known.lease.clone());
        Some(found)
    }

    fn relays(&self) -> Vec<Arc<Lease>> {
        vec![self.known.read().lease.clone()]
    }

    fn claim<'a>(
        &'a self,
        broadcast: &'a BroadcastId,
        bid: Bid,
    ) -> BoxFuture<'a, Result<Claim, ClaimError>> {
        Box::pin(ready(self.claim_now(broadcast, &bid)))
    }

    fn release(&self, broadcast: &BroadcastId, epoch: ClaimEpoch) {
        let mut known = self.known.write();
        known.view.release(broadcast, epoch);
        self.settle(&mut known);
    }

    fn report_dead(&self, _relay: &RelayId) {}

    fn stand(&self, standing: Standing) {
        let mut known = self.known.write();
        Arc::make_mut(&mut known.lease).standing = standing;
    }

    fn listen(&self) -> Listener {
        self.events.listen()
    }

    fn state(&self) -> State {
        State::Alone
    }

    fn census(&self) -> Census {
        Census {
            relays: 1,
            ..self.known.read().view.census(self.clock.now())
        }
    }
}
