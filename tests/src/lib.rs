//! What the scenarios are played with: a real relay in this process, and clients that speak the
//! wire over real sessions.

pub mod authority;
mod cable;
pub mod client;
pub mod cluster;
pub mod coded;
pub mod http;
pub mod nats;
pub mod picture;
pub mod process;
pub mod proxy;
pub mod publisher;
pub mod relay;
pub mod session;
pub mod sound;
pub mod webrtc;
pub mod websocket;
