//! From publishers (WHIP) to the cache: packets in order, put together as frames, with capture times.

mod control;
mod place;
mod timeline;
pub(in crate::webrtc) mod upstream;
