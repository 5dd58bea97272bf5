//! A light WHEP player, thousands of which fit into a core: the parts of webrtc-rs's sans-I/O
//! core, without its peer connection.
//!
//! From HTTP inward: [`Client`] opens sessions (`sdp`), `connect` brings one to
//! its keys over a `socket` (`ice`, `dtls`), then `player` reads: `keys` open
//! each packet, `order` puts them in order and says what is missing, `frames`
//! makes frames of them, `reports` says how it goes.

mod arrivals;
mod client;
mod connect;
mod dtls;
mod frames;
mod hearing;
mod ice;
mod keys;
mod order;
mod player;
mod reports;
mod rtp;
mod sdp;
mod socket;

pub use client::Client;
pub use player::watch;
