use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{ClaimEpoch, RelayId, State};
use crate::broadcast::BroadcastId;

/// Events that a listener may be behind; it loses the oldest of more, and is told how many.
const BEHIND: usize = 4_096;

/// What has changed in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// This relay held a broadcast and another has it now: the publisher here is superseded.
    Lost {
        /// The broadcast.
        broadcast: BroadcastId,
        /// The relay that has it.
        relay: RelayId,
        /// Which claim of it says so.
        epoch: ClaimEpoch,
    },
    /// A broadcast is at another relay than before, or its publisher is another there.
    Moved {
        /// The broadcast.
        broadcast: BroadcastId,
        /// The relay that has it.
        relay: RelayId,
        /// Which claim of it says so.
        epoch: ClaimEpoch,
    },
    /// Nobody has a broadcast any more.
    Freed(BroadcastId),
    /// A relay is there.
    Came(RelayId),
    /// A relay is there no more.
    Went(RelayId),
    /// The directory is another way than before.
    Turned(State),
}

/// Tells those who listen what changes. Nobody who listens is in anybody's way.
#[derive(Debug)]
pub(super) struct Events(broadcast::Sender<Event>);

/// Hears what changes from when it began to.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Event>);

/// So many events were missed, because the listener was too slow: it has to look at everything anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} changes were missed")]
pub struct Missed(pub u64);

impl Events {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }

    pub(super) fn tell(&self, event: Event) {
        // Where nobody listens there is nothing to do.
        let _ = self.0.send(event);
    }

    pub(super) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// The next change; `None`: the directory has ended. Cancel-safe.
    ///
    /// # Errors
    /// [`Missed`]; it goes on with those that are left.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(count)) => Some(Err(Missed(count))),
            Err(RecvError::Closed) => None,
        }
    }
}
