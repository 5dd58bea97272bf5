//! The broadcasts of other relays that are here, or on their way here.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, Hop, limits};
use tokio::sync::watch;
use tokio::time::timeout;

use super::children::Children;
use super::pull::{Begin, Pull};
use super::talk::Failure;
use super::upstream::Upstreams;
use super::way::{self, Way};
use crate::broadcast::{
    AttachError, Broadcast, BroadcastId, Description, Incarnation, PublisherSeat, Registry,
    RegistryError,
};
use crate::session::{About, Answer, Child, Comer, Elsewhere, NotHere};
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
    pub(super) ways: way::Parts,
    pub(super) at_home: Arc<dyn AtHome>,
}

/// What is known of broadcasts besides where they are.
pub(crate) trait AtHome: Send + Sync {
    /// What one is, if that is known.
    fn describe(&self, id: &BroadcastId) -> Option<Description>;

    /// Has one that comes from another relay be at home here, if nobody has it any more.
    fn adopt<'a>(&'a self, broadcast: &'a Arc<Broadcast>) -> Answer<'a, ()>;
}

/// Nothing is known but names, and nothing moves.
pub(crate) struct Names;

impl AtHome for Names {
    fn describe(&self, _: &BroadcastId) -> Option<Description> {
        None
    }

    fn adopt<'a>(&'a self, _: &'a Arc<Broadcast>) -> Answer<'a, ()> {
        Box::pin(ready(()))
    }
}

/// Gets broadcasts from other relays, each once.
pub(crate) struct Pulls {
    parts: Parts,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// Those that have been asked for, until it is known whether they come.
    asked: HashMap<BroadcastId, watch::Receiver<Option<Outcome>>>,
    /// The places in their trees of those that are here and go to other relays, or have come from one.
    places: HashMap<Incarnation, InTree>,
    /// Those that are got, and who is to hear when they move.
    got: HashMap<BroadcastId, watch::Sender<u64>>,
}

/// Where this relay is in the tree of a broadcast.
struct InTree {
    /// The relays through which it has come, this one last.
    come: watch::Sender<Vec<Hop>>,
    children: Arc<Children>,
}

impl Table {
    /// The place of a broadcast that is here, which begins here unless it is known that it does not.
    fn place(&mut self, broadcast: &Broadcast, own: Hop) -> &InTree {
        let incarnation = broadcast.incarnation();
        if !self.places.contains_key(&incarnation) {
            // Nobody is at those that have ended.
            self.places
                .retain(|_, place| place.come.receiver_count() > 0);
        }
        let begins_here = || InTree {
            come: watch::Sender::new(vec![own]),
            children: Arc::default(),
        };
        self.places.entry(incarnation).or_insert_with(begins_here)
    }

    /// Where to hear that a broadcast which is got has moved.
    fn hear(&mut self, id: &BroadcastId) -> watch::Receiver<u64> {
        let moved = watch::Sender::new(0);
        let hears = moved.subscribe();
        self.got.insert(id.clone(), moved);
        hears
    }
}

type Outcome = Result<Arc<Broadcast>, NotHere>;

impl Pulls {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
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
        self.upstreams().runtime().spawn(async move {
            pulls.get(way, tell).await;
        });
        asked
    }

    /// Gets a broadcast, and says first whether it comes.
    async fn get(self: Arc<Self>, way: Way, tell: watch::Sender<Option<Outcome>>) {
        let id = way.broadcast.clone();
        let begun = match way.ask(None, None).await {
            Ok(first) => self.take_in(way).map(|pull| {
                pull.comes_through(&first.through);
                (pull, first)
            }),
            Err(failure) => {
                tracing::info!(broadcast = %id, relay = %way.peer(), %failure, "not got");
                Err(why(&failure))
            }
        };
        let outcome = match &begun {
            Ok((pull, _)) => Ok(pull.broadcast.clone()),
            Err(why) => Err(why.clone()),
        };
        self.table.lock().asked.remove(&id);
        tell.send_replace(Some(outcome));
        if let Ok((pull, first)) = begun {
            self.keep(pull, Begin::Welcomed(Box::new(first))).await;
        }
    }

    fn take_in(&self, way: Way) -> Result<Pull, NotHere> {
        let Parts {
            registry, clock, ..
        } = &self.parts;
        let (id, peer) = (way.broadcast.clone(), way.peer());
        let description = self.parts.at_home.describe(&id);
        let taken = registry.take_in(id, description, peer.clone(), clock.now());
        let broadcast = taken.map_err(|error| match error {
            RegistryError::Full => NotHere::Full,
            // Somebody has made one of this id here meanwhile.
            RegistryError::Exists => NotHere::Unreachable,
        })?;
        let trace = BroadcastTrace::of(&way.broadcast);
        tracing::info!(broadcast = %way.broadcast, relay = %peer, %trace, "comes from another relay");
        let moves = broadcast.moves();
        Ok(self.pull(way, broadcast, moves))
    }

    fn pull(&self, way: Way, broadcast: Arc<Broadcast>, moves: u32) -> Pull {
        let Parts {
            own,
            registry,
            clock,
            linger,
            ..
        } = &self.parts;
        let mut table = self.table.lock();
        let place = table.place(&broadcast, *own);
        let (come, children) = (place.come.clone(), place.children.clone());
        Pull {
            come,
            children,
            moved: table.hear(&way.broadcast),
            registry: registry.clone(),
            at_home: self.parts.at_home.clone(),
            clock: *clock,
            linger: *linger,
            way: Arc::new(way),
            broadcast,
            moves,
        }
    }

    /// Keeps a pull up until it is over.
    async fn keep(&self, pull: Pull, begin: Begin) {
        let (broadcast, moves) = (pull.broadcast.clone(), pull.moves);
        // It lasts as long as the broadcast is got.
        let _span = traces::asking_of("pull", broadcast.id());
        pull.run(begin).await;
        let mut table = self.table.lock();
        table.got.retain(|_, moved| moved.receiver_count() > 0);
        if broadcast.ended().is_some() {
            table.places.remove(&broadcast.incarnation());
        } else if broadcast.upstream().is_none() && broadcast.moves() == moves + 1 {
            // It is here: it begins here for those behind.
            let place = table.place(&broadcast, self.parts.own);
            place.come.send_replace(vec![self.parts.own]);
        }
    }

    /// A broadcast that is here has been taken over at another relay: it comes from there from now on, and who is at it
    /// stays. Its publisher here is superseded at once.
    pub(crate) fn follow(self: &Arc<Self>, broadcast: &Arc<Broadcast>) {
        let Parts {
            own, clock, ways, ..
        } = &self.parts;
        let id = broadcast.id();
        let way = Way::new(id, (*own, &[]), *clock, ways);
        // It has ended otherwise.
        if let Ok((seat, moves)) = broadcast.follow_relay(way.peer(), clock.now()) {
            tracing::info!(broadcast = %id, "it is at another relay from now on");
            let pull = self.pull(way, broadcast.clone(), moves);
            let pulls = self.clone();
            self.upstreams().runtime().spawn(async move {
                pulls.keep(pull, Begin::Seated(seat)).await;
            });
        }
    }

    /// A broadcast is at another relay than before: if it is got here, it is got from there.
    pub(crate) fn moved(&self, id: &BroadcastId) {
        if let Some(moved) = self.table.lock().got.get(id) {
            moved.send_modify(|moves| *moves += 1);
        }
    }

    fn upstreams(&self) -> &Upstreams {
        &self.parts.ways.upstreams
    }

    async fn find(self: Arc<Self>, id: &BroadcastId, behind: &[Hop]) -> Outcome {
        let own = self.parts.own;
        // This one and the one that has it are on the way as well.
        if behind.contains(&own) || behind.len() + 2 > limits::RELAYS {
            return Err(NotHere::TooFar);
        }
        let way = Way::new(id, (own, behind), self.parts.clock, &self.parts.ways);
        if !way.look().await {
            return Err(NotHere::Unknown);
        }
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

impl Others {
    /// What is got from others.
    pub(crate) fn pulls(&self) -> &Arc<Pulls> {
        &self.0
    }
}

impl Elsewhere for Others {
    fn bring<'a>(&'a self, id: &'a BroadcastId, behind: &'a [Hop]) -> Answer<'a, Outcome> {
        Box::pin(self.0.clone().find(id, behind))
    }

    fn whereabouts<'a>(&'a self, id: &'a BroadcastId) -> Answer<'a, Option<Arc<str>>> {
        Box::pin(async {
            let peer = self.0.parts.ways.whereabouts.of(id).await?;
            Some(peer.as_str().into())
        })
    }

    fn attach<'a>(
        &'a self,
        broadcast: &'a Arc<Broadcast>,
        comer: Comer,
    ) -> Answer<'a, Result<PublisherSeat, AttachError>> {
        Box::pin(ready(comer.attach(broadcast, self.0.parts.clock.now())))
    }

    fn takes_publishers(&self) -> bool {
        false
    }

    fn way(&self, broadcast: &Broadcast) -> watch::Receiver<Vec<Hop>> {
        let mut table = self.0.table.lock();
        table.place(broadcast, self.0.parts.own).come.subscribe()
    }

    fn admit(
        &self,
        broadcast: &Broadcast,
        relay: Hop,
        about: &About,
    ) -> Result<Box<dyn Child>, NotHere> {
        let Parts { own, ways, .. } = &self.0.parts;
        let (children, links) = {
            let mut table = self.0.table.lock();
            let place = table.place(broadcast, *own);
            let links = place.come.borrow().len().saturating_sub(1);
            (place.children.clone(), links)
        };
        let child = children.admit(relay, about, (&ways.about, links))?;
        Ok(Box::new(child))
    }
}
