//! What the tasks of a directory share with those who ask it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::super::event::Events;
use super::super::view::View;
use super::super::{Event, Lease, Places, RelayId, Remembered, Settings, Standing, State};
use super::bucket::Bucket;
use super::connection::Connection;
use super::proof::Proofs;
use super::{EngineError, Loads};
use crate::shard::RelayClock;

/// Failures of a server, one after another, after which another is tried.
const FAILURES: u32 = 2;

pub(super) struct Shared {
    pub(super) own: RelayId,
    pub(super) clock: RelayClock,
    pub(super) view: RwLock<View>,
    pub(super) events: Events,
    pub(super) state: Mutex<State>,
    pub(super) standing: Mutex<Standing>,
    /// How long the relay's lease is good.
    pub(super) lasts: Duration,
    /// Something may have to be written.
    pub(super) amiss: Notify,
    pub(super) proofs: Proofs,
    /// The lease is to be renewed at once.
    pub(super) renew: Notify,
    /// What was heard is not all: everything has to be looked at again.
    pub(super) anew: Notify,
    run: u64,
    places: Places,
    loads: Loads,
    /// Where the directory is, while the engine is reached.
    bucket: RwLock<Option<Arc<Bucket>>>,
    suspicion: Mutex<Suspicion>,
}

/// How a server does that is reached.
#[derive(Debug, Default)]
struct Suspicion {
    /// Failures one after another.
    failures: u32,
    /// When one was left for that.
    left: Option<Instant>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("own", &self.own)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(
        settings: &Settings,
        own: RelayId,
        places: Places,
        clock: RelayClock,
        loads: Loads,
    ) -> Self {
        Self {
            view: RwLock::new(View::new(own.clone(), settings.lease)),
            own,
            clock,
            events: Events::new(),
            state: Mutex::new(State::Joining),
            standing: Mutex::default(),
            lasts: settings.lease,
            amiss: Notify::new(),
            proofs: Proofs::of(settings.secret.as_ref()),
            renew: Notify::new(),
            anew: Notify::new(),
            run: clock.now().as_micros(),
            places,
            loads,
            bucket: RwLock::default(),
            suspicion: Mutex::default(),
        }
    }

    /// The relay's lease as it is now.
    pub(super) fn lease(&self) -> Lease {
        Lease {
            relay: self.own.clone(),
            run: self.run,
            places: self.places.clone(),
            load: (self.loads)(),
            standing: *self.standing.lock(),
            seconds: self.lasts.as_secs(),
        }
    }

    /// Whether a lease of this relay's id is that of a relay that started later.
    pub(super) fn is_replaced_by(&self, lease: &Lease) -> bool {
        lease.run > self.run
    }

    /// Where claims are written, while the relay has a lease to stand behind them.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(super) fn writable(&self) -> Result<Arc<Bucket>, EngineError> {
        let bucket = self.bucket()?;
        match *self.state.lock() {
            State::Joined => Ok(bucket),
            State::Alone | State::Joining | State::Away => Err(EngineError::Silent),
        }
    }

    /// Where the directory is.
    ///
    /// # Errors
    /// [`EngineError::Unreached`].
    pub(super) fn bucket(&self) -> Result<Arc<Bucket>, EngineError> {
        self.bucket.read().clone().ok_or(EngineError::Unreached)
    }

    /// What the copy says is all there is, and more is heard.
    pub(super) fn reached(&self, bucket: Bucket) {
        *self.bucket.write() = Some(Arc::new(bucket));
        self.renew.notify_one();
        self.amiss.notify_one();
    }

    /// Nothing more is heard of the engine.
    pub(super) fn lost(&self) {
        *self.bucket.write() = None;
        self.turn(State::Away);
    }

    /// A server that is reached does not do what it is asked. After some of that it is left for another: it may be cut
    /// off from them.
    pub(super) async fn suspect(&self, connection: &Connection) {
        let leave = {
            let mut suspicion = self.suspicion.lock();
            suspicion.failures += 1;
            let long_ago = |at: Instant| at.elapsed() > self.lasts;
            let leave = suspicion.failures >= FAILURES
                && suspicion.left.is_none_or(long_ago)
                && connection.is_there();
            if leave {
                suspicion.left = Some(Instant::now());
            }
            leave
        };
        if leave {
            connection.leave_server().await;
        }
    }

    /// The lease is renewed, so the engine takes what is written.
    pub(super) fn takes(&self) {
        self.suspicion.lock().failures = 0;
        if self.bucket.read().is_some() {
            self.turn(State::Joined);
        }
    }

    /// The directory is so from now on; what is known stays meanwhile.
    pub(super) fn turn(&self, to: State) {
        let mut state = self.state.lock();
        let from = *state;
        if from == to || (from == State::Joining && to == State::Away) {
            return;
        }
        *state = to;
        let now = self.clock.now();
        self.view.write().set_away(to == State::Away, now);
        match to {
            State::Away => tracing::warn!(
                "the engine is away: broadcasts go on where they are, and none is claimed"
            ),
            _ => tracing::info!(relay = %self.own, "the engine is there"),
        }
        self.events.tell(Event::Turned(to));
    }

    /// The engine has not been reached since the start: until it is, this is how things are. False: it was.
    pub(super) fn recall(&self, remembered: Remembered) -> bool {
        let mut state = self.state.lock();
        let now = self.clock.now();
        let mut view = self.view.write();
        if *state != State::Joining || view.position() > 0 {
            return false;
        }
        *state = State::Away;
        view.recall(remembered, now);
        view.set_away(true, now);
        drop((view, state));
        self.events.tell(Event::Turned(State::Away));
        true
    }

    pub(super) fn tell(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.events.tell(event);
        }
    }
}
