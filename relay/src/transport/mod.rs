//! QUIC and WebTransport: the endpoint, its sessions, and the pumps between them and the broadcasts.

pub(crate) mod addresses;
mod clock;
mod cohort;
mod control;
mod driver;
mod endpoint;
mod feed;
mod group;
mod player;
mod publisher;
mod routing;
mod session;
mod settings;
mod shard;
mod socket;

pub use clock::RelayClock;
pub use endpoint::{Endpoint, EndpointError, Parts};
pub use settings::Settings;
