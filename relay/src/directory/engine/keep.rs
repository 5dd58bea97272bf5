//! Keeps the relay's lease going, and writes what has to be written.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::super::{Lease, State};
use super::EngineError;
use super::bucket::WriteError;
use super::connection::{Connection, PATIENCE, jitter};
use super::keys;
use super::mend::mend;
use super::shared::Shared;

/// How soon a renewal is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// How long the relay's own renewal may take to be heard of, by one who hears everything.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked for what nobody asks for any more.
const SWEPT_EVERY: Duration = Duration::from_secs(60);

/// Keeps it going; never ends.
pub(super) async fn keep(shared: &Shared, connection: &Connection) {
    let mut due = Instant::now();
    let mut renewals = Renewals::default();
    let mut sweep = Instant::now() + SWEPT_EVERY;
    loop {
        tokio::select! {
            () = sleep_until(due) => due = renewals.renew(shared, connection).await,
            () = shared.renew.notified() => due = renewals.renew(shared, connection).await,
            () = shared.amiss.notified() => mend(shared).await,
            () = sleep_until(renewals.heard_by()), if renewals.unheard.is_some() => {
                renewals.look(shared);
            }
            () = sleep_until(sweep) => {
                shared.view.write().sweep(shared.clock.now());
                shared.amiss.notify_one();
                sweep = Instant::now() + SWEPT_EVERY;
            }
        }
    }
}

/// Ends the lease, so that nobody waits for its end.
pub(super) async fn leave(shared: &Shared) {
    // Where that fails the lease ends by itself.
    let _ = timeout(PATIENCE, end(shared)).await;
}

async fn end(shared: &Shared) -> Result<(), EngineError> {
    let bucket = shared.bucket()?;
    let key = keys::of_lease(&shared.own);
    let found = bucket.read(&key).await?;
    let own = keys::lease(&found, &shared.proofs).flatten();
    if own.is_some_and(|lease| lease.run == shared.lease().run) {
        // It is written by nobody else.
        let _ = bucket.remove(&key, found.revision).await;
    }
    Ok(())
}

/// How renewing goes.
#[derive(Default)]
struct Renewals {
    /// The newest renewal, while it has not been heard of, and by when it should have been.
    unheard: Option<(u64, Instant)>,
    /// Another relay has the same id, which was said.
    doubled: bool,
    renewed: Option<Instant>,
}

impl Renewals {
    fn heard_by(&self) -> Instant {
        self.unheard.map_or_else(Instant::now, |(_, by)| by)
    }

    /// Renews the lease; says when to do it again.
    async fn renew(&mut self, shared: &Shared, connection: &Connection) -> Instant {
        let begun = Instant::now();
        match self.write(shared).await {
            Ok(revision) => {
                self.renewed = Some(begun);
                self.unheard = Some((revision, Instant::now() + HEARD_WITHIN));
                shared.takes();
                // What could not be written before may be by now.
                shared.amiss.notify_one();
                begun + (shared.lasts / 3).mul_f64(jitter())
            }
            Err(error) => {
                tracing::debug!(%error, "the lease is not renewed");
                shared.turn(State::Away);
                if error != EngineError::Unreached {
                    shared.suspect(connection).await;
                }
                Instant::now() + AGAIN.mul_f64(jitter())
            }
        }
    }

    async fn write(&mut self, shared: &Shared) -> Result<u64, EngineError> {
        let bucket = shared.bucket()?;
        let key = keys::of_lease(&shared.own);
        let mut over = shared.view.read().lease_revision(&shared.own);
        if let Some((newest, _)) = self.unheard {
            over = over.max(newest);
        }
        let lease = shared.lease();
        let value = shared.proofs.value(&lease);
        match bucket
            .put(&key, value.clone(), over, Some(shared.lasts))
            .await
        {
            Ok(revision) => return Ok(revision),
            Err(WriteError::Engine(error)) => return Err(error),
            Err(WriteError::Stale) => {}
        }
        let found = bucket.read(&key).await?;
        if let Some(other) = keys::lease(&found, &shared.proofs).flatten()
            && other.run != lease.run
        {
            self.meet(&other, &lease)?;
        }
        match bucket
            .put(&key, value, found.revision, Some(shared.lasts))
            .await
        {
            Ok(revision) => Ok(revision),
            Err(WriteError::Engine(error)) => Err(error),
            Err(WriteError::Stale) => Err(EngineError::Refused("the lease changes".into())),
        }
    }

    /// Another run of a relay has this id's lease: the one before this, or one that is to have another id.
    fn meet(&mut self, other: &Lease, own: &Lease) -> Result<(), EngineError> {
        if other.run < own.run && self.renewed.is_none() {
            return Ok(());
        }
        if !std::mem::replace(&mut self.doubled, true) {
            tracing::error!(id = %own.relay, "another relay has the same id (cluster.id): each needs its own");
        }
        Err(EngineError::Refused("another relay has this id".into()))
    }

    /// Whether what the relay wrote itself was heard of.
    fn look(&mut self, shared: &Shared) {
        let Some((revision, _)) = self.unheard.take() else {
            return;
        };
        if shared.view.read().position() < revision {
            tracing::debug!(
                revision,
                "the engine is heard no more, though it takes renewals"
            );
            shared.anew.notify_one();
        }
    }
}
