//! WebTransport over QUIC: the endpoint, who gets in, and the link and the carrier of its sessions.

mod accept;
mod carrier;
pub mod congestion;
mod endpoint;
mod group_writer;
mod link;
mod serve;
mod sound;

pub(crate) use endpoint::Endpoint;
pub use endpoint::EndpointError;
