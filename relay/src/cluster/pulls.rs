//! The broadcasts of other relays that are here, or on their way here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, Hop, limits};
use tokio::sync::watch;
use tokio::time::timeout;

use super::pull::{Pull, Way};
use super::talk::Failure;
use super::upstream::Upstreams;
use super::whereabouts::Whereabouts;
use crate::broadcast::{Broadcast, BroadcastId, Incarnation, Registry, RegistryError};
use crate::session::{Answer, Elsewhere, NotHere};
use crate::shard::RelayClock;
use crate::telemetry::traces::{self, BroadcastTrace};

/// How long somebody waits to hear whether a broadcast comes: the relay that has it is given a little less.
const PATIENCE: Duration = Duration::from_secs(8);

/// What pulls work with.
pub(super) struct Parts {
    pub(super) own: Hop,
    pub(super) registry: Arc<Registry>,
    pub(super) clock: RelayClock,
    pub(super) linger: Duration,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) whereabouts: Arc<dyn Whereabouts>,
}

/// Gets broadcasts from other relays, each once.
pub(crate) struct Pulls {
    parts: Parts,
    /// The way of broadcasts that begin here.
    here: watch::Sender<Vec<Hop>>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// Those that have been asked for, until it is known whether they come.
    asked: HashMap<BroadcastId, watch::Receiver<Option<Outcome>>>,
    /// The ways of those that are here.
    ways: HashMap<Incarnation, watch::Receiver<Vec<Hop>>>,
}

type Outcome = Result<Arc<Broadcast>, NotHere>;

impl Pulls {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            here: watch::Sender::new(vec![parts.own]),
            parts,
            table: Mutex::default(),
        }
    }

    /// Asks for a broadcast, once for all that want it at the same time.
    fn ask(self: &Arc<Self>, id: &BroadcastId, way: Way) -> watch::Receiver<Option<Outcome>> {
        let mut table = self.table.lock();
        if let Some(asked) = table.asked.get(id) {
            return asked.clone();
        }
        let (tell, asked) = watch::channel(None);
        table.asked.insert(id.clone(), asked.clone());
        let pulls = self.clone();
        self.parts.upstreams.runtime().spawn(async move {
            pulls.get(way, tell).await;
        });
        asked
    }

    /// Gets a broadcast, and says first whether it comes.
    async fn get(self: Arc<Self>, way: Way, tell: watch::Sender<Option<Outcome>>) {
        let id = way.broadcast.clone();
        let begun = match way.ask().await {
            Ok(first) => self.take_in(way).map(|pull| (pull, first)),
            Err(failure) => {
                tracing::info!(broadcast = %id, relay = %way.peer(), %failure, "not got");
                Err(why(&failure))
            }
        };
        let outcome = match &begun {
            Ok((pull, _)) => Ok(pull.broadcast.clone()),
            Err(why) => Err(why.clone()),
        };
        {
            let mut table = self.table.lock();
            table.asked.remove(&id);
            if let Ok((pull, _)) = &begun {
                let incarnation = pull.broadcast.incarnation();
                table.ways.insert(incarnation, pull.come.subscribe());
            }
        }
        tell.send_replace(Some(outcome));
        if let Ok((pull, first)) = begun {
            let incarnation = pull.broadcast.incarnation();
            // It lasts as long as the broadcast is got.
            let _span = traces::asking_of("pull", &id);
            pull.run(first).await;
            self.table.lock().ways.remove(&incarnation);
        }
    }

    fn take_in(&self, way: Way) -> Result<Pull, NotHere> {
        let Parts {
            own,
            registry,
            clock,
            linger,
            ..
        } = &self.parts;
        let peer = way.peer();
        let taken = registry.take_in(way.broadcast.clone(), peer.as_str().into(), clock.now());
        let broadcast = taken.map_err(|error| match error {
            RegistryError::Full => NotHere::Full,
            // Somebody has made one of this id here meanwhile.
            RegistryError::Exists => NotHere::Unreachable,
        })?;
        let trace = BroadcastTrace::of(&way.broadcast);
        tracing::info!(broadcast = %way.broadcast, relay = %peer, %trace, "comes from another relay");
        Ok(Pull {
            broadcast,
            registry: registry.clone(),
            clock: *clock,
            come: watch::Sender::new(vec![*own]),
            linger: *linger,
            way: Arc::new(way),
        })
    }

    async fn find(self: Arc<Self>, id: &BroadcastId, behind: &[Hop]) -> Outcome {
        let own = self.parts.own;
        // This one and the one that has it are on the way as well.
        if behind.contains(&own) || behind.len() + 2 > limits::RELAYS {
            return Err(NotHere::TooFar);
        }
        let Parts {
            upstreams,
            whereabouts,
            ..
        } = &self.parts;
        let way = Way::find(id, (own, behind), self.parts.clock, upstreams, whereabouts).await;
        let way = way.ok_or(NotHere::Unknown)?;
        // It may have come since somebody looked.
        if let Some(broadcast) = self.parts.registry.find(id) {
            return Ok(broadcast);
        }
        let mut asked = self.ask(id, way);
        let told = timeout(PATIENCE, asked.wait_for(Option::is_some)).await;
        match told {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(NotHere::Unreachable)),
            _ => Err(NotHere::Unreachable),
        }
    }
}

/// What somebody is told where a broadcast does not come.
fn why(failure: &Failure) -> NotHere {
    match failure.code() {
        Some(Code::UnknownBroadcast | Code::BroadcastEnded | Code::HeldTooLong) => NotHere::Unknown,
        Some(Code::TooFar) => NotHere::TooFar,
        _ => NotHere::Unreachable,
    }
}

/// What sessions see of the pulls.
pub(crate) struct Others(pub(super) Arc<Pulls>);

impl Elsewhere for Others {
    fn bring<'a>(&'a self, id: &'a BroadcastId, behind: &'a [Hop]) -> Answer<'a, Outcome> {
        Box::pin(self.0.clone().find(id, behind))
    }

    fn whereabouts<'a>(&'a self, id: &'a BroadcastId) -> Answer<'a, Option<Arc<str>>> {
        Box::pin(async {
            let peer = self.0.parts.whereabouts.of(id).await?;
            Some(peer.as_str().into())
        })
    }

    fn way(&self, broadcast: &Broadcast) -> watch::Receiver<Vec<Hop>> {
        let table = self.0.table.lock();
        let way = table.ways.get(&broadcast.incarnation());
        way.cloned().unwrap_or_else(|| self.0.here.subscribe())
    }
}
