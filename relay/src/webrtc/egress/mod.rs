//! From the cache to players: frames cut into packets once for all, and each player's own numbers,
//! times, keys and pace.

mod assembly;
pub(in crate::webrtc) mod carrier;
mod control;
pub(in crate::webrtc) mod datagrams;
#[cfg(test)]
mod lab;
mod pace;
pub(in crate::webrtc) mod packets;
mod pleas;
mod probe;
mod repairs;
mod rest;
pub(in crate::webrtc) mod sender;
mod trial;

pub use trial::{Trial, TrialError};
