use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Candidates, Placement};

/// What one client has been told of other relays.
#[derive(Debug)]
pub(crate) struct Handover {
    placement: Arc<Placement>,
    candidates: watch::Receiver<Arc<Candidates>>,
    lot: u64,
    /// It knows of some.
    knows: bool,
    /// It has been told to go.
    goes: bool,
}

/// What a client is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hint {
    /// These would take it, in the order in which they are to be tried.
    Relays(Vec<String>),
    /// It is to go there; the relay is there for so much longer.
    Move(Duration),
}

impl Handover {
    /// The client knows nothing yet. Which relays it is told of depends on its `lot`, and when it is to go.
    pub(crate) fn new(placement: &Arc<Placement>, lot: u64) -> Self {
        Self {
            placement: placement.clone(),
            candidates: placement.candidates.subscribe(),
            lot,
            knows: false,
            goes: false,
        }
    }

    /// The next that it is to be told. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Hint {
        if !self.knows && !self.candidates.borrow().is_empty() {
            return self.relays();
        }
        let due = async {
            match self.goes {
                true => pending().await,
                false => self.placement.due(self.lot).await,
            }
        };
        tokio::select! {
            // The placement outlives whoever is told.
            Ok(()) = self.candidates.changed() => self.relays(),
            within = due => {
                self.goes = true;
                Hint::Move(within)
            }
        }
    }

    fn relays(&mut self) -> Hint {
        self.knows = true;
        Hint::Relays(self.candidates.borrow_and_update().draw(self.lot))
    }
}
