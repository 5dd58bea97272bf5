//! Broadcasts that are not here, where several relays have an engine.

use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::Hop;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::{HomeError, Homes};
use crate::broadcast::{AttachError, Broadcast, BroadcastId, PublisherSeat};
use crate::cluster::Others;
use crate::directory::{Bid, ClaimError};
use crate::session::{About, Answer, Child, Comer, Elsewhere, NotHere};

/// How long a publisher waits for what there is to see at another relay.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long it is looked again for what is known to be somewhere.
const NOT_YET: Duration = Duration::from_secs(2);
/// How soon it is, where nothing is heard.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Brings broadcasts here from the relays that have them, and has this one be the home of those that none has.
pub(crate) struct Everywhere {
    homes: Arc<Homes>,
    /// Gets them from others, where there are links.
    others: Option<Arc<Others>>,
    /// The way of what begins here, where there are none.
    here: watch::Sender<Vec<Hop>>,
}

impl Everywhere {
    pub(crate) fn new(homes: Arc<Homes>, others: Option<Arc<Others>>) -> Self {
        Self {
            homes,
            others,
            here: watch::Sender::new(Vec::new()),
        }
    }

    /// Brings a broadcast here. Where that fails because it is not yet known where it is, or it is on its way from one
    /// relay to another, it is tried again for a while, as soon as the directory says more.
    async fn find(&self, id: &BroadcastId, behind: &[Hop]) -> Result<Arc<Broadcast>, NotHere> {
        self.homes.begun().await;
        if self.homes.entry(id).is_none() {
            // Whoever has a link may be faster than what is told of its broadcast.
            self.homes.catalog().ask_for(id).await;
        }
        let by = Instant::now() + NOT_YET;
        let mut events = self.homes.directory.listen();
        loop {
            let why = match self.look(id, behind).await {
                Ok(broadcast) => return Ok(broadcast),
                Err(why) => why,
            };
            let passes = matches!(why, NotHere::Unknown | NotHere::TooFar);
            if !passes || self.homes.entry(id).is_none() {
                return Err(why);
            }
            if Instant::now() >= by {
                // There is one: whoever has come may come again.
                return Err(match why {
                    NotHere::Unknown => NotHere::Unreachable,
                    why => why,
                });
            }
            tracing::debug!(broadcast = %id, %why, "not yet");
            let _ = timeout(LOOK_AGAIN, events.next()).await;
        }
    }

    async fn look(&self, id: &BroadcastId, behind: &[Hop]) -> Result<Arc<Broadcast>, NotHere> {
        self.homes.wait_for_turn(id).await;
        if self.homes.entry(id).is_some() && self.homes.elsewhere(id).is_none() {
            match self.homes.bring(id, Bid::Home).await {
                Ok(home) => return Ok(home.broadcast),
                // Somebody was faster.
                Err(HomeError::Claim(ClaimError::Taken(_))) => {}
                Err(error) => return Err(why(id, &error)),
            }
        }
        match &self.others {
            Some(others) => others.bring(id, behind).await,
            None if self.homes.entry(id).is_some() => Err(NotHere::Unreachable),
            None => Err(NotHere::Unknown),
        }
    }
}

/// What somebody is told where a broadcast cannot be here.
fn why(id: &BroadcastId, error: &HomeError) -> NotHere {
    tracing::info!(broadcast = %id, %error, "not brought here");
    match error {
        HomeError::Unknown => NotHere::Unknown,
        HomeError::Full => NotHere::Full,
        HomeError::Claim(_) => NotHere::Unreachable,
    }
}

impl Everywhere {
    /// Waits a little for what another relay has, and then makes the broadcast here, where its publisher is to be.
    async fn find_to_publish(&self, id: &BroadcastId) -> Result<Arc<Broadcast>, NotHere> {
        self.homes.begun().await;
        if let Some(entry) = self.homes.entry(id)
            && self.homes.elsewhere(id).is_none()
        {
            // Its publisher claims it, and waits for nobody's turn.
            return self.homes.here(entry).map_err(|error| why(id, &error));
        }
        let why_not = match timeout(PATIENCE, self.find(id, &[])).await {
            Ok(Ok(broadcast)) => return Ok(broadcast),
            Ok(Err(why)) => why,
            Err(_) => NotHere::Unreachable,
        };
        match (why_not, self.homes.entry(id)) {
            (NotHere::Unreachable | NotHere::TooFar, Some(entry)) => {
                tracing::info!(broadcast = %id, "not waited for: it is made here for its publisher");
                self.homes.here(entry).map_err(|error| why(id, &error))
            }
            (why, _) => Err(why),
        }
    }

    async fn let_in(
        &self,
        broadcast: &Arc<Broadcast>,
        comer: Comer,
    ) -> Result<PublisherSeat, AttachError> {
        let attached = self.homes.let_in(broadcast, comer).await;
        if attached.is_err() {
            self.give_up(broadcast);
        }
        attached
    }

    /// A publisher is not let in: what was made here for it alone comes from the relay that has it.
    fn give_up(&self, broadcast: &Arc<Broadcast>) {
        let id = broadcast.id();
        let is_theirs = !self.homes.holds(id) && self.homes.elsewhere(id).is_some();
        if let Some(others) = self.others.as_ref().filter(|_| is_theirs)
            && broadcast.upstream().is_none()
        {
            others.pulls().follow(broadcast);
        }
    }
}

impl Elsewhere for Everywhere {
    fn begun(&self) -> Answer<'_, ()> {
        Box::pin(self.homes.begun())
    }

    fn bring_to_publish<'a>(
        &'a self,
        id: &'a BroadcastId,
    ) -> Answer<'a, Result<Arc<Broadcast>, NotHere>> {
        Box::pin(self.find_to_publish(id))
    }

    fn bring<'a>(
        &'a self,
        id: &'a BroadcastId,
        behind: &'a [Hop],
    ) -> Answer<'a, Result<Arc<Broadcast>, NotHere>> {
        Box::pin(self.find(id, behind))
    }

    fn whereabouts<'a>(&'a self, id: &'a BroadcastId) -> Answer<'a, Option<Arc<str>>> {
        Box::pin(async move {
            self.homes.begun().await;
            if self.homes.entry(id).is_some() && self.homes.elsewhere(id).is_none() {
                return None;
            }
            self.others.as_ref()?.whereabouts(id).await
        })
    }

    fn attach<'a>(
        &'a self,
        broadcast: &'a Arc<Broadcast>,
        comer: Comer,
    ) -> Answer<'a, Result<PublisherSeat, AttachError>> {
        Box::pin(self.let_in(broadcast, comer))
    }

    fn takes_publishers(&self) -> bool {
        true
    }

    fn admit(
        &self,
        broadcast: &Broadcast,
        relay: Hop,
        about: &About,
    ) -> Result<Box<dyn Child>, NotHere> {
        match &self.others {
            Some(others) => others.admit(broadcast, relay, about),
            None => Err(NotHere::NoRoom),
        }
    }

    fn way(&self, broadcast: &Broadcast) -> watch::Receiver<Vec<Hop>> {
        match &self.others {
            Some(others) => others.way(broadcast),
            None => self.here.subscribe(),
        }
    }
}
