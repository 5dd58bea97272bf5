//! The WebRTC side: browsers without WebTransport, and standard tools, watch and publish the same
//! frames as RTP (PROTOCOL 8).
//!
//! On webrtc-rs's sans-I/O parts (`rtc`), driven by the shards that also serve QUIC, on the same
//! port: [`Bridge`] is what HTTP opens sessions with, `shard` what brings them their packets.
//! From the socket inward: `ice` (whose packet is it?), `dtls` (which keys?), `srtp`; then
//! `player` (`sender`, `pace`, `feedback`) or `publisher`.

mod assembly;
mod channel;
mod control;
mod datagrams;
mod dtls;
mod feedback;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod hello;
mod ice;
mod pace;
mod packets;
mod peer;
mod place;
mod player;
mod rest;
mod sdp;
mod sender;
mod session;
mod sessions;
mod shard;
mod srtp;
mod timeline;
mod trial;
mod upstream;

pub use dtls::IdentityError;
pub use sdp::{Fragment, FragmentError, Offer, OfferError};
pub use session::{Ear, OpenError, Opened, PathNews, RestartError, Session, SessionId};
pub use sessions::{Bridge, Settings};
pub(crate) use shard::{BridgeShard, Inlet, Packet, Wire, is_for_bridge};
pub use trial::{Trial, TrialError};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use sdp::offers;
