//! A share of the sessions, below all transports: a thread with a runtime and a UDP socket of its
//! own.
//!
//! Nothing that happens for a frame crosses from one shard to another, except that all read the
//! same cache. What a shard serves is not this room's business: `start` is told, and a `Shard`
//! gives it a QUIC endpoint and the packets that are not QUIC's, both on the one socket.

mod addresses;
mod clock;
mod crowd;
mod driver;
mod movable;
mod packet;
mod routing;
mod socket;
mod thread;

pub use clock::RelayClock;

pub(crate) use addresses::{AddressShare, Addresses};
pub(crate) use crowd::{Crowd, Gathering, Place, Ticket, neighbourhood};
pub(crate) use movable::{Movable, Moving};
pub(crate) use packet::{Inlet, Packet, Remote, Wire};
pub(crate) use socket::ShardSocket;
pub(crate) use thread::{DRAIN, Pulse, Shard, Thread, start};
