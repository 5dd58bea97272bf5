//! Where what happens is told, and heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::event::{Event, Happened};
use crate::directory::RelayId;
use crate::shard::RelayClock;

/// Events that a listener may be behind; it loses the oldest of more, and is told how many.
const BEHIND: usize = 4_096;

/// Tells everybody who listens what happens. Nobody who listens is in anybody's way.
#[derive(Debug)]
pub struct Events {
    /// The relay's name among others; `None`: it is by itself.
    relay: Option<RelayId>,
    clock: RelayClock,
    sender: broadcast::Sender<Arc<Happened>>,
    numbers: AtomicU64,
}

/// Hears what happens from when it began to.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Arc<Happened>>);

/// So many events were lost, because the listener was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} events were lost")]
pub struct Lost(pub u64);

impl Events {
    /// Nothing has happened yet, at the relay of this name among others.
    pub fn new(clock: RelayClock, relay: Option<RelayId>) -> Self {
        Self {
            relay,
            clock,
            sender: broadcast::Sender::new(BEHIND),
            numbers: AtomicU64::new(0),
        }
    }

    /// This has happened.
    pub fn tell(&self, event: Event) {
        // Where nobody listens nothing is written down.
        if !self.are_heard() {
            return;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let mut happened = event.told(number, self.clock.now());
        happened.relay.clone_from(&self.relay);
        let _ = self.sender.send(Arc::new(happened));
    }

    /// Whether anybody listens.
    pub fn are_heard(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Hears from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.sender.subscribe())
    }
}

impl Listener {
    /// The next event; `None`: the relay has ended. Cancel-safe.
    ///
    /// # Errors
    /// [`Lost`]; it goes on with those that are left.
    pub async fn next(&mut self) -> Option<Result<Arc<Happened>, Lost>> {
        match self.0.recv().await {
            Ok(happened) => Some(Ok(happened)),
            Err(RecvError::Lagged(count)) => Some(Err(Lost(count))),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_listens_hears_in_order_and_whoever_is_slow_learns_what_it_missed() {
        let events = Events::new(RelayClock::start(), None);
        events.tell(Event::Created("nobody".parse().unwrap()));
        let (mut quick, mut slow) = (events.listen(), events.listen());
        events.tell(Event::Created("a".parse().unwrap()));
        events.tell(Event::Live("a".parse().unwrap()));
        let heard = [quick.next().await, quick.next().await];
        let heard = heard.map(|happened| happened.unwrap().unwrap().event);
        assert_eq!(heard, ["broadcast.created", "broadcast.live"]);
        for _ in 0..BEHIND {
            events.tell(Event::Held("a".parse().unwrap()));
        }
        assert_eq!(slow.next().await.unwrap().unwrap_err(), Lost(2));
        assert_eq!(slow.next().await.unwrap().unwrap().event, "broadcast.held");
        drop(events);
        while let Some(Ok(_)) = quick.next().await {}
    }
}
