//! From the cache to players: frames cut into packets once for all, and each player's own numbers,
//! times, keys and pace.

mod assembly;
pub(in crate::webrtc) mod carrier;
mod control;
pub(in crate::webrtc) mod datagrams;
mod header;
#[cfg(test)]
mod lab;
mod losing;
mod pace;
pub(in crate::webrtc) mod packets;
mod pleas;
mod probe;
mod repairs;
mod rest;
pub(in crate::webrtc) mod sender;
pub(in crate::webrtc) mod sound;
pub(in crate::webrtc) mod timeline;
mod trial;

pub use trial::{Trial, TrialError};
