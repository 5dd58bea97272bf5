//! Writes claims: those that are asked for, and those that the engine has otherwise than this relay.

use futures_util::future::join_all;

use super::super::view::{Found, Prepared, Remedy};
use super::super::{Bid, Claim, ClaimEpoch, ClaimError};
use super::EngineError;
use super::bucket::{Bucket, WriteError};
use super::keys;
use super::shared::Shared;
use crate::broadcast::BroadcastId;

/// How often a claim is tried again over what was read anew.
const TRIES: usize = 5;
/// Remedies that are written at once.
const AT_ONCE: usize = 64;

/// Claims a broadcast for this relay.
pub(super) async fn claim(
    shared: &Shared,
    broadcast: &BroadcastId,
    bid: Bid,
) -> Result<Claim, ClaimError> {
    let bucket = shared.writable()?;
    let key = keys::of_claim(broadcast);
    let mut found = None;
    for _ in 0..TRIES {
        let now = shared.clock.now();
        let prepared = {
            let mut view = shared.view.write();
            view.prepare(broadcast, &bid, found.take(), now)?
        };
        let Prepared { claim, expected } = prepared;
        let _under_way = UnderWay {
            shared,
            broadcast,
            epoch: claim.epoch,
        };
        let written = bucket.put(&key, keys::value(&claim), expected, None).await;
        match written {
            Ok(revision) => return landed(shared, broadcast, claim, revision),
            Err(WriteError::Engine(error)) => return Err(error.into()),
            Err(WriteError::Stale) => found = Some(read(&bucket, &key).await?),
        }
    }
    Err(ClaimError::Contended)
}

fn landed(
    shared: &Shared,
    broadcast: &BroadcastId,
    claim: Claim,
    revision: u64,
) -> Result<Claim, ClaimError> {
    let mut view = shared.view.write();
    view.landed(broadcast, claim, revision)
}

/// A bid that is under way until this is dropped, whatever becomes of who made it.
struct UnderWay<'a> {
    shared: &'a Shared,
    broadcast: &'a BroadcastId,
    epoch: ClaimEpoch,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.shared.view.write().over(self.broadcast, self.epoch);
        self.shared.amiss.notify_one();
    }
}

/// Has the engine say what is held here, as far as it can be written now.
pub(super) async fn mend(shared: &Shared) {
    loop {
        let some = shared.view.write().amiss(AT_ONCE);
        if some.is_empty() {
            return;
        }
        let mended = join_all(some.iter().map(|id| mend_one(shared, id))).await;
        let mut failed = false;
        for (id, mended) in some.into_iter().zip(mended) {
            if let Err(error) = mended {
                tracing::debug!(broadcast = %id, %error, "the engine has a claim otherwise");
                shared.view.write().still_amiss(id);
                failed = true;
            }
        }
        if failed {
            // They are looked at again with the next renewal.
            return;
        }
    }
}

async fn mend_one(shared: &Shared, broadcast: &BroadcastId) -> Result<(), EngineError> {
    let key = keys::of_claim(broadcast);
    let mut found = None;
    for _ in 0..TRIES {
        let now = shared.clock.now();
        let remedy = shared.view.read().remedy(broadcast, found.as_ref(), now);
        let Some(remedy) = remedy else {
            return Ok(());
        };
        let bucket = shared.writable()?;
        let written = match &remedy {
            Remedy::Put(Prepared { claim, expected }) => {
                bucket.put(&key, keys::value(claim), *expected, None).await
            }
            Remedy::Remove(revision) => bucket.remove(&key, *revision).await,
        };
        match written {
            Ok(revision) => {
                shared.view.write().mended(broadcast, remedy, revision);
                return Ok(());
            }
            Err(WriteError::Engine(error)) => return Err(error),
            Err(WriteError::Stale) => found = Some(read(&bucket, &key).await?),
        }
    }
    Err(EngineError::Refused(
        "the claim changes all the time".into(),
    ))
}

async fn read(bucket: &Bucket, key: &str) -> Result<Found, EngineError> {
    let value = bucket.read(key).await?;
    Ok((keys::claim(&value).flatten(), value.revision))
}
