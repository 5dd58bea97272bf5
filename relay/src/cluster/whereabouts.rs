//! Which relay has a broadcast that is not here.

use std::future::ready;

use crate::broadcast::BroadcastId;
use crate::config::Peer;
use crate::session::Answer;

/// Says which relay has a broadcast. It is asked when a broadcast is wanted that is not here, and again whenever the link
/// by which one comes is lost.
pub(crate) trait Whereabouts: Send + Sync {
    /// The relay to get it from; `None`: nobody has it.
    fn of<'a>(&'a self, id: &'a BroadcastId) -> Answer<'a, Option<Peer>>;
}

/// The setting `cluster.origin`: one relay has whatever is not here.
pub(super) struct Fixed(pub(super) Option<Peer>);

impl Whereabouts for Fixed {
    fn of<'a>(&'a self, _: &'a BroadcastId) -> Answer<'a, Option<Peer>> {
        Box::pin(ready(self.0.clone()))
    }
}
