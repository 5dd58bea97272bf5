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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn at(ms: u64) -> RelayTime {
        RelayTime::from_micros(ms * 1_000)
    }

    fn has_moved(content: &mut Content) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(content.moved()).poll(&mut context).is_ready()
    }

    #[test]
    fn who_listens_is_woken_by_a_still_picture_that_moves_and_by_nothing_after_it() {
        let changes = Changes::new();
        let mut content = changes.listen();
        assert_eq!(content.changed(), None);
        changes.record(at(10));
        assert!(has_moved(&mut content));
        assert_eq!(content.changed(), Some(at(10)));
        changes.record(at(1_009));
        assert!(!has_moved(&mut content), "it has not stood still");
        assert_eq!(content.changed(), Some(at(1_009)));
        changes.record(at(2_009));
        assert!(has_moved(&mut content));
    }

    #[test]
    fn a_broadcast_that_is_gone_never_moves() {
        let mut content = Changes::new().listen();
        assert!(!has_moved(&mut content));
    }
}
