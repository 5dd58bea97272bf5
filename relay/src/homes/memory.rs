//! What a relay goes by that starts while the engine is away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Homes;
use crate::directory::{Remembered, State};
use crate::store::{Access, StateDir};

const NAME: &str = "directory.json";
/// How often it is written down, when it has changed.
const EVERY: Duration = Duration::from_secs(5);
/// How long the engine has to be there when a relay starts.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was known of the directory, in the state directory.
#[derive(Debug)]
pub(super) struct Memory {
    dir: StateDir,
    /// It is known which broadcasts there are and where, be it from before the start.
    begun: AtomicBool,
}

impl Memory {
    pub(super) fn new(dir: StateDir) -> Self {
        Self {
            dir,
            begun: AtomicBool::new(false),
        }
    }

    /// What was written down; `None`: nothing, or nothing that makes sense, which costs no more than that.
    fn read(&self) -> Option<Remembered> {
        let broken = |error: &dyn std::fmt::Display| {
            tracing::error!(file = NAME, %error, "what was known of other relays cannot be read");
        };
        let bytes = self.dir.read(NAME).map_err(|error| broken(&error)).ok()??;
        let read = serde_json::from_slice(&bytes);
        read.map_err(|error| broken(&error)).ok()
    }

    fn write(&self, remembered: &Remembered) {
        // It has nothing that JSON does not.
        let bytes = serde_json::to_vec(remembered).unwrap_or_default();
        if let Err(error) = self.dir.write(NAME, &bytes, Access::Private) {
            tracing::error!(%error, "what is known of other relays cannot be kept");
        }
    }
}

impl Homes {
    /// Whether it is known which broadcasts there are and where: before that nobody is to be sent here.
    pub(crate) fn has_begun(&self) -> bool {
        self.memory.begun.load(Ordering::Relaxed)
    }

    /// Goes by what was known before the start where the engine is not there, and writes down what is known of it while
    /// it is; never ends.
    pub(crate) async fn remember(&self) {
        if timeout(PATIENCE, self.known()).await.is_err() {
            self.recall();
        }
        self.known().await;
        self.memory.begun.store(true, Ordering::Relaxed);
        let mut written = None;
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some((changes, remembered)) = self.directory.remembered(written) {
                self.memory.write(&remembered);
                written = Some(changes);
            }
        }
    }

    /// Waits until it is known which broadcasts there are and where.
    async fn known(&self) {
        let (mut events, mut heard) = (self.directory.listen(), self.catalog.heard());
        while !self.knows_all() {
            tokio::select! {
                _ = events.next() => {}
                _ = heard.changed() => {}
            }
        }
    }

    /// What was this relay's own is here as it was. Another may have it by now, which is settled when the engine is back:
    /// the newest claim holds.
    fn recall(&self) {
        if self.directory.state() != State::Joining {
            return;
        }
        let missing = "the engine (cluster.nats)";
        let Some(remembered) = self.memory.read() else {
            return tracing::error!(missing, "not ready: nothing is known of broadcasts yet");
        };
        let held: Vec<_> = remembered.held.iter().cloned().collect();
        let claims = remembered.claims.clone();
        let (known, own) = (claims.len(), held.len());
        if !self.directory.recall(remembered) {
            return;
        }
        for id in held {
            let (Some(entry), Some(claim)) = (self.entry(&id), claims.get(&id)) else {
                continue;
            };
            self.claims.lock().insert(id.clone(), claim.epoch);
            if let Err(error) = self.here(entry) {
                tracing::error!(broadcast = %id, %error, "not here as it was");
            }
        }
        self.memory.begun.store(true, Ordering::Relaxed);
        tracing::warn!(
            missing,
            known,
            own,
            "broadcasts are where they were before this relay stopped, and none is claimed"
        );
    }

    /// This relay stops, and others are told so: what it has is theirs from now on.
    pub(crate) fn give_up_all(&self) {
        if let Some((_, remembered)) = self.directory.remembered(None) {
            self.memory.write(&Remembered {
                held: Default::default(),
                ..remembered
            });
        }
    }
}
