//! QUIC and WebTransport: the endpoint, its sessions, and the pumps between them and the broadcasts.

pub(crate) mod addresses;
mod clock;
mod control;
mod endpoint;
mod group;
mod player;
mod publisher;
mod session;
mod settings;

pub use clock::RelayClock;
pub use endpoint::{Endpoint, EndpointError, Parts};
pub use settings::Settings;
