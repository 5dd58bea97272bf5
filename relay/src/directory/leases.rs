//! Which relays live.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Lease, RelayId};
use crate::broadcast::RelayTime;

/// How much longer than it says a lease is taken to be good here: the engine says when it ends. This is for what it
/// should have said.
const SLACK: u32 = 2;

/// The leases of all relays, as the engine told them.
#[derive(Debug, Default)]
pub(super) struct Leases {
    known: HashMap<RelayId, Known>,
    /// From when on a relay without a lease is dead: until then it may not have come back after the engine, which ends
    /// at once what nobody could renew while it was away.
    settled: RelayTime,
}

#[derive(Debug)]
struct Known {
    /// `None`: it has ended.
    lease: Option<Arc<Lease>>,
    revision: u64,
    heard: RelayTime,
    /// Somebody has seen the relay dead since.
    reported: bool,
}

impl Known {
    fn lives(&self, now: RelayTime) -> Option<&Arc<Lease>> {
        let lease = self.lease.as_ref().filter(|_| !self.reported)?;
        (now < self.heard + lease.lasts() * SLACK).then_some(lease)
    }
}

impl Known {
    /// Whether the engine has not heard of the relay for so long that one who lives would have renewed its lease: what
    /// one link says of it alone may be that link's fault.
    fn is_missed(&self, now: RelayTime) -> bool {
        let lease = self.lease.as_ref();
        lease.is_none_or(|lease| now >= self.heard + lease.lasts() / 2)
    }
}

impl Leases {
    /// The lease of a relay that lives.
    pub(super) fn living(&self, relay: &RelayId, now: RelayTime) -> Option<&Arc<Lease>> {
        self.known.get(relay)?.lives(now)
    }

    /// Whether a relay is dead for certain.
    pub(super) fn is_dead(&self, relay: &RelayId, now: RelayTime) -> bool {
        self.dead_since(relay, now).is_some()
    }

    /// Since when a relay is dead; `None`: it lives, or nobody knows.
    pub(super) fn dead_since(&self, relay: &RelayId, now: RelayTime) -> Option<RelayTime> {
        match self.known.get(relay) {
            Some(known) if known.lives(now).is_some() => None,
            Some(known) if known.reported => known.is_missed(now).then_some(known.heard),
            Some(known) => (now >= self.settled).then_some(known.heard),
            None => (now >= self.settled).then_some(self.settled),
        }
    }

    /// All leases of relays that live.
    pub(super) fn all(&self, now: RelayTime) -> impl Iterator<Item = &Arc<Lease>> {
        self.known
            .values()
            .filter_map(move |known| known.lives(now))
    }

    /// The newest revision of a relay's lease, or of its end; 0: there is none.
    pub(super) fn revision(&self, relay: &RelayId) -> u64 {
        self.known.get(relay).map_or(0, |known| known.revision)
    }

    /// A lease is this from now on; `None`: it has ended. Whether the relay has come or gone by that.
    pub(super) fn take(
        &mut self,
        relay: RelayId,
        revision: u64,
        lease: Option<Lease>,
        now: RelayTime,
    ) -> Option<Turn> {
        let before = self.known.get(&relay);
        if before.is_some_and(|before| before.revision >= revision) {
            return None;
        }
        let lived = before.is_some_and(|before| before.lives(now).is_some());
        let known = Known {
            reported: lease.is_none() && before.is_some_and(|before| before.reported),
            lease: lease.map(Arc::new),
            revision,
            heard: now,
        };
        let turn = Turn::between(lived, known.lease.is_some());
        self.known.insert(relay, known);
        turn
    }

    /// These are all that there are: the engine is back, and what happened meanwhile is not known. `before`: until
    /// when leases could be renewed.
    pub(super) fn replace(
        &mut self,
        all: HashMap<RelayId, (u64, Option<Lease>)>,
        before: RelayTime,
        now: RelayTime,
    ) -> Vec<(RelayId, Turn)> {
        let mut known = std::mem::take(&mut self.known);
        let mut turns = Vec::new();
        for (relay, (revision, lease)) in all {
            let known = known.remove(&relay);
            let lived = known.is_some_and(|known| known.lives(before).is_some());
            let turn = Turn::between(lived, lease.is_some());
            turns.extend(turn.map(|turn| (relay.clone(), turn)));
            let known = Known {
                lease: lease.map(Arc::new),
                revision,
                heard: now,
                reported: false,
            };
            self.known.insert(relay, known);
        }
        let gone = known.into_iter();
        let gone = gone.filter(|(_, known)| known.lives(before).is_some());
        turns.extend(gone.map(|(relay, _)| (relay, Turn::Went)));
        turns
    }

    /// The engine takes renewals again: everybody has until then to renew.
    pub(super) fn settle(&mut self, now: RelayTime, until: RelayTime) {
        self.settled = until;
        for known in self.known.values_mut() {
            known.heard = now;
        }
    }

    /// A relay was seen dead. Whether it lived until now.
    pub(super) fn report(&mut self, relay: &RelayId, now: RelayTime) -> bool {
        let Some(known) = self.known.get_mut(relay) else {
            return false;
        };
        let lived = known.lives(now).is_some();
        known.reported = true;
        lived
    }

    /// Leaves out what nobody asks for any more: relays that ended `before` then.
    pub(super) fn forget(&mut self, before: RelayTime) {
        self.known
            .retain(|_, known| known.lease.is_some() || known.heard >= before);
    }
}

/// What has become of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is there.
    Came,
    /// Its lease has ended.
    Went,
}

impl Turn {
    fn between(lived: bool, lives: bool) -> Option<Self> {
        match (lived, lives) {
            (false, true) => Some(Self::Came),
            (true, false) => Some(Self::Went),
            _ => None,
        }
    }
}
