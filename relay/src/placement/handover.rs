use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::packing::Leaver;
use super::{Candidates, Placement, turn};
use crate::broadcast::Broadcast;
use crate::directory::Mark;

/// What one client has been told of other relays.
#[derive(Debug)]
pub(crate) struct Handover {
    placement: Arc<Placement>,
    candidates: watch::Receiver<Arc<Candidates>>,
    broadcast: Arc<Broadcast>,
    lot: u64,
    /// What it knows of.
    knows: Vec<String>,
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
    /// The client, who is at this broadcast, knows nothing yet. Which relays it is told of depends on the broadcast, and
    /// on its `lot` when it is to go.
    pub(crate) fn new(placement: &Arc<Placement>, broadcast: &Arc<Broadcast>, lot: u64) -> Self {
        let mut candidates = placement.candidates.subscribe();
        candidates.mark_changed();
        Self {
            placement: placement.clone(),
            candidates,
            broadcast: broadcast.clone(),
            lot,
            knows: Vec::new(),
            goes: false,
        }
    }

    /// The next that it is to be told. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Hint {
        loop {
            let due = async {
                match self.goes {
                    true => pending().await,
                    false => self.placement.due(self.lot).await,
                }
            };
            tokio::select! {
                // The placement outlives whoever is told.
                Ok(()) = self.candidates.changed() => {
                    let relays = self.relays();
                    if relays != self.knows {
                        self.knows.clone_from(&relays);
                        return Hint::Relays(relays);
                    }
                }
                within = due => {
                    self.goes = true;
                    return Hint::Move(within);
                }
            }
        }
    }

    fn relays(&mut self) -> Vec<String> {
        let leaver = Leaver {
            of: self.broadcast.players_here().into(),
            turn: turn(self.lot),
        };
        let broadcast = Mark::of_broadcast(self.broadcast.id());
        self.candidates.borrow_and_update().of(broadcast, leaver)
    }
}
