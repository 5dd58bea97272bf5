//! Packets over TCP (RFC 6544), for clients whose networks let no UDP through.
//!
//! A client that connects to the page's own port and begins with a check is no HTTP client: the
//! listener hands its connection over as an [`Arrival`], the bridge finds the shard of the session
//! that the check names, and there it is one more path to that session's peer. Each packet has its
//! length before it (`framing`, RFC 4571). What the shard sends goes by an [`Outlet`], which knows UDP
//! and the connections alike, and never waits for one of these: `line` says what becomes of what the
//! system does not take.

mod arrival;
mod framing;
mod line;
mod outlet;

pub(crate) use arrival::{Arrival, Guest, may_begin, read_first};
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::webrtc) use framing::Frames;
pub(in crate::webrtc) use outlet::Outlet;
