//! What the sessions of one shard share, on one carrier.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tracing::Instrument;

use super::deliver::Deliverer;
use super::greet::greet;
use super::link::Link;
use super::shared::Shared;
use crate::broadcast::{Broadcast, BroadcastId, Incarnation};
use crate::delivery::Limits;

/// What the sessions of one shard share, on one carrier.
pub(crate) struct Local<L: Link> {
    pub(crate) shared: Arc<Shared>,
    deliverers: Mutex<HashMap<Incarnation, Weak<Deliverer<L>>>>,
}

impl<L: Link> Local<L> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            deliverers: Mutex::default(),
        }
    }

    /// Serves a client that has come for the broadcast that is `named`, if one is, until its session has ended.
    pub(crate) async fn serve(self: &Arc<Self>, link: L, named: Option<&BroadcastId>) {
        let number = self.shared.gate.number();
        let span = tracing::info_span!("session", number);
        let _established = self.shared.establish();
        greet(link, named, number, self).instrument(span).await;
    }

    /// What brings a broadcast's players their frames; it lives as long as somebody holds it. Call
    /// it within the shard's runtime.
    pub(super) fn deliverer(&self, broadcast: &Arc<Broadcast>) -> Arc<Deliverer<L>> {
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
