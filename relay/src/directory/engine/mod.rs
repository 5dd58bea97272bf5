//! The directory in an engine that several relays have: NATS with JetStream.
//!
//! Leases and claims are in one bucket, so that they are told in one order, and a relay that hears of its own renewal
//! knows that it hears everything. Nothing is written but over a revision that was read.

mod bucket;
mod connection;
mod follow;
mod keep;
mod keys;
mod mend;
mod proof;
mod shared;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use bucket::EngineError;
pub(crate) use bucket::{Bucket, Changed, Shape, WriteError};
pub use connection::{ConnectError, PATIENCE};
pub(crate) use connection::{Connection, Losses};

use self::connection::Plan;
use self::shared::Shared;
use super::{
    Bid, Census, Claim, ClaimEpoch, ClaimError, Directory, Lease, Listener, Load, Places, RelayId,
    Remembered, Settings, Standing, State, Whereabouts,
};
use crate::broadcast::BroadcastId;
use crate::shard::RelayClock;

/// What a relay has to do at the moment.
pub type Loads = Box<dyn Fn() -> Load + Send + Sync>;

/// The directory of a relay among others.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Shared>);

/// Keeps a relay's copy of the directory up to date, its lease going, and what it holds claimed.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    plan: Plan,
    settings: Settings,
}

impl Engine {
    /// The directory of this relay, which begins to be kept when the keeper runs.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn new(
        settings: Settings,
        own: RelayId,
        places: Places,
        clock: RelayClock,
        loads: Loads,
    ) -> Result<(Self, Keeper), ConnectError> {
        let plan = Plan::new(&settings, &format!("steadycast {own}"))?;
        let shared = Arc::new(Shared::new(&settings, own, places, clock, loads));
        let keeper = Keeper {
            shared: shared.clone(),
            plan,
            settings,
        };
        Ok((Self(shared), keeper))
    }
}

impl Keeper {
    /// Keeps it until the shutdown, at which the relay's lease ends at once.
    pub async fn run(self, shutdown: CancellationToken) {
        self.run_beside(shutdown, async |_, _| {}).await;
    }

    /// The same, beside something else that is kept in the engine as the settings say, over the same connection.
    pub(crate) async fn run_beside(
        self,
        shutdown: CancellationToken,
        other: impl AsyncFnOnce(Connection, &Settings),
    ) {
        let Self {
            shared,
            plan,
            settings,
        } = self;
        let connection = match plan.connect().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::error!(%error, "the engine cannot be connected to");
                return;
            }
        };
        let beside = async {
            other(connection.clone(), &settings).await;
            // What is kept beside it may end; the directory goes on.
            std::future::pending::<()>().await;
        };
        let followed = follow::follow(&shared, &settings, connection.clone());
        tokio::select! {
            () = followed => {}
            () = keep::keep(&shared, &connection) => {}
            () = beside => {}
            () = shutdown.cancelled() => keep::leave(&shared).await,
        }
    }
}

impl Directory for Engine {
    fn own(&self) -> &RelayId {
        &self.0.own
    }

    fn find(&self, broadcast: &BroadcastId) -> Option<Whereabouts> {
        self.0.view.read().find(broadcast, self.0.clock.now())
    }

    fn relays(&self) -> Vec<Arc<Lease>> {
        self.0.view.read().relays(self.0.clock.now())
    }

    fn claim<'a>(
        &'a self,
        broadcast: &'a BroadcastId,
        bid: Bid,
    ) -> BoxFuture<'a, Result<Claim, ClaimError>> {
        Box::pin(mend::claim(&self.0, broadcast, bid))
    }

    fn release(&self, broadcast: &BroadcastId, epoch: ClaimEpoch) {
        self.0.view.write().release(broadcast, epoch);
        self.0.amiss.notify_one();
    }

    fn report_dead(&self, relay: &RelayId) {
        let now = self.0.clock.now();
        let event = self.0.view.write().report_dead(relay, now);
        self.0.tell(event);
    }

    fn stand(&self, standing: Standing) {
        *self.0.standing.lock() = standing;
        self.0.renew.notify_one();
    }

    fn listen(&self) -> Listener {
        self.0.events.listen()
    }

    fn state(&self) -> State {
        *self.0.state.lock()
    }

    fn census(&self) -> Census {
        self.0.view.read().census(self.0.clock.now())
    }

    fn remembered(&self, but: Option<u64>) -> Option<(u64, Remembered)> {
        // While nobody is heard others may have what was this relay's.
        if self.state() != State::Joined {
            return None;
        }
        let view = self.0.view.read();
        let changes = view.changes();
        (but != Some(changes)).then(|| (changes, view.remembered(self.0.clock.now())))
    }

    fn recall(&self, remembered: Remembered) -> bool {
        self.0.recall(remembered)
    }
}
