//! The Steadycast relay.
pub mod auth;
pub mod bridge;
pub mod broadcast;
pub mod cli;
pub mod config;
pub mod http;
pub mod path;
pub mod quic;
pub mod relay;
pub mod sockets;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod transport;
