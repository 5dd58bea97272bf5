//! What the keys of the bucket are, and what their values say.

use super::super::view::Entry;
use super::super::{Claim, Lease, RelayId};
use super::bucket::{Changed, Value};
use super::proof::Proofs;
use crate::broadcast::BroadcastId;
use crate::excerpt::excerpt;

const LEASE: &str = "lease.";
const CLAIM: &str = "claim.";

pub(super) fn of_lease(relay: &RelayId) -> String {
    format!("{LEASE}{relay}")
}

pub(super) fn of_claim(broadcast: &BroadcastId) -> String {
    format!("{CLAIM}{broadcast}")
}

/// What a change says.
#[derive(Debug)]
pub(super) enum Said {
    Lease(RelayId, u64, Option<Lease>),
    Claim(BroadcastId, u64, Option<Claim>),
}

impl Said {
    /// Reads a change; `None`: it is none of ours, or makes no sense, which is said and costs nothing else.
    pub(super) fn read(changed: &Changed, proofs: &Proofs) -> Option<Self> {
        let Changed { key, value } = changed;
        let read = if let Some(relay) = key.strip_prefix(LEASE) {
            let relay: Option<RelayId> = relay.parse().ok();
            let lease = lease(value, proofs)
                .map(|lease| lease.filter(|lease| Some(&lease.relay) == relay.as_ref()));
            relay
                .zip(lease)
                .map(|(relay, lease)| Self::Lease(relay, value.revision, lease))
        } else if let Some(broadcast) = key.strip_prefix(CLAIM) {
            let broadcast = broadcast.parse().ok();
            broadcast
                .zip(claim(value))
                .map(|(broadcast, claim)| Self::Claim(broadcast, value.revision, claim))
        } else {
            None
        };
        if read.is_none() {
            let key = excerpt(key);
            tracing::warn!(%key, revision = value.revision, "the engine has what no relay wrote");
        }
        read
    }
}

/// The claim that a value is, if it has not ended; nothing of what is none.
pub(super) fn claim(value: &Value) -> Option<Option<Claim>> {
    match &value.bytes {
        Some(bytes) => serde_json::from_slice(bytes).ok().map(Some),
        None => Some(None),
    }
}

/// The same of a lease.
pub(super) fn lease(value: &Value, proofs: &Proofs) -> Option<Option<Lease>> {
    match &value.bytes {
        Some(bytes) => proofs.read(bytes).map(Some),
        None => Some(None),
    }
}

/// What a claim is as a value.
pub(super) fn value(claim: &Claim) -> Vec<u8> {
    // It has nothing that JSON does not.
    serde_json::to_vec(claim).unwrap_or_default()
}

pub(super) fn entry(revision: u64, claim: Option<Claim>) -> Option<Entry> {
    claim.map(|claim| Entry { claim, revision })
}
