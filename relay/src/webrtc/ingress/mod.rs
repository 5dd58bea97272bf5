//! From publishers (WHIP) to the cache: packets in order, put together as frames, with capture times.

mod arrivals;
mod choice;
mod control;
mod place;
mod source;
mod sources;
pub(in crate::webrtc) mod upstream;
mod watch;
