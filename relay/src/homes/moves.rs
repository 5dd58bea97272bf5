use std::sync::Arc;

use super::{Home, HomeError, Homes};
use crate::broadcast::{Broadcast, BroadcastId, Description};
use crate::cluster::{AtHome, Pulls};
use crate::directory::{Bid, ClaimEpoch, ClaimError, Event, Lineage, Listener, State};
use crate::session::Answer;

/// Takes care of broadcasts that move: one that has been claimed by another relay comes from there.
pub(crate) struct Moves {
    homes: Arc<Homes>,
    pulls: Option<Arc<Pulls>>,
    listener: Listener,
}

impl Moves {
    /// Those that the directory tells of from now on: nothing is to be claimed before.
    pub(crate) fn of(homes: Arc<Homes>, pulls: Option<Arc<Pulls>>) -> Self {
        Self {
            listener: homes.directory.listen(),
            homes,
            pulls,
        }
    }

    /// Does so for as long as there is a directory.
    pub(crate) async fn run(mut self) {
        while let Some(heard) = self.listener.next().await {
            match heard {
                Ok(
                    Event::Lost {
                        broadcast, epoch, ..
                    }
                    | Event::Moved {
                        broadcast, epoch, ..
                    },
                ) => self.moved(&broadcast, epoch),
                Ok(Event::Freed(_) | Event::Came(_) | Event::Went(_) | Event::Turned(_)) => {}
                Err(missed) => {
                    tracing::warn!(%missed, "where broadcasts are is looked at anew");
                    self.look_at_all();
                }
            }
        }
    }

    fn look_at_all(&self) {
        for broadcast in self.homes.registry.list() {
            let found = self.homes.directory.find(broadcast.id());
            if let Some(found) = found.filter(|found| !found.is_own) {
                self.moved(broadcast.id(), found.epoch);
            }
        }
    }

    /// Another relay has a broadcast, by this claim.
    fn moved(&self, id: &BroadcastId, claim: ClaimEpoch) {
        self.homes.lost(id, claim);
        let Some(broadcast) = self.homes.registry.find(id) else {
            return;
        };
        let Some(pulls) = &self.pulls else {
            let missing = "cluster.authority, cluster.certificate, cluster.key";
            return tracing::error!(broadcast = %id, missing, "it is at a relay that cannot be reached");
        };
        match broadcast.upstream() {
            Some(_) => pulls.moved(id),
            None if self.homes.holds(id) => {}
            None => self.goes(broadcast, pulls.clone()),
        }
    }

    /// Another relay has claimed what is here. Where that has only kept it, since this one was taken to be dead, and its
    /// publisher is here, it is claimed back, and nobody notices.
    fn goes(&self, broadcast: Arc<Broadcast>, pulls: Arc<Pulls>) {
        let found = self.homes.directory.find(broadcast.id());
        let kept = found.is_some_and(|found| !found.is_own && found.is_home);
        let Some(lineage) = broadcast.published_by().filter(|_| kept) else {
            return pulls.follow(&broadcast);
        };
        let homes = self.homes.clone();
        tokio::spawn(async move {
            match homes.claim_back(&broadcast, Lineage::of(&lineage)).await {
                Ok(_) => {
                    tracing::info!(broadcast = %broadcast.id(), "its publisher is here: it is claimed back");
                }
                // A publisher may have come here meanwhile.
                Err(_) if homes.holds(broadcast.id()) || broadcast.upstream().is_some() => {}
                Err(error) => {
                    tracing::info!(broadcast = %broadcast.id(), %error, "not claimed back");
                    pulls.follow(&broadcast);
                }
            }
        });
    }
}

impl AtHome for Homes {
    fn describe(&self, id: &BroadcastId) -> Option<Description> {
        self.entry(id).map(|entry| Description {
            title: entry.title,
            private: entry.private,
            settings: entry.settings,
        })
    }

    fn adopt<'a>(&'a self, broadcast: &'a Arc<Broadcast>) -> Answer<'a, ()> {
        Box::pin(self.have_stay(broadcast))
    }
}

impl Homes {
    /// Claims back what another relay has kept for the publisher here; waits until the engine takes that.
    async fn claim_back(&self, broadcast: &Broadcast, lineage: Lineage) -> Result<Home, HomeError> {
        let mut events = self.directory.listen();
        loop {
            while self.directory.state() != State::Joined {
                if events.next().await.is_none() {
                    return Err(HomeError::Unknown);
                }
            }
            match self.bring(broadcast.id(), Bid::Back(lineage)).await {
                Err(HomeError::Claim(ClaimError::Away(_)))
                    if broadcast.published_by().is_some() => {}
                brought => return brought,
            }
        }
    }

    /// Has a broadcast of a relay that is dead be at home here: everybody at it stays, and it is held.
    pub(super) async fn have_stay(&self, broadcast: &Arc<Broadcast>) {
        let id = broadcast.id();
        self.wait_for_turn(id).await;
        if self.elsewhere(id).is_some() {
            return;
        }
        match self.bring(id, Bid::Home).await {
            Ok(home) => {
                // It has not become another's meanwhile.
                let claims = self.claims.lock();
                if claims.get(id) == Some(&home.claim.epoch) {
                    tracing::info!(broadcast = %id, "its relay is dead: it is at home here");
                    broadcast.stay_here(self.clock.now());
                }
            }
            Err(error) => tracing::debug!(broadcast = %id, %error, "not at home here"),
        }
    }
}
