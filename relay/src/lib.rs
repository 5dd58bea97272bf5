//! The Steadycast relay.
pub mod auth;
pub mod broadcast;
pub mod cli;
pub mod config;
mod delivery;
mod files;
pub mod http;
pub mod path;
pub mod quic;
pub mod relay;
pub mod shard;
mod shards;
pub mod sockets;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod webrtc;
