//! What the sessions of one shard share.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::deliver::Deliverer;
use super::session::Shared;
use crate::broadcast::{Broadcast, Incarnation};
use crate::delivery::Limits;

/// What the sessions of one shard share.
pub(super) struct Local {
    pub(super) shared: Arc<Shared>,
    deliverers: Mutex<HashMap<Incarnation, Weak<Deliverer>>>,
}

impl Local {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            deliverers: Mutex::default(),
        }
    }

    /// What brings a broadcast's players their frames; it lives as long as somebody holds it. Call
    /// it within the shard's runtime.
    pub(super) fn deliverer(&self, broadcast: &Arc<Broadcast>) -> Arc<Deliverer> {
        let mut deliverers = self.deliverers.lock();
        if let Some(known) = deliverers
            .get(&broadcast.incarnation())
            .and_then(Weak::upgrade)
        {
            return known;
        }
        deliverers.retain(|_, known| known.strong_count() > 0);
        let limits = Limits {
            stall: self.shared.settings.player_stall,
        };
        let metrics = self.shared.records.metrics().clone();
        let new = Deliverer::start(broadcast, limits, self.shared.clock, metrics);
        deliverers.insert(broadcast.incarnation(), Arc::downgrade(&new));
        new
    }
}
