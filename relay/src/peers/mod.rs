//! Relays that have one engine ask one another (PROTOCOL 11.8): who is at a broadcast, how it is doing, to end a session.
//!
//! Whoever comes to a relay is known there, and there it is said what they may; what others have to do for that is
//! asked of them in that name. It goes over the connection that the directory has to the engine, on subjects beside its
//! buckets, and is kept nowhere: what is not answered within a second is not known, and is said to be missing. What
//! happens at each relay is told on such subjects too ([`tell`], [`Elsewhere`]). All of it is sealed under the secret of the
//! cluster ([`Seal`]): who may use the engine is no relay by that.

mod ask;
mod envelope;
mod events;
mod once;
mod seal;
mod seldom;
mod serve;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use ask::{Gathered, Peers, Unanswered};
pub(crate) use envelope::{Envelope, Refused};
pub(crate) use events::{Elsewhere, Heard, tell};
pub(crate) use seal::Seal;
pub(crate) use serve::{Answers, serve};

use crate::broadcast::BroadcastId;
use crate::directory::RelayId;

/// Something that relays ask one another.
pub(crate) trait Question: Serialize + DeserializeOwned {
    /// What it is called.
    const NAME: &'static str;
    /// What is answered.
    type Answer: Serialize + DeserializeOwned;
}

/// Where a relay is asked.
fn subject(prefix: &str, relay: &RelayId) -> String {
    format!("{prefix}.relay.{relay}")
}

/// Where relays tell what happens at a broadcast, or beside all of them.
fn events_of(prefix: &str, broadcast: Option<&BroadcastId>, relay: &str) -> String {
    // No broadcast's id has this in it.
    let broadcast = broadcast.map_or("_", BroadcastId::as_str);
    format!("{prefix}.events.{broadcast}.{relay}")
}
