//! Which relay has a broadcast that is not here.

use std::sync::Arc;

use super::upstream::Upstream;
use crate::broadcast::BroadcastId;

/// Says where broadcasts are: so far by the setting `cluster.origin` alone, the relay that has whatever is not here.
pub(super) struct Whereabouts {
    origin: Option<Arc<Upstream>>,
}

impl Whereabouts {
    pub(super) fn new(origin: Option<Arc<Upstream>>) -> Self {
        Self { origin }
    }

    /// The relay to get a broadcast from; `None`: nobody has it.
    pub(super) async fn upstream_of(&self, _: &BroadcastId) -> Option<Arc<Upstream>> {
        self.origin.clone()
    }
}
