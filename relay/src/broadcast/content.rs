//! When the picture last changed.

use std::time::Duration;

use tokio::sync::watch;

use super::RelayTime;

/// A picture that has not changed for this long stands still.
pub const STILL_AFTER: Duration = Duration::from_secs(1);

/// Where changes of the picture are recorded.
#[derive(Debug)]
pub(super) struct Changes(watch::Sender<Option<RelayTime>>);

impl Changes {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Records a change. Whoever listens is woken only where the picture stood still before.
    pub(super) fn record(&self, now: RelayTime) {
        self.0.send_if_modified(|newest| {
            let still = newest.is_none_or(|at| now.since(at) >= STILL_AFTER);
            *newest = Some(now);
            still
        });
    }

    pub(super) fn listen(&self) -> Content {
        Content(self.0.subscribe())
    }
}

/// Tells when the picture last changed: not with a frame that only refines it.
#[derive(Debug)]
pub struct Content(watch::Receiver<Option<RelayTime>>);

impl Content {
    /// When the picture last changed; `None` while there has been none.
    pub fn changed(&mut self) -> Option<RelayTime> {
        *self.0.borrow_and_update()
    }

    /// Resolves when the picture changes that stood still when it was last asked for.
    /// Cancel-safe.
    pub async fn moved(&mut self) {
        if self.0.changed().await.is_err() {
            // Its broadcast is gone, and will not change any more.
            std::future::pending().await
        }
    }
}
